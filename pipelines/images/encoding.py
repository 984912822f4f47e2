r"""A manifest's text as bytes of UTF-8: what to store, what its digest is over, what to decode.

A Python string and JSON (`\ud800`) can hold a lone surrogate, half of a pair; UTF-8 cannot.
Nothing here knows what a manifest is.
"""

import re
from typing import NamedTuple

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)


class EncodedText(NamedTuple):
    """A text. `stored` is verbatim but for lone surrogates, which become backslash escapes."""

    stored: str
    utf8: bytes
    hashed: bytes


def encode_text(text: str) -> EncodedText:
    """Encode a text, as far as a lone surrogate can be encoded."""
    try:
        utf8 = text.encode()
    except UnicodeEncodeError:
        utf8 = text.encode("utf-8", "backslashreplace")
        return EncodedText(utf8.decode(), utf8, text.encode("utf-8", "surrogatepass"))
    return EncodedText(text, utf8, utf8)


def replace_lone_surrogates(json: bytes) -> bytes:
    """The JSON with U+FFFD instead of escaped lone surrogates."""
    return _ESCAPE.sub(_replace_lone, json)


def _replace_lone(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["lone"] is None else rb"\ufffd"
