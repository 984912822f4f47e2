"""What retention rules would delete of some tags: one pass over Arrow columns, no loop over tags.

Bytes, and what a deletion would break, are counted by `warehouse`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from pipelines.deciding.rules import DOCUMENTED, Reading, Rule, Selector, assign

# The stubs know too few of the combinations that its functions take.
pc: Any = pyarrow.compute

_MOMENT: Any = pa.timestamp("us", tz="UTC")
_DAY = 86_400_000_000
_EIGHT_HOURS = _DAY // 3
# Older than any moment that a registry states.
_NEVER = np.iinfo(np.int64).min
_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]


def simulate(
    tags: pa.Table, rules: Sequence[Rule], as_of: datetime, reading: Reading = DOCUMENTED
) -> pa.Table:
    """Judge every tag by the first rule that matches its repository.

    Args:
        tags: live tags: `namespace`, `repository`, `tag`, `manifest_digest`, and of both clocks
            the moment as the registry states it (`updated_at`), which orders tags, and where it
            is a date (`known_updated_at`), which ages them.
        rules: in the order of their precedence.
        as_of: the moment when they act.
        reading: how they are read.

    Returns:
        A row for each tag, in the order of the tags: `verdict` (deleted or kept), `reason`,
        `rule` (from 1), `rank` (by tag_rule) and `age_days` (by date_rule), null where there is
        none.

    Raises:
        RulesError: a rule is for no repository.
    """
    codes, names = repository_codes(tags)
    numbers = [-1 if number is None else number for number in assign(rules, names)]
    rule_of = np.array(numbers, np.int64)[codes] if names else codes
    return simulate_ruled(tags, Ruled(rules, codes, rule_of), as_of, reading)


@dataclass(frozen=True)
class Ruled:
    """Rules, and which of them are for which tags.

    Attributes:
        rules: in any order.
        codes: of each tag a number of its repository.
        rule_of: of each tag the number of its rule, from 0; -1 where it has none.
    """

    rules: Sequence[Rule]
    codes: _Ints
    rule_of: _Ints


def simulate_ruled(tags: pa.Table, ruled: Ruled, as_of: Any, reading: Reading) -> pa.Table:
    """The same where it is known which rule is for which tag; `as_of` may be a column of moments.

    Tags of one number are judged together, whatever their names say.
    """
    return _Simulation(tags, ruled, as_of, reading).verdicts()


def repository_codes(tags: pa.Table) -> tuple[_Ints, list[str]]:
    """The repositories of some tags (`namespace/repository`), and for each tag which it is of."""
    names = encoded(joined(tags["namespace"], "/", tags["repository"]))
    return _ints(names.indices), names.dictionary.to_pylist()


class _Simulation:
    """Columns of one simulation, each as long as the tags."""

    def __init__(self, tags: pa.Table, ruled: Ruled, as_of: Any, reading: Reading) -> None:
        self._tags, self._rules, self._reading = tags, ruled.rules, reading
        moments = pa.array([as_of], _MOMENT) if isinstance(as_of, datetime) else as_of
        self._as_of = _microseconds(moments)
        self._codes, self._rule = ruled.codes, ruled.rule_of
        rules = ruled.rules
        self._selector = self._first_selectors()
        is_ruled = self._rule >= 0
        is_open = self._of_rule([not rule.selectors for rule in rules]) == 1
        is_selected = self._selector >= 0
        is_in = is_selected | is_open if reading.selectors == "included" else ~is_selected
        self._is_judged = is_ruled & is_in
        self._is_counted = (
            is_ruled if reading.selectors == "excepted_after_count" else self._is_judged
        )

    def verdicts(self) -> pa.Table:
        keeps = self._of_rule([rule.keeps for rule in self._rules])
        by_tag = self._of_rule([rule.template == "tag_rule" for rule in self._rules]) == 1
        rank, age = self._ranks(by_tag), self._ages()
        limit = keeps if self._reading.days != "24h_passed" else keeps + 1
        is_over = np.where(by_tag, rank > keeps, age >= limit)
        is_deleted = self._is_judged & is_over
        return pa.table(
            {
                "verdict": pc.if_else(pa.array(is_deleted), "deleted", "kept"),
                "reason": self._reasons(is_deleted, by_tag, rank, age, keeps),
                "rule": pa.array(self._rule + 1, pa.int32(), mask=self._rule < 0),
                "rank": pa.array(rank, pa.int64(), mask=~(self._is_judged & by_tag)),
                "age_days": pa.array(age, pa.int64(), mask=~self._is_judged | by_tag | (age < 0)),
            }
        )

    def _of_rule(self, values: Sequence[int]) -> _Ints:
        """A value of each tag's rule; 0 where there is none."""
        return np.array([*values, 0], np.int64)[self._rule]

    def _first_selectors(self) -> _Ints:
        """The number of the first selector of its rule that selects a tag; -1 where none does."""
        found = np.full(len(self._codes), -1, np.int64)
        for number, rule in enumerate(self._rules):
            waiting = np.flatnonzero(self._rule == number)
            for selector_number, selector in enumerate(rule.selectors):
                is_hit = _selects(selector, taken(self._tags["tag"], waiting), self._reading)
                found[waiting[is_hit]] = selector_number
                waiting = waiting[~is_hit]
        return found

    def _moments(self, prefix: str) -> _Ints:
        return _microseconds(self._tags[f"{prefix}{self._reading.clock}_at"])

    def _ages(self) -> _Ints:
        """Days since each tag's date; -1 where it has none."""
        moments = self._moments("known_")
        shift = {"utc": 0, "utc+8": _EIGHT_HOURS}.get(self._reading.days)
        known = np.where(moments == _NEVER, self._as_of, moments)
        if shift is None:
            days = (self._as_of - known) // _DAY
        else:
            days = (self._as_of + shift) // _DAY - (known + shift) // _DAY
        return np.where(moments == _NEVER, -1, np.maximum(days, 0))

    def _ranks(self, by_tag: _Bools) -> _Ints:
        """Of each counted tag its place among those of its repository, newest first, from 1."""
        counted = np.flatnonzero(self._is_counted & by_tag)
        moments = self._moments("")
        if self._reading.unit == "digests":
            digests = self._codes_of_digests()
            return self._digest_ranks(counted, moments, digests)
        ranks = np.zeros(len(self._codes), np.int64)
        order = self._newest_first(counted, moments)
        ranks[order] = _places(self._codes[order], moments[order], self._reading)
        return ranks

    def _digest_ranks(self, counted: _Ints, moments: _Ints, digests: _Ints) -> _Ints:
        """The place of the newest counted tag on each tag's digest, among those of digests."""
        order = self._newest_first(counted, moments)
        _, first, which = np.unique(digests[order], return_index=True, return_inverse=True)
        newest = np.sort(first)
        leaders = order[newest]
        places = _places(self._codes[leaders], moments[leaders], self._reading)
        ranks = np.zeros(len(self._codes), np.int64)
        ranks[order] = places[np.searchsorted(newest, first[which])]
        return ranks

    def _codes_of_digests(self) -> _Ints:
        """A number for each repository and digest."""
        indices = _ints(encoded(self._tags["manifest_digest"]).indices)
        return self._codes * (int(indices.max(initial=0)) + 1) + indices

    def _newest_first(self, rows: _Ints, moments: _Ints) -> _Ints:
        """Rows by repository, newest first, ties by name."""
        order = "descending" if self._reading.ties == "last_name" else "ascending"
        table = pa.table(
            {
                "code": _column(self._codes[rows]),
                "moment": _column(moments[rows]),
                "tag": taken(self._tags["tag"], rows),
            }
        )
        keys = [("code", "ascending"), ("moment", "descending"), ("tag", order)]
        return rows[_ints(pc.sort_indices(table, sort_keys=keys))]

    def _reasons(
        self, is_deleted: _Bools, by_tag: _Bools, rank: _Ints, age: _Ints, keeps: _Ints
    ) -> Any:
        """One reason a tag, in words."""
        verdict = pc.if_else(pa.array(is_deleted), "deleted: ", "kept: ")
        limit = _texts(keeps)
        by_rank = joined(verdict, "rank ", _texts(rank), ", keeps ", limit)
        by_age = joined(verdict, _texts(age), " days, keeps ", limit)
        conditions = {
            "no rule": self._rule < 0,
            "no selector includes it": ~self._is_judged & (self._selector < 0),
        }
        cases = [*conditions.values(), ~self._is_judged, by_tag, age < 0]
        return pc.case_when(
            pc.make_struct(*map(pa.array, cases)),
            *conditions,
            self._exceptions(),
            by_rank,
            "kept: no date",
            by_age,
        )

    def _exceptions(self) -> Any:
        """Of each tag that a selector excepts which does."""
        texts = [f"excepted by {s.pattern}" for rule in self._rules for s in rule.selectors]
        starts = np.cumsum([0, *(len(rule.selectors) for rule in self._rules)])
        numbers = starts[self._rule] + self._selector
        return taken(_column([*texts, ""]), np.where(self._selector < 0, len(texts), numbers))


def _selects(selector: Selector, names: Any, reading: Reading) -> _Bools:
    if selector.kind == "label":
        hits = pc.equal(names, selector.pattern)
    elif reading.match == "full":
        hits = pc.match_substring_regex(names, pattern=rf"\A(?:{selector.pattern})\z")
    else:
        hits = pc.match_substring_regex(names, pattern=selector.pattern)
    return np.asarray(hits.to_numpy(zero_copy_only=False), np.bool_)


def _places(codes: _Ints, moments: _Ints, reading: Reading) -> _Ints:
    """Places within each code, from 1, of rows in order; tied ones that are kept share one."""
    positions = np.arange(len(codes))
    is_first = np.ones(len(codes), np.bool_)
    is_first[1:] = codes[1:] != codes[:-1]
    starts = np.maximum.accumulate(np.where(is_first, positions, 0))
    if reading.ties == "kept":
        is_first[1:] |= moments[1:] != moments[:-1]
        positions = np.maximum.accumulate(np.where(is_first, positions, 0))
    return positions - starts + 1


def _microseconds(column: Any) -> _Ints:
    moments = column.cast(_MOMENT).cast(pa.int64())
    return _ints(pc.fill_null(moments, _NEVER))


def _ints(column: Any) -> _Ints:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)


def _column(values: Any) -> Any:
    """An array of numbers or texts; the stubs know too few of the kinds that it takes."""
    return pa.array(values)


def taken(column: Any, rows: _Ints) -> Any:
    """Some rows of a column, by their places."""
    return column.take(_column(rows))


def encoded(column: Any) -> Any:
    """An array of the distinct values, and of each value its place among them."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.dictionary_encode()


def _texts(numbers: _Ints) -> Any:
    return pa.array(numbers).cast(pa.string())


def joined(*parts: Any) -> Any:
    """Columns and texts, joined row by row."""
    return pc.binary_join_element_wise(*parts, "")
