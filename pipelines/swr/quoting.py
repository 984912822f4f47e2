"""What may be shown of a server's words: nothing that repeats a secret, in whatever form.

Knows texts only; which fields of an error are worth showing is decided in `responses`.
"""

import base64
import binascii
import html
import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from itertools import chain
from urllib.parse import unquote

_LONGEST = 300
# So many characters of a secret in a row give it away.
_RUN = 8
# Anything shorter is part of every other word.
_SHORTEST = 4
# More than a transport hides at a time.
_KNOWN_SECRETS = 128
_ESCAPE = re.compile(r"\\+(?:u|x)\{?([0-9A-Fa-f]{2,6})\}?")
_ESCAPED_SIGN = re.compile(r"\\(?=[^A-Za-z0-9])")
_ESCAPED_TIMES = 3
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_NOT_HEX = re.compile(r"0x|[^0-9A-Fa-f]")
_URL_SAFE = str.maketrans("-_", "+/")


def quotable(text: str | None, secrets: Collection[str], longest: int = _LONGEST) -> str | None:
    """A server's words on one line, cut; None if there are none or they repeat a secret."""
    if text is None:
        return None
    # What is not looked at is not shown either, so that no text costs more than another.
    shown = _on_one_line(text[: 4 * longest])[:longest]
    return None if _repeat_any(set(_readings(shown)), secrets) else shown


def _on_one_line(text: str) -> str:
    """Blanks made one, and what a terminal would obey made visible."""
    words = text.split()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(words))


def _readings(text: str) -> Iterator[str]:
    """A text as it is, unescaped, decoded, and all of these backwards."""
    for way in {text, *_unescaped(text), *_unescaped(text, signs=True)}:
        for direction in (way, way[::-1]):
            for reading in (direction, *_decoded(direction)):
                yield reading
                yield reading[::-1]


def _unescaped(text: str, *, signs: bool = False) -> Iterator[str]:
    """A text with its escapes undone, once and again: what looks like one may be its own.

    With `signs`, backslashes before signs go as well.
    """
    for _ in range(_ESCAPED_TIMES):
        for undo in (lambda text: _ESCAPE.sub(_character, text), html.unescape, unquote):
            text = undo(text)
            yield text
        if signs:
            text = _ESCAPED_SIGN.sub("", text)
            yield text


def _character(escape: re.Match[str]) -> str:
    number = int(escape[1], 16)
    return chr(number) if number < 0x110000 else ""  # noqa: PLR2004 - the end of Unicode


def _decoded(text: str) -> Iterator[str]:
    """A text read as base64 and as hexadecimal, wherever that begins."""
    letters = _NOT_BASE64.sub("", text.translate(_URL_SAFE))
    for shift in range(4):
        whole = letters[shift : len(letters) - (len(letters) - shift) % 4]
        yield base64.b64decode(whole).decode(errors="ignore")
    digits = _NOT_HEX.sub("", text)
    for shift in range(2):
        whole = digits[shift : len(digits) - (len(digits) - shift) % 2]
        yield binascii.unhexlify(whole).decode(errors="ignore")


def _repeat_any(readings: set[str], secrets: Collection[str]) -> bool:
    """Whether a reading holds a run of a secret, whatever was put between its characters.

    The readings are cut into runs once: there may be a hundred secrets.
    """
    forms = [frozenset(form) for form in zip(*map(_forms, readings), strict=True)]

    @cache
    def read_runs(form: int, run: int) -> frozenset[str]:
        return frozenset(chain.from_iterable(_cut(text, run) for text in forms[form]))

    return any(
        not runs.isdisjoint(read_runs(form, run))
        for secret in secrets
        for form, (run, runs) in enumerate(_runs(secret))
        if run >= _SHORTEST
    )


def _forms(text: str) -> tuple[str, str, str]:
    """A text, without its backslashes, and its letters and digits alone."""
    return text, text.replace("\\", ""), "".join(filter(str.isalnum, text)).casefold()


@lru_cache(_KNOWN_SECRETS)
def _runs(secret: str) -> list[tuple[int, frozenset[str]]]:
    """For each form of a secret the length of a run, and all runs."""
    forms = [(form, min(_RUN, len(form))) for form in _forms(secret)]
    return [(run, frozenset(_cut(form, run))) for form, run in forms]


def _cut(text: str, run: int) -> Iterator[str]:
    return (text[at : at + run] for at in range(len(text) - run + 1))
