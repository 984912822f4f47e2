"""A JSON array cut into the texts of its elements, so that each can be judged on its own.

Normally a decoder does it. It gives up on the whole array if one element is nested too deeply or
holds half a surrogate pair, which JSON's grammar allows: then the brackets are counted here.
"""

import json
import re
from collections.abc import Iterator

import msgspec

_decoder = msgspec.json.Decoder(list[msgspec.Raw])
# Strings whole, so that what they hold is not taken for structure.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_OPENING, _CLOSING = (b"[", b"{"), (b"]", b"}")


def array_elements(body: bytes) -> list[bytes]:
    """Cut a JSON array into its elements' texts.

    Raises:
        msgspec.MsgspecError: it is not a JSON array, or breaks off.
    """
    try:
        return [bytes(raw) for raw in _decoder.decode(body)]
    except (msgspec.MsgspecError, RecursionError) as error:
        if not _is_array(body):
            raise msgspec.DecodeError(str(error)) from None
        return list(_between_commas(body))


def _is_array(body: bytes) -> bool:
    """Whether a more lenient reading finds an array, or one too deep to read."""
    try:
        return isinstance(json.loads(body.decode("utf-8", "replace")), list)
    except RecursionError:
        return _ends_as_it_should(body)
    except ValueError:
        return False


def _ends_as_it_should(body: bytes) -> bool:
    """Whether the bracket opened first is closed last."""
    depth, ends = 0, []
    for token in _TOKEN.finditer(body):
        depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
        if depth == 0:
            ends.append(token.end())
    return body.startswith(b"[") and ends == [len(body.rstrip())]


def _between_commas(body: bytes) -> Iterator[bytes]:
    """Cut at the commas that are between elements."""
    depth, start = 0, body.index(b"[") + 1
    for token in _TOKEN.finditer(body):
        depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
        if (depth, token[0]) == (1, b",") or depth == 0:
            yield body[start : token.start()].strip()
            start = token.end()
