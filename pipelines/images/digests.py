"""Digests: whether one is well formed, and whether it is that of a manifest's text."""

import binascii
import hashlib
import re
from base64 import urlsafe_b64decode
from typing import Annotated

import msgspec

_is_sha256 = re.compile(r"sha256:[0-9a-f]{64}").fullmatch
_HEX = re.compile(r"[0-9a-f]+")
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
# The grammar of OCI for any other algorithm; less than 32 characters would tell nothing apart.
_OTHER = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}")


class _Signature(msgspec.Struct):
    protected: str


class _Signed(msgspec.Struct):
    signatures: list[_Signature]


class _Protected(msgspec.Struct):
    """Where a signed schema 1 manifest's payload ends, and with which bytes."""

    formatLength: Annotated[int, msgspec.Meta(ge=0)]  # noqa: N815 - the format's own name
    formatTail: str  # noqa: N815 - the format's own name


def is_well_formed(digest: str) -> bool:
    """Whether a digest names an algorithm and fits it."""
    if _is_sha256(digest):
        return True
    algorithm, _, encoded = digest.partition(":")
    length = _HEX_LENGTHS.get(algorithm)
    if length is None:
        return _OTHER.fullmatch(digest) is not None
    return len(encoded) == length and _HEX.fullmatch(encoded) is not None


def is_digest_of(digest: str, content: bytes) -> bool | None:
    """Whether this is the content's digest; None for algorithms not known here."""
    algorithm, _, encoded = digest.partition(":")
    hashed = _HASHES.get(algorithm)
    return None if hashed is None else hashed(content).hexdigest() == encoded


def signed_payload(text: bytes) -> bytes | None:
    """What a signed schema 1 manifest's digest is over: its text without the signatures.

    Every signature names the same payload, so the first one tells. None if there is none.
    """
    if b'"signatures"' not in text:
        return None
    try:
        first = msgspec.json.decode(text, type=_Signed).signatures[0]
        protected = msgspec.json.decode(_unpadded(first.protected), type=_Protected)
        return text[: protected.formatLength] + _unpadded(protected.formatTail)
    except (msgspec.MsgspecError, IndexError, RecursionError, binascii.Error, ValueError):
        return None


def _unpadded(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
