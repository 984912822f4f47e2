"""One repository of the emulator: its tags, kept in order, what they name, what the API says of it.

Not thread-safe: `registry` sees to that.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipelines.emulator.contents import Contents, Manifest, sha256, stated_sizes
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

    @property
    def manifest(self) -> Manifest | None:
        """The manifest that the record holds; None if it holds no text."""
        digest, text = self.wire.get("digest"), self.wire.get("manifest")
        if not isinstance(text, str) or not text:
            return None
        return Manifest(digest if isinstance(digest, str) else sha256(text.encode()), text)


@dataclass
class Repository:
    """A repository.

    Attributes:
        created: stamp as the API writes it; so is `updated`.
        retention: the rules by which tags are deleted, as the API tells them.
        retention_log: which tags were deleted by them, the newest first.
    """

    record_id: int
    namespace_id: int
    namespace: str
    name: str
    is_public: bool = False
    is_shared: bool = False
    category: str = "other"
    download_count: int = 0
    retention: dict[str, Any] | None = None
    retention_log: list[dict[str, Any]] = field(default_factory=list)
    created: str = NEVER
    updated: str = NEVER
    # When each tag was pulled last; those that never were are not there.
    _pulled: dict[str, str] = field(default_factory=dict)
    _contents: Contents = field(default_factory=Contents)
    _tags: dict[str, StoredTag] = field(default_factory=dict)
    # Orders already worked out since the last change, by column and direction.
    _orders: dict[tuple[str, bool], tuple[StoredTag, ...]] = field(default_factory=dict)
    # Likewise the texts of all manifests, and the sizes of all blobs, by digest.
    _texts: dict[str, str] | None = None
    _sizes: dict[str, int] | None = None

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
        self._forget_what_was_worked_out()
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
        self._forget_what_was_worked_out()

    def store_manifest(self, digest: str, text: str) -> None:
        """Hold a manifest, tagged or not; for pulls it takes the place of a record's text."""
        self._contents.manifests[digest] = text
        self._forget_what_was_worked_out()

    def remove_manifest(self, digest: str) -> None:
        """Let go of a manifest that was stored; the records of tags keep theirs.

        Raises:
            KeyError: none was stored under that digest.
        """
        del self._contents.manifests[digest]
        self._forget_what_was_worked_out()

    def store_blob(self, digest: str, content: bytes) -> None:
        """Hold a blob."""
        self._contents.blobs[digest] = content
        self._forget_what_was_worked_out()

    def describe_blob(self, digest: str, size: int) -> None:
        """Hold a blob of so many bytes, without them."""
        self._contents.blob_sizes[digest] = size
        self._forget_what_was_worked_out()

    def pull(self, tag: str, stamp: str) -> None:
        """Remember when a tag was pulled last, which only an instance tells.

        Raises:
            KeyError: there is none of that name.
        """
        self._pulled[self._tags[tag].name] = stamp

    def artifacts(self) -> list[dict[str, Any]]:
        """What an instance lists: manifests, tagged or not, with the tags that name each."""
        tags: dict[str, list[StoredTag]] = {digest: [] for digest in self._contents.manifests}
        for tag in self.in_order("updated_at", descending=True):
            tags.setdefault(str(tag.wire.get("digest")), []).append(tag)
        return [self._artifact(digest, named) for digest, named in tags.items()]

    def _artifact(self, digest: str, tags: list[StoredTag]) -> dict[str, Any]:
        pulled = [self._pulled.get(tag.name, NEVER) for tag in tags]
        return {
            "digest": digest,
            "repository_name": self.name,
            "size": next((tag.wire.get("size") for tag in tags), 0),
            "push_time": next((tag.wire.get("updated") for tag in tags), NEVER),
            "pull_time": max(pulled, key=instant, default=NEVER),
            "tags": [
                {
                    "id": tag.wire.get("id"),
                    "name": tag.name,
                    "push_time": tag.wire.get("updated"),
                    "pull_time": stamp,
                }
                for tag, stamp in zip(tags, pulled, strict=True)
            ]
            or None,
        }

    def manifest(self, reference: str) -> Manifest | None:
        """The manifest that a tag or digest names."""
        stored = self._tags.get(reference)
        if stored is None:
            text = self._all_texts().get(reference)
            return Manifest(reference, text) if text else None
        digest = stored.wire.get("digest")
        if digest in self._contents.manifests:
            return Manifest(digest, self._contents.manifests[digest])
        return stored.manifest

    def blob(self, digest: str) -> bytes | None:
        """A blob's content, if it is held."""
        return self._contents.blobs.get(digest)

    def blob_size(self, digest: str) -> int | None:
        """Bytes of a blob that is held, or that a manifest here says is held."""
        return self._all_sizes().get(digest)

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

    def v3_record(self) -> dict[str, Any]:
        """What the newer list says of it."""
        left_out = {"namespace", "url", "path", "internal_path", "tags"}
        kept = {name: v for name, v in self.list_record().items() if name not in left_out}
        return {"id": self.record_id, **kept, "namespace_name": self.namespace}

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

    def _all_texts(self) -> dict[str, str]:
        if self._texts is None:
            named = [manifest for tag in self if (manifest := tag.manifest)]
            self._texts = {**dict(named), **self._contents.manifests}
        return self._texts

    def _all_sizes(self) -> dict[str, int]:
        if self._sizes is None:
            held = self._contents
            stated = [pair for text in self._all_texts().values() for pair in stated_sizes(text)]
            stored = {digest: len(content) for digest, content in held.blobs.items()}
            self._sizes = {**dict(stated), **held.blob_sizes, **stored}
        return self._sizes

    def _forget_what_was_worked_out(self) -> None:
        self._orders.clear()
        self._texts = self._sizes = None

    def _described(self) -> dict[str, Any]:
        path = f"{HOST}/{self.namespace}/{self.name}"
        return {
            "name": self.name,
            "category": self.category,
            "description": "",
            "size": self.size,
            "is_public": self.is_public,
            "num_images": len(self),
            "num_download": self.download_count,
            "url": "",
            "path": path,
            "internal_path": path,
        }
