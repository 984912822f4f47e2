"""Everything a run leaves behind as one heap of bytes, and the forms a secret may hide in."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow.parquet as pq

TABLES = "select schema_name || '.' || table_name from duckdb_tables() where not internal"


def left_in(*directories: Path) -> bytes:
    """All files as they are, and what is compressed in them once more in plain."""
    files = [path for folder in directories for path in folder.rglob("*") if path.is_file()]
    return b"\0".join(part for path in files for part in (path.read_bytes(), *unpacked(path)))


def unpacked(path: Path) -> Iterator[bytes]:
    """The rows of a Parquet or DuckDB file."""
    if path.suffix == ".parquet":
        yield repr(pq.read_table(path).to_pylist()).encode()
    if path.suffix == ".duckdb":
        with closing(duckdb.connect()) as con:
            con.execute(f"attach '{path}' as it (read_only); use it")
            for (name,) in con.execute(TABLES).fetchall():
                yield repr(con.execute(f"from {name}").fetchall()).encode()


def forms(secret: str) -> set[bytes]:
    """A secret in plain, in URLs, in JSON once and twice, in Python's own writing, in base64."""
    escaped = json.dumps(secret)[1:-1]
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        escaped,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(escaped)[1:-1],
        repr(secret)[1:-1],
    }
    return {text.encode() for text in texts} | set(in_base64(secret.encode()))


def in_base64(secret: bytes) -> Iterator[bytes]:
    """What a secret becomes within a longer text in base64, wherever it begins in that."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + secret)
        # The first and the last group also hold bits of the neighbours.
        inner = whole[4 if shift else 0 : -4]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def leaks(heap: bytes, secrets: dict[str, str]) -> list[str]:
    """Which secrets are in a heap, by name."""
    return sorted(
        name for name, secret in secrets.items() if any(form in heap for form in forms(secret))
    )
