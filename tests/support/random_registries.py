"""Draws descriptions of registries (see `described_registry`) with everything that can go wrong.

Shared and repeated layers, nested and circular indexes, unresolved children, foreign layers,
unknown and conflicting sizes, manifests of every kind, signatures, tags created, moved, deleted
and restored over several runs, repositories that vanish, failed crawls, scopes.
"""

from random import Random
from typing import Any

from hypothesis import strategies as st

Description = dict[str, Any]

REPOSITORIES = ["a/app", "a/lib", "b/app", "b/deep/er", "c/tool"]
TAGS = ["v1", "v2", "v3", "v10", "latest", "B", "1.0", "1.1", "main", "rc"]
AGES = [-2, 0, 1, 7, 8, 30, 31, 90, 91, 180, 181, 365, 366, 900]


@st.composite
def registries(draw: st.DrawFn, most_manifests: int = 60) -> Description:
    """Draw a registry of up to so many manifests, seen by one to four runs."""
    random = draw(st.randoms(use_true_random=False))
    return registry(random, random.randint(1, most_manifests))


def registry(random: Random, manifest_count: int) -> Description:
    """Make up a registry of so many manifests."""
    digests = [f"sha256:{number:064x}" for number in range(manifest_count)]
    run_count = random.randint(1, 4)
    is_readable = random.random() < 0.4
    blobs = [f"blob{number}" for number in range(random.randint(1, 2 * manifest_count))]
    sizes = {blob: random.choice([None, 0, 1, 2, 7, 100, 101, 1000, 2**53]) for blob in blobs}
    manifests: dict[str, Any] = {}
    for digest in digests:
        manifests[digest] = _manifest(random, digests, manifests, sizes)
        if random.random() < 0.2:
            manifests[digest]["first_run"] = random.randint(1, run_count)
    registry = {"manifests": manifests, "runs": _runs(random, digests, run_count)}
    return _readable(registry) if is_readable else registry


def _readable(registry: Description) -> Description:
    """Leave out what cannot be read: without this hardly any number would be exact."""
    for manifest in registry["manifests"].values():
        if manifest["kind"] in ("unknown", "invalid"):
            manifest["kind"] = "image"
        children = manifest.get("children", [])
        manifest["children"] = [c for c in children if not c.startswith("sha256:gone")]
    for run in registry["runs"]:
        for name in ("crawls", "unread_namespaces", "unread_repositories"):
            run.pop(name, None)
        for tags in run["tags"].values():
            for pointer in tags.values():
                if pointer["manifest"] == "sha256:never-read":
                    pointer["manifest"] = next(iter(registry["manifests"]))
    return registry


def _manifest(
    random: Random, digests: list[str], earlier: dict[str, Any], sizes: dict[str, int | None]
) -> Description:
    kind = random.choices(
        ["image", "index", "schema1", "artifact", "unknown", "invalid"], [12, 5, 1, 2, 1, 1]
    )[0]
    manifest: Description = {"kind": kind, "digest_verified": random.random() < 0.9}
    if kind in ("unknown", "invalid") and random.random() < 0.5:
        manifest["problem"] = "no JSON"
    if kind == "index":
        manifest["children"] = [_child(random, digests) for _ in range(random.randint(0, 3))]
    if kind in ("image", "artifact", "unknown", "schema1"):
        manifest["layers"] = _layers(random, earlier, sizes, is_sized=kind != "schema1")
    if kind in ("image", "artifact") and random.random() < 0.9:
        manifest["config"] = _stated(random, random.choice(list(sizes)), sizes)
    if random.random() < (0.5 if kind == "artifact" else 0.03):
        manifest["subject"] = random.choice([*digests, "sha256:gone"])
    return manifest


def _child(random: Random, digests: list[str]) -> str:
    digest = random.choice(digests) if random.random() < 0.85 else "sha256:gone"
    return digest + random.choice(["", " 500", " 500", " 501"])


def _layers(
    random: Random, earlier: dict[str, Any], sizes: dict[str, int | None], *, is_sized: bool
) -> list[str]:
    """Begin with some layers of an earlier manifest, go on with any."""
    bases = [m["layers"] for m in earlier.values() if m.get("layers")]
    base = random.choice(bases) if bases and random.random() < 0.7 else []
    names = [text.split()[0] for text in base[: random.randint(0, len(base))]]
    names += random.choices(list(sizes), k=random.randint(0, 3))
    return [_stated(random, name, sizes) if is_sized else name for name in names]


def _stated(random: Random, blob: str, sizes: dict[str, int | None]) -> str:
    size, luck = sizes[blob], random.random()
    if luck < 0.02:
        size = random.choice([None, 3])
    text = blob if size is None else f"{blob} {size}"
    return f"{text} foreign" if 0.02 < luck < 0.15 else text


def _runs(random: Random, digests: list[str], run_count: int) -> list[Description]:
    tags: dict[str, dict[str, Any]] = {
        name: {} for name in random.sample(REPOSITORIES, random.randint(2, len(REPOSITORIES)))
    }
    runs = []
    for _ in range(run_count):
        tags = {name: _changed(random, digests, old) for name, old in tags.items()}
        if random.random() < 0.1:
            tags.pop(random.choice(REPOSITORIES), None)
        if random.random() < 0.1:
            tags.setdefault(random.choice(REPOSITORIES), {})
        runs.append({"tags": tags, **_circumstances(random, list(tags))})
    return runs


def _changed(random: Random, digests: list[str], old: dict[str, Any]) -> dict[str, Any]:
    """Keep, move, delete and create some tags of a repository."""
    new = {tag: pointer for tag, pointer in old.items() if random.random() < 0.85}
    for _ in range(random.randint(1, 8)):
        digest = random.choice(digests) if random.random() < 0.95 else "sha256:never-read"
        subject = random.choice(digests).removeprefix("sha256:")
        signature = f"sha256-{subject}{random.choice(['.sig', '.att', '.sbom', '.txt'])}"
        new[random.choice([*TAGS, signature, signature, signature])] = {
            "manifest": digest,
            "updated_days_ago": random.choice(AGES),
            "created_days_ago": random.choice([*AGES, None]),
            "api_size_bytes": random.choice([None, 0, 100, 107]),
        }
    return new


def _circumstances(random: Random, names: list[str]) -> Description:
    """How the reading went: mostly well."""
    went: Description = {"stale_days": random.choice([1, 30, 180])}
    if random.random() < 0.35 and names:
        went["crawls"] = {
            random.choice(names): random.choice(["unchanged", "incomplete", "failed"])
        }
        went["errors"] = {random.choice(names): "refused"}
    if random.random() < 0.1:
        went["unread_namespaces"] = 1
    if random.random() < 0.1:
        went["unread_repositories"] = 2
    if random.random() < 0.1 and names:
        went["rejected"] = [{"repository": random.choice(names), "reason": "no digest"}]
    return went
