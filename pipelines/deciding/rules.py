"""Retention rules in SWR's words, and the ways to read them.

SWR's documents say that exceptions are taken out before counting, that days go by the update time
and that tags are counted. What they leave open, and these three, are switches of `Reading`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any, Literal, get_args

from pipelines.errors import RulesError

Template = Literal["tag_rule", "date_rule"]
SelectorKind = Literal["label", "regexp"]

# Of each template the parameter, the largest value that SWR takes (from 1), and what it counts.
LIMITS: dict[Template, tuple[str, int]] = {"tag_rule": ("num", 1000), "date_rule": ("days", 365)}


@dataclass(frozen=True, slots=True)
class Selector:
    """Tags that a rule treats apart: one name (`label`), or a pattern of names (`regexp`)."""

    kind: SelectorKind
    pattern: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A retention rule for the repositories that a glob matches.

    Attributes:
        repositories: glob of `namespace/repository`; `*` crosses a slash. Of a rule for certain
            repositories, `names`, whatever tells people which.
        template: `tag_rule` keeps the newest tags, `date_rule` those updated lately.
        keeps: so many tags or days.
        selectors: exceptions, as SWR documents it.
        place: file and line, for errors.
    """

    repositories: str
    template: Template
    keeps: int
    selectors: tuple[Selector, ...] = ()
    place: str = "rule"
    names: frozenset[str] | None = None

    def is_for(self, name: str) -> bool:
        """Whether it is for a repository, given as `namespace/repository`."""
        if self.names is not None:
            return name in self.names
        return fnmatchcase(name, self.repositories)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a rule; the defaults are what SWR documents, or else what is likely.

    Attributes:
        clock: the moment that counts.
        days: what has to have passed: whole days of 24 hours (`24h`), one more than these
            (`24h_passed`), or midnights of a time zone.
        selectors: exceptions taken out before counting, taken out after it, or the only tags that
            a rule is for where it has any.
        unit: what `num` counts; tags on one digest are one of `digests`, as new as the newest.
        match: whether a pattern may match any part of a name, or has to match all of it.
        ties: which of the tags of one moment is the newest, or that none is.
    """

    clock: Literal["updated", "created"] = "updated"
    days: Literal["24h", "24h_passed", "utc", "utc+8"] = "24h"
    selectors: Literal["excepted", "excepted_after_count", "included"] = "excepted"
    unit: Literal["tags", "digests"] = "tags"
    match: Literal["search", "full"] = "search"
    ties: Literal["first_name", "last_name", "kept"] = "first_name"


DOCUMENTED = Reading()
SWITCHES: dict[str, tuple[str, ...]] = {
    field.name: get_args(field.type) for field in fields(Reading)
}
_WORDS = {
    "updated": "update time",
    "created": "creation time",
    "24h": "24-hour days",
    "24h_passed": "one 24-hour day more",
    "utc": "days end at midnight UTC",
    "utc+8": "days end at midnight UTC+8",
    "excepted": "exceptions first",
    "excepted_after_count": "exceptions after the count",
    "included": "selectors include",
    "tags": "tags counted",
    "digests": "digests counted",
    "search": "patterns search",
    "full": "patterns match whole names",
    "first_name": "ties by name",
    "last_name": "ties by name from the end",
    "kept": "ties kept",
}


def words(reading: Reading) -> list[str]:
    """What a reading assumes, a few words for each switch."""
    return [_WORDS[getattr(reading, name)] for name in SWITCHES]


def words_of_switch(name: str, readings: Iterable[Mapping[str, Any]]) -> str | None:
    """What some readings have for a switch, in words; None where it makes no difference."""
    found = {reading[name] for reading in readings}
    return " or ".join(_WORDS[value] for value in SWITCHES[name] if value in found) or None


def reading_of(switches: Sequence[str]) -> Reading:
    """The documented reading with some switches turned, each `name=value`.

    Raises:
        RulesError: there is no such switch, or it has no such value.
    """
    turned: dict[str, Any] = {}
    for text in switches:
        name, _, value = text.partition("=")
        if value not in SWITCHES.get(name, ()):
            known = ", ".join(f"{name}={'|'.join(values)}" for name, values in SWITCHES.items())
            raise RulesError(f"{text} is no reading; there are {known}.")
        turned[name] = value
    return replace(DOCUMENTED, **turned)


def deciding_switches(rule: Rule) -> tuple[str, ...]:
    """The switches that may make a difference to a rule."""
    kinds = {selector.kind for selector in rule.selectors}
    by_kind = {"tag_rule": ("unit", "ties"), "date_rule": ("days",)}[rule.template]
    by_name = ("selectors",) if kinds else ()
    by_pattern = ("match",) if "regexp" in kinds else ()
    return ("clock", *by_kind, *by_name, *by_pattern)


def readings_by(switches: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every way to turn some switches, all others as documented."""
    for values in product(*(SWITCHES[name] for name in switches)):
        yield dict(zip(switches, values, strict=True))


def other_readings(reading: Reading) -> Iterator[tuple[str, Reading]]:
    """Every reading that differs from one in one switch, with what is other in words."""
    for name, values in SWITCHES.items():
        for value in values:
            if value != getattr(reading, name):
                other: dict[str, Any] = {name: value}
                yield _WORDS[value], replace(reading, **other)


def assign(rules: Sequence[Rule], repositories: Sequence[str]) -> list[int | None]:
    """The number of the rule for each repository (`namespace/repository`): the first that matches.

    Raises:
        RulesError: a rule is for none.
    """
    found = [_first(rules, name) for name in repositories]
    for number in sorted({*range(len(rules))} - {*found}):
        raise RulesError(f"{rules[number].place}: {_useless(rules[number], repositories)}")
    return found


def _first(rules: Sequence[Rule], name: str) -> int | None:
    matching = (n for n, rule in enumerate(rules) if rule.is_for(name))
    return next(matching, None)


def _useless(rule: Rule, repositories: Sequence[str]) -> str:
    if any(map(rule.is_for, repositories)):
        return f"earlier rules match every repository that {rule.repositories} matches."
    return f"no repository with tags matches {rule.repositories}."
