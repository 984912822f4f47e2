"""Manifests as Arrow tables: one row a manifest, a series of layers, a child of an index.

Columns are those of `pipelines.schemas`. Sizes here are what one manifest states itself;
sql/reports adds up what tags hold and share.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.images.json_shapes import Descriptor, Platform
from pipelines.images.manifest import Manifest
from pipelines.images.media_types import is_blob_in_index, is_stored
from pipelines.images.prefixes import Prefixes
from pipelines.images.sizes import own_bytes
from pipelines.schemas import LAYER_PREFIXES, MANIFEST_PREFIXES, MANIFESTS, PLATFORMS

_NO_CONFIG = Descriptor("")
_NO_PLATFORM = Platform()


class ImageTables(NamedTuple):
    """Rows of MANIFESTS, LAYER_PREFIXES, MANIFEST_PREFIXES and PLATFORMS."""

    manifests: pa.Table
    prefixes: pa.Table
    listed: pa.Table
    platforms: pa.Table


def image_tables(manifests: Collection[Manifest]) -> ImageTables:
    """Rows of manifests, of the layers and of the children they list."""
    prefixes = Prefixes()
    places = [prefixes.add(m.layers) for m in manifests]
    listed = listed_prefixes([m.digest for m in manifests], places)
    return ImageTables(_manifests(manifests), prefix_table(prefixes), listed, _platforms(manifests))


def joined_tables(parts: Sequence[ImageTables]) -> ImageTables:
    """Join tables of several batches into one of each; places go on from batch to batch."""
    begins = accumulate([part.prefixes.num_rows for part in parts], initial=0)
    moved = [_moved(part, begin) for part, begin in zip(parts, begins, strict=False)]
    return ImageTables(*map(pa.concat_tables, zip(*moved, strict=True)))


def _moved(part: ImageTables, begin: int) -> ImageTables:
    places: Any = part.listed["places"].combine_chunks()
    further = pa.ListArray.from_arrays(places.offsets, pc.add(places.values, begin))
    return part._replace(
        prefixes=part.prefixes.set_column(0, "place", pc.add(part.prefixes["place"], begin)),
        listed=part.listed.set_column(1, "places", further),
    )


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


def prefix_table(prefixes: Prefixes) -> pa.Table:
    """Rows of LAYER_PREFIXES."""
    media_types = pa.array(prefixes.media_types, pa.string())
    return make_table(
        LAYER_PREFIXES,
        place=np.arange(len(prefixes.digests)),
        prefix_digest=prefixes.prefix_digests(),
        position=prefixes.positions,
        blob_digest=prefixes.digests,
        size_bytes=prefixes.sizes,
        media_type=media_types,
        is_stored=_are_stored(media_types.dictionary_encode()),
    )


def listed_prefixes(digests: Sequence[str], places: Sequence[list[int]]) -> pa.Table:
    """Rows of MANIFEST_PREFIXES: manifests with layers, and the places of each."""
    listing = [digest for digest, one in zip(digests, places, strict=True) if one]
    return make_table(MANIFEST_PREFIXES, manifest_digest=listing, places=[*filter(None, places)])


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
