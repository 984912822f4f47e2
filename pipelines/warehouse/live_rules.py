"""The retention rules that the registry had when they were last read, and how its log fits them."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from pipelines.deciding.rules import Rule, Selector
from pipelines.errors import RulesError
from pipelines.warehouse.asking import asking
from pipelines.warehouse.connection import one_line

Row = Mapping[str, Any]


def live_rules(directory: Path) -> tuple[Rule, ...]:
    """The rules of repositories with live tags; alike ones are one rule for all of these.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        RulesError: there is none that can be judged.
    """
    with asking(directory, ["live_rules"]) as asked:
        rows = asked.ask("live_rules").to_pylist()
    owners: dict[Rule, list[str]] = {}
    for row in rows:
        owners.setdefault(stored_rule(row), []).append(f"{row['namespace']}/{row['repository']}")
    if not owners:
        raise RulesError(
            "The warehouse holds no retention rule of a repository with tags: set"
            " SWR_READ_RULES=true and run `swr-warehouse ingest --full`, or give a RULES.yaml."
        )
    return tuple(
        replace(rule, repositories=_shown(names), names=frozenset(names))
        for rule, names in owners.items()
    )


def best_readings(directory: Path) -> list[dict[str, Any]]:
    """The readings that fit the registry's own log best; none where nothing of it was judged."""
    with asking(directory, ["best_readings"]) as asked:
        rows: list[dict[str, Any]] = asked.ask("best_readings").to_pylist()
    return rows


def stored_rule(row: Row) -> Rule:
    """The rule of a row with `template`, `keeps` and `tag_selectors`, for every repository."""
    listed = json.loads(row["tag_selectors"])
    selectors = (Selector(each["kind"], each["pattern"]) for each in listed)
    return Rule("*", row["template"], row["keeps"], tuple(selectors))


@lru_cache(maxsize=1024)
def wrong_in_sql(pattern: str) -> str | None:
    """What DuckDB has against a pattern, by which reports select tags; None if nothing.

    Its RE2 is older than that of Arrow, by which rules are simulated.
    """
    with closing(duckdb.connect()) as con:
        try:
            con.execute("select regexp_matches('', ?)", [pattern])
        except duckdb.Error as error:
            return one_line(error)
    return None


def _shown(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")
