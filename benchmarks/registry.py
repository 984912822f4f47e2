"""A registry of any size in SWR's wire format, made from numbers, and what a right load holds.

    python benchmarks/registry.py FOLDER --repositories 2000 --tags 100000

A folder holds the texts of all tag records, newest first within each repository, and where each
begins; `server.py` cuts pages out of them. The next day, one repository in a hundred has three
tags more, which come first in it: a server of the first day leaves them out.
"""

import argparse
import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

DAYS = (0, 1)
_CHANGED_EVERY = 100
_PUSHES = 3
# One tag in so many is one more name of the image before; one is an index of two images.
_ALIAS_EVERY = 30
_INDEX_EVERY = 33
_NAMESPACES = 40
_BASES = 40
_FIRST_PUSH = datetime(2023, 1, 1, tzinfo=UTC)
_YEARS = timedelta(days=3 * 365)
_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CONFIG_BYTES = 1862


class Manifest(NamedTuple):
    """A manifest's text and digest, and the digest and bytes of each of its layers."""

    text: str
    digest: str
    layers: list[tuple[str, int]]


@dataclass
class Totals:
    """What a warehouse of one day holds: rows, distinct digests, bytes that layers state."""

    tags: int = 0
    manifests: int = 0
    layer_rows: int = 0
    tag_layers: int = 0
    tag_layer_bytes: int = 0
    wire_bytes: int = 0
    blobs: set[str] = field(default_factory=set)

    def add(self, manifest: Manifest, size: int, *, is_new: bool) -> None:
        """Count one tag, whose record has this many bytes."""
        self.tags += 1
        self.manifests += is_new
        self.layer_rows += is_new * len(manifest.layers)
        self.tag_layers += len(manifest.layers)
        self.tag_layer_bytes += sum(size for _, size in manifest.layers)
        self.wire_bytes += size
        self.blobs.update(digest for digest, _ in manifest.layers)

    def as_numbers(self) -> dict[str, int]:
        """The totals, with the blobs counted."""
        return asdict(self) | {"blobs": len(self.blobs)}


class Repository(NamedTuple):
    """A repository: the row of its newest record, tags on the first day and pushes on the next."""

    namespace: str
    name: str
    first_row: int
    tags: int
    pushes: int


def main() -> None:
    """Write a registry as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repositories", type=int, default=2000)
    parser.add_argument("--tags", type=int, default=100_000)
    asked = parser.parse_args()
    write_registry(asked.folder, asked.repositories, asked.tags)


def write_registry(folder: Path, repositories: int, tags: int) -> list[dict[str, int]]:
    """Write a registry; give the totals of each of its days."""
    folder.mkdir(parents=True, exist_ok=True)
    totals = [Totals() for _ in DAYS]
    offsets = array("q", [0])
    made = []
    with (folder / "records.bin").open("wb") as file:
        for number, count in enumerate(_tag_counts(repositories, tags)):
            pushes = _PUSHES if number % _CHANGED_EVERY == _CHANGED_EVERY // 2 else 0
            namespace, name = f"team{number % _NAMESPACES:02}", f"service-{number:05}"
            made.append(Repository(namespace, name, len(offsets) - 1, count, pushes))
            for record in reversed(list(_records(number, made[-1], totals))):
                file.write(record)
                offsets.append(offsets[-1] + len(record))
    (folder / "offsets.bin").write_bytes(offsets.tobytes())
    numbers = [total.as_numbers() for total in totals]
    (folder / "registry.json").write_text(json.dumps({"repositories": made, "totals": numbers}))
    return numbers


def _tag_counts(repositories: int, tags: int) -> list[int]:
    """Few large repositories and many small ones, at least one tag each; none but the sum exact."""
    ranks = [1 + number * 617 % repositories for number in range(repositories)]
    weights = [rank**-0.9 for rank in ranks]
    share = (tags - repositories) / sum(weights)
    counts = [1 + int(weight * share) for weight in weights]
    counts[ranks.index(1)] += tags - sum(counts)
    return counts


def _records(number: int, repository: Repository, totals: list[Totals]) -> Iterator[bytes]:
    """Yield the records of a repository, oldest first, each with a comma, and count them."""
    step = _YEARS / repository.tags
    images: list[Manifest] = []
    manifest = _image(number, 0)
    for version in range(repository.tags + repository.pushes):
        is_push = version >= repository.tags
        is_new = version % _ALIAS_EVERY != _ALIAS_EVERY - 1
        if is_new and version % _INDEX_EVERY == _INDEX_EVERY - 1:
            manifest = _index(images[-2:])
        elif is_new:
            manifest = _image(number, version)
            images.append(manifest)
        at = _FIRST_PUSH + (
            _YEARS + timedelta(days=1, minutes=version - repository.tags)
            if is_push
            else version * step
        )
        record = _record(number, repository, version, manifest, at)
        for total in totals[is_push:]:
            total.add(manifest, len(record), is_new=is_new)
        yield record


def _image(number: int, version: int) -> Manifest:
    """Layers of a base many share, four the repository changes now and then, two of its own."""
    base = number % _BASES
    names = [f"base {base} {place}" for place in range(2 + base % 5)]
    names += [f"common {number} {version // 10} {place}" for place in range(4)]
    names += [f"own {number} {version} {place}" for place in range(2)]
    layers = [_blob(name) for name in names]
    config = _sha256(f"config {number} {version}")
    listed = ",".join(
        f'{{"mediaType":"{_LAYER}","size":{size},"digest":"{digest}"}}' for digest, size in layers
    )
    text = (
        f'{{"schemaVersion":2,"mediaType":"{_IMAGE}","config":{{"mediaType":"{_CONFIG}",'
        f'"size":{_CONFIG_BYTES},"digest":"{config}"}},"layers":[{listed}]}}'
    )
    return Manifest(text, _sha256(text), layers)


def _index(children: list[Manifest]) -> Manifest:
    listed = ",".join(
        f'{{"mediaType":"{_IMAGE}","size":{len(child.text)},"digest":"{child.digest}",'
        f'"platform":{{"architecture":"{architecture}","os":"linux"}}}}'
        for child, architecture in zip(children, ("amd64", "arm64"), strict=True)
    )
    text = f'{{"schemaVersion":2,"mediaType":"{_INDEX}","manifests":[{listed}]}}'
    return Manifest(text, _sha256(text), [])


def _stated_bytes(manifest: Manifest) -> int:
    """What SWR says of an image: its configuration and its layers; of an index nothing."""
    layers = [size for _, size in manifest.layers]
    return sum(layers, _CONFIG_BYTES) if layers else 0


def _record(
    number: int, repository: Repository, version: int, manifest: Manifest, at: datetime
) -> bytes:
    path = f"{repository.namespace}/{repository.name}:v{version}"
    text = manifest.text.replace('"', '\\"')
    moment = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f'{{"id":{number * 1_000_000 + version},"repo_id":{number},"Tag":"v{version}",'
        f'"image_id":"{manifest.digest[7:]}","manifest":"{text}","digest":"{manifest.digest}",'
        f'"schema":2,"path":"swr.cn-north-4.myhuaweicloud.com/{path}",'
        f'"internal_path":"10.125.0.198:20202/{path}",'
        f'"size":{_stated_bytes(manifest)},"is_trusted":false,'
        f'"created":"{moment}","updated":"{moment}","deleted":null,'
        f'"domain_id":"0503dda878000fed0f75c0096d70a960",'
        f'"tag_type":{int(not manifest.layers)}}},'
    ).encode()


def _blob(name: str) -> tuple[str, int]:
    digest = _sha256(name)
    return digest, 32 + int(digest[7:14], 16) % 50_000_000


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
