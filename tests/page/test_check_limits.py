"""What CI asks of the warehouse: limits, and what is told of those that are not kept."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ingest_site import AT, manifest
from plain_run import run_steps

from assets.cli.main import main
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.page.limits import Limits, Verdict, judge
from pipelines.run.ingest import ingest
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
from pipelines.warehouse.query import run_query


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """Two tags on the same base: old, of 300 bytes of its own, and new, of 600 with the base."""
    registry = Registry()
    now = datetime.now(UTC)
    registry.push("shop", "cart", "old", manifest(("base", 500), ("old", 300)), at=AT)
    registry.push("shop", "cart", "new", manifest(("base", 500), ("new", 100)), at=now)
    with Emulator(registry) as server:
        yield server


@pytest.fixture(scope="module")
def published(server: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its warehouse, read once. The configuration of 100 bytes is of both: 1,000 bytes in all."""
    settings = read_settings(
        endpoint_setting=server.url,
        auth_token="emulator-token",
        requests_per_second=0,
        warehouse_dir=tmp_path_factory.mktemp("limits"),
        stale_days=1,
        write_page=False,
    )
    run_steps(settings)
    return settings.warehouse_dir


@pytest.fixture
def directory(published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as the command finds it: it changes nothing there."""
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(published))
    return published


def told(directory: Path, limits: Limits, hours: float = 0) -> Verdict:
    """The only verdict, so many hours after the run."""
    [[as_of]] = run_query(directory, "select as_of from reports.registry_size").to_pydict().values()
    found, [verdict] = judge(directory, limits, as_of + timedelta(hours=hours))
    assert found == as_of
    return verdict


@pytest.mark.parametrize(
    ("limits", "is_kept", "found"),
    [
        (
            Limits(max_reclaimable=Decimal(30)),
            True,
            "stale tags would give back 300 bytes of 1.0 kB (30.0%), 30% are allowed",
        ),
        (
            Limits(max_reclaimable=Decimal("29.9")),
            False,
            "stale tags would give back 300 bytes of 1.0 kB (30.0%), 29.9% are allowed",
        ),
        (Limits(max_size=1000), True, "the registry holds 1.0 kB, 1.0 kB are allowed"),
        (Limits(max_size=999), False, "the registry holds 1.0 kB, 999 bytes are allowed"),
        (Limits(exact=True), True, "all is known"),
        (Limits(max_age=2), True, "the latest run was 2.0 hours ago, 2 are allowed"),
        (Limits(max_age=1.5), False, "the latest run was 2.0 hours ago, 1.5 are allowed"),
    ],
)
def test_a_limit_is_kept_or_not(
    directory: Path, limits: Limits, *, is_kept: bool, found: str
) -> None:
    """To the byte, and told with what was found."""
    verdict = told(directory, limits, hours=2)
    assert (verdict.is_kept, verdict.found) == (is_kept, found)


def test_what_is_not_known_keeps_no_limit(
    server: Emulator, site_settings: Callable[[str], Path]
) -> None:
    """Neither how much is known nor how much there is."""
    directory = site_settings(server.url)
    elsewhere = RunRequest("run", full=False, scope=Scope(repositories=("shop/cart-2*",)))
    ingest(read_settings(), elsewhere, NoProgress())
    assert told(directory, Limits(exact=True)) == Verdict(
        "exact", is_kept=False, found="1 things are not known: repository_never_read"
    )
    found = "the registry holds ?, 1.0 kB are allowed"
    assert told(directory, Limits(max_size=1000)) == Verdict("max-size", is_kept=False, found=found)
    assert not told(directory, Limits(max_reclaimable=Decimal(100))).is_kept


def test_every_repository_may_have_to_have_a_rule(
    server: Emulator, site_settings: Callable[[str], Path]
) -> None:
    """Of which the first without one are named, and why."""
    directory = site_settings(server.url)
    run_steps(read_settings(read_rules=True))
    missing = told(directory, Limits(require_rule=True))
    assert missing == Verdict(
        "require-rule",
        is_kept=False,
        found="0 of 1 repositories have a retention rule that can take something:"
        " not shop/cart (no rule)",
    )
    rule = {"template": "tag_rule", "params": {"num": "1"}, "tag_selectors": []}
    server.registry.set_retention("shop", "cart", [rule])
    ingest(
        read_settings(read_rules=True), RunRequest("full", full=True, scope=Scope()), NoProgress()
    )
    server.registry.set_retention("shop", "cart", [])
    assert told(directory, Limits(require_rule=True)) == Verdict(
        "require-rule",
        is_kept=True,
        found="1 of 1 repositories have a retention rule that can take something",
    )


def run(*arguments: str) -> Result:
    """Run the command."""
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


@pytest.mark.usefixtures("directory")
def test_the_exit_code_says_whether_limits_are_kept(tmp_path: Path) -> None:
    """A line for each that is not; JSON and JUnit tell of all."""
    kept = run("--max-reclaimable", "30%", "--max-age", "1", "--exact")
    assert (kept.exit_code, kept.stdout) == (0, "")
    report = tmp_path / "junit.xml"
    limits = ["--max-reclaimable", "20%", "--max-size", "0.9kB", "--exact"]
    broken = run(*limits, "--junit", str(report))
    assert broken.exit_code == 1
    assert broken.stdout.splitlines() == [
        "max-reclaimable: stale tags would give back 300 bytes of 1.0 kB (30.0%), 20% are allowed",
        "max-size: the registry holds 1.0 kB, 900 bytes are allowed",
    ]
    suite = ET.parse(report).getroot()  # noqa: S314 - our own
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "3", "2")
    assert [case.get("name") for case in suite] == ["max-reclaimable", "max-size", "exact"]
    messages = [failure.get("message") for failure in suite.iter("failure")]
    assert messages[1] == "the registry holds 1.0 kB, 900 bytes are allowed"
    as_json = run(*limits, "--json")
    assert as_json.exit_code == 1
    told = json.loads(as_json.stdout)
    assert told["is_kept"] is False
    assert [rule["is_kept"] for rule in told["rules"]] == [False, False, True]


@pytest.mark.usefixtures("directory")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Give a limit"),
        (["--max-reclaimable", "a lot"], "no share such as 20%"),
        (["--max-reclaimable", "101%"], "no share such as 20%"),
        (["--max-reclaimable", "NaN"], "no share such as 20%"),
        (["--max-size", "2XB"], "no size such as 500GB"),
        (["--max-age", "-1"], "not in the range"),
        (["--exact", "--junit", "/nowhere/junit.xml"], "cannot be written to /nowhere"),
    ],
)
def test_a_limit_that_cannot_be_read_is_told(arguments: list[str], told: str) -> None:
    """With what was meant; it is no broken limit."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_without_a_warehouse_nothing_is_judged(
    server: Emulator, site_settings: Callable[[str], Path]
) -> None:
    """The exit code is another one."""
    site_settings(server.url)
    result = run("--exact")
    assert result.exit_code == 2
    assert "run `swr-warehouse ingest` first" in result.stderr
