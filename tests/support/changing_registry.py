"""Faults that are the registry's own doing: it changes while it is read.

Each is told of every request, as those of `faults`, and changes what the next one will be
answered.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tag_requests import repository_of

from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry

_OK = 200
_A_CONFIG = "sha256:" + 64 * "0"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Vanishing:
    """A repository is deleted once so many pages of its tags have been read; one in all."""

    registry: Registry
    pages: int
    _read: Counter[tuple[str, str]] = field(default_factory=Counter)
    _is_done: bool = False

    def __call__(self, request: Request, response: Response) -> Response:
        """Count pages of tags."""
        name = repository_of(request)
        if name is None or response.status != _OK or self._is_done:
            return response
        self._read[name] += 1
        if self._read[name] >= self.pages:
            self._is_done = True
            self.registry.delete_repository(*name)
        return response


@dataclass
class Moving:
    """After each page of tags something is pushed, moved or deleted in that repository."""

    registry: Registry
    draw: random.Random
    clock: Callable[[], datetime] = _now
    chance: float = 1.0
    prefix: str = "pushed"
    _pushes: int = 0

    def __call__(self, request: Request, response: Response) -> Response:
        """Change the list that was just read from."""
        name = repository_of(request)
        if name is not None and response.status == _OK and self.draw.random() < self.chance:
            self.change(*name)
        return response

    def change(self, namespace: str, repository: str) -> None:
        """Change something at random; a repository that is gone stays so."""
        try:
            tags = [tag.name for tag in self.registry.tags(namespace, repository) if tag.name]
        except KeyError:
            return
        kind = self.draw.choice(["push", "move", "delete"]) if tags else "push"
        if kind == "delete":
            self.registry.delete_tag(namespace, repository, self.draw.choice(tags))
            return
        self._pushes += 1
        tag = self.draw.choice(tags) if kind == "move" else f"{self.prefix}-{self._pushes}"
        text = _image(self._pushes)
        self.registry.push(namespace, repository, tag, text, at=self.clock())


def _image(number: int) -> str:
    """A manifest that no other push has."""
    config = {"digest": _A_CONFIG, "size": number}
    return json.dumps({"schemaVersion": 2, "config": config, "layers": []})
