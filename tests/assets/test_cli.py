"""The command line: what it prints, where, and with which exit code."""

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from checkout import ROOT
from click.testing import CliRunner, Result
from ingest_site import AT, at_read_site, manifest, small_registry
from plain_run import run_steps

from assets.cli import ui
from assets.cli.main import main
from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.server import Emulator
from pipelines.landing.reader import read_run
from pipelines.run.ingest import ingest
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings

COMMANDS = (ROOT / "docs" / "commands.md").read_text()
CHANGES = (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture
def server() -> Iterator[Emulator]:
    """A small registry."""
    with Emulator(small_registry()) as running:
        yield running


@pytest.fixture(autouse=True)
def settings(
    server: Emulator, site_settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that fit it."""
    site_settings(server.url)
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments: str) -> Result:
    """Run a command; no exception may escape but the one that carries the exit code."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse of that registry, of which tests get copies."""
    with at_read_site(tmp_path_factory.mktemp("kept"), small_registry()) as site:
        return site.directory


@pytest.fixture
def ingested(kept: Path) -> None:
    """A published warehouse."""
    shutil.copytree(kept, read_settings().warehouse_dir)


def test_ingest_ends_with_zero_when_all_is_complete() -> None:
    """And says what it read, plainly where there is no terminal."""
    result = run("ingest")
    assert result.exit_code == 0
    assert result.stdout.startswith("Published in ")
    assert result.stdout.endswith("Repositories: 3 complete.\n")
    assert "Reading 3 repositories of about 62 tags." in result.stderr
    assert "3 of 3 repositories, 62 tags." in result.stderr


@pytest.mark.usefixtures("ingested")
def test_ingest_makes_the_past_anew_on_request() -> None:
    """And says how much of it is other than it was: here nothing."""
    result = run("ingest", "--rebuild")
    assert result.exit_code == 0
    assert "reports.daily_growth: of 1 rows of earlier runs 0 changed." in result.stderr
    assert "reports.tag_events: of 62 rows of earlier runs 0 changed." in result.stderr


def test_ingest_says_what_it_takes_up() -> None:
    """So many, and when the run began that did not finish."""
    with pytest.raises(KeyboardInterrupt):
        run_steps(read_settings(), enter=_die_before_load)
    (landing,) = (read_settings().warehouse_dir / "landing").iterdir()
    began = read_run(landing).started_at.astimezone()
    assert run("ingest").stdout.endswith(
        f"Repositories: 3 taken up from a run of {began:%H:%M} that did not finish.\n"
    )


def _die_before_load(step: str) -> None:
    if step == "load":
        raise KeyboardInterrupt


def test_ingest_says_nothing_of_the_libraries_beneath() -> None:
    """In a process of its own, as people run it: two lines of progress and no warning."""
    command = [sys.executable, "-m", "assets.cli", "ingest"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert done.stderr.splitlines() == [
        "Reading 3 repositories of about 62 tags.",
        "3 of 3 repositories, 62 tags.",
    ]


def test_ingest_ends_with_one_when_some_are_not(server: Emulator) -> None:
    """The rest is published, and what failed is named."""
    server.fault = lambda request: Response(500) if request.path.endswith("/cart/tags") else None
    result = run("ingest")
    assert result.exit_code == 1
    assert "2 complete, 1 failed" in result.stdout
    assert "shop/cart: failed: GET " in result.stderr
    assert run("query", "from tags", "--format", "json").exit_code == 0


def test_what_could_not_be_read_is_named(server: Emulator) -> None:
    """A namespace with its reason, and the first ten repositories; the others are counted."""
    for number in range(12):
        server.registry.push("many", f"app-{number:02}", "1", manifest(("a", 1)), at=AT)

    def refuse(request: Request) -> Response | None:
        is_data = request.path == "/v2/manage/repos" and request.query["namespace"] == "data"
        is_refused = is_data or "/namespaces/many/" in request.path
        return gateway_error(403, "SVCSTG.SWR.4030170", "no [way]") if is_refused else None

    server.fault = refuse
    result = run("ingest")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    reason = "the credentials do not allow this: no [way] (status 403, code SVCSTG.SWR.4030170"
    [data] = [line for line in lines if line.startswith("data: ")]
    assert data.startswith(
        f"data: list of repositories failed: GET {server.url}/v2/manage/repos: {reason}"
    )
    named = [line for line in lines if line.startswith("many/app-")]
    assert len(named) == 10
    assert all(": failed: GET " in line and reason in line for line in named)
    assert "2 more repositories could not be read, or not whole: see ingest.crawls." in lines


def test_records_that_could_not_be_used_are_counted(server: Emulator) -> None:
    """The repository is complete all the same, today and when nothing changes."""
    path = "swr.cn-north-4.myhuaweicloud.com/shop/cart:bad"
    bad = {"Tag": "bad", "path": path, "digest": 5, "updated": "2026-01-01T00:00:00Z"}
    server.registry.add_record(bad)
    for _ in range(2):
        result = run("ingest")
        assert result.exit_code == 0
        assert result.stdout.endswith(
            "Tag records that could not be used: 1. See ingest.rejected_records.\n"
        )


def test_ingest_ends_with_two_when_nothing_is_published(server: Emulator) -> None:
    """One sentence, no traceback."""
    server.fault = lambda _: Response(500)
    result = run("ingest")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: GET {server.url}/v2/manage/namespaces: failed")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SWR_ENDPOINT", "", "Error: No endpoint: set SWR_REGION"),
        ("SWR_AUTH_TOKEN", "", "Error: No credentials: set SWR_AUTH_TOKEN"),
        ("SWR_AUTH_TOKEN", "wrong", "the credentials were refused"),
        ("SWR_PAGE_SIZE", "many", "Error: SWR_PAGE_SIZE: "),
        ("SWR_NAMESPACES", "nowhere", "Error: Namespace 'nowhere' is not visible"),
        ("SWR_REPOSITORIES", "shop/nothing", "Error: Repository 'shop/nothing' was not found"),
    ],
)
def test_bad_settings_are_one_sentence_and_exit_code_two(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """With what to do."""
    monkeypatch.setenv(name, value)
    result = run("ingest")
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_a_typo_in_a_flag_is_told_with_the_flag_that_was_meant() -> None:
    """As any good command does."""
    result = run("ingest", "--ful")
    assert result.exit_code == 2
    assert "No such option '--ful'. Did you mean '--full'?" in result.stderr


def test_ingest_takes_flags_over_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scope and mode."""
    monkeypatch.setenv("SWR_NAMESPACES", "shop")
    result = run("ingest", "--full", "--namespace", "data")
    assert result.stdout.endswith("Repositories: 1 complete.\n")
    (row,) = json.loads(run("query", "from ingest.runs", "--format", "json").stdout)
    assert row["mode"] == "full"
    assert json.loads(row["scope"]) == {"namespaces": ["data"], "repositories": []}


@pytest.mark.usefixtures("ingested")
def test_query_shows_a_table_or_writes_a_format(tmp_path: Path) -> None:
    """To standard output or to a file."""
    sql = "select repository, count(*) as tags from tags group by all order by all"
    assert run("query", sql).stdout.split() == (
        ["repository", "tags", "cart", "60", "deep/er/app", "1", "spark", "1"]
    )
    assert run("query", sql, "--format", "csv").stdout.splitlines() == [
        '"repository","tags"',
        '"cart",60',
        '"deep/er/app",1',
        '"spark",1',
    ]
    target = tmp_path / "answer.parquet"
    assert run("query", sql, "--format", "parquet", "--output", str(target)).exit_code == 0
    assert pq.read_table(target).to_pylist() == [
        {"repository": "cart", "tags": 60},
        {"repository": "deep/er/app", "tags": 1},
        {"repository": "spark", "tags": 1},
    ]


@pytest.mark.usefixtures("ingested")
def test_query_writes_tags_for_ncdu(tmp_path: Path) -> None:
    """By the file's ending, or as asked; only of tags."""
    target = tmp_path / "registry.ncdu"
    assert run("query", "from tags", "--output", str(target)).exit_code == 0
    written = run("query", "from tag_layers", "--format", "ncdu").stdout
    assert json.loads(target.read_text()) == json.loads(written)
    names = [repository[0]["name"] for repository in json.loads(written)[3][2][1:]]
    assert names == ["cart", "deep/er/app"]
    assert "columns namespace, " in run("query", "select 1", "--format", "ncdu").stderr
    assert run("reclaimable", "from tags", "--format", "ncdu").exit_code == 2


HALF_OF_CART = "from tags where repository = 'cart' and cast(tag[2:] as integer) < 30"


@pytest.mark.usefixtures("ingested")
def test_reclaimable_tells_what_tags_give_back_together() -> None:
    """Thirty layers of 10 bytes; others use the base of 1000 and the configuration of 100."""
    told = run("reclaimable", HALF_OF_CART).stdout.splitlines()
    assert told[0].startswith("Registry as of 20")
    assert told[1:] == [
        "30 tags hold 1.4 kB.",
        "Deleting them together would give back 300 bytes; what is left, other tags use too.",
    ]
    (row,) = json.loads(run("reclaimable", HALF_OF_CART, "--format", "json").stdout)
    del row["as_of"]
    assert row == {
        "tag_count": 30,
        "not_live_count": 0,
        "logical_bytes": 30 * 1110,
        "deduplicated_bytes": 1400,
        "size_basis": "exact",
        "reclaimable_bytes": 300,
        "shared_bytes": 1100,
        "reclaimable_basis": "exact",
        "reclaimable_monthly_cost": None,
        "currency": None,
        "break_count": 0,
    }


def test_reclaimable_says_what_it_does_not_know() -> None:
    """Where a namespace was not read, its tags may use the same layers."""
    request = RunRequest("run", full=False, scope=Scope(("shop",)))
    ingest(read_settings(), request, NoProgress())
    rows = f"select namespace, repository, tag from ({HALF_OF_CART})"
    told = run("reclaimable", f"{rows} union all values ('shop', 'cart', 'v99')").stdout
    assert told.splitlines()[1:] == [
        "30 tags hold 1.4 kB.",
        "Deleting them together would give back ≤ 300 bytes; what is left, other tags use too.",
        "Rows of the query that are no live tag: 1.",
        "",
        "≥ at least, ≤ at most, ≈ about, ? unknown: see docs/sizes.md",
    ]


@pytest.mark.usefixtures("ingested")
def test_reclaimable_wants_tags() -> None:
    """And says which columns are tags."""
    result = run("reclaimable", "select 1")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: The query has to give the columns namespace, ")


@pytest.mark.usefixtures("ingested")
@pytest.mark.parametrize("command", ["query", "reclaimable"])
@pytest.mark.parametrize(
    "sql",
    [
        "selec 1",
        "from nowhere",
        "delete from tags",
        "create table t as select 1",
        "from read_csv('/etc/passwd')",
        "copy tags to '/tmp/stolen.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
    ],
)
def test_query_reads_the_warehouse_and_nothing_else(command: str, sql: str) -> None:
    """No writing, no files, no extensions; what is wrong is one sentence."""
    result = run(command, sql)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_without_a_warehouse_the_way_to_one_is_told() -> None:
    """For every command that needs it."""
    for command in (
        ["report"],
        ["query", "select 1"],
        ["reclaimable", "from tags"],
        ["explain", "a/b"],
        ["check", "--exact"],
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert "run `swr-warehouse ingest` first" in result.stderr


@pytest.mark.usefixtures("ingested")
def test_the_report_fits_a_terminal_of_eighty_columns() -> None:
    """With the moment it describes and how much of the registry is proven."""
    result = run("report")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    # The command that comes next is not broken, however the program was called.
    assert max(len(line) for line in lines if not line.startswith("Next: ")) <= 80
    assert lines[0].startswith("Registry as of 20")
    assert lines[0].endswith("UTC · 3 of 3 repositories complete")
    # 60 x (1000 + 10 + 100) + 1100 + 5100 logical; 1000 + 60 x 10 + 5000 + 100 stored.
    assert lines[1] == "62 tags hold 6.7 kB deduplicated, 72.8 kB logical."
    assert lines[2] == "Exact: every figure."
    start = lines.index("The largest repositories")
    assert [line.split() for line in lines[start + 1 : start + 6]] == [
        ["repository", "tags", "deduplicated", "exclusive", "allocated", "growth"],
        # The configuration is half of each namespace's, the base half of each of the others'.
        ["data/spark", "1", "5.1", "kB", "5.0", "kB", "5.0", "kB"],
        ["shop/cart", "60", "1.7", "kB", "600", "bytes", "1.1", "kB"],
        ["shop/deep/er/app", "1", "1.1", "kB", "0", "bytes", "525", "bytes"],
        ["all", "62", "6.7", "kB"],
    ]


@pytest.mark.usefixtures("ingested")
def test_a_report_of_one_namespace_adds_up_with_its_rest() -> None:
    """Of its two repositories one is shown; --json has the same numbers."""
    lines = run("report", "--namespace", "shop", "--top", "1", "--sort", "tags").stdout.splitlines()
    assert lines[0].startswith("Namespace shop as of 20")
    assert lines[1] == "61 tags hold 1.6 kB allocated, 1.7 kB deduplicated, 67.7 kB logical."
    start = lines.index("The largest repositories")
    assert [line.split() for line in lines[start + 2 : start + 5]] == [
        ["shop/cart", "60", "1.7", "kB", "600", "bytes", "1.1", "kB"],
        ["1", "others", "1", "525", "bytes"],
        ["all", "61", "1.6", "kB"],
    ]
    found = json.loads(run("report", "--namespace", "shop", "--top", "1", "--json").stdout)
    assert found["whole"]["allocated_bytes"] == 1650
    assert [row["allocated_bytes"] for row in found["repositories"]] == [1125]
    assert (found["rest"]["repository_count"], found["rest"]["allocated_bytes"]) == (1, 525)
    assert [(row["age_bucket"], row["exclusive_bytes"]) for row in found["ages"][-2:]] == [
        (">365d", 0),
        ("unknown", 0),
    ]
    result = run("report", "--namespace", "nobody")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: The warehouse holds no namespace nobody; it holds data, shop.\n",
    )


def test_the_report_tells_what_a_month_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a price is set: here 100 bytes cost a cent.

    Both use the configuration of 100 bytes, 50 each; half a cent of the first is rounded up.
    """
    monkeypatch.setenv("SWR_PRICE_PER_GB_MONTH", "107374.182400")
    monkeypatch.setenv("SWR_CURRENCY", "EUR")
    run_steps(read_settings())
    lines = run("report").stdout.splitlines()
    assert lines[1] == "62 tags hold 6.7 kB deduplicated, 72.8 kB logical, 0.67 EUR a month."
    start = lines.index("The largest repositories")
    assert [line.split()[-1] for line in lines[start + 1 : start + 6]] == [
        "month",
        "0.51",
        "0.11",
        "0.05",
        "0.67",
    ]


@pytest.mark.usefixtures("ingested")
def test_tags_shows_what_the_registry_has_now() -> None:
    """All pages of it, in either order."""
    newest = run("tags", "shop/cart").stdout.splitlines()
    assert len(newest) == 61
    assert newest[1].split()[:4] == ["v59", "1.1", "kB", "2026-03-01"]
    oldest = run("tags", "shop/cart", "--ascending").stdout.splitlines()
    assert oldest[1].split()[0] == "v0"


def test_tags_sends_what_it_is_asked_to(server: Emulator) -> None:
    """Every parameter of the API's page, separate or as one filter."""
    run("tags", "shop/deep/er/app", "--tag", "1", "--offset", "0", "--limit", "5")
    assert server.log[-1].query == {
        "offset": "0",
        "limit": "5",
        "order_column": "updated_at",
        "order_type": "desc",
        "tag": "1",
    }
    run(
        "tags", "shop/cart", "--offset", "10", "--limit", "5", "--filter-style", "--order-by", "tag"
    )
    assert server.log[-1].query == {
        "filter": "offset::10|limit::5|order_column::tag|order_type::desc"
    }


def test_tags_wants_offset_and_limit_together() -> None:
    """As the API does."""
    result = run("tags", "shop/cart", "--offset", "3")
    assert result.exit_code == 2
    assert "--offset and --limit together" in result.stderr
    assert "NAMESPACE/REPOSITORY" in run("tags", "cart").stderr


def test_a_recording_can_be_served_again(tmp_path: Path) -> None:
    """What `tags --format jsonl` prints, `emulator --catalogue` takes."""
    recording = tmp_path / "cart.jsonl.gz"
    recording.write_bytes(gzip.compress(run("tags", "shop/cart", "--format", "jsonl").stdout_bytes))
    command = [sys.executable, "-m", "assets.cli", "emulator", "--catalogue", str(recording)]
    command += ["--fault", "no-total", "--fault", "error-503=0.5"]
    command += ["--token", "t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        environment = os.environ | {"SWR_ENDPOINT": first.split()[-1], "SWR_AUTH_TOKEN": "t"}
        again = CliRunner(env=environment).invoke(main, ["tags", "shop/cart"])
        process.terminate()
    assert first.startswith("Serving 60 tags on http://127.0.0.1:")
    assert again.stdout == run("tags", "shop/cart").stdout
    assert process.returncode == 143


def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """File and line."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\nnot json\n")
    result = run("emulator", "--catalogue", str(bad))
    assert result.exit_code == 2
    assert str(bad) in result.stderr
    assert run("emulator", "--catalogue", str(tmp_path / "none.jsonl")).exit_code == 2


def test_a_fault_that_is_none_is_refused() -> None:
    """By name and by share."""
    for fault, told in (
        ("rain", "no fault 'rain'"),
        ("truncated=2", "0<=x<=1"),
        ("truncated=x", "x"),
    ):
        refused = run("emulator", "--fault", fault)
        assert refused.exit_code == 2
        assert told in refused.output


def test_doctor_says_what_is_well(server: Emulator) -> None:
    """One line each."""
    result = run("doctor")
    assert result.exit_code == 0
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["ok", "endpoint"],
        ["ok", "credentials"],
        ["ok", "reachable"],
        ["ok", "accepted"],
        ["ok", "namespaces"],
        ["ok", "pulling"],
        ["ok", "rules"],
        ["ok", "warehouse"],
    ]
    assert lines[0][2] == server.url
    assert lines[4][2] == "2: data, shop"
    assert lines[6][2] == "off (SWR_READ_RULES)"


def test_doctor_says_whether_rules_are_shown(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is no fault: runs go on without."""
    monkeypatch.setenv("SWR_READ_RULES", "true")
    assert "ok  rules        those of data/spark are shown" in run("doctor").stdout
    refusal = gateway_error(403, "APIGW.0302", "no")
    server.fault = lambda request: refusal if "retentions" in request.path else None
    result = run("doctor")
    assert result.exit_code == 0
    assert "ok  rules        not shown, and runs go on without: GET " in result.stdout


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SWR_ENDPOINT", "", "FIX settings     No endpoint"),
        ("SWR_AUTH_TOKEN", "", "FIX settings     No credentials"),
        ("SWR_AUTH_TOKEN", "wrong", "FIX accepted     renew or correct the credentials"),
        ("SWR_ENDPOINT", "http://127.0.0.1:9", "FIX reachable"),
    ],
)
def test_doctor_stops_at_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """With what to do, and exit code two."""
    monkeypatch.setenv(name, value)
    result = run("doctor")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[-1].startswith(told)


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_documented_and_its_help_has_an_example(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An example that the command takes as it stands: its options and arguments exist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text("")
    assert f"| `{name}" in COMMANDS
    shown = run(name, "--help")
    assert shown.exit_code == 0
    told = shown.stdout.partition("  Example")[2].partition("\n\n")[0]
    examples = re.findall(r"swr-warehouse ([^;&]+)", " ".join(told.split()))
    assert examples
    for example in examples:
        called, *arguments = shlex.split(example)
        main.commands[called].make_context(called, arguments, parent=click.Context(main))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_documented_line_completes_commands(shell: str) -> None:
    """What it evaluates asks this program again, which then names its commands."""
    (variable, asked) = re.findall(rf"(_SWR_WAREHOUSE_COMPLETE)=({shell}_source)", COMMANDS)[0]
    # As the installed program finds out its own name.
    code = "from assets.cli.main import main; main(prog_name='swr-warehouse')"
    command = [sys.executable, "-W", "ignore", "-c", code]
    typed = {"COMP_WORDS": "swr-warehouse re", "COMP_CWORD": "re" if shell == "fish" else "1"}
    shown = {
        step: subprocess.check_output(
            command, env=os.environ | typed | {variable: step}, cwd=ROOT, text=True
        )
        for step in (asked, f"{shell}_complete")
    }
    assert f"{variable}={shell}_complete" in shown[asked]
    assert set(re.findall(r"\bre[a-z]+\b", shown[f"{shell}_complete"])) >= {"report", "restore"}


def test_the_version_is_that_of_the_newest_release() -> None:
    """As the changelog dates it."""
    releases = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", CHANGES, re.MULTILINE)
    assert run("--version").stdout == f"swr-warehouse, version {releases[0]}\n"


def test_the_pages_say_how_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only what running needs is there."""
    monkeypatch.setattr(ui, "find_spec", lambda _: None)
    result = run("ui")
    assert result.exit_code == 2
    assert "pip install swr-warehouse[ui]" in result.stderr
