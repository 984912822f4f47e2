"""The command `check`: whether the published warehouse keeps to limits, for CI."""

import sys
from decimal import Decimal
from pathlib import Path

import click

from assets.cli.parameters import Percent, Size


@click.command(
    epilog="Example: swr-warehouse check --max-reclaimable 20% --max-size 2TB --max-age 26"
    " --junit swr.xml"
)
@click.option(
    "--max-reclaimable",
    type=Percent(),
    help="Stale tags together give back at most this share of what the registry holds.",
)
@click.option("--max-size", type=Size(), help="The registry holds at most so much.")
@click.option("--exact", is_flag=True, help="Every figure is exact.")
@click.option("--max-age", type=click.FloatRange(0), metavar="HOURS", help="Of the latest run.")
@click.option(
    "--require-rule",
    is_flag=True,
    help="Every repository has a retention rule that can take something (SWR_READ_RULES).",
)
@click.option("--json", "as_json", is_flag=True, help="Print every verdict as one JSON object.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the verdicts to a file as JUnit does.",
)
def check(
    *,
    max_reclaimable: Decimal | None,
    max_size: int | None,
    exact: bool,
    max_age: float | None,
    require_rule: bool,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Hold the published warehouse against limits.

    Exit code 0: all are kept. 1: some are not, a line for each. 2: there is no warehouse.
    """
    from datetime import UTC, datetime

    from pipelines.page import limits
    from pipelines.registries import read_one
    from pipelines.warehouse.query import writing

    asked = limits.Limits(max_reclaimable, max_size, exact, max_age, require_rule)
    if asked == limits.Limits():
        raise click.UsageError("Give a limit, such as --max-reclaimable 20%.")
    as_of, verdicts = limits.judge(read_one().warehouse_dir, asked, datetime.now(UTC))
    if junit:
        with writing(junit, "JUnit") as file:
            file.write(limits.as_junit(as_of, verdicts))
    broken = [verdict for verdict in verdicts if not verdict.is_kept]
    if as_json:
        click.echo(limits.as_json(as_of, verdicts))
    for verdict in [] if as_json else broken:
        click.echo(f"{verdict.rule}: {verdict.found}")
    sys.exit(1 if broken else 0)
