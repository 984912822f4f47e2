"""The bytes that one manifest states itself. sql/reports adds up what tags hold and share."""

from typing import NamedTuple

from pipelines.images.digests import EMPTY_DIGESTS
from pipelines.images.json_shapes import Descriptor
from pipelines.images.manifest import Kind, Manifest
from pipelines.images.media_types import is_stored


class OwnBytes(NamedTuple):
    """Bytes of distinct stored blobs; null with basis `unknown` when nothing is known."""

    logical_bytes: int | None
    size_basis: str


_SIZED = {Kind.IMAGE, Kind.ARTIFACT, Kind.CACHE}
_UNKNOWN = OwnBytes(None, "unknown")


def own_bytes(manifest: Manifest) -> OwnBytes:
    """Count each distinct stored blob of a manifest once.

    A blob of unknown size is left out, and of different statements the smallest counts: both
    make a lower bound. A size of 0 states nothing but for the digest of nothing. Schema 1 states
    no sizes, and an index no blobs.
    """
    if manifest.kind not in _SIZED:
        return _UNKNOWN
    blobs = [layer for layer in manifest.layers if is_stored(layer.media_type)]
    if manifest.config is not None:
        blobs.append(manifest.config)
    sizes = {blob.digest: blob.size for blob in blobs if blob.size}
    if len(sizes) < len(blobs):
        return _sum_of_odd_sizes(blobs)
    return OwnBytes(sum(sizes.values()), "exact")


def _sum_of_odd_sizes(blobs: list[Descriptor]) -> OwnBytes:
    """Sum up where a size is missing or 0, or a blob comes twice."""
    stated: dict[str, set[int]] = {blob.digest: set() for blob in blobs}
    for blob in blobs:
        if blob.size or (blob.size == 0 and blob.digest in EMPTY_DIGESTS):
            stated[blob.digest].add(blob.size)
    known = [min(sizes) for sizes in stated.values() if sizes]
    if all(len(sizes) == 1 for sizes in stated.values()):
        return OwnBytes(sum(known), "exact")
    return OwnBytes(sum(known), "lower_bound") if known else _UNKNOWN
