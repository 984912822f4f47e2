"""Reads the retention rules that repositories have, and the registry's log of what they deleted.

Answers are kept as they came; what cannot be judged of them is said. A refusal is remembered and
fails nothing. What rules would delete is told by `deciding`.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple, get_args

import msgspec
import pyarrow as pa

from pipelines.deciding.rules import LIMITS, SelectorKind
from pipelines.deciding.rules_file import wrong_pattern
from pipelines.errors import (
    SwrError,
    SwrForbidden,
    SwrNotFound,
    SwrRefused,
    SwrUnauthenticated,
    SwrUnknownPath,
)
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.request import Name
from pipelines.schemas import RETENTION_LOG, RETENTION_RULES
from pipelines.swr.client import SwrClient
from pipelines.swr.json_parts import UNREADABLE
from pipelines.swr.wire import Int32, Int64, RepositoryRecord, as_utc
from pipelines.warehouse.live_rules import wrong_in_sql

Row = dict[str, Any]
# Taken everywhere.
_LOG_PAGE = 100
# Asking again would not help: to be remembered.
_REFUSALS = (SwrForbidden, SwrRefused)
_GONE = (SwrNotFound, SwrUnknownPath)


class _Selector(msgspec.Struct):
    """An exception of a rule."""

    kind: str
    pattern: str


class _Params(msgspec.Struct):
    """The number of a rule: text in the API."""

    num: Int32 | None = None
    days: Int32 | None = None


class _Rule(msgspec.Struct):
    """A rule."""

    template: str
    params: _Params
    tag_selectors: list[_Selector] | None = None


class _Policy(msgspec.Struct):
    """The rules of a repository; there is at most one."""

    id: Int64 | None = None
    rules: list[_Rule] | None = None


class _Log(msgspec.Struct):
    """A page of the log."""

    retention_log: list[msgspec.Raw] | None = None
    total: Int64 | None = None


class _Entry(msgspec.Struct):
    """A deletion by a rule."""

    tag: str
    created_at: datetime
    retention_id: Int64
    id: Int64 | None = None
    rule_type: str | None = None


class KnownRules(NamedTuple):
    """What is known of a repository's rules: see `known_rules` of `warehouse.known`."""

    list_entry: str | None
    newest_deleted_at: datetime | None


def list_entry(record: RepositoryRecord) -> str:
    """What the repository list says of a repository. Downloads tell nothing of its rules."""
    names = ("is_public", "size", "num_images", "created_at", "updated_at")
    return json.dumps({name: getattr(record, name) for name in names}, default=str)


@dataclass(frozen=True)
class RulesReader:
    """Reads rules and logs of many repositories at a time."""

    client: SwrClient
    known: Mapping[Name, KnownRules]
    now: Callable[[], datetime]
    progress: Progress
    log: RunLog

    def read(
        self, listed: Mapping[Name, RepositoryRecord], *, is_full: bool, threads: int
    ) -> tuple[pa.Table, pa.Table]:
        """Ask for the rules of every repository whose list entry is new: see docs/deciding.md.

        Args:
            listed: repositories in scope, as the list shows them.
            is_full: ask for all.
            threads: repositories read at the same time.

        Returns:
            RETENTION_RULES and RETENTION_LOG. What may be there later is left out.
        """
        due = {
            name: entry
            for name, entry in ((name, list_entry(record)) for name, record in listed.items())
            if is_full or name not in self.known or self.known[name].list_entry != entry
        }
        read = self._read_all(due, threads)
        rules = [row for row, _ in read]
        self._say_what_was_not_read(rules, len(due))
        return (
            pa.Table.from_pylist(rules, schema=RETENTION_RULES),
            pa.Table.from_pylist([row for _, rows in read for row in rows], schema=RETENTION_LOG),
        )

    def _read_all(self, due: Mapping[Name, str], threads: int) -> list[tuple[Row, list[Row]]]:
        pool = ThreadPoolExecutor(threads, thread_name_prefix="rules")
        try:
            found = pool.map(lambda item: self._read(*item), due.items())
            return [read for read in found if read is not None]
        except SwrUnauthenticated:
            return []
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, name: Name, entry: str) -> tuple[Row, list[Row]] | None:
        """The rules of a repository and its log; None where they may come later.

        Raises:
            SwrUnauthenticated: the credentials are refused.
        """
        namespace, repository = name
        row: Row = {"namespace": namespace, "repository": repository, "list_entry": entry}
        row["read_at"] = self.now()
        try:
            answer = self.client.retention_rules(*name)
            row |= {"outcome": "read", "answer": _text(answer)} | judged_rules(answer)
            has_rule = row["template"] or row["problem"]
            return row, self._read_log(row, name) if has_rule else []
        except (*_REFUSALS, *_GONE) as error:
            outcome = "refused" if isinstance(error, _REFUSALS) else "missing"
            return row | {"outcome": outcome, "error": str(error)}, []
        except SwrUnauthenticated:
            raise
        except SwrError:
            return None

    def _read_log(self, row: Row, name: Name) -> list[Row]:
        """What the log of a repository has; a refusal is noted in the row of its rules."""
        known = self.known.get(name)
        since = known.newest_deleted_at if known else None
        try:
            pages = (
                self.client.retention_log(*name, offset, _LOG_PAGE)
                for offset in count(0, _LOG_PAGE)
            )
            entries = _entries(pages, since)
        except (*_REFUSALS, *_GONE) as error:
            row["log_error"] = str(error)
            return []
        names = {"namespace": row["namespace"], "repository": row["repository"]}
        return [names | entry for entry in entries]

    def _say_what_was_not_read(self, rules: list[Row], due: int) -> None:
        """One line, where there is anything to say."""
        counts = Counter(row["outcome"] for row in rules if row["outcome"] != "read")
        counts["unreadable"] = sum(row.get("problem") is not None for row in rules)
        counts["no_log"] = sum(row.get("log_error") is not None for row in rules)
        counts["failed"] = due - len(rules)
        found = {name: number for name, number in sorted(counts.items()) if number}
        if not found:
            return
        errors = (row.get("error") or row.get("log_error") or row.get("problem") for row in rules)
        first = next(filter(None, errors), None)
        self.log.event("rules not read", level=logging.WARNING, **found, error=first)
        parts = ", ".join(f"{number:,} {name}" for name, number in found.items())
        said = f" First: {first}" if first else ""
        self.progress.notice(f"Retention rules of {due:,} repositories: {parts}.{said}")


def judged_rules(answer: bytes) -> Row:
    """What an answer says of the rule: `retention_id`, `template` and so on, or a `problem`."""
    row: Row = dict.fromkeys(("retention_id", "template", "keeps", "tag_selectors", "problem"))
    try:
        policies = msgspec.json.decode(answer or b"null", type=list[_Policy] | None, strict=False)
    except UNREADABLE as error:
        return row | {"problem": f"the answer is no list of rules: {error}"}
    found = [(policy.id, rule) for policy in policies or [] for rule in policy.rules or []]
    if not found:
        return row
    row["retention_id"], rule = found[0]
    if len(found) > 1:
        return row | {"problem": f"{len(found)} rules, where SWR has one a repository"}
    if problem := _wrong(rule):
        return row | {"problem": problem}
    selectors = [msgspec.to_builtins(selector) for selector in rule.tag_selectors or []]
    return row | {
        "template": rule.template,
        "keeps": _keeps(rule),
        "tag_selectors": json.dumps(selectors),
    }


def _keeps(rule: _Rule) -> int | None:
    """So many tags or days, by the parameter of its template; None where that is missing."""
    parameters = [name for template, (name, _) in LIMITS.items() if template == rule.template]
    return next((getattr(rule.params, name) for name in parameters), None)


def _wrong(rule: _Rule) -> str | None:
    if rule.template not in LIMITS:
        return f"{rule.template!r} is no kind of rule that is known"
    if (_keeps(rule) or 0) < 1:
        return f"it does not say how much to keep: {msgspec.to_builtins(rule.params)}"
    problems = map(_wrong_selector, rule.tag_selectors or [])
    return next(filter(None, problems), None)


def _wrong_selector(selector: _Selector) -> str | None:
    pattern = selector.pattern
    if selector.kind not in get_args(SelectorKind):
        return f"{selector.kind!r} is no kind of selector that is known"
    problem = wrong_pattern(pattern) or wrong_in_sql(pattern) if selector.kind == "regexp" else None
    return f"{pattern!r} is no pattern that can be used: {problem}" if problem else None


def _entries(pages: Iterable[bytes], since: datetime | None) -> list[Row]:
    """The entries of a log that may be new; its pages are asked for until nothing more is."""
    found: dict[str, Row] = {}
    for answer in pages:
        rows, total = logged_entries(answer)
        fresh = [row for row in rows if row["entry_key"] not in found]
        found |= {row["entry_key"]: row for row in fresh}
        is_all = total is not None and len(found) >= total
        if is_all or not fresh or _is_known(rows, since):
            break
    return [*found.values()]


def _is_known(rows: list[Row], since: datetime | None) -> bool:
    """Whether a page, of a log that begins with the newest, reaches what was read before."""
    first, last = (row.get("deleted_at") for row in (rows[0], rows[-1]))
    return bool(since and first and last and last < first and last < since)


def logged_entries(answer: bytes) -> tuple[list[Row], int | None]:
    """The entries of a page of the log, also those that cannot be read, and the log's length."""
    try:
        page = msgspec.json.decode(answer or b"null", type=_Log | None, strict=False) or _Log()
    except UNREADABLE as error:
        return [_unreadable(answer, f"the answer is no log: {error}")], 1
    return [_entry(bytes(raw)) for raw in page.retention_log or []], page.total


def _entry(raw: bytes) -> Row:
    try:
        entry = msgspec.json.decode(raw, type=_Entry, strict=False)
    except UNREADABLE as error:
        return _unreadable(raw, f"the entry is none of a log: {error}")
    return {
        "entry_key": str(entry.id) if entry.id is not None else _text(raw),
        "retention_id": entry.retention_id,
        "rule_type": entry.rule_type,
        "tag": entry.tag,
        "deleted_at": as_utc(entry.created_at),
        "entry": _text(raw),
    }


def _unreadable(raw: bytes, problem: str) -> Row:
    return {"entry_key": _text(raw), "entry": _text(raw), "problem": problem}


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")
