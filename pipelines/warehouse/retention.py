"""What retention rules would do to the published warehouse: verdicts of `deciding`, and bytes.

Deletes nothing and asks no registry.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.deciding.rules import LIMITS, Reading, Rule, other_readings
from pipelines.deciding.simulate import repository_codes, simulate
from pipelines.warehouse.asking import Asked, asking
from pipelines.warehouse.in_use import NOTHING_MORE, Landed
from pipelines.warehouse.in_use_seen import QUESTIONS as IN_USE_QUESTIONS
from pipelines.warehouse.in_use_seen import Seen, seen_in
from pipelines.warehouse.reclaimable import GIVEN_BACK, chosen_tags, count_sets
from pipelines.warehouse.resources import LEAST, Resources

Row = dict[str, Any]
QUESTIONS = ("decidable_tags", "reclaimable", "shares", "breaks", *IN_USE_QUESTIONS)
_NAMES = ("namespace", "repository", "tag", "manifest_digest")
_Keys = npt.NDArray[np.int64]
# What is said of some tags, and their keys, which are to be counted.
_Part = tuple[Row, _Keys]
# The set that `shares` and `breaks` are about.
_ALL = 0


@dataclass(frozen=True)
class Retention:
    """What rules would do. Bytes are those of a set deleted together, each with its basis.

    Attributes:
        as_of: when.
        tags: every live tag: its names, `verdict`, `reason`, `bytes` (its share of what all
            deleted tags give back), `rule`, `rank`, `age_days`; and `other_verdict` if other
            rules were compared.
        together, rules, repositories: what is deleted in all, by each rule, in each repository
            that has a rule.
        readings: the same of all for each reading, the assumed one first.
        breaks: what other tags would lose (sql/questions/breaks.sql).
        other: the same of all for the other rules.
        seen: what was seen running; `breaks` has what of it is deleted.
    """

    as_of: datetime
    tags: pa.Table
    together: Row
    rules: list[Row]
    repositories: list[Row]
    readings: list[Row]
    breaks: pa.Table
    other: Row | None
    seen: Seen


def retention(
    directory: Path,
    rules: Sequence[Rule],
    reading: Reading,
    other: Sequence[Rule] | None = None,
    resources: Resources = LEAST,
    *,
    landed: Landed = NOTHING_MORE,
) -> Retention:
    """Tell what rules would do to the live tags as of the last run.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        RulesError: a rule is for no repository.
    """
    with asking(directory, QUESTIONS, resources, landed) as asked:
        return judge(asked, rules, reading, other)


def repository_names(directory: Path) -> list[str]:
    """The repositories that have tags, `namespace/repository`."""
    with asking(directory, ["decidable_tags"]) as asked:
        return repository_codes(asked.ask("decidable_tags"))[1]


def judge(
    asked: Asked, rules: Sequence[Rule], reading: Reading, other: Sequence[Rule] | None = None
) -> Retention:
    """The same, of a warehouse that is asked."""
    return _Judging(asked, rules, reading).answer(other)


class _Judging:
    """The tags, what some rules take of them, and what of that is to be counted."""

    def __init__(self, asked: Asked, rules: Sequence[Rule], reading: Reading) -> None:
        self._asked, self._rules, self._reading = asked, rules, reading
        self._tags = asked.ask("decidable_tags")
        self._keys: _Keys = self._tags["tag_key"].to_numpy()
        self._codes, self._names = repository_codes(self._tags)
        self._as_of: datetime = count_sets(asked, {_ALL: []})["as_of"][0].as_py()
        self._verdicts = self._judged(rules, reading)
        self._rule_of = np.nan_to_num(self._verdicts["rule"].to_numpy())
        self._is_deleted = _is_deleted(self._verdicts)

    def answer(self, other: Sequence[Rule] | None) -> Retention:
        others = None if other is None else self._judged(other, self._reading)
        deleted = self._keys[self._is_deleted]
        compared: list[_Part] = [] if others is None else [({}, self._keys[_is_deleted(others)])]
        everything: Row = {"live_tag_count": len(self._keys)}
        counted = _counted(
            self._asked,
            together=[(everything, deleted)],
            rules=self._by_rule(),
            repositories=self._by_repository(),
            readings=self._by_reading(deleted),
            other=compared,
        )
        chosen = chosen_tags({_ALL: deleted})
        return Retention(
            as_of=self._as_of,
            tags=self._explained(self._asked.ask("shares", chosen=chosen), others),
            together=counted["together"][0],
            rules=counted["rules"],
            repositories=counted["repositories"],
            readings=counted["readings"],
            breaks=self._asked.ask("breaks", chosen=chosen),
            other=next(iter(counted["other"]), None),
            seen=seen_in(self._asked),
        )

    def _judged(self, rules: Sequence[Rule], reading: Reading) -> pa.Table:
        return simulate(self._tags, rules, self._as_of, reading)

    def _by_rule(self) -> Iterator[_Part]:
        for number, rule in enumerate(self._rules, start=1):
            is_ruled = self._rule_of == number
            row = {"rule": number, **_described(rule), "live_tag_count": int(is_ruled.sum())}
            yield row, self._keys[is_ruled & self._is_deleted]

    def _by_repository(self) -> Iterator[_Part]:
        order = np.argsort(self._codes, kind="stable")
        starts = np.flatnonzero(np.diff(self._codes[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if len(order) else []:
            if number := int(self._rule_of[rows[0]]):
                namespace, _, repository = self._names[self._codes[rows[0]]].partition("/")
                row = {"namespace": namespace, "repository": repository, "rule": number}
                deleted = self._keys[rows[self._is_deleted[rows]]]
                yield {**row, "live_tag_count": len(rows)}, deleted

    def _by_reading(self, deleted: _Keys) -> Iterator[_Part]:
        yield {"reading": "as assumed"}, deleted
        for words, reading in other_readings(self._reading):
            is_deleted = _is_deleted(self._judged(self._rules, reading))
            yield {"reading": words}, self._keys[is_deleted]

    def _explained(self, shares: Any, others: pa.Table | None) -> pa.Table:
        """Every tag with its verdict and its bytes."""
        given = np.zeros(len(self._keys), np.int64)
        is_unknown = np.zeros(len(self._keys), np.bool_)
        places = np.searchsorted(self._keys, shares["tag_key"].to_numpy())
        given[places] = shares["bytes"].fill_null(0).to_numpy()
        is_unknown[places] = shares["bytes"].is_null().to_numpy()
        found = self._verdicts
        columns: dict[str, Any] = {name: self._tags[name] for name in _NAMES}
        columns |= {name: found[name] for name in ("verdict", "reason")}
        columns["bytes"] = pa.array(given, pa.int64(), mask=is_unknown)
        columns |= {name: found[name] for name in ("rule", "rank", "age_days")}
        if others is not None:
            columns |= {f"other_{name}": others[name] for name in ("verdict", "reason")}
        return pa.table(columns)


def _counted(asked: Asked, **parts: Iterable[_Part]) -> dict[str, list[Row]]:
    """Add to each row what its tags would give back; the same tags are counted once."""
    sets: dict[bytes, int] = {}
    keys: dict[int, _Keys] = {}
    listed: dict[str, list[tuple[Row, int]]] = {name: [] for name in parts}
    for name, rows in parts.items():
        for row, chosen in rows:
            number = sets.setdefault(chosen.tobytes(), len(sets))
            keys[number] = chosen
            listed[name].append((row, number))
    answers = count_sets(asked, keys).to_pylist()
    return {
        name: [{**row, **_bytes_of(answers[number])} for row, number in rows]
        for name, rows in listed.items()
    }


def _bytes_of(answer: Row) -> Row:
    renamed = {"deleted_tag_count": answer["tag_count"]}
    return renamed | {name: answer[name] for name in GIVEN_BACK}


def _described(rule: Rule) -> Row:
    parameter, _ = LIMITS[rule.template]
    return {
        "repositories": rule.repositories,
        "template": rule.template,
        "params": {parameter: rule.keeps},
        "tag_selectors": [{"kind": each.kind, "pattern": each.pattern} for each in rule.selectors],
    }


def _is_deleted(verdicts: pa.Table) -> npt.NDArray[np.bool_]:
    return np.asarray(np.asarray(verdicts["verdict"]) == "deleted", np.bool_)
