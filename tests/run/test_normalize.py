"""Records become rows a batch at a time; a chunk of batches gives each digest one manifest."""

import hashlib
import json

import pyarrow as pa

from pipelines.run.normalize import Chunk, _chunk
from pipelines.schemas import RECORDS

TEXT = json.dumps({"schemaVersion": 2, "manifests": []})
DIGEST = "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()
OTHER = "sha256:" + "0" * 64


def batch(*tags: tuple[str, str, str]) -> pa.Table:
    """Landed records of tags given as (name, digest, manifest's text)."""
    rows = [
        {
            "namespace": "n",
            "repository": "r",
            "walk": 1,
            "record_key": name,
            "fingerprint": digest,
            "record": json.dumps(
                {
                    "Tag": name,
                    "digest": digest,
                    "manifest": text,
                    "updated": "2026-01-01T00:00:00Z",
                }
            ).encode(),
        }
        for name, digest, text in tags
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS)


def chunk_of(*batches: pa.Table, final: tuple[str, ...] = ()) -> Chunk:
    """Read batches as one chunk."""
    chunk = _chunk(batches, lambda digests: set(final).intersection(digests))
    assert chunk is not None
    return chunk


def texts(chunk: Chunk) -> dict[str, str]:
    """Texts of the chunk's manifests by digest, each there once."""
    table = chunk.images.manifests
    found = {str(row["manifest_digest"]): str(row["manifest"]) for row in table.to_pylist()}
    assert len(found) == table.num_rows
    return found


def test_texts_of_one_digest_meet_across_batches() -> None:
    """The one that verifies is kept whenever it comes, else the shortest."""
    chunk = chunk_of(
        batch(("a", DIGEST, "{}"), ("b", OTHER, "{  }")),
        batch(("c", DIGEST, TEXT), ("d", OTHER, "{ }")),
        batch(("e", DIGEST, "{}"), ("f", OTHER, "{  }")),
    )
    assert chunk.tags["tag"].to_pylist() == ["a", "b", "c", "d", "e", "f"]
    assert texts(chunk) == {DIGEST: TEXT, OTHER: "{ }"}


def test_what_is_stored_for_good_is_not_read_again() -> None:
    """Its tags are rows all the same."""
    chunk = chunk_of(batch(("a", DIGEST, TEXT), ("b", OTHER, "{}")), final=(DIGEST,))
    assert chunk.tags["manifest_digest"].to_pylist() == [DIGEST, OTHER]
    assert texts(chunk) == {OTHER: "{}"}


def test_fields_that_cannot_be_read_are_named_in_the_row() -> None:
    """Digests are written one way, so that tags find their manifests."""
    landed = batch(("a", DIGEST.upper().removeprefix("SHA256:"), TEXT)).to_pylist()
    record = json.loads(landed[0]["record"]) | {"size": "34.1 MB", "created": "N/A"}
    landed[0]["record"] = json.dumps(record).encode()
    (row,) = chunk_of(pa.Table.from_pylist(landed, schema=RECORDS)).tags.to_pylist()
    assert (row["manifest_digest"], row["api_size_bytes"], row["created_at"]) == (
        DIGEST,
        None,
        None,
    )
    assert row["unreadable_fields"] == "size,created"
