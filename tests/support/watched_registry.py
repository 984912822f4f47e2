"""A registry that remembers every state each of its repositories was in: the oracle's memory."""

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.emulator.registry import Registry
from pipelines.run.request import Name

# What tells one version of a tag from another, by name: its digest and its `updated`, as sent.
State = dict[str, tuple[str, str]]

_STEPS = (0, 0, 1, 120_000, 1_000_000, 90_000_000)


class TickingClock:
    """A clock that goes on by chance with every look; at times it stands still."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        self._now += timedelta(microseconds=self._draw.choice(_STEPS))
        return self._now


class WatchedRegistry(Registry):
    """Keeps all states by repository, None for one that is gone, and all records ever told."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[Name, list[State | None]] = defaultdict(list)
        self.records: dict[tuple[Name, str, tuple[str, str]], bytes] = {}

    def push(self, namespace: str, repository: str, *args: Any, **named: Any) -> dict[str, Any]:
        """Push, and remember what the repository holds now."""
        with self._lock:
            record = super().push(namespace, repository, *args, **named)
            name = (namespace, repository)
            tag, version = record["Tag"], (record["digest"], record["updated"])
            self.states[name].append((self.now(name) or {}) | {tag: version})
            text = json.dumps(record, separators=(",", ":")).encode()
            self.records[name, tag, version] = text
            return record

    def delete_tag(self, namespace: str, repository: str, tag: str) -> None:
        """Delete a tag, and remember what is left."""
        with self._lock:
            super().delete_tag(namespace, repository, tag)
            name = (namespace, repository)
            left = {key: value for key, value in (self.now(name) or {}).items() if key != tag}
            self.states[name].append(left)

    def delete_repository(self, namespace: str, repository: str) -> None:
        """Delete a repository, and remember that it is gone."""
        with self._lock:
            super().delete_repository(namespace, repository)
            self.states[namespace, repository].append(None)

    def forget(self) -> None:
        """Keep the last states only."""
        with self._lock:
            for states in self.states.values():
                del states[:-1]
            self.records.clear()

    @property
    def changes(self) -> int:
        """How often anything changed so far."""
        return sum(map(len, self.states.values()))

    def now(self, name: Name) -> State | None:
        """The last state of a repository; None if it is not there."""
        states = self.states[name]
        return states[-1] if states else None


def still_standing(states: list[State | None]) -> State:
    """What was the same in every one of these states."""
    first, *later = [state or {} for state in states]
    return {
        tag: version
        for tag, version in first.items()
        if all(state.get(tag) == version for state in later)
    }


def small_image(number: int) -> str:
    """A manifest of two layers, of which some images share the first."""
    layers = [
        {"digest": f"sha256:{number % 5:064x}", "size": 1000 + number % 5},
        {"digest": f"sha256:{number + 5:064x}", "size": 10 + number},
    ]
    config = {"digest": f"sha256:{2**40 + number:064x}", "size": 7}
    return json.dumps({"schemaVersion": 2, "config": config, "layers": layers})
