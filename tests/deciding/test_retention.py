"""What rules would do to a warehouse: bytes as sets, readings, comparison, and the command."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from described_registry import Description, expand, warehouse
from ingest_site import AT, PlainSite, at_read_site, manifest
from rich.console import Console

from assets.cli.main import main
from pipelines.deciding.rules import DOCUMENTED, Rule, Selector
from pipelines.emulator.registry import Registry
from pipelines.page.plain_text import printable
from pipelines.page.retention import retention_answer
from pipelines.warehouse.asking import asking_on
from pipelines.warehouse.retention import QUESTIONS, Retention, judge

Row = dict[str, Any]


def old(manifest: str, days: int) -> Row:
    """A tag updated so many days ago."""
    return {"manifest": manifest, "updated_days_ago": days}


# a and b share 1000, their repository and team/tool 300, all three 7.
DESCRIBED: Description = {
    "tags": {
        "team/app": {
            "a": old("image-a", 50),
            "b": old("image-b", 40),
            "c": old("image-c", 1),
            "same": old("image-a", 2),
        },
        "team/tool": {"x": old("image-x", 60), "y": old("image-y", 1)},
        "other/app": {"z": old("image-z", 90)},
    },
    "manifests": {
        "image-a": {"layers": ["ab 1000", "all 7"]},
        "image-b": {"layers": ["ab 1000", "b 20", "two 300"]},
        "image-c": {"layers": ["c 4"]},
        "image-x": {"layers": ["x 5", "two 300"]},
        "image-y": {"layers": ["y 6"]},
        "image-z": {"layers": ["all 7", "z 8"]},
    },
}
RULES = [
    Rule("team/app", "date_rule", 30, (Selector("label", "b"),)),
    Rule("team/*", "tag_rule", 1),
]


def judged(rules: list[Rule], other: list[Rule] | None = None) -> Retention:
    """What rules would do to the described registry."""
    with warehouse(expand(DESCRIBED)) as con, asking_on(con, QUESTIONS) as asked:
        return judge(asked, rules, DOCUMENTED, other)


def sizes(rows: list[Row], name: str) -> dict[Any, tuple[int, int, str]]:
    """Deleted tags, bytes and basis by a column."""
    columns = ("deleted_tag_count", "reclaimable_bytes", "reclaimable_basis")
    return {row[name]: tuple(row[column] for column in columns) for row in rows}


def test_bytes_are_those_of_sets() -> None:
    """Of each rule and repository what it gives back by itself; together more than the sum."""
    found = judged([Rule("team/app", "date_rule", 30), *RULES[1:], Rule("*", "date_rule", 365)])
    # a goes and leaves all to same; b goes and leaves ab to same, two to x.
    assert sizes(found.rules, "rule") == {
        1: (2, 20, "exact"),
        2: (1, 5, "exact"),
        3: (0, 0, "exact"),
    }
    assert [row["live_tag_count"] for row in found.rules] == [4, 2, 1]
    repositories = [
        row | {"name": "{namespace}/{repository}".format(**row)} for row in found.repositories
    ]
    assert sizes(repositories, "name") == {
        "other/app": (0, 0, "exact"),
        "team/app": (2, 20, "exact"),
        "team/tool": (1, 5, "exact"),
    }
    assert (found.together["deleted_tag_count"], found.together["reclaimable_bytes"]) == (3, 325)
    assert found.together["live_tag_count"] == 7


def test_what_is_given_back_has_its_price() -> None:
    """A byte costs a ten-thousandth: 325 of them three cents, half of one rounded up."""
    described = DESCRIBED | {"price_per_gb_month": "107374.1824", "currency": "EUR"}
    with warehouse(expand(described)) as con, asking_on(con, QUESTIONS) as asked:
        found = judge(asked, [Rule("team/*", "date_rule", 30)], DOCUMENTED)
    assert found.together["reclaimable_monthly_cost"] == Decimal("0.03")
    console = Console(width=100, record=True)
    with console.capture() as captured:
        console.print(retention_answer(found, DOCUMENTED), soft_wrap=True)
    line = "They delete 3 of 7 tags, which gives back 325 bytes (0.03 EUR a month)."
    assert line in captured.get().splitlines()


def test_every_tag_has_its_share() -> None:
    """What is divided between b and x is two; the rest is theirs alone."""
    rows = judged([Rule("team/app", "date_rule", 30), *RULES[1:]]).tags.to_pylist()
    assert [(row["tag"], row["verdict"], row["bytes"]) for row in rows] == [
        ("z", "kept", 0),
        ("a", "deleted", 0),
        ("b", "deleted", 170),
        ("c", "kept", 0),
        ("same", "kept", 0),
        ("x", "deleted", 155),
        ("y", "kept", 0),
    ]
    assert rows[2]["reason"] == "deleted: 40 days, keeps 30"
    assert (rows[2]["rule"], rows[2]["rank"], rows[2]["age_days"]) == (1, None, 40)
    assert (rows[5]["rule"], rows[5]["rank"], rows[5]["age_days"]) == (2, 2, None)
    assert rows[0]["reason"] == "no rule"


def test_breaks_are_those_of_all_rules_together() -> None:
    """`same` is on the digest of a, which goes."""
    [row] = judged(RULES).breaks.to_pylist()
    assert (row["kind"], row["tag"], row["deleted_tag"]) == ("shared_digest", "same", "a")


def test_readings_differ_where_a_switch_matters() -> None:
    """By the newest of a digest, a stays with `same`; selectors that include take b alone."""
    found = sizes(judged([Rule("team/app", "tag_rule", 2)]).readings, "reading")
    assert found["as assumed"] == (2, 20, "exact")
    assert found["digests counted"] == (1, 20, "exact")
    assert found["ties by name from the end"] == (2, 20, "exact")
    assert len(found) == 11


def test_rules_are_compared() -> None:
    """The tags that only one deletes, and the bytes between."""
    found = judged(RULES, [Rule("team/*", "date_rule", 30)])
    assert found.other is not None
    assert found.other["reclaimable_bytes"] == 325
    differing = [
        (row["tag"], row["verdict"], row["other_verdict"], row["other_reason"])
        for row in found.tags.to_pylist()
        if row["verdict"] != row["other_verdict"]
    ]
    assert differing == [("b", "kept", "deleted", "deleted: 40 days, keeps 30")]


def test_the_answer_fits_a_terminal_of_a_hundred_columns() -> None:
    """All of its lines."""
    found = judged(RULES, [Rule("team/*", "date_rule", 30)])
    console = Console(width=100, force_terminal=True, color_system=None, record=True)
    with console.capture() as captured:
        console.print(retention_answer(found, DOCUMENTED), soft_wrap=True)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 100
    # Without dates of creation only y goes, as the second by name.
    assert lines[2] == (
        "Other readings: 1 (creation time) to 2 tags (as assumed), 5 bytes to 325 bytes."
    )
    assert "The other rules delete 3 tags and give back 325 bytes: 320 bytes more." in lines


# The command.

RULES_FILE = """\
- repositories: shop/*
  template: tag_rule
  params: {num: 2}
  tag_selectors: [{kind: regexp, pattern: "^="}]
"""
HOSTILE = ["[red]x[/red]", "a\x1b[31mred", "b\u202egpj", "=1+1"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSite]:
    """Four tags of hostile names, the first the newest, beside another repository; read once."""
    served = Registry()
    for number, name in enumerate(HOSTILE):
        text = manifest(("base", 1000), (f"own{number}", 10 + number))
        served.push("shop", "app", name, text, at=AT - timedelta(days=number))
    served.push("data", "app", "v1", manifest(("base", 1000)), at=AT)
    with at_read_site(tmp_path_factory.mktemp("retention"), served) as found:
        yield found


@pytest.fixture
def run(site: PlainSite, tmp_path: Path) -> Callable[..., Result]:
    """Run the command on the warehouse of that registry, in a folder with a file of rules."""
    site.set_environment()
    (tmp_path / "RULES.yaml").write_text(RULES_FILE)

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
        return result

    return command


def test_the_command_shows_names_as_text(run: Callable[..., Result], tmp_path: Path) -> None:
    """Of the four tags one is excepted, two stay, and the third goes."""
    result = run("retention", str(tmp_path / "RULES.yaml"))
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["together", "5", "1", "12", "bytes"] in lines
    shown = f"shop/app:{printable(HOSTILE[2])} deleted: rank 3, keeps 2 12 bytes"
    assert shown.split() in lines
    assert "selectors ^=" in result.stdout
    assert result.stdout.endswith(
        "Nothing is deleted. --output FILE writes every tag with its verdict and reason.\n"
    )


def test_json_has_everything(run: Callable[..., Result], tmp_path: Path) -> None:
    """Every live tag, and sums that agree."""
    file = str(tmp_path / "RULES.yaml")
    told = json.loads(run("retention", file, "--json", "--compare", file).stdout)
    assert told["assumes"]["clock"] == "updated"
    assert told["together"]["reclaimable_bytes"] == sum(row["bytes"] for row in told["tags"]) == 12
    assert told["other"]["between_bytes"] == 0
    assert (told["other"]["only_these_tag_count"], told["other"]["only_other_tag_count"]) == (0, 0)
    assert told["breaks"] == []
    assert {row["tag"]: row["reason"] for row in told["tags"]} == {
        "v1": "no rule",
        HOSTILE[0]: "kept: rank 1, keeps 2",
        HOSTILE[1]: "kept: rank 2, keeps 2",
        HOSTILE[2]: "deleted: rank 3, keeps 2",
        HOSTILE[3]: "excepted by ^=",
    }


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_file_holds_every_tag(run: Callable[..., Result], tmp_path: Path, ending: str) -> None:
    """In the format of its ending; only a CSV for people has quotes before formulas."""
    target = tmp_path / f"tags.{ending}"
    run("retention", str(tmp_path / "RULES.yaml"), "--output", str(target), "--raw")
    if ending == "csv":
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = (
            json.loads(target.read_text())
            if ending == "json"
            else pq.read_table(target).to_pylist()
        )
    assert [str(row["bytes"]) for row in rows] == ["0", "0", "0", "0", "12"]
    names = ["namespace", "repository", "tag", "manifest_digest", "verdict", "reason", "bytes"]
    assert list(rows[0])[:7] == names
    assert {row["tag"] for row in rows} == {"v1", *HOSTILE}


def test_a_file_for_people_holds_no_formula(run: Callable[..., Result], tmp_path: Path) -> None:
    """Unless it is asked for."""
    target = tmp_path / "tags.csv"
    run("retention", str(tmp_path / "RULES.yaml"), "--output", str(target))
    assert '"\'=1+1"' in target.read_text()


def test_the_rules_are_written_for_other_tools(run: Callable[..., Result], tmp_path: Path) -> None:
    """For each repository that they are for."""
    [request] = json.loads(
        run("retention", str(tmp_path / "RULES.yaml"), "--rule-as", "json").stdout
    )
    assert request["path"] == "/v2/manage/namespaces/shop/repos/app/retentions"
    terraform = run("retention", str(tmp_path / "RULES.yaml"), "--rule-as", "terraform").stdout
    assert terraform.startswith('resource "huaweicloud_swr_image_retention_policy" "shop_app_')


@pytest.mark.parametrize(
    ("text", "flags", "problem"),
    [
        ("- {repositories: x/*, template: tag_rule, params: {num: 1}}", [], ", line 1: no rep"),
        ("- {repositories: '*', template: tag_rule, params: {num: 0}}", [], ", line 1: num is a"),
        (RULES_FILE, ["--reading", "clock=pushed"], "clock=pushed is no reading; there are clock="),
        (RULES_FILE, ["--output", "tags.txt"], "tags.txt: name a file that ends in .csv, .json"),
        ("{", [], "wrong.yaml, line 1: this is no YAML"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    run: Callable[..., Result], tmp_path: Path, text: str, flags: list[str], problem: str
) -> None:
    """With the line where there is one, and exit code 2."""
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    result = run("retention", str(file), *flags)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_no_text_is_one_sentence(run: Callable[..., Result], tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "wrong.yaml").write_bytes(b"\xff\xfe\x00")
    result = run("retention", str(tmp_path / "wrong.yaml"))
    assert result.exit_code == 2
    assert "cannot be read as text" in result.stderr
