"""Registries whose indexes name children that no tag shows, and what must be known of them."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ingest_site import AT, manifest

from pipelines.emulator.registry import Registry

Blobs = dict[str, int]


def digest_of(text: str) -> str:
    """The digest of a manifest's text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def index(
    *children: str, platforms: Iterable[str] = (), attestations: Mapping[str, str] = {}
) -> str:
    """An index of manifests, given by their texts, and of build attestations of some of them."""
    named = dict(enumerate(platforms))
    described = [
        _descriptor(child, {"os": "linux", "architecture": named.get(place, f"p{place}")})
        for place, child in enumerate(children)
    ]
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": described
            + [_attested(text, subject) for subject, text in attestations.items()],
        }
    )


def _attested(text: str, subject: str) -> dict[str, Any]:
    """As buildx lists an attestation beside the image that it is about."""
    return _descriptor(text, {"os": "unknown", "architecture": "unknown"}) | {
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": digest_of(subject),
        }
    }


def _descriptor(text: str, platform: dict[str, str]) -> dict[str, Any]:
    return {
        "mediaType": json.loads(text)["mediaType"],
        "digest": digest_of(text),
        "size": len(text),
        "platform": platform,
    }


@dataclass
class Truth:
    """What a registry holds, and what of it cannot be read: by digest."""

    texts: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    tags: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def blobs(self, digest: str) -> Blobs:
        """The blobs that can be known of a manifest, with their sizes."""
        found: Blobs = {}
        for node in self.reached(digest) - self.unreadable:
            document = json.loads(self.texts[node])
            for part in (*document.get("layers", ()), document.get("config")):
                if part:
                    found[part["digest"]] = part["size"]
        return found

    def reached(self, digest: str) -> set[str]:
        """A manifest and its children to any depth, as far as they can be read."""
        if digest in self.unreadable:
            return {digest}
        children = json.loads(self.texts[digest]).get("manifests", ())
        return {digest}.union(*(self.reached(child["digest"]) for child in children))

    def gaps(self) -> set[str]:
        """Digests that live tags reach and nobody can read."""
        return {node for digest in self.tags.values() for node in self.reached(digest)} & (
            self.unreadable
        )

    def tag_sizes(self) -> Iterator[dict[str, Any]]:
        """Rows of `reports.tag_sizes`, by name: its bytes and how far they are known."""
        blobs = {name: self.blobs(digest) for name, digest in self.tags.items()}
        users = Counter(blob for own in blobs.values() for blob in own)
        gaps = self.gaps()
        open_tags = {n for n, digest in self.tags.items() if self.reached(digest) & gaps}
        for name in sorted(self.tags):
            own, is_open = blobs[name], name in open_tags
            exclusive = sum(size for blob, size in own.items() if users[blob] == 1)
            is_open_elsewhere = bool(open_tags - {name})
            yield {
                "namespace": name[0],
                "repository": name[1],
                "tag": name[2],
                "logical_bytes": sum(own.values()) if own or not is_open else None,
                "size_basis": _basis(own, is_open, is_open_elsewhere=False),
                "reclaimable_bytes": exclusive if own or not is_open else None,
                "reclaimable_basis": _basis(own, is_open, is_open_elsewhere=is_open_elsewhere),
            }


def _basis(own: Blobs, is_open: bool, *, is_open_elsewhere: bool) -> str:
    if is_open and not own:
        return "unknown"
    if is_open and is_open_elsewhere:
        return "estimate"
    if is_open:
        return "lower_bound"
    return "upper_bound" if is_open_elsewhere else "exact"


def random_registry(seed: int) -> tuple[Registry, Truth]:
    """Indexes, some of indexes, of shared children and attestations; some gone, some not theirs."""
    draw = random.Random(seed)
    registry, truth = Registry(), Truth()
    places = [("a", "x"), ("a", "y/z"), ("b", "x")][: draw.randint(1, 3)]
    images = [_image(draw) for _ in range(draw.randint(2, 8))]
    truth.texts |= {digest_of(text): text for text in images}
    for place in places:
        for number in range(draw.randint(1, 4)):
            text = draw.choice(images) if draw.random() < 0.3 else _index(draw, truth, images, 2)
            truth.tags[*place, f"v{number}"] = digest_of(text)
            registry.push(*place, f"v{number}", text, at=AT + timedelta(minutes=number))
            for digest in truth.reached(digest_of(text)):
                registry.store_manifest(*place, truth.texts[digest])
    reached = set().union(*map(truth.reached, truth.tags.values()))
    children = sorted(reached - {*truth.tags.values()})
    if draw.random() < 0.6:
        truth.unreadable |= set(draw.sample(children, len(children) // 3))
    return registry, truth


def _image(draw: random.Random) -> str:
    numbers = draw.sample(range(10), draw.randint(0, 4))
    layers = [(f"layer{number}", 100 + number) for number in numbers]
    return manifest(*layers, config=f"config{draw.randint(0, 5)}")


def _index(draw: random.Random, truth: Truth, images: list[str], depth: int) -> str:
    children = [
        _index(draw, truth, images, depth - 1)
        if depth and draw.random() < 0.3
        else draw.choice(images)
        for _ in range(draw.randint(0, 3))
    ]
    attested = {child: _image(draw) for child in children if draw.random() < 0.3}
    text = index(*children, attestations=attested)
    for manifest_text in (*attested.values(), text):
        truth.texts[digest_of(manifest_text)] = manifest_text
    return text
