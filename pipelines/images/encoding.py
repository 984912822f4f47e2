r"""A manifest's text as bytes of UTF-8: what to keep, what its digest is over, what to decode.

A Python string can hold half a surrogate pair, which is no character: UTF-8 cannot say it, and
JSON can (`\ud800`). Nothing here knows what a manifest is.
"""

import re
from typing import NamedTuple

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)


class Encoded(NamedTuple):
    """A text: `stored` is verbatim, only lone surrogates become backslash escapes."""

    stored: str
    utf8: bytes
    hashed: bytes


def encoded(text: str) -> Encoded:
    """Encode a text, as far as a lone surrogate can be encoded."""
    try:
        utf8 = text.encode()
    except UnicodeEncodeError:
        utf8 = text.encode("utf-8", "backslashreplace")
        return Encoded(utf8.decode(), utf8, text.encode("utf-8", "surrogatepass"))
    return Encoded(text, utf8, utf8)


def with_whole_characters(json: bytes) -> bytes:
    """The JSON with U+FFFD instead of escaped lone surrogates."""
    return _ESCAPE.sub(_whole, json)


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["lone"] is None else rb"\ufffd"
