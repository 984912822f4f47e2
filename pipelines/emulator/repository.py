"""One repository of the emulator: its tags, kept in order, and what the API says of it.

Not thread-safe: `registry` sees to that.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipelines.emulator.records import DOMAIN_ID, HOST, NEVER, instant


@dataclass(frozen=True)
class StoredTag:
    """One tag record, verbatim. Replaced when the tag changes, never altered."""

    wire: dict[str, Any]

    @cached_property
    def text(self) -> bytes:
        """The record as JSON, made once however often it is served."""
        return json.dumps(self.wire, separators=(",", ":")).encode()

    @property
    def name(self) -> str:
        """The tag's name; empty where the record has no readable one."""
        name = self.wire.get("Tag") or self.wire.get("tag")
        return name if isinstance(name, str) else ""

    @cached_property
    def updated(self) -> int:
        """When it was updated, comparable."""
        return instant(self.wire.get("updated"))


@dataclass
class Repository:
    """A repository. `created` and `updated` are stamps as the API writes them."""

    record_id: int
    namespace_id: int
    namespace: str
    name: str
    is_public: bool = False
    download_count: int = 0
    created: str = NEVER
    updated: str = NEVER
    _tags: dict[str, StoredTag] = field(default_factory=dict)
    # Orders already worked out since the last change, by column and direction.
    _orders: dict[tuple[str, bool], tuple[StoredTag, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._tags)

    def __iter__(self) -> Iterator[StoredTag]:
        return iter(self._tags.values())

    def get(self, tag: str) -> StoredTag | None:
        """The tag of that name, if there is one."""
        return self._tags.get(tag)

    def put(self, stored: StoredTag) -> None:
        """Add a tag, or put it in the place of its namesake."""
        self._tags[stored.name or f"#{id(stored)}"] = stored
        self._orders.clear()
        if stored.updated > instant(self.updated):
            self.updated = str(stored.wire["updated"])
        created = str(stored.wire.get("created"))
        is_earlier = self.created == NEVER or instant(created) < instant(self.created)
        if is_earlier and instant(created) > instant(NEVER):
            self.created = created

    def remove(self, tag: str) -> None:
        """Delete a tag.

        Raises:
            KeyError: there is none of that name.
        """
        del self._tags[tag]
        self._orders.clear()

    def in_order(self, column: str, *, descending: bool) -> tuple[StoredTag, ...]:
        """All tags by `updated_at` or `tag`.

        Tags updated at the same instant come by name in both directions: neither is the other one
        reversed, as nothing promises that it is.
        """
        if (column, descending) not in self._orders:
            tags = sorted(self._tags.values(), key=lambda tag: tag.name)
            if column == "updated_at":
                tags.sort(key=lambda tag: tag.updated, reverse=descending)
            elif descending:
                tags.reverse()
            self._orders[column, descending] = tuple(tags)
        return self._orders[column, descending]

    @property
    def size(self) -> int:
        """Bytes: the sum of what its tags' records say."""
        sizes = (tag.wire.get("size") for tag in self)
        return sum(size for size in sizes if type(size) is int)

    def list_record(self) -> dict[str, Any]:
        """What the repository list says of it; the total is the query's to add."""
        return {
            **self._described(),
            "created_at": self.created,
            "updated_at": self.updated,
            "domain_name": DOMAIN_ID,
            "namespace": self.namespace,
            "tags": [tag.name for tag in self.in_order("updated_at", descending=True)],
            "status": False,
        }

    def single_record(self) -> dict[str, Any]:
        """What the API says when asked for this repository alone."""
        return {
            "id": self.record_id,
            "ns_id": self.namespace_id,
            **self._described(),
            "creator_id": DOMAIN_ID,
            "creator_name": "emulator",
            "created": self.created,
            "updated": self.updated,
            "domain_id": self.domain_id or DOMAIN_ID,
            "priority": 0,
        }

    @property
    def domain_id(self) -> str | None:
        """The account that its tags' records name first."""
        named = (tag.wire.get("domain_id") for tag in self)
        return next((name for name in named if isinstance(name, str) and name), None)

    def _described(self) -> dict[str, Any]:
        path = f"{HOST}/{self.namespace}/{self.name}"
        return {
            "name": self.name,
            "category": "other",
            "description": "",
            "size": self.size,
            "is_public": self.is_public,
            "num_images": len(self),
            "num_download": self.download_count,
            "url": "",
            "path": path,
            "internal_path": path,
        }
