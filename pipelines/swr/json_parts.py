"""A JSON array or object cut into the texts of its parts, so that each can be judged on its own.

A decoder cuts arrays as long as it can. It gives up on all of a text for one part that is nested
too deeply or holds half a surrogate pair, which JSON's grammar allows: then brackets are counted.
Everything here takes time in proportion to the text.
"""

import json
import re

import msgspec

# What reading a hostile text can raise: wrong shape or syntax, bytes that are no UTF-8, depth.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_name = msgspec.json.Decoder(str).decode
# Strings whole, so that what they hold is not taken for structure. One that does not end takes
# the rest: to look for another one in there would take time by the square.
_STRING = rb'"(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z)'
_TOKEN = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)
_MEMBER = re.compile(rb"(" + _STRING + rb")\s*:\s*", re.DOTALL)
_PAIRS = {b"[": b"]", b"{": b"}"}


def array_elements(body: bytes) -> list[bytes]:
    """Cut a JSON array into its elements' texts.

    Raises:
        msgspec.DecodeError: it is not a JSON array, or breaks off.
    """
    try:
        return [bytes(raw) for raw in _decode_array(body)]
    except UNREADABLE as error:
        elements = _parts(body, b"[")
        if not all(map(_is_json, elements)):
            raise msgspec.DecodeError(str(error)) from None
        return elements


def object_members(text: bytes) -> dict[str, bytes]:
    """Cut a JSON object into its members: texts by name; of two of one name the later stays.

    Raises:
        msgspec.DecodeError: it is not a JSON object, or breaks off.
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
    """
    text = text.strip()
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
        if not open_brackets:
            break
    if open_brackets or begin != len(text):
        raise msgspec.DecodeError("the text breaks off, or its brackets do not match")
    return [] if parts == [b""] else parts


def _is_json(text: bytes) -> bool:
    """Whether a more lenient reader finds a value, or one too deep to read."""
    try:
        json.loads(text.decode("utf-8", "replace"), parse_int=float)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True
