"""The command `plan`: which tags to delete to get back so many bytes."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assets.cli.parameters import Size
from assets.cli.terminal import output_console

if TYPE_CHECKING:
    from pipelines.warehouse.planning import Planned


class _Days(click.ParamType[int]):
    """Days such as 90d or 90."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read them."""
        if not re.fullmatch(r"\d{1,5}d?", str(value)):
            self.fail(f"{value!r} are no days such as 90d", param, ctx)
        return int(str(value).removesuffix("d"))


@click.command(
    epilog="Example: swr-warehouse plan --reclaim 500GB --older-than 90d --keep-newest 5"
    " --protect 'v*' --protect 'prod/*' --output plan.csv"
)
@click.option("--reclaim", type=Size(), help="Get back so much, for the fewest tags.")
@click.option("--max-tags", type=click.IntRange(0), help="Get back the most for so many tags.")
@click.option("--older-than", type=_Days(), help="Only tags not updated for so many days.")
@click.option(
    "--not-pulled-for",
    type=_Days(),
    help="Only tags neither pulled nor updated for so many days; of an instance.",
)
@click.option("--keep-newest", type=click.IntRange(0), default=0, help="Of each repository.")
@click.option(
    "--protect",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Keep these: v* a tag's name, team/* repositories, team/app:v* both.",
)
@click.option("--ignore-in-use", is_flag=True, help="Also tags that were seen running: see in-use.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json", "http"]),
    default="table",
    help="http: the requests of SWR's API, for a tool of yours.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the tags to delete to a file: .csv, .json or .parquet.",
)
@click.option("--raw", is_flag=True, help="CSV for machines: no quote before = + - @.")
def plan(
    *,
    reclaim: int | None,
    max_tags: int | None,
    older_than: int | None,
    not_pulled_for: int | None,
    keep_newest: int,
    globs: tuple[str, ...],
    ignore_in_use: bool,
    shape: str,
    as_json: bool,
    output: Path | None,
    raw: bool,
) -> None:
    """Find the tags to delete that give back the most, and prove it. Deletes nothing.

    What is kept keeps the platforms of its indexes and its signatures; tags of a repository on one
    digest go together. What was seen running within SWR_IN_USE_DAYS is kept.
    """
    from assets.cli.tables import write_rows
    from pipelines.deciding.plan import Wish
    from pipelines.deciding.protection import Protection
    from pipelines.registries import read_one
    from pipelines.run.in_use import landed
    from pipelines.warehouse.planning import plan_deletion
    from pipelines.warehouse.resources import resources_of

    if (reclaim is None) == (max_tags is None):
        raise click.UsageError("say either --reclaim or --max-tags")
    settings, wish = read_one(), Wish(reclaim, max_tags)
    protection = Protection(
        older_than, keep_newest, globs, in_use=not ignore_in_use, not_pulled_for=not_pulled_for
    )
    planned = plan_deletion(
        settings.warehouse_dir, wish, protection, resources_of(settings), landed(settings)
    )
    if output:
        write_rows(planned.tags, output, raw=raw)
    _show(planned, wish, "json" if as_json else shape)


def _show(planned: "Planned", wish: Any, shape: str) -> None:
    from pipelines.page.plan import plan_answer, plan_json, plan_requests

    if shape == "http":
        for line in plan_requests(planned.tags):
            click.echo(line)
    elif shape == "json":
        click.echo(plan_json(planned))
    else:
        output_console().print(plan_answer(planned, wish))
