"""Odd records: what a tag list may hold that nobody promised, one function a kind.

Each makes the JSON text that is sent out of a record as it should be. The same record always
becomes the same text. What a reader makes of them is not told here.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from zlib import crc32

Record = dict[str, Any]
OddRecord = Callable[[Record], bytes]

LARGEST_SIZE = 2**63 - 1
HUGE_MANIFEST_BYTES = 16 * 2**20
HOSTILE_NAME = 'it\'s "50%" of ../..\\\n\U0001f600;--'
_DEPTH = 10_000
_FRACTION = re.compile(r"(?:\.(\d+))?Z$")


def duplicate_ids(record: Record) -> bytes:
    """The same id and repository id as every other record of this kind."""
    return _text(record | {"id": 1, "repo_id": 1})


def unknown_fields(record: Record) -> bytes:
    """Fields that nobody has heard of."""
    return _text(record | {"novelty": {"of": ["some", "kind"]}, "Digest": 5, "": None})


def missing_fields(record: Record) -> bytes:
    """No more than name, digest, manifest and time."""
    return _text({name: record[name] for name in ("Tag", "digest", "manifest", "updated")})


def missing_digest(record: Record) -> bytes:
    """No digest."""
    return _text({name: value for name, value in record.items() if name != "digest"})


def numbers_as_text(record: Record) -> bytes:
    """Numbers and truth values in quotes."""
    return _text({name: _quoted(value) for name, value in record.items()})


def fraction_digits(record: Record) -> bytes:
    """Times with any number of digits up to nine, zeros at the end included."""
    digits = crc32(_name(record)) % 10
    times = {name: _padded(record[name], digits) for name in ("created", "updated")}
    return _text(record | times)


def nonsense_update(record: Record) -> bytes:
    """An `updated` that is no time."""
    return _text(record | {"updated": "the day before yesterday"})


def nonsense_creation(record: Record) -> bytes:
    """A `created` that is no time, in a record that is fine otherwise."""
    return _text(record | {"created": "2026-02-30T25:61:00Z"})


def not_an_object(record: Record) -> bytes:
    """A list, a text or a number instead of a record."""
    text = _text(record["Tag"])
    return (b"[" + text + b"]", text, b"%d" % crc32(text))[crc32(text) % 3]


def huge_manifest(record: Record) -> bytes:
    """A manifest of 16 MB, of the digest that its text has."""
    return _with_manifest(record, record["manifest"].ljust(HUGE_MANIFEST_BYTES))


def deep_manifest(record: Record) -> bytes:
    """A manifest of lists within lists, 10,000 deep."""
    return _with_manifest(record, "[" * _DEPTH + record["digest"][-8:] + "]" * _DEPTH)


def deep_record(record: Record) -> bytes:
    """A record one of whose fields is 100,000 lists deep."""
    return _text(record)[:-1] + b',"deep":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"


def lone_surrogate(record: Record) -> bytes:
    """A name with half of a surrogate pair, which is no character."""
    return _text(record | {"Tag": record["Tag"] + "\ud83d"})


def not_utf8(record: Record) -> bytes:
    """A name with a byte that is no UTF-8."""
    return _text(record | {"Tag": "\x00" + record["Tag"]}).replace(b"\\u0000", b"\xff")


def largest_size(record: Record) -> bytes:
    """The largest size the API may state, also of a layer."""
    layer = {"digest": record["digest"], "size": LARGEST_SIZE}
    text = json.dumps({"schemaVersion": 2, "layers": [layer]})
    return _with_manifest(record | {"size": LARGEST_SIZE}, text)


def size_beyond(record: Record) -> bytes:
    """A size one byte larger than the largest."""
    return _text(record | {"size": LARGEST_SIZE + 1})


def hostile_name(record: Record) -> bytes:
    """A name with quotes, a percent sign, dots, a backslash, a line break and an emoji."""
    return _text(record | {"Tag": HOSTILE_NAME + record["Tag"]})


def share_of_records(odd: OddRecord, share: float) -> Callable[[bytes], bytes]:
    """Make a share of the records odd, 0 to 1, chosen by their names; what no longer can stays."""

    def alter(text: bytes) -> bytes:
        try:
            record = json.loads(text)
            is_chosen = crc32(odd.__name__.encode() + _name(record)) < share * 2**32
            return odd(record) if is_chosen else text
        except (ValueError, TypeError, KeyError, RecursionError):
            return text

    return alter


def _name(record: Record) -> bytes:
    return str(record["Tag"]).encode()


def _text(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _quoted(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool | int) else value


def _padded(time: str, digits: int) -> str:
    """Write a time with at least so many digits of a second."""
    found = _FRACTION.search(time)
    fraction = ((found and found[1]) or "").ljust(digits, "0")
    return _FRACTION.sub(f".{fraction}Z" if fraction else "Z", time)


def _with_manifest(record: Record, text: str) -> bytes:
    """Put in another manifest, and its digest; nothing gives a record a digest that it lost."""
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return _text(record | {"manifest": text} | ({"digest": digest} if "digest" in record else {}))
