"""A JSON array or object cut into the texts of its parts, so that each can be judged on its own.

A decoder cuts arrays as long as it can. It gives up on all of a text for one part that is nested
too deeply or holds half a surrogate pair, which JSON's grammar allows: then brackets are counted.
Everything here takes time and memory in proportion to the text, and both are bounded: a text may
have a thousand times the parts that any registry sends.
"""

import json
import re

import msgspec

# What reading a hostile text can raise: wrong shape or syntax, bytes that are no UTF-8, depth.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# A hundred of the largest pages.
_MOST_PARTS = 100_000
# So many commas may be cut at once, whatever is between them.
_MOST_COMMAS = 1_000_000
_DEEPEST = 1_000_000
# Registries take manifests of four megabytes. What is made of a text takes ten times its memory,
# and looking for brackets one by one a second for some megabytes.
LARGEST_TEXT = 32 * 2**20
_LONGEST_CHECKED = 2**20


class _Skipped(msgspec.Struct, gc=False):
    """An object of which nothing is kept."""


_decode_skipping = msgspec.json.Decoder(list[_Skipped]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_name = msgspec.json.Decoder(str).decode
# Strings whole, so that what they hold is not taken for structure. One that does not end takes
# the rest: to look for another one in there would take time by the square.
_STRING = rb'"(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z)'
_TOKEN = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)
_MEMBER = re.compile(rb"(" + _STRING + rb")\s*:\s*", re.DOTALL)
_PAIRS = {b"[": b"]", b"{": b"}"}


class TooMuch(msgspec.DecodeError):
    """A text has more parts, or more depth, than anything of use; it says which."""


def array_elements(body: bytes) -> list[bytes]:
    """Cut a JSON array into its elements' texts.

    Raises:
        msgspec.DecodeError: it is not a JSON array, or breaks off; TooMuch: it has too many.
    """
    try:
        if has_too_many_commas(body) and not _are_few_objects(body):
            _refuse_excess(0, _MOST_COMMAS)
        elements = [bytes(raw) for raw in _decode_array(body)]
    except TooMuch:
        raise
    except UNREADABLE as error:
        elements = _parts(body, b"[")
        if not all(map(_is_json, elements)):
            raise msgspec.DecodeError(str(error)) from None
    _refuse_excess(0, len(elements))
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
        msgspec.DecodeError: it does not open so, or brackets do not match.
        TooMuch: the text is too long, too deep, or has too many parts.
    """
    text = text.strip()
    if len(text) > LARGEST_TEXT:
        raise TooMuch("a text that large cannot be cut into its parts")
    tokens = _TOKEN.finditer(text)
    if not text.startswith(opening):
        raise msgspec.DecodeError(f"the text does not begin with {opening.decode()}")
    open_brackets, parts, begin = [next(tokens)[0]], [], 1
    for token in tokens:
        mark = token[0]
        if mark in _PAIRS:
            open_brackets.append(mark)
        elif mark in (b"]", b"}") and _PAIRS[open_brackets.pop()] != mark:
            break
        if not open_brackets or (mark == b"," and len(open_brackets) == 1):
            parts.append(text[begin : token.start()].strip())
            begin = token.end()
        _refuse_excess(len(open_brackets), len(parts))
        if not open_brackets:
            break
    if open_brackets or begin != len(text):
        raise msgspec.DecodeError("the text breaks off, or its brackets do not match")
    return [] if parts == [b""] else parts


def _are_few_objects(body: bytes) -> bool:
    """Whether an array can be cut at once, found out without keeping what is in it."""
    return body.count(b"{") <= _MOST_COMMAS and len(_decode_skipping(body)) <= _MOST_PARTS


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
