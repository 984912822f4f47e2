"""A JSON array or object cut into the texts of its parts, so that each can be judged on its own.

A decoder cuts arrays as long as it can. It gives up on all of a text for one part that is nested
too deeply or holds half a surrogate pair, which JSON's grammar allows: then brackets are counted,
of either kind, and what is between them is judged on its own.
Everything here takes time and memory in proportion to the text, and both are bounded: a text may
have a thousand times the parts that any registry sends.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import numpy as np

# What reading a hostile text can raise: wrong shape or syntax, bytes that are no UTF-8, depth.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# A hundred of the largest pages.
_MOST_PARTS = 100_000
# So many commas may be cut at once, whatever is between them.
_MOST_COMMAS = 1_000_000
_DEEPEST = 1_000_000
# Registries take manifests of four megabytes. What is made of a text takes ten times its memory.
LARGEST_TEXT = 32 * 2**20
_LONGEST_CHECKED = 2**20

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_name = msgspec.json.Decoder(str).decode
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_MEMBER = re.compile(rb"(" + _STRING + rb")\s*:\s*", re.DOTALL)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_BACKSLASHES = re.compile(rb"\\*+")
_PAIRS = {b"[": b"]", b"{": b"}"}
_CHUNK = 2**16
# By the code of a character: whether it is structure, and how much deeper it leads.
_IS_MARK = np.zeros(256, np.bool_)
_IS_MARK[list(b'"[]{},')] = True
_STEPS = np.zeros(256, np.int64)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1


class TooMuch(msgspec.DecodeError):
    """A text has more parts, or more depth, than anything of use; it says which."""


def array_elements(body: bytes) -> list[bytes]:
    """Cut a JSON array into its elements' texts.

    Raises:
        msgspec.DecodeError: it is not a JSON array, or breaks off; TooMuch: it has too many.
    """
    if not has_too_many_commas(body):
        with suppress(*UNREADABLE):
            decoded = _decode_array(body)
            if len(decoded) <= _MOST_PARTS:
                return [bytes(raw) for raw in decoded]
    elements = _parts(body, b"[")
    if not all(map(_is_json, elements)):
        raise msgspec.DecodeError("an element is no JSON")
    return elements


def has_too_many_commas(body: bytes) -> bool:
    """Whether an array has to be looked at before it is decoded at once: it may have any size."""
    return len(body) > _MOST_COMMAS and body.count(b",") > _MOST_COMMAS


def object_members(text: bytes) -> dict[str, bytes]:
    """Cut a JSON object into its members: texts by name; of two of one name the later stays.

    Raises:
        msgspec.DecodeError: it is not a JSON object, or breaks off; TooMuch: it has too many.
    """
    members = {}
    for part in _parts(text, b"{"):
        if (named := _MEMBER.match(part)) is None:
            raise msgspec.DecodeError("a member of the object has no name")
        try:
            members[_decode_name(named[1])] = part[named.end() :]
        except UNREADABLE:
            continue
    return members


def _parts(text: bytes, opening: bytes) -> list[bytes]:
    """Cut at the commas that are directly inside the outermost brackets.

    Raises:
        msgspec.DecodeError: it does not open so, or its brackets do not match.
        TooMuch: it is too deep, or has too many parts.
    """
    text = text.strip()
    if not text.startswith(opening):
        raise msgspec.DecodeError(f"the text does not begin with {opening.decode()}")
    parts, begin = [], 1
    for end in _ends_of_parts(text):
        parts.append(text[begin:end].strip())
        begin = end + 1
        _refuse_excess(0, len(parts))
    if begin != len(text) or text[-1:] != _PAIRS[opening]:
        raise msgspec.DecodeError("the text breaks off, or its brackets do not match")
    return [] if parts == [b""] else parts


def _ends_of_parts(text: bytes) -> Iterator[int]:
    """Where a comma directly inside the outermost brackets is, and where those close."""
    depth, quote_count, begin = 0, 0, 0
    while begin < len(text):
        end = _chunk_end(text, begin)
        codes = np.frombuffer(_ESCAPED.sub(b"__", text[begin:end]), np.uint8)
        places = np.flatnonzero(_IS_MARK[codes])
        marks = codes[places]
        quotes = quote_count + np.cumsum(marks == ord('"'))
        # What strings hold is not structure, nor is the quote that ends one.
        steps = np.where(quotes % 2 == 0, _STEPS[marks], 0)
        depths = depth + np.cumsum(steps)
        is_end = (depths == 1) & (marks == ord(",")) & (quotes % 2 == 0)
        closings = np.flatnonzero(depths <= 0)[:1]
        is_end[closings] = True
        is_end[int(closings.min(initial=len(marks))) + 1 :] = False
        _refuse_excess(int(depths.max(initial=0)), 0)
        for place in places[is_end].tolist():
            yield begin + place
        if len(closings):
            return
        if len(places):
            depth, quote_count = int(depths[-1]), int(quotes[-1])
        begin = end


def _chunk_end(text: bytes, begin: int) -> int:
    """Where a chunk may end without parting an escape from what it escapes."""
    backslashes = _BACKSLASHES.match(text, begin + _CHUNK - 1)
    return backslashes.end() + 1 if backslashes else len(text)


def _refuse_excess(depth: int, parts: int) -> None:
    if parts > _MOST_PARTS:
        raise TooMuch(f"it has more than {_MOST_PARTS:,} parts")
    if depth > _DEEPEST:
        raise TooMuch(f"it is nested more than {_DEEPEST:,} deep")


def _is_json(text: bytes) -> bool:
    """Whether a more lenient reader finds a value, or one too deep or too long to read."""
    if len(text) > _LONGEST_CHECKED:
        return True
    try:
        json.loads(text.decode("utf-8", "replace"), parse_int=float)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True
