"""The command `retention`: what retention rules would delete, before they do."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.cli.terminal import output_console

if TYPE_CHECKING:
    from pipelines.deciding.rules import Reading, Rule
    from pipelines.warehouse.retention import Retention

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="Example: swr-warehouse retention rules.yaml --output verdicts.csv\n\n"
    "RULES, for example: a list of {repositories: team/*, template: tag_rule,"
    " params: {num: 10}, tag_selectors: [{kind: regexp, pattern: ^v2.*}]}; the first rule whose"
    " glob matches a repository counts."
)
@click.argument("rules_file", metavar="[RULES.yaml]", type=_FILE, required=False)
@click.option("--compare", type=_FILE, metavar="OTHER.yaml", help="Show what differs with these.")
@click.option(
    "--rule-as",
    type=click.Choice(["json", "terraform"]),
    help="Write the rules for a tool of yours, for each repository, and do nothing else.",
)
@click.option(
    "--reading",
    "switches",
    multiple=True,
    metavar="SWITCH=VALUE",
    help="Read the rules otherwise than SWR documents; docs/deciding.md lists the readings.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every tag with its verdict to a file: .csv, .json or .parquet.",
)
@click.option("--raw", is_flag=True, help="CSV for machines: no quote before = + - @.")
def retention(
    rules_file: Path | None,
    *,
    compare: Path | None,
    rule_as: str | None,
    switches: tuple[str, ...],
    as_json: bool,
    output: Path | None,
    raw: bool,
) -> None:
    """Show what SWR's retention rules would delete, and what that gives back. Deletes nothing.

    SWR deletes the moment that a rule is saved: this is what it would do, by the tags of the last
    run. Without RULES.yaml it is what the registry's own rules take next (SWR_READ_RULES).
    """
    from assets.cli.tables import write_rows
    from pipelines.deciding.rules import reading_of
    from pipelines.page.retention import retention_json
    from pipelines.registries import read_one
    from pipelines.run.in_use import landed
    from pipelines.warehouse.live_rules import live_rules
    from pipelines.warehouse.resources import resources_of
    from pipelines.warehouse.retention import retention as judge

    settings, reading = read_one(), reading_of(switches)
    rules = _rules(rules_file) if rules_file else live_rules(settings.warehouse_dir)
    if rule_as:
        click.echo(_as_code(rule_as, rules, settings.warehouse_dir), nl=False)
        return
    others = _rules(compare) if compare else None
    resources = resources_of(settings)
    answer = judge(
        settings.warehouse_dir, rules, reading, others, resources, landed=landed(settings)
    )
    if output:
        write_rows(answer.tags, output, raw=raw)
    if as_json:
        click.echo(retention_json(answer, reading))
    else:
        _show(answer, reading, None if rules_file else settings.warehouse_dir)


def _show(answer: "Retention", reading: "Reading", live: Path | None) -> None:
    """Show the answer; of the registry's own rules, from this directory, also what fits its log."""
    from pipelines.page.retention import log_line, retention_answer
    from pipelines.warehouse.live_rules import best_readings

    output_console().print(retention_answer(answer, reading))
    if live:
        output_console().print(log_line(best_readings(live)))


def _rules(path: Path) -> "tuple[Rule, ...]":
    from pipelines.deciding.rules_file import read_rules
    from pipelines.errors import RulesError

    try:
        return read_rules(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} cannot be read as text: {error}.") from error


def _as_code(rule_as: str, rules: "tuple[Rule, ...]", directory: Path) -> str:
    from pipelines.deciding.as_code import as_json, as_terraform
    from pipelines.page.plain_text import printable_json
    from pipelines.warehouse.retention import repository_names

    names = repository_names(directory)
    text = as_json(rules, names) + "\n" if rule_as == "json" else as_terraform(rules, names)
    return printable_json(text)
