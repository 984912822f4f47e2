"""What a warehouse may hold after a run, told from nothing but the registry's own history.

Which odd records are fit for use is written down by hand in `REJECTED` and `NAMELESS`.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from watched_registry import State, WatchedRegistry, still_standing

from pipelines.run.request import Name

# Tags by name: digest, and when updated.
Live = dict[str, tuple[str, datetime]]

NAMELESS = {"not-an-object", "lone-surrogate", "not-utf8"}
REJECTED = {"missing-digest", "nonsense-update", *NAMELESS}
PROVEN = {"complete", "unchanged"}


class Shown(NamedTuple):
    """What a state looks like from outside: tags to be used, and what is not fit to be."""

    live: Live
    rejected_names: set[str]
    rejected_texts: set[str]
    is_nameless: bool


@dataclass
class Oracle:
    """Judges runs; `odd` is what makes records odd, by name."""

    registry: WatchedRegistry
    odd: Mapping[str, Callable[[bytes], bytes]]
    live: dict[Name, Live] = field(default_factory=dict)
    _known: dict[bytes, "Sent"] = field(default_factory=dict)

    def judge(
        self,
        crawls: list[dict[str, Any]],
        begun: Mapping[Name, int],
        found: "Found",
        *,
        counted: bool,
        true: bool,
    ) -> Iterator[str]:
        """Tell everything that is wrong with what a run left, then remember it.

        Args:
            crawls: rows of ingest.crawls of this run.
            begun: for each repository the number of its state when the run began.
            found: what the published warehouse holds now.
            counted: the registry stated usable totals, so that not even an incomplete crawl may
                miss a tag that stood still.
            true: the registry stated no false totals. A total too high by what was deleted hides
                the deletion, so that tags stay; none may be lost even then.
        """
        statuses = {(row["namespace"], row["repository"]): row["status"] for row in crawls}
        for name in {*self.live, *found.live, *statuses}:
            before, after = self.live.get(name, {}), found.live.get(name, {})
            states = self.registry.states[name][begun.get(name, 0) :]
            status = statuses.get(name, "not read")
            if status in PROVEN and not true:
                expected = [self._expected(name, state, before) for state in states]
                shown = [live for live in expected if live and live.items() <= after.items()]
                after = shown[-1] if shown else after
            for problem in self._judge_one(name, status, states, before, after):
                yield f"{name} {status}: {problem}"
            if status == "incomplete" and counted:
                stood = self.shown(name, still_standing(states)).live
                if not stood.items() <= after.items():
                    yield f"{name} {status}: lost {sorted(stood.keys() - after.keys())}"
            yield from self._judge_rejected(name, status, states, found.rejected.get(name, set()))
        self.live = found.live

    def _judge_one(
        self, name: Name, status: str, states: list[State | None], before: Live, after: Live
    ) -> Iterator[str]:
        if status in PROVEN:
            if not any(after == self._expected(name, state, before) for state in states):
                yield "the warehouse holds no state of the registry"
        elif status == "missing":
            if after or None not in states:
                yield "it was there, or its tags are"
        elif status == "incomplete":
            yield from self._judge_incomplete(name, states, before, after)
        elif after != before:
            yield "rows changed although nothing was read"

    def _judge_incomplete(
        self, name: Name, states: list[State | None], before: Live, after: Live
    ) -> Iterator[str]:
        if not before.keys() <= after.keys():
            yield "a deletion was inferred"
        ever = [before, *(self.shown(name, state).live for state in states if state)]
        invented = {tag for tag in after if not any(after[tag] == live.get(tag) for live in ever)}
        if invented:
            yield f"tags were invented: {sorted(invented)}"

    def _judge_rejected(
        self, name: Name, status: str, states: list[State | None], found: set[str]
    ) -> Iterator[str]:
        ever = [
            self.shown(name, state).rejected_texts for state in self.registry.states[name] if state
        ]
        if not found <= set().union(*ever):
            yield f"{name}: a rejected text is not what was sent"
        shown = [self.shown(name, state).rejected_texts for state in states if state is not None]
        if status in PROVEN and not any(texts <= found for texts in shown):
            yield f"{name} {status}: a record was rejected without a trace"

    def _expected(self, name: Name, state: State | None, before: Live) -> Live | None:
        """What is live in a state; a tag that an unreadable record may stand for stays."""
        if state is None:
            return None
        shown = self.shown(name, state)
        stays = {
            tag: version
            for tag, version in before.items()
            if shown.is_nameless or tag in shown.rejected_names
        }
        return stays | shown.live

    def shown(self, name: Name, state: State) -> Shown:
        """Tell how a state looks from outside."""
        sent = [self._sent(self.registry.records[name, tag, state[tag]]) for tag in state]
        return Shown(
            {one.name: one.version for one in sent if one.name and one.version},
            {one.name for one in sent if one.name and not one.version},
            {one.rejected_text for one in sent if one.rejected_text is not None},
            any(one.name is None for one in sent),
        )

    def _sent(self, text: bytes) -> "Sent":
        """What becomes of a record on its way."""
        if text not in self._known:
            self._known[text] = self._send(text)
        return self._known[text]

    def _send(self, text: bytes) -> "Sent":
        applied = set()
        for name, alter in self.odd.items():
            altered = alter(text)
            if altered != text:
                applied.add(name)
            text = altered
        if applied & NAMELESS:
            return Sent(None, None, text.decode("utf-8", "backslashreplace"))
        record = _parsed(text)
        if applied & REJECTED:
            return Sent(record["Tag"], None, text.decode())
        version = (record["digest"], datetime.fromisoformat(record["updated"]))
        return Sent(record["Tag"], version, None)


def _parsed(text: bytes) -> dict[str, str]:
    """Read a record, which may be nested ten thousand deep."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        record: dict[str, str] = json.loads(text)
    finally:
        sys.setrecursionlimit(before)
    return record


class Sent(NamedTuple):
    """One record from outside: its name if readable, its version or the text to be set aside."""

    name: str | None
    version: tuple[str, datetime] | None
    rejected_text: str | None


@dataclass(frozen=True)
class Found:
    """What a warehouse holds: live tags and texts of rejected records, by repository."""

    live: dict[Name, Live]
    rejected: dict[Name, set[str]]
