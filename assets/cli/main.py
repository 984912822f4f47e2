"""The command `swr-warehouse`: reads flags, calls `pipelines`, shows what comes back.

Errors of ours become one sentence and exit code 2. Each command imports what it needs when it is
called: Arrow, DuckDB and Dagster take seconds, and `--help` needs none of them.
"""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import click
from rich.console import Console, RenderableType

from assets.cli.check import check
from assets.cli.explain import explain
from assets.cli.in_use import in_use
from assets.cli.parameters import registry_option
from assets.cli.plan import plan
from assets.cli.program import as_called
from assets.cli.report import report
from assets.cli.retention import retention
from assets.cli.stopping import drop_output, on_stop
from assets.cli.terminal import error_console, output_console
from pipelines.errors import SwrWarehouseError
from pipelines.page.plain_text import printable

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.emulator.registry import Registry
    from pipelines.warehouse.query import Format

_out = output_console()
_err = error_console()
_NOTHING_PUBLISHED = 2
_SHOWN_ROWS = 100
_SHARE = click.FloatRange(0, 1)
_WITHOUT_REGISTRY = {"demo", "emulator", "ui"}


class _Commands(click.Group):
    """Commands in the order of their definition, errors of ours as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Keep the order of definition."""
        del ctx
        return list(self.commands)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; each that speaks of a registry can be told which of several."""
        if cmd.name not in _WITHOUT_REGISTRY:
            cmd.params.append(registry_option())
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; any error ends it with exit code 2, one of ours without a traceback.

        That nobody reads the rest of the output is no error.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            drop_output()
            raise click.exceptions.Exit(0) from None
        except SwrWarehouseError as error:
            _err.print(printable(as_called(f"Error: {error}")))
        except Exception:  # noqa: BLE001 - Python's own exit code 1 would say "partly published"
            import traceback

            traceback.print_exc()
        raise click.exceptions.Exit(_NOTHING_PUBLISHED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="swr-warehouse", prog_name="swr-warehouse")
def main() -> None:
    """What takes the space in Huawei Cloud SWR, how old it is, what is shared, what changed."""


@main.command(epilog="Example: swr-warehouse demo")
def demo() -> None:
    """Try it out: a built-in registry, read twice with a day in between."""
    from assets.cli.demo import run_demo

    run_demo(_out, _err)


@main.command(
    epilog="Example: swr-warehouse ingest --namespace shop --repository data/spark",
)
@click.option("--full", is_flag=True, help="Read everything, also what seems unchanged.")
@click.option("--namespace", "namespaces", multiple=True, metavar="NS", help="Only this one.")
@click.option(
    "--repository", "repositories", multiple=True, metavar="NS/REPO", help="Only this one."
)
@click.option("--rebuild", is_flag=True, help="Make earlier changes anew from history, too.")
def ingest(
    *, full: bool, namespaces: tuple[str, ...], repositories: tuple[str, ...], rebuild: bool
) -> None:
    """Read the registry, or each of several, and publish the warehouse.

    Exit code 0: every repository was read completely. 1: some were not, the rest is published.
    2: nothing was published.
    """
    from assets.cli.ingest import Asked, ingest_each
    from pipelines.registries import chosen_names
    from pipelines.settings import unknown_names

    for name in unknown_names():
        _err.print(printable(f"{name} is no setting of swr-warehouse and is ignored."))
    asked = Asked(full=full, namespaces=namespaces, repositories=repositories, rebuild=rebuild)
    sys.exit(ingest_each(chosen_names(), asked, _out, _err))


class _ResultOptions(NamedTuple):
    """How the table that answers a command is shown or written."""

    shape: "Format | Literal['table', 'ncdu'] | None"
    output: Path | None
    limit: int
    all_columns: bool
    raw: bool


_FORMATS = ("table", "csv", "json", "parquet")
_OPTIONS = (
    click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file."
    ),
    click.option(
        "--limit",
        type=click.IntRange(1),
        default=_SHOWN_ROWS,
        show_default=True,
        help="Rows at most on a terminal; elsewhere all are written.",
    ),
    click.option("--all-columns", is_flag=True, help="Show also those that do not fit."),
    click.option("--raw", is_flag=True, help="CSV for machines: no quote before = + - @."),
)


def _result_options(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that answers with a table the options of how to show it."""
    shape = click.option(
        "--format",
        "shape",
        type=click.Choice(formats),
        help="Default: what the ending of --output says, else a table.",
    )

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_options(**given: Any) -> None:
            options = _ResultOptions(*(given.pop(name) for name in _ResultOptions._fields))
            command(**given, options=options)

        for option in reversed((shape, *_OPTIONS)):
            with_options = option(with_options)
        return with_options

    return add


def _put(
    table: "pa.Table", options: _ResultOptions, show: "Callable[[pa.Table], RenderableType]"
) -> None:
    """Show a table, or write it as the options say."""
    from pipelines.warehouse.query import format_of, safe_for_spreadsheets, write_result

    shape = options.shape or format_of(options.output)
    if shape in {None, "table"}:
        with options.output.open("w") if options.output else nullcontext() as file:
            shown = show(table)
            if isinstance(shown, str):
                click.echo(shown, file=file)
            else:
                (Console(file=file, markup=False) if file else _out).print(shown)
        return
    if shape == "csv" and not options.raw:
        table = safe_for_spreadsheets(table)
    write_result(table, cast("Format", shape), options.output or sys.stdout.buffer)


@main.command(epilog='Example: swr-warehouse query "from reports.tag_sizes" --output sizes.csv')
@click.argument("sql")
@_result_options(*_FORMATS, "ncdu")
def query(sql: str, options: _ResultOptions) -> None:
    """Ask the published warehouse in SQL, read-only: one SELECT.

    --format ncdu writes the tags that the SQL gives, with their blobs, for `ncdu -f FILE`.
    """
    if options.shape == "ncdu" or (not options.shape and str(options.output).endswith(".ncdu")):
        _write_tree(sql, options.output)
        return
    from assets.cli.tables import aligned, fitted
    from pipelines.settings import read_settings
    from pipelines.warehouse.query import run_query

    answer = run_query(read_settings().warehouse_dir, sql)

    def show(table: "pa.Table") -> RenderableType:
        return fitted(table, _out, all_columns=options.all_columns, limit=options.limit)

    _put(answer, options, aligned if options.output else show)


def _write_tree(sql: str, output: Path | None) -> None:
    """Write the tags that a query gives as a file for ncdu."""
    from pipelines.page.ncdu import ncdu_file
    from pipelines.registries import read_one
    from pipelines.warehouse.query import writing
    from pipelines.warehouse.resources import resources_of
    from pipelines.warehouse.tag_tree import tag_tree

    settings = read_one()
    tree = tag_tree(settings.warehouse_dir, sql, resources_of(settings))
    with writing(output or sys.stdout.buffer, "ncdu") as file:
        file.writelines(ncdu_file(tree))


@main.command(
    epilog="Example: swr-warehouse reclaimable \"from reports.tag_ages where tag like 'pr-%'\"",
)
@click.argument("sql")
@_result_options(*_FORMATS)
def reclaimable(sql: str, options: _ResultOptions) -> None:
    """Show what deleting some tags together would give back. Deletes nothing.

    SQL chooses the tags: it gives their namespace, repository and tag.
    """
    from pipelines.page.summary import reclaimable_answer
    from pipelines.registries import read_one
    from pipelines.warehouse.reclaimable import reclaimable_bytes
    from pipelines.warehouse.resources import resources_of

    settings = read_one()
    answer = reclaimable_bytes(settings.warehouse_dir, sql, resources_of(settings))
    _put(answer, options, reclaimable_answer)


main.add_command(retention)
main.add_command(plan)
main.add_command(in_use)
main.add_command(explain)
main.add_command(check)
main.add_command(report)


@main.command(epilog="Example: swr-warehouse tags shop/cart --tag pr- --limit 20")
@click.argument("name", metavar="NS/REPO")
@click.option("--tag", help="Only tags whose name holds this, as the registry compares names.")
@click.option("--order-by", type=click.Choice(["updated_at", "tag"]), default="updated_at")
@click.option("--ascending", is_flag=True, help="Oldest first.")
@click.option("--offset", type=click.IntRange(0), help="Start at this record.")
@click.option("--limit", type=click.IntRange(1, 1000), help="Ask for so many records, once.")
@click.option("--filter-style", is_flag=True, help="Send the parameters as one `filter`.")
@click.option("--format", "shape", type=click.Choice(["table", "jsonl"]), default="table")
def tags(name: str, *, shape: str, **asked: Any) -> None:
    """Show a repository's tags as the registry has them now.

    Without --offset and --limit all are read; where that cannot be proven, standard error says so
    and the exit code is 1. --format jsonl is a recording that `emulator --catalogue` can serve.
    """
    from pipelines.page import summary
    from pipelines.page.tag_listing import tag_records
    from pipelines.registries import read_one

    listing = tag_records(read_one(), name, **asked)
    if shape == "jsonl":
        for record in listing.records:
            click.echo(summary.as_json_line(record))
    else:
        _out.print(summary.tag_listing(listing.records))
    if listing.doubt:
        click.echo(listing.doubt, err=True)
        sys.exit(1)


@main.command("forget", epilog="Example: swr-warehouse forget team-gone")
@click.argument("name", metavar="NS[/REPO]")
def forget_command(name: str) -> None:
    """Give up a namespace or a repository that can be read no more.

    For what answers 403 for ever: its tags end in the history as forgotten, and no figure waits
    for it any longer. A later list that shows it brings it back.
    """
    from pipelines.registries import read_one
    from pipelines.run.forget import forget

    forgotten = forget(read_one(), name)
    count = len(forgotten.repositories)
    _out.print(f"Forgot {count} repositories with {forgotten.tag_count} tags, and published.")


@main.command(
    "restore",
    epilog="Example: swr-warehouse restore backup/warehouse.duckdb && swr-warehouse ingest",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore_state(file: Path) -> None:
    """Begin with a published warehouse, where the run's own state is lost or damaged."""
    from pipelines.registries import read_one
    from pipelines.warehouse.building import writer_lock
    from pipelines.warehouse.restore import restore

    directory = read_one().warehouse_dir
    with writer_lock(directory):
        aside = restore(directory, file)
    if aside:
        _out.print(f"The state of before is now {aside}.")
    _out.print(f"The next ingest goes on from {file}.")


def _shares(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """Read NAME or NAME=SHARE, as often as given."""
    from pipelines.emulator.faults import FAULTS

    shares: dict[str, float] = {}
    for text in given:
        name, _is, share = text.partition("=")
        if name not in FAULTS:
            raise click.BadParameter(f"there is no fault {name!r}; --help lists them")
        shares[name] = _SHARE(share) if share else FAULTS[name].share
    return shares


class _WithFaults(click.Command):
    """A command whose help ends with an example and the faults there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them."""
        from pipelines.emulator.faults import table_of_faults

        example = "Example: swr-warehouse emulator --port 8080 --fault throttled=0.2"
        self.epilog = f"{example}\n\n\b\nFaults:\n{table_of_faults()}"
        super().format_epilog(ctx, formatter)


@main.command("emulator", cls=_WithFaults)
@click.option(
    "--catalogue",
    "catalogues",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Serve the tag records of this .jsonl or .jsonl.gz file; default: a built-in registry.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--token", default="emulator-token", show_default=True, help="Accept this token.")
@click.option("--latency-ms", type=click.IntRange(0), default=0, help="Answer this much later.")
@click.option(
    "--fault",
    "shares",
    multiple=True,
    callback=_shares,
    metavar="NAME[=SHARE]",
    help="Fail like this, in this share of the cases, 0 to 1. See the list below.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What faults draw from.")
def emulator(
    catalogues: tuple[Path, ...],
    *,
    port: int,
    token: str,
    latency_ms: int,
    shares: dict[str, float],
    seed: int,
) -> None:
    """Serve a local SWR and IAM on 127.0.0.1, until interrupted or terminated."""
    import random

    from pipelines.emulator.faults import faults_by_name

    registry = _served_registry(catalogues)
    faults = faults_by_name(shares, registry, random.Random(seed))  # noqa: S311 - to be repeated
    _serve(registry, port=port, token=token, latency_seconds=latency_ms / 1000, faults=faults)


def _served_registry(catalogues: tuple[Path, ...]) -> "Registry":
    """Read the catalogues; without any it is the built-in registry as of today."""
    from datetime import UTC, datetime

    from pipelines.emulator.built_in.registry import built_in_registry
    from pipelines.emulator.catalogue import read_catalogues

    return (
        read_catalogues(catalogues) if catalogues else built_in_registry(datetime.now(UTC).date())
    )


def _serve(registry: "Registry", *, token: str, **options: Any) -> None:
    import threading

    from pipelines.emulator.api_instance import INSTANCE_ID, PROJECT_ID
    from pipelines.emulator.server import Emulator

    with Emulator(registry, token=token, **options) as server:
        click.echo(f"Serving {registry.tag_count} tags on {server.url}")
        click.echo(f"  export SWR_ENDPOINT={server.url} SWR_AUTH_TOKEN={token}")
        instance = f"SWR_INSTANCE_ID={INSTANCE_ID} HUAWEICLOUD_SDK_PROJECT_ID={PROJECT_ID}"
        click.echo(f"  export {instance}  # as an instance of the enterprise edition")
        sys.stdout.flush()
        with on_stop(lambda: "the emulator keeps nothing."):
            threading.Event().wait()


@main.command(epilog="Example: swr-warehouse ui --port 8080")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(port: int) -> None:
    """Open Dagster's pages on 127.0.0.1, until interrupted or terminated.

    They show lineage, runs, checks and schedules. Where no registry is set, runs read the demo's.
    """
    from assets.cli.ui import open_pages

    sys.exit(open_pages(port))


@main.command(epilog="Example: swr-warehouse doctor")
def doctor() -> None:
    """Examine settings, endpoint and credentials; say what to fix."""
    from pipelines.page.doctor import examine
    from pipelines.registries import chosen_names

    is_ok = True
    for name in chosen_names():
        if name:
            _out.print(f"{name}:", markup=False)
        for finding in examine(name):
            is_ok &= finding.is_ok
            sign = "ok " if finding.is_ok else "FIX"
            _out.print(printable(f"{sign} {finding.subject:<12} {finding.text}"))
    sys.exit(0 if is_ok else _NOTHING_PUBLISHED)


if __name__ == "__main__":
    main()
