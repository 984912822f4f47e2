"""The command `explain`: where the figures of a tag, a manifest or a repository come from."""

import click

from assets.cli.terminal import output_console


@click.command(epilog="Example: swr-warehouse explain platform/base/python:latest")
@click.argument("name", metavar="NS/REPO[:TAG|@DIGEST]")
def explain(name: str) -> None:
    """Show a tag's or manifest's blobs, who shares each, and why a figure is a bound.

    Of a repository: its figures and the largest blobs that it uses alone. A digest may be given by
    its first digits.
    """
    from pipelines.page.explanation import explanation
    from pipelines.registries import read_one
    from pipelines.warehouse.explain import explain as find
    from pipelines.warehouse.resources import resources_of

    settings = read_one()
    found = find(settings.warehouse_dir, name, resources_of(settings))
    output_console().print(explanation(found))
