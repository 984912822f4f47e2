"""Reads many plain images at once, into columns. Says the same of each as `manifest` would.

Plain is what nearly every tag holds: an image of the usual media types, with a digest that
verifies, and with a configuration and layers of canonical sha256 digests, each named once and
with a size. Every other text is left to `manifest`, which reads one at a time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, Meta, UnsetType

from pipelines.images.json_shapes import MAXIMUM_SIZE
from pipelines.images.prefixes import Prefixes
from pipelines.images.tables import (
    ImageTables,
    image_tables,
    joined_texts,
    listed_prefixes,
    make_table,
    prefix_table,
    string_column,
)
from pipelines.schemas import MANIFESTS, PLATFORMS

_LENGTH = len("sha256:") + 64
_Digest = Annotated[str, Meta(min_length=_LENGTH, max_length=_LENGTH)]
_Size = Annotated[int, Meta(gt=0, le=MAXIMUM_SIZE)]
_ImageType = Literal[
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
]
_ConfigType = Literal[
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
]
# Layers that the registry holds.
_LayerType = Literal[
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
]
_NO_PLATFORMS = PLATFORMS.empty_table()
_HEX_DIGITS = b"0123456789abcdef"
_PREFIX = np.frombuffer(b"sha256:", np.uint8)
_NO_HEX_DIGITS = len(b"sh:")


class _Config(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    digest: _Digest
    size: _Size
    media_type: _ConfigType


class _Layer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    digest: _Digest
    size: _Size
    media_type: _LayerType


class _Image(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A plain image's JSON. What only other kinds have must not be there."""

    schema_version: Literal[2]
    media_type: _ImageType
    config: _Config
    # Far more than any client makes, and few enough that their sum is a number of 64 bits.
    layers: Annotated[list[_Layer], Meta(max_length=1000)]
    artifact_type: None = None
    subject: None = None
    manifests: UnsetType = UNSET
    fs_layers: UnsetType = UNSET
    blobs: UnsetType = UNSET


class PlainImages(NamedTuple):
    """What is plain, as tables; and the texts that are not, as (digest, text)."""

    tables: ImageTables
    others: list[tuple[str, str]]


class _Read(NamedTuple):
    """A plain image, its digest and text."""

    digest: str
    text: bytes
    image: _Image


_decode = msgspec.json.Decoder(_Image).decode


def read_plain(texts: Iterable[tuple[str, str]]) -> PlainImages:
    """Read texts given as (digest, text), each digest once, as far as they are plain."""
    read: list[_Read] = []
    others: list[tuple[str, str]] = []
    for digest, text in texts:
        plain = _read(digest, text)
        if plain is None:
            others.append((digest, text))
        else:
            read.append(plain)
    prefixes = Prefixes()
    places = [prefixes.add(one.image.layers) for one in read]
    configs = [one.image.config.digest for one in read]
    if not _are_canonical([*configs, *prefixes.digests]):
        # Rare enough that it does not matter whose it is.
        others += [(one.digest, one.text.decode()) for one in read]
        return PlainImages(image_tables(()), others)
    listed = listed_prefixes([one.digest for one in read], places)
    return PlainImages(
        ImageTables(_manifests(read), prefix_table(prefixes), listed, _NO_PLATFORMS), others
    )


def _read(digest: str, text: str) -> _Read | None:
    """Read a text; None if it is not plain, but for the characters of its blobs' digests."""
    try:
        encoded = text.encode()
        image = _decode(encoded)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    blobs = {image.config.digest, *[layer.digest for layer in image.layers]}
    if len(blobs) <= len(image.layers):
        return None
    is_verified = digest == f"sha256:{hashlib.sha256(encoded).hexdigest()}"
    return _Read(digest, encoded, image) if is_verified else None


def _are_canonical(digests: Iterable[str]) -> bool:
    """Whether digests, each of the right length, are all written as they should be."""
    joined = "".join(digests).encode()
    if len(joined) % _LENGTH:
        return False  # some characters take more than a byte
    rows = _as_rows(joined)
    others = len(joined.translate(None, _HEX_DIGITS))
    return bool((rows[:, :7] == _PREFIX).all()) and others == len(rows) * _NO_HEX_DIGITS


def _manifests(read: Sequence[_Read]) -> pa.Table:
    images = [one.image for one in read]
    lengths = [len(one.text) for one in read]
    return make_table(
        MANIFESTS,
        manifest_digest=_digests(one.digest for one in read),
        source=pa.repeat("tag", len(read)),
        manifest_kind=pa.repeat("image", len(read)),
        media_type=[image.media_type for image in images],
        artifact_type=pa.nulls(len(read), pa.string()),
        schema_version=pa.repeat(2, len(read)),
        config_digest=_digests(image.config.digest for image in images),
        config_media_type=[image.config.media_type for image in images],
        config_bytes=[image.config.size for image in images],
        layer_count=[len(image.layers) for image in images],
        logical_bytes=[
            sum([layer.size for layer in image.layers], image.config.size) for image in images
        ],
        size_basis=pa.repeat("exact", len(read)),
        digest_verified=pa.repeat(pa.scalar(value=True), len(read)),
        subject_digest=pa.nulls(len(read), pa.string()),
        manifest_bytes=lengths,
        manifest=joined_texts([one.text for one in read]),
        problem=pa.nulls(len(read), pa.string()),
    )


def _digests(digests: Iterable[str]) -> Any:
    """Canonical sha256 digests as a column; all of one length, they need no looking at."""
    return _as_strings(_as_rows("".join(digests).encode()))


def _as_rows(digests: bytes) -> Any:
    """The characters of digests that follow each other, a row each."""
    return np.frombuffer(digests, np.uint8).reshape(-1, _LENGTH)


def _as_strings(rows: Any) -> Any:
    return string_column(np.full(len(rows), _LENGTH), rows)
