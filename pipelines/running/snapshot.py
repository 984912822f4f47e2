"""Files of what runs as rows: each distinct reference once, with a count."""

import codecs
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from pipelines.running.kubernetes import Found, images_in_json
from pipelines.running.lists import images_in_list
from pipelines.running.references import Reference, read_reference
from pipelines.schemas import LANDED_IN_USE

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# So much of a text that is no reference is kept.
_KEPT_CHARACTERS = 1000
_UNREADABLE = "unreadable"
_Row = dict[str, Any]


def snapshot_of(
    files: Iterable[tuple[str, bytes]],
    cluster: str,
    taken_at: datetime,
    kept_at: datetime,
    aliases: Mapping[str, str],
) -> pa.Table:
    """Read files into a snapshot, rows of LANDED_IN_USE; the same files give the same id.

    Args:
        files: name and content of each.
        cluster: where it all runs.
        taken_at: when it did.
        kept_at: the present.
        aliases: other names of hosts, see `read_reference`.

    Raises:
        SnapshotError: a file cannot be read.
    """
    counts: Counter[tuple[str | None, str | None, str]] = Counter()
    for name, data in files:
        for image, image_id, found_in, count in _images_in(data, name):
            counts[image, image_id, found_in] += count
    order = sorted(counts, key=lambda key: (key[2], key[0] or "", key[1] or ""))
    rows = [_row(*key, counts[key], aliases) for key in order]
    about = {"cluster": cluster, "taken_at": taken_at}
    digest = hashlib.sha256(msgspec.json.encode([about, rows])).hexdigest()
    about |= {"snapshot_id": f"{taken_at:%Y%m%dT%H%M%S}-{digest[:16]}", "kept_at": kept_at}
    # One that holds nothing is a snapshot, too.
    return pa.Table.from_pylist([about | row for row in rows or [{}]], schema=LANDED_IN_USE)


def _images_in(data: bytes, name: str) -> Iterator[Found]:
    # PowerShell writes what a program prints in UTF-16.
    text = data.decode("utf-16", "replace").encode() if data.startswith(_UTF_16) else data
    bare = text.removeprefix(codecs.BOM_UTF8).lstrip()
    is_json = bare.startswith(b"{")
    for found in images_in_json(bare, name) if is_json else images_in_list(text, name):
        yield Found(found, None, _UNREADABLE, 0) if isinstance(found, str) else found


def _row(
    image: str | None, image_id: str | None, found_in: str, count: int, aliases: Mapping[str, str]
) -> _Row:
    is_odd = found_in == _UNREADABLE
    named = read_reference(image, aliases) if image and not is_odd else None
    own = read_reference(image_id, aliases) if image_id else None
    parts = [str(part) for part in (named, own) if part]
    return {
        "reference": " ".join(parts) or _cut(image or image_id or ""),
        "image": None if image is None else _cut(image),
        "image_id": None if image_id is None else _cut(image_id),
        "found_in": found_in,
        "container_count": count,
        **(named or Reference())._asdict(),
        **{f"id_{name}": value for name, value in _without_tag(own).items()},
        "is_readable": bool(parts),
    }


def _without_tag(own: Reference | None) -> _Row:
    """What tells which image an id means: its tag, if it has one, may be any of several."""
    return {name: v for name, v in (own or Reference())._asdict().items() if name != "tag"}


def _cut(text: str) -> str:
    return text if len(text) <= _KEPT_CHARACTERS else f"{text[:_KEPT_CHARACTERS]}…"
