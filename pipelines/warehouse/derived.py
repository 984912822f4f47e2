"""What is derived from the SQL by parsing it or by making a warehouse, kept in `derived.json`.

`make docs` writes that file, so that a run need not derive it each time. It names the texts it was
made from: where they have changed since, nothing of it is used. A test holds it current.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

FILE = files("pipelines.warehouse") / "derived.json"
_FOLDERS = ("migrations", "macros", "intermediate", "reports")


class Derived(msgspec.Struct, frozen=True):
    """Everything that is kept.

    Attributes:
        texts: fingerprint of what it was derived from.
        inputs: `schema.table` of each table that is built, to those it reads itself.
        tables: each table of a warehouse, as a TableEntry in plain values.
        lineage: each report, its columns, and the `schema.table.column` they come from.
    """

    texts: str
    inputs: dict[str, list[str]]
    tables: list[Any]
    lineage: dict[str, dict[str, list[str]]]


@cache
def derived() -> Derived | None:
    """What was derived from the present texts; None if they have changed since."""
    try:
        kept = msgspec.json.decode(FILE.read_bytes(), type=Derived)
    except (OSError, msgspec.DecodeError):
        return None
    return kept if kept.texts == fingerprint() else None


@cache
def fingerprint() -> str:
    """What changes with any text that tables, reports or their comments are made from."""
    digest = hashlib.sha256()
    for name, text in _texts():
        digest.update(f"{name} {len(text)} ".encode() + text)
    return digest.hexdigest()


def _texts() -> Iterator[tuple[str, bytes]]:
    """The files, by name; `pipelines.schemas` has the comments of the tables that are loaded."""
    schemas = files("pipelines") / "schemas.py"
    yield schemas.name, schemas.read_bytes()
    for folder in _FOLDERS:
        for file in sorted((files("sql") / folder).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".sql"):
                yield f"{folder}/{file.name}", file.read_bytes()
