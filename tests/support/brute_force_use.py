"""The brute force's tables about what runs: tag_use, running_untagged; and deleted tags seen."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from brute_force_knowledge import Row
from brute_force_registry import Key, Name, Registry, name_of, named

WORDS = ("digest", "child", "config")
NAMED = 7


@dataclass
class Use:
    """What the snapshots that count show of one registry."""

    registry: Registry
    snapshots: list[Row] = field(init=False)
    latest: dict[str, Row] = field(init=False)
    configs: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        registry = self.registry
        days = 30 if registry.run["in_use_days"] is None else registry.run["in_use_days"]
        self.snapshots = sorted(
            (
                row
                for row in registry.tables["in_use_snapshots"]
                if row["taken_at"] >= registry.as_of - timedelta(days=days)
            ),
            key=lambda row: (row["taken_at"], row["snapshot_id"]),
        )
        self.latest = {row["cluster"]: row for row in self.snapshots}
        self.configs = {
            row["manifest_digest"]: row["config_digest"]
            for row in registry.tables["manifests"]
            if row["config_digest"]
        }

    def references(self, snapshot: Row) -> list[Row]:
        """The references of a snapshot."""
        every = self.registry.tables["in_use_references"]
        return [row for row in every if row["snapshot_id"] == snapshot["snapshot_id"]]

    def places(self, reference: Row) -> dict[Name, bool]:
        """The repositories of this registry that it names, and whether its image does."""
        hosts = {tag["path"].split("/")[0] for tag in self.registry.tags.values()}
        places: dict[Name, bool] = {}
        for prefix in ("id_", ""):
            if reference[f"{prefix}host"] in hosts:
                name = (reference[f"{prefix}namespace"], reference[f"{prefix}repository"])
                places[name] = not prefix
        return places

    def digests(self, reference: Row) -> set[str]:
        """Its digests, if they may be this registry's."""
        has_host = reference["host"] or reference["id_host"]
        if has_host and not self.places(reference):
            return set()
        return {reference["digest"], reference["id_digest"]} - {None}

    def step(self, manifest: str, digests: set[str]) -> int | None:
        """How a manifest carries one of these digests, if it does."""
        if manifest in digests:
            return 1
        nodes = self.registry.known.reachable(manifest)
        if nodes & digests:
            return 2
        return 3 if {self.configs.get(node) for node in nodes} & digests else None

    def carried(self, reference: Row) -> dict[Key, int]:
        """The live tags that surely are what it means."""
        places, digests = self.places(reference), self.digests(reference)
        ways = {
            key: step + (0 if key[:2] in places else 3)
            for key, manifest in self.registry.state.items()
            if (step := self.step(manifest, digests))
        }
        return {key: way for key, way in ways.items() if way == min(ways.values())}

    def matches(self, reference: Row) -> dict[Key, int]:
        """The live tags that it is held to use, and the way that was found."""
        found = self.carried(reference)
        key = (reference["namespace"], reference["repository"], reference["tag"])
        is_asked_for = reference["digest"] is None or not found
        if self.places(reference).get(key[:2]) and key in self.registry.state and is_asked_for:
            found.setdefault(key, NAMED)
        return found

    def left(self, reference: Row) -> Row | None:
        """The interval of history that ended last of those that had what it runs."""
        places, digests = self.places(reference), self.digests(reference)
        ended = [
            row
            for row in self.registry.rows("tag_history")
            if row["valid_to"] and row["manifest_digest"]
            if self.step(row["manifest_digest"], digests)
        ]
        here = [row for row in ended if name_of(row) in places] or ended
        here.sort(key=lambda row: (row["namespace"], row["repository"], row["tag"]))
        return max(here, key=lambda row: row["valid_to"], default=None)

    def uses(self) -> dict[Key, list[tuple[Row, Row, int]]]:
        """Of each live tag that was seen the snapshots, references and ways."""
        found = defaultdict(list)
        for snapshot in self.snapshots:
            for reference in self.references(snapshot):
                for key, way in self.matches(reference).items():
                    found[key].append((snapshot, reference, way))
        return found


def tag_use(registry: Registry) -> list[Row]:
    """One row per live tag."""
    use = Use(registry)
    uses = use.uses()
    return [_tag_row(use, key, uses.get(key, [])) for key in registry.within()]


def _tag_row(use: Use, key: Key, found: list[tuple[Row, Row, int]]) -> Row:
    clusters = sorted({snapshot["cluster"] for snapshot, _, _ in found})
    running = sum(
        reference["container_count"]
        for snapshot, reference, _ in found
        if use.latest[snapshot["cluster"]] is snapshot
    )
    way = min((way for _, _, way in found), default=None)
    moments = [snapshot["taken_at"] for snapshot in use.snapshots]
    return {
        **named(use.registry, key),
        "manifest_digest": use.registry.state[key],
        "is_seen": bool(found) if moments else None,
        "last_seen_at": max((s["taken_at"] for s, _, _ in found), default=None),
        "clusters": ", ".join(clusters) or None,
        "cluster_count": len(clusters) if moments else None,
        "container_count": running if moments else None,
        "matched_by": way and ("name" if way == NAMED else WORDS[(way - 1) % 3]),
        "snapshot_count": len(moments),
        "oldest_snapshot_at": min(moments, default=None),
        "newest_snapshot_at": max(moments, default=None),
        "as_of": use.registry.as_of,
    }


def running_untagged(registry: Registry) -> list[Row]:
    """One row per cluster and reference that runs a digest that no live tag has."""
    use = Use(registry)
    rows = []
    for cluster, snapshot in sorted(use.latest.items()):
        running = defaultdict(list)
        for reference in use.references(snapshot):
            if reference["container_count"]:
                running[reference["reference"]].append(reference)
        for _, same in sorted(running.items()):
            rows += list(_untagged_row(use, cluster, snapshot, same))
    return rows


def _untagged_row(use: Use, cluster: str, snapshot: Row, same: list[Row]) -> Iterator[Row]:
    reference = same[0]
    places, left = use.places(reference), use.left(reference)
    if not use.digests(reference) or use.carried(reference) or not (places or left):
        return
    first = sorted(places, key=lambda name: (not places[name], name))
    namespace, repository = first[0] if first else name_of(left or {})
    yield {
        "registry": use.registry.name,
        "cluster": cluster,
        "namespace": namespace,
        "repository": repository,
        "running_digest": reference["id_digest"] or reference["digest"],
        "image": min(row["image"] or row["image_id"] for row in same),
        "container_count": sum(row["container_count"] for row in same),
        "seen_at": snapshot["taken_at"],
        "left_tag": left and "{namespace}/{repository}:{tag}".format(**left),
        "left_at": left and left["valid_to"],
        "as_of": use.registry.as_of,
    }
