"""A manifest's text as bytes of UTF-8: what to keep, what its digest is over, what to decode.

A Python string can hold half a surrogate pair, which is no character: UTF-8 cannot say it, and
JSON can (`\\ud800`). Nothing here knows what a manifest is.
"""

import re

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)


def kept(text: str) -> bytes:
    """The text as it is stored: verbatim, only lone surrogates become backslash escapes."""
    return text.encode("utf-8", "backslashreplace")


def hashed(text: str) -> bytes:
    """The text as its digest is over it, as far as a lone surrogate can be over anything."""
    return text.encode("utf-8", "surrogatepass")


def with_whole_characters(json: bytes) -> bytes:
    """The JSON with U+FFFD instead of escaped lone surrogates."""
    return _ESCAPE.sub(_whole, json)


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["lone"] is None else rb"\ufffd"
