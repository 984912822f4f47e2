"""The command `report`: what the published warehouse holds, on one screen or as one page."""

from pathlib import Path
from typing import Any

import click

from assets.cli.program import program
from assets.cli.terminal import output_console

_ORDERS = ("allocated", "exclusive", "deduplicated", "logical", "tags", "growth")


@click.command(
    epilog="Examples: swr-warehouse report --sort growth --top 20;"
    " swr-warehouse report --html page.html"
)
@click.option("--namespace", metavar="NS", help="Of this namespace alone.")
@click.option(
    "--top",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="So many repositories; the others are one row.",
)
@click.option(
    "--sort",
    "order",
    type=click.Choice(_ORDERS),
    default="allocated",
    show_default=True,
    help="What they are the largest by; growth is that of seven days.",
)
@click.option("--json", "as_json", is_flag=True, help="The same numbers as one JSON object.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the page: sizes, growth, ages and costs with charts and tables, in one file.",
)
def report(*, html: Path | None, as_json: bool, **asked: Any) -> None:
    """Show what takes the space, what grew, how old it is and how much of that is exact.

    Of several registries a line each; --registry tells of one.
    """
    from pipelines.page.overview import overview, overview_answer, overview_json
    from pipelines.registries import chosen_names, read_one

    if len(chosen_names()) > 1 and not html:
        _show_all(as_json=as_json)
        return
    directory = read_one().warehouse_dir
    if html:
        _write(html)
    elif as_json:
        click.echo(overview_json(overview(directory, **asked)))
    else:
        output_console().print(overview_answer(overview(directory, **asked), program()))


def _show_all(*, as_json: bool) -> None:
    from pipelines.page import registries
    from pipelines.settings import read_settings

    found = registries.registries_overview(read_settings().warehouse_dir)
    if as_json:
        click.echo(registries.registries_json(found))
    else:
        output_console().print(registries.registries_answer(found, program()))


def _write(html: Path) -> None:
    from pipelines.page.html.writing import write_page
    from pipelines.registries import read_one
    from pipelines.warehouse.resources import resources_of

    settings = read_one()
    write_page(settings.warehouse_dir, html, resources_of(settings))
    output_console().print(f"Wrote {html}: open it in a browser.", markup=False)
