"""The command `plan`: what it shows, writes and refuses."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from ingest_site import AT, PlainSite, at_read_site, manifest

from assets.cli.main import main
from pipelines.emulator.registry import Registry
from pipelines.page.plain_text import printable

# a and b share 500 bytes; big has 900 of its own; the youngest tags are v1 and x.
HOSTILE = "a\u202e/[b]?x=1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSite]:
    """Five tags in two repositories, read once: the command changes nothing."""
    served = Registry()
    for number, (repository, tag, layers) in enumerate(
        [
            ("deep/app", HOSTILE, [("shared", 500), ("a", 1)]),
            ("deep/app", "b", [("shared", 500), ("b", 2)]),
            ("tool", "big", [("big", 900)]),
            ("tool", "x", [("x", 30)]),
            ("deep/app", "v1", [("v1", 4)]),
        ]
    ):
        at = AT + timedelta(days=number)
        served.push("shop", repository, tag, manifest(*layers), at=at)
    with at_read_site(tmp_path_factory.mktemp("plan"), served) as found:
        yield found


@pytest.fixture
def run(site: PlainSite) -> Callable[..., Result]:
    """Run a command on the warehouse of that registry."""
    site.set_environment()

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "\u202e" not in result.output
        return result

    return command


def test_a_plan_is_shown_with_its_proof(run: Callable[..., Result]) -> None:
    """One tag gives 900; of the newest nothing goes."""
    result = run("plan", "--reclaim", "0.9kB", "--keep-newest", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1:4] == [
        "5 tags, of which nothing protects 3.",
        "The plan: delete 1 tag, which gives back 900 bytes.",
        "No plan gives back 900 bytes for fewer tags.",
    ]
    assert any(line.split()[:1] == ["shop/tool:big"] for line in lines)
    assert max(map(len, lines)) <= 100


def test_a_wish_beyond_all_is_said(run: Callable[..., Result]) -> None:
    """With what there is."""
    lines = run("plan", "--reclaim", "1TB", "--protect", "shop/tool").stdout.splitlines()
    assert lines[2] == "The plan: delete 3 tags, which gives back 507 bytes."
    assert lines[3] == "That is all that may go: less than 1.0 TB."


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--max-tags", "2"], {"big", "x"}),
        (["--max-tags", "2", "--protect", "b*"], {"x", "v1"}),
        (["--max-tags", "2", "--protect", "shop/tool:*"], {HOSTILE, "b"}),
        (["--max-tags", "3"], {"big", HOSTILE, "b"}),
        (["--max-tags", "0"], set()),
        (["--reclaim", "1", "--older-than", "99999d"], set()),
    ],
)
def test_json_has_the_tags(
    run: Callable[..., Result], flags: list[str], expected: set[str]
) -> None:
    """Their bytes are those of the plan."""
    told = json.loads(run("plan", *flags, "--json").stdout)
    assert {row["tag"] for row in told["tags"]} == expected
    assert {row["verdict"] for row in told["tags"]} <= {"deleted"}
    assert sum(row["bytes"] for row in told["tags"]) == told["plan"]["bytes"]
    assert told["plan"]["reclaimable_bytes"] == told["plan"]["bytes"]


def test_the_file_is_one_to_act_on(run: Callable[..., Result], tmp_path: Path) -> None:
    """In the order of the plan, with the digest that each tag must still point at."""
    run("plan", "--max-tags", "3", "--output", str(tmp_path / "plan.parquet"))
    rows = pq.read_table(tmp_path / "plan.parquet").to_pylist()
    assert [row["tag"] for row in rows] == ["big", HOSTILE, "b"]
    assert [row["rank"] for row in rows] == [1, 2, 2]
    assert [row["bytes"] for row in rows] == [900, 251, 252]
    assert rows[1]["reason"] == "deleted: step 2, 2 tags give back 503 bytes"
    assert all(row["manifest_digest"].startswith("sha256:") for row in rows)


def test_requests_are_those_of_the_api(run: Callable[..., Result]) -> None:
    """What names hold is quoted."""
    lines = run("plan", "--max-tags", "3", "--format", "http").stdout.splitlines()
    paths = [line.removeprefix("DELETE {{endpoint}}") for line in lines if "DELETE" in line]
    repository = "/v2/manage/namespaces/shop/repos/deep$app/tags"
    assert paths == [
        "/v2/manage/namespaces/shop/repos/tool/tags/big",
        f"{repository}/a%E2%80%AE%2F%5Bb%5D%3Fx%3D1",
        f"{repository}/b",
    ]
    assert lines[4].startswith(
        f"### shop/deep/app:{printable(HOSTILE)} must still point at sha256:"
    )


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ([], "say either --reclaim or --max-tags"),
        (["--reclaim", "1GB", "--max-tags", "1"], "say either --reclaim or --max-tags"),
        (["--reclaim", "much"], "'much' is no size such as 500GB or 2TiB"),
        (["--reclaim", "1GB", "--older-than", "1w"], "'1w' are no days such as 90d"),
    ],
)
def test_what_is_wrong_is_said(run: Callable[..., Result], flags: list[str], problem: str) -> None:
    """With exit code 2."""
    result = run("plan", *flags)
    assert result.exit_code == 2
    assert problem in result.stderr
