"""Manifests as Arrow tables: one row a manifest, a layer, a child of an index.

Columns are those of the tables in sql/migrations. Sizes here are what one manifest states itself;
what a tag holds through its index, and what is shared, is told by sql/reports.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.images.digests import is_digest_of
from pipelines.images.manifest import Child, Descriptor, Kind, Manifest, read_manifest
from pipelines.images.media_types import is_stored


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


MANIFESTS = _schema(
    manifest_digest=pa.string(),
    manifest_kind=pa.string(),
    media_type=pa.string(),
    artifact_type=pa.string(),
    schema_version=pa.int32(),
    config_digest=pa.string(),
    config_media_type=pa.string(),
    config_bytes=pa.int64(),
    layer_count=pa.int32(),
    logical_bytes=pa.int64(),
    size_basis=pa.string(),
    digest_verified=pa.bool_(),
    subject_digest=pa.string(),
    manifest_bytes=pa.int64(),
    manifest=pa.string(),
    problem=pa.string(),
)
LAYERS = _schema(
    manifest_digest=pa.string(),
    position=pa.int32(),
    blob_digest=pa.string(),
    size_bytes=pa.int64(),
    media_type=pa.string(),
    is_stored=pa.bool_(),
    prefix_digest=pa.string(),
)
PLATFORMS = _schema(
    index_digest=pa.string(),
    position=pa.int32(),
    manifest_digest=pa.string(),
    media_type=pa.string(),
    manifest_bytes=pa.int64(),
    os=pa.string(),
    architecture=pa.string(),
    variant=pa.string(),
    os_version=pa.string(),
    is_attestation=pa.bool_(),
)
_WITH_LAYERS = {Kind.IMAGE, Kind.ARTIFACT, Kind.SCHEMA1}
Row = tuple[Any, ...]


class ImageTables(NamedTuple):
    """Rows of MANIFESTS, LAYERS and PLATFORMS."""

    manifests: pa.Table
    layers: pa.Table
    platforms: pa.Table


def image_tables(texts: Iterable[tuple[str, str]]) -> ImageTables:
    """Read manifests given as (digest, text).

    Of several texts for one digest the best is kept: a verified digest first, then one that is
    not invalid, then the fewest bytes, then the lesser text. The loader keeps to the same order.
    """
    best: dict[str, tuple[Row, Manifest]] = {}
    for digest, text in texts:
        row, manifest = _read(digest, text)
        if digest not in best or _rank(row) < _rank(best[digest][0]):
            best[digest] = row, manifest
    return ImageTables(
        _table([row for row, _ in best.values()], MANIFESTS),
        _table([row for key, (_, m) in best.items() for row in _layer_rows(key, m.layers)], LAYERS),
        _table(
            [row for key, (_, m) in best.items() for row in _child_rows(key, m.children)], PLATFORMS
        ),
    )


def _read(digest: str, text: str) -> tuple[Row, Manifest]:
    # A lone surrogate cannot be stored; it becomes an escape, and the text is not JSON anyway.
    encoded = text.encode("utf-8", "backslashreplace")
    manifest = read_manifest(encoded)
    config = manifest.config
    logical_bytes, basis = _own_bytes(manifest)
    row = (
        digest,
        manifest.kind.value,
        manifest.media_type,
        manifest.artifact_type,
        manifest.schema_version,
        config.digest if config else None,
        config.media_type if config else None,
        config.size if config else None,
        len(manifest.layers) if manifest.kind in _WITH_LAYERS else None,
        logical_bytes,
        basis,
        is_digest_of(digest, encoded),
        manifest.subject_digest,
        len(encoded),
        encoded.decode(),
        manifest.problem,
    )
    return row, manifest


def _rank(row: Row) -> tuple[bool, bool, int, str]:
    verified, kind, size, text = row[11], row[1], row[13], row[14]
    return verified is not True, kind == Kind.INVALID.value, size, text


def _own_bytes(manifest: Manifest) -> tuple[int | None, str]:
    """Add up the distinct stored blobs a manifest states, and say how sure that is."""
    if manifest.kind not in _WITH_LAYERS:
        return None, "unknown"
    stored = [layer for layer in manifest.layers if is_stored(layer.media_type)]
    blobs = [*stored, *([manifest.config] if manifest.config else [])]
    sizes: dict[str, int] = {}
    is_exact = True
    for blob in blobs:
        if blob.size is None:
            is_exact = False
        elif sizes.setdefault(blob.digest, blob.size) != blob.size:
            sizes[blob.digest] = min(sizes[blob.digest], blob.size)
            is_exact = False
    if is_exact:
        return sum(sizes.values()), "exact"
    return (sum(sizes.values()), "lower_bound") if sizes else (None, "unknown")


def _layer_rows(manifest_digest: str, layers: tuple[Descriptor, ...]) -> Iterable[Row]:
    prefix = hashlib.sha256()
    for position, layer in enumerate(layers):
        prefix.update(f"{layer.digest}\n".encode())
        yield (
            manifest_digest,
            position,
            layer.digest,
            layer.size,
            layer.media_type,
            is_stored(layer.media_type),
            f"sha256:{prefix.hexdigest()}",
        )


def _child_rows(index_digest: str, children: tuple[Child, ...]) -> Iterable[Row]:
    for position, child in enumerate(children):
        platform = child.platform
        yield (
            index_digest,
            position,
            child.digest,
            child.media_type,
            child.size,
            platform.os if platform else None,
            platform.architecture if platform else None,
            platform.variant if platform else None,
            platform.os_version if platform else None,
            child.is_attestation,
        )


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    columns: Iterable[Any] = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(values, column.type) for values, column in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
