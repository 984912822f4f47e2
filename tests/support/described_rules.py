"""What described runs leave of retention rules.

A run's `rules` gives by repository what a run reads a minute after its as_of: a rule with
`template`, `keeps` and `selectors` (`label latest`, `regexp ^v2.*`); or `none`, or why there is
nothing to judge: `refused`, `missing`, `unreadable`. `fits` are rows of `retention_fits`, with what
they leave out null.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from described_runs import Row, Run, Tables, row_of, split


def retention(runs: Sequence[Run]) -> Tables:
    """The rows of every table of rules after these runs: each answer is another than before."""
    latest = {(run.registry, name): rule for run in runs for name, rule in _described(run)}
    return {
        "retention_rules": [
            _answer(run, name, rule) for run in runs for name, rule in _described(run)
        ],
        "retention_selectors": [
            row_of(
                "retention_selectors",
                registry=registry,
                **split(name),
                kind=text.split(" ", 1)[0],
                pattern=text.split(" ", 1)[1],
            )
            for (registry, name), rule in latest.items()
            for text in selectors_of(rule)
        ],
        "retention_fits": [row for run in runs for row in _fits(run)],
    }


def selectors_of(rule: Any) -> list[str]:
    """The selectors of a described rule, as texts."""
    found: list[str] = rule.get("selectors", []) if isinstance(rule, dict) else []
    return found


def _described(run: Run) -> Iterator[tuple[str, Any]]:
    yield from run.described.get("rules", {}).items()


def _answer(run: Run, name: str, rule: Any) -> Row:
    at = run.as_of + timedelta(minutes=1)
    row = row_of(
        "retention_rules",
        registry=run.registry,
        run_id=run.run_id,
        **split(name),
        outcome=rule if rule in ("refused", "missing") else "read",
        first_read_at=at,
        last_read_at=at,
    )
    if rule in ("refused", "missing"):
        row["error"] = "403"
    if rule == "unreadable":
        row["problem"] = "is no rule"
    if isinstance(rule, dict):
        pairs = [text.split(" ", 1) for text in selectors_of(rule)]
        row |= {"retention_id": 222, "template": rule["template"], "keeps": rule["keeps"]}
        row["tag_selectors"] = json.dumps([{"kind": k, "pattern": p} for k, p in pairs])
    return row


def _fits(run: Run) -> Iterator[Row]:
    for described in run.described.get("fits", []):
        row = {name: value for name, value in described.items() if name not in ("in", "hours_ago")}
        executed_at = run.as_of - timedelta(hours=described.get("hours_ago", 1))
        yield row_of(
            "retention_fits",
            registry=run.registry,
            run_id=run.run_id,
            **split(described["in"]),
            executed_at=executed_at,
            retention_id=222,
            **row,
        )
