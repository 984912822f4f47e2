"""The emulator's state in memory: namespaces, repositories, tags, manifests, blobs.

It changes while it is served.

Knows nothing of HTTP. Every operation is atomic, from any thread.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from pipelines.deciding.rules import DOCUMENTED, Reading
from pipelines.emulator.contents import Manifest, sha256
from pipelines.emulator.records import DOMAIN_ID, location, stamp, tag_record
from pipelines.emulator.repository import Repository, StoredTag
from pipelines.emulator.retention import tags_taken

_FIRST_NAMESPACE_ID = 3_800_000
_FIRST_REPOSITORY_ID = 3_300_000
_FIRST_TAG_ID = 32_900_000
_FIRST_RETENTION_ID = 222


class Registry:
    """A registry that can be pushed to and deleted from."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._namespaces: dict[str, int] = {}
        self._repositories: dict[tuple[str, str], Repository] = {}
        self._tag_ids = count(_FIRST_TAG_ID)
        self._repository_ids = count(_FIRST_REPOSITORY_ID)
        self._namespace_ids = count(_FIRST_NAMESPACE_ID)
        self._retention_ids = count(_FIRST_RETENTION_ID)

    @property
    def tag_count(self) -> int:
        """Tags in all repositories."""
        with self._lock:
            return sum(map(len, self._repositories.values()))

    @property
    def domain_id(self) -> str:
        """The account that its records name first."""
        with self._lock:
            named = (repository.domain_id for repository in self._repositories.values())
            return next(filter(None, named), DOMAIN_ID)

    def push(
        self,
        namespace: str,
        repository: str,
        tag: str,
        manifest: str,
        *,
        at: datetime,
        digest: str | None = None,
    ) -> dict[str, Any]:
        """Point a tag at a manifest, making namespace, repository and tag where missing.

        Args:
            namespace: name of the namespace.
            repository: name of the repository, with `/` where it has levels.
            tag: name of the tag; one that exists moves and keeps its id and `created`.
            manifest: text of the manifest, kept verbatim.
            at: when it happens; has a time zone.
            digest: the manifest's digest; the SHA-256 of its text by default.

        Returns:
            The tag's record.
        """
        with self._lock:
            owner = self._repository(namespace, repository)
            before = stored.wire if (stored := owner.get(tag)) else {}
            record = tag_record(
                namespace=namespace,
                repository=repository,
                tag=tag,
                manifest=manifest,
                digest=digest or sha256(manifest.encode()),
                ids=(before.get("id") or next(self._tag_ids), owner.record_id),
                created=before.get("created") or stamp(at),
                updated=stamp(at),
            )
            owner.put(StoredTag(record))
            return record

    def add_record(self, record: dict[str, Any]) -> None:
        """Take in a tag record as it is; namespace and repository are those of its `path`.

        Raises:
            ValueError: the path names no repository.
        """
        with self._lock:
            namespace, repository = location(record.get("path"))
            owner = self._repository(namespace, repository)
            repo_id = record.get("repo_id")
            if not len(owner) and type(repo_id) is int:
                owner.record_id = repo_id
            owner.put(StoredTag(dict(record)))

    def delete_tag(self, namespace: str, repository: str, tag: str) -> None:
        """Delete a tag; its repository stays, even if empty.

        Raises:
            KeyError: there is no such tag.
        """
        with self._lock:
            self._repositories[namespace, repository].remove(tag)

    def delete_repository(self, namespace: str, repository: str) -> None:
        """Delete a repository and its tags; its namespace stays.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            del self._repositories[namespace, repository]

    def store_manifest(
        self, namespace: str, repository: str, text: str, *, digest: str | None = None
    ) -> str:
        """Hold a manifest without a tag, making namespace and repository where missing.

        Pulls get it in place of the text of a tag's record with the same digest.

        Args:
            namespace: name of the namespace.
            repository: name of the repository.
            text: text of the manifest, kept verbatim.
            digest: what it is known by; the SHA-256 of its text by default.

        Returns:
            Its digest.
        """
        digest = digest or sha256(text.encode())
        with self._lock:
            self._repository(namespace, repository).store_manifest(digest, text)
        return digest

    def remove_manifest(self, namespace: str, repository: str, digest: str) -> None:
        """Let go of a manifest that was stored; tags and their records stay.

        Raises:
            KeyError: there is no such repository, or none was stored there under that digest.
        """
        with self._lock:
            self._repositories[namespace, repository].remove_manifest(digest)

    def store_blob(self, namespace: str, repository: str, content: bytes) -> str:
        """Hold a blob, making namespace and repository where missing; give its digest."""
        digest = sha256(content)
        with self._lock:
            self._repository(namespace, repository).store_blob(digest, content)
        return digest

    def describe_blob(self, namespace: str, repository: str, digest: str, size: int) -> None:
        """Hold a blob of so many bytes, without them: its size can be asked for."""
        with self._lock:
            self._repository(namespace, repository).describe_blob(digest, size)

    def manifest(self, namespace: str, repository: str, reference: str) -> Manifest | None:
        """The manifest that a tag or digest names in a repository; None if there is none."""
        with self._lock:
            owner = self._repositories.get((namespace, repository))
            return owner.manifest(reference) if owner is not None else None

    def blob(self, namespace: str, repository: str, digest: str) -> bytes | None:
        """A blob's content; None if it is not held."""
        with self._lock:
            owner = self._repositories.get((namespace, repository))
            return owner.blob(digest) if owner is not None else None

    def blob_size(self, namespace: str, repository: str, digest: str) -> int | None:
        """Bytes of a blob; None if no such is held, or said to be by a manifest beside it."""
        with self._lock:
            owner = self._repositories.get((namespace, repository))
            return owner.blob_size(digest) if owner is not None else None

    def has_namespace(self, name: str) -> bool:
        """Whether there is such a namespace."""
        with self._lock:
            return name in self._namespaces

    def is_public(self, namespace: str, repository: str) -> bool:
        """Whether anybody may pull from a repository; not if there is none."""
        with self._lock:
            owner = self._repositories.get((namespace, repository))
            return owner is not None and owner.is_public

    def describe(
        self,
        namespace: str,
        repository: str,
        *,
        is_public: bool = False,
        is_shared: bool = False,
        category: str = "other",
        download_count: int = 0,
    ) -> None:
        """Set what no push tells about a repository.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            described = self._repositories[namespace, repository]
            described.is_public, described.download_count = is_public, download_count
            described.is_shared, described.category = is_shared, category

    def set_retention(
        self, namespace: str, repository: str, rules: Sequence[Mapping[str, Any]]
    ) -> None:
        """Set the rules by which a repository's tags are deleted, or none; nothing is deleted.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            record = {"algorithm": "or", "id": next(self._retention_ids), "scope": ""}
            rules = [dict(rule) for rule in rules]
            owner = self._repositories[namespace, repository]
            owner.retention = {**record, "rules": rules} if rules else None

    def delete_by_retention(
        self, namespace: str, repository: str, tag: str, *, at: datetime
    ) -> None:
        """Delete a tag as its repository's first rule does, which writes it down.

        Raises:
            KeyError: there is no such tag, or no rule.
        """
        with self._lock:
            owner = self._repositories[namespace, repository]
            if owner.retention is None:
                raise KeyError(f"{namespace}/{repository} has no rules")
            owner.remove(tag)
            entry = {
                "created_at": stamp(at),
                "id": len(owner.retention_log) + 1,
                "namespace": namespace,
                "repo": repository,
                "retention_id": owner.retention["id"],
                "rule_type": owner.retention["rules"][0]["template"],
                "tag": tag,
            }
            owner.retention_log.insert(0, entry)

    def run_retention(
        self, namespace: str, repository: str, *, at: datetime, reading: Reading = DOCUMENTED
    ) -> list[str]:
        """Let the rule of a repository delete what it takes at a moment; give these tags.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            owner = self._repositories[namespace, repository]
            rules = owner.retention["rules"] if owner.retention else []
            names = [tag.name for r in rules[:1] for tag in tags_taken([*owner], r, at, reading)]
            for name in names:
                self.delete_by_retention(namespace, repository, name, at=at)
            return names

    def namespace_records(self) -> list[dict[str, Any]]:
        """What the API says of each namespace, by name."""
        with self._lock:
            owners = [namespace for namespace, _ in self._repositories]
            return [
                {
                    "id": record_id,
                    "name": name,
                    "creator_name": "emulator",
                    "auth": 7,
                    "access_user_count": 1,
                    "repo_count": owners.count(name),
                }
                for name, record_id in sorted(self._namespaces.items())
            ]

    def repository_records(self, *, only_shared: bool = False) -> list[dict[str, Any]]:
        """What the repository list says of each repository, by namespace and name."""
        with self._lock:
            owners = [owner for _, owner in sorted(self._repositories.items())]
            return [owner.list_record() for owner in owners if owner.is_shared or not only_shared]

    def v3_records(self, *, only_shared: bool = False) -> list[dict[str, Any]]:
        """What the newer list says of each repository, by its id."""
        with self._lock:
            owners = sorted(self._repositories.values(), key=lambda owner: owner.record_id)
            return [owner.v3_record() for owner in owners if owner.is_shared or not only_shared]

    def repository_record(self, namespace: str, repository: str) -> dict[str, Any] | None:
        """What the API says of one repository; None if there is no such."""
        with self._lock:
            owner = self._repositories.get((namespace, repository))
            return owner.single_record() if owner is not None else None

    def retention(
        self, namespace: str, repository: str
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The rules of a repository, and which tags they deleted, the newest first.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            owner = self._repositories[namespace, repository]
            return owner.retention, [*owner.retention_log]

    def tag(self, namespace: str, repository: str, tag: str) -> StoredTag | None:
        """One tag; None if there is no such.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            return self._repositories[namespace, repository].get(tag)

    def tags(
        self,
        namespace: str,
        repository: str,
        *,
        column: str = "updated_at",
        descending: bool = False,
    ) -> tuple[StoredTag, ...]:
        """All tags of a repository as of now, by `updated_at` or `tag`.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            owner = self._repositories[namespace, repository]
            return owner.in_order(column, descending=descending)

    def pull(self, namespace: str, repository: str, tag: str, *, at: datetime) -> None:
        """Remember that a tag was pulled, as an instance tells it.

        Raises:
            KeyError: there is no such repository, or no such tag.
        """
        with self._lock:
            self._repositories[namespace, repository].pull(tag, stamp(at))

    def artifacts(self, namespace: str, repository: str) -> list[dict[str, Any]]:
        """What an instance lists of a repository.

        Raises:
            KeyError: there is no such repository.
        """
        with self._lock:
            return self._repositories[namespace, repository].artifacts()

    def _repository(self, namespace: str, name: str) -> Repository:
        """Find a repository, or make it."""
        if namespace not in self._namespaces:
            self._namespaces[namespace] = next(self._namespace_ids)
        if (namespace, name) not in self._repositories:
            self._repositories[namespace, name] = Repository(
                record_id=next(self._repository_ids),
                namespace_id=self._namespaces[namespace],
                namespace=namespace,
                name=name,
            )
        return self._repositories[namespace, name]
