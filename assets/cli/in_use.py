"""The command `in-use`: which tags run, by what kubectl and others say."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.cli.parameters import Moment
from assets.cli.terminal import output_console

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.settings import Settings


def _aliases(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Read MIRROR=HOST, as often as given."""
    pairs = [text.strip().lower().partition("=") for text in given]
    aliases = {mirror.strip("/"): host.strip("/") for mirror, _, host in pairs}
    if not all(mirror and host for mirror, host in aliases.items()):
        raise click.BadParameter("write a name and what it stands for: mirror.local=swr.example")
    return aliases


def _cluster(_: click.Context, __: click.Parameter, given: str) -> str:
    """Read the name of a cluster."""
    name = given.strip()
    if not name or not name.isprintable() or "," in name:
        raise click.BadParameter("a name is printable, and has no comma")
    return name


@click.command(
    "in-use",
    epilog="Example: kubectl get pods,replicasets,deployments,statefulsets,daemonsets,jobs,"
    "cronjobs,nodes -A -o json | swr-warehouse in-use - --cluster prod",
)
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--cluster", required=True, callback=_cluster, help="Where it runs.")
@click.option(
    "--taken-at",
    type=Moment(),
    help="When it ran, in UTC; else the time of the latest file, or now for standard input.",
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    callback=_aliases,
    metavar="MIRROR=HOST",
    help="What else the registry is called: mirror.local=swr.example, or with a path.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every reference with what it matches to a file: .csv, .json or .parquet.",
)
@click.option("--raw", is_flag=True, help="CSV for machines: no quote before = + - @.")
def in_use(
    files: tuple[Path, ...],
    *,
    cluster: str,
    taken_at: datetime | None,
    aliases: dict[str, str],
    as_json: bool,
    output: Path | None,
    raw: bool,
) -> None:
    """Keep a snapshot of what runs, and show which tags that is.

    FILE is the JSON of kubectl, or image references, one a line with a count if you like; - is
    standard input. Images and counts are kept, nothing else of a file.
    """
    from assets.cli.tables import write_rows
    from pipelines.page.in_use import in_use_answer, in_use_json
    from pipelines.registries import read_one
    from pipelines.run.in_use import take_snapshot

    settings = read_one()
    directory = settings.warehouse_dir
    snapshot = take_snapshot(
        directory,
        files,
        cluster=cluster,
        taken_at=taken_at,
        aliases=aliases,
        standard_input=sys.stdin.buffer,
    )
    found = _matched(settings, snapshot)
    if output and found is not None:
        write_rows(found, output, raw=raw)
    if as_json:
        click.echo(in_use_json(snapshot, found))
    else:
        output_console().print(in_use_answer(snapshot, found))


def _matched(settings: "Settings", snapshot: "pa.Table") -> "pa.Table | None":
    """What the references are in the published warehouse; None where there is none."""
    from pipelines.errors import WarehouseMissing
    from pipelines.warehouse.in_use_seen import match_snapshot
    from pipelines.warehouse.resources import resources_of

    try:
        return match_snapshot(settings.warehouse_dir, snapshot, resources_of(settings))
    except WarehouseMissing:
        return None
