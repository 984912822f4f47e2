"""Manifests as Arrow tables: one row a manifest, a layer, a child of an index.

Columns are those of `pipelines.schemas`. Sizes here are what one manifest states itself;
sql/reports adds up what tags hold and share.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.images.json_shapes import Descriptor, Platform
from pipelines.images.manifest import Manifest
from pipelines.images.media_types import is_blob_in_index, is_stored
from pipelines.images.prefixes import prefix_digests
from pipelines.images.sizes import own_bytes
from pipelines.schemas import LAYERS, MANIFESTS, PLATFORMS

_NO_CONFIG = Descriptor("")
_NO_PLATFORM = Platform()


class ImageTables(NamedTuple):
    """Rows of MANIFESTS, LAYERS and PLATFORMS."""

    manifests: pa.Table
    layers: pa.Table
    platforms: pa.Table


def image_tables(manifests: Collection[Manifest]) -> ImageTables:
    """Rows of manifests, of the layers and of the children they list."""
    return ImageTables(_manifests(manifests), _layers(manifests), _platforms(manifests))


def _manifests(manifests: Collection[Manifest]) -> pa.Table:
    configs = [manifest.config or _NO_CONFIG for manifest in manifests]
    sizes = [own_bytes(manifest) for manifest in manifests]
    return make_table(
        MANIFESTS,
        manifest_digest=[m.digest for m in manifests],
        source=[m.source for m in manifests],
        manifest_kind=[m.kind.value for m in manifests],
        media_type=[m.media_type for m in manifests],
        artifact_type=[m.artifact_type for m in manifests],
        schema_version=[m.schema_version for m in manifests],
        config_digest=[config.digest or None for config in configs],
        config_media_type=[config.media_type for config in configs],
        config_bytes=[config.size for config in configs],
        layer_count=[len(m.layers) if m.has_layers else None for m in manifests],
        logical_bytes=[size.logical_bytes for size in sizes],
        size_basis=[size.size_basis for size in sizes],
        digest_verified=[m.digest_verified for m in manifests],
        subject_digest=[m.subject_digest for m in manifests],
        manifest_bytes=[m.text_bytes for m in manifests],
        manifest=joined_texts([m.text.encode() for m in manifests]),
        problem=[m.problem for m in manifests],
    )


def _layers(manifests: Collection[Manifest]) -> pa.Table:
    # Ten rows a manifest: Arrow and numpy repeat what repeats, faster than Python.
    layers = [layer for m in manifests for layer in m.layers]
    counts = np.array([len(m.layers) for m in manifests], np.int64)
    owners = np.repeat(np.arange(len(manifests)), counts)
    media_types = pa.array([layer.media_type for layer in layers], pa.string())
    return make_table(
        LAYERS,
        manifest_digest=pa.array([m.digest for m in manifests], pa.string()).take(owners),
        position=np.arange(len(layers)) - (counts.cumsum() - counts)[owners],
        blob_digest=[layer.digest for layer in layers],
        size_bytes=[layer.size for layer in layers],
        media_type=media_types,
        is_stored=_are_stored(media_types.dictionary_encode()),
        prefix_digest=prefix_digests([[layer.digest for layer in m.layers] for m in manifests]),
    )


def _are_stored(media_types: Any) -> Any:
    """Whether layers of dictionary-encoded media types are stored, as a boolean array."""
    known = pa.array(map(is_stored, media_types.dictionary.to_pylist()), pa.bool_())
    return known.take(media_types.indices).fill_null(is_stored(None))


def _platforms(manifests: Collection[Manifest]) -> pa.Table:
    children = [child for m in manifests for child in m.children]
    platforms = [child.platform or _NO_PLATFORM for child in children]
    return make_table(
        PLATFORMS,
        index_digest=[m.digest for m in manifests for _ in m.children],
        position=[position for m in manifests for position in range(len(m.children))],
        manifest_digest=[child.digest for child in children],
        media_type=[child.media_type for child in children],
        manifest_bytes=[child.size for child in children],
        os=[platform.os for platform in platforms],
        architecture=[platform.architecture for platform in platforms],
        variant=[platform.variant for platform in platforms],
        os_version=[platform.os_version for platform in platforms],
        is_attestation=[child.is_attestation for child in children],
        is_blob=[is_blob_in_index(child.media_type) for child in children],
    )


def joined_texts(texts: Sequence[bytes]) -> Any:
    """Long texts as a column, in one piece: one that grows is copied several times."""
    return string_column([len(text) for text in texts], b"".join(texts))


def string_column(lengths: Any, characters: Any) -> Any:
    """A column of texts that follow each other in one buffer, in UTF-8."""
    offsets: Any = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.StringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets), pa.py_buffer(characters)
    )


def make_table(schema: pa.Schema, **columns: Any) -> pa.Table:
    """A table of columns given by name, as Arrow or anything that it makes an array of."""
    arrays = [pa.array(columns[column.name], column.type) for column in schema]
    return pa.Table.from_arrays(arrays, schema=schema)
