"""Digests: whether one is well formed, and whether it is that of a manifest's text."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

import msgspec

_GRAMMAR = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+")
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class _Signature(msgspec.Struct):
    protected: str


class _Signed(msgspec.Struct):
    signatures: list[_Signature] = []


class _Protected(msgspec.Struct):
    """Where a signed schema 1 manifest's payload ends, and with which bytes."""

    formatLength: int  # noqa: N815 - the format's own name
    formatTail: str  # noqa: N815


def is_well_formed(digest: str) -> bool:
    """Whether a digest names an algorithm and fits it."""
    algorithm, _, encoded = digest.partition(":")
    length = _HEX_LENGTHS.get(algorithm)
    if length is None:
        return _GRAMMAR.fullmatch(digest) is not None
    return len(encoded) == length and _HEX.fullmatch(encoded) is not None


def is_digest_of(digest: str, text: bytes) -> bool | None:
    """Whether this is the digest of the manifest; None for algorithms not known here.

    A signed schema 1 manifest's digest is over its text without the signatures.
    """
    algorithm, _, encoded = digest.partition(":")
    if algorithm not in _HEX_LENGTHS:
        return None
    if hashlib.new(algorithm, text).hexdigest() == encoded:
        return True
    return any(
        hashlib.new(algorithm, payload).hexdigest() == encoded for payload in _payloads(text)
    )


def _payloads(text: bytes) -> Iterator[bytes]:
    """What a signed schema 1 manifest's signatures say they sign."""
    if b'"formatLength"' not in text and b'"signatures"' not in text:
        return
    try:
        for signature in msgspec.json.decode(text, type=_Signed).signatures:
            protected = msgspec.json.decode(_unpadded(signature.protected), type=_Protected)
            yield text[: protected.formatLength] + _unpadded(protected.formatTail)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        return


def _unpadded(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
