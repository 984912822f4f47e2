"""Digests: how one is written, and whether it is that of a manifest's text."""

import hashlib
import re
from base64 import urlsafe_b64decode
from functools import lru_cache
from typing import Annotated

import msgspec

_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
# Algorithms not known here follow the grammar of OCI; less than 32 characters would tell
# nothing apart.
_WELL_FORMED = (
    r"\A(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
    r"|(?!sha(?:256|384|512):)[a-z0-9]++(?:[+._-][a-z0-9]++)*+:[a-zA-Z0-9=_-]{32,})\Z"
)
Digest = Annotated[str, msgspec.Meta(pattern=_WELL_FORMED)]
_matches = re.compile(_WELL_FORMED).match


class _Signature(msgspec.Struct):
    protected: str


class _Signed(msgspec.Struct):
    signatures: list[_Signature]


class _Protected(msgspec.Struct, rename="camel"):
    """Where a signed schema 1 manifest's payload ends, and with which bytes."""

    format_length: Annotated[int, msgspec.Meta(ge=0)]
    format_tail: str


_BARE = {64: "sha256", 96: "sha384", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+").fullmatch
# The hashes of nothing: only of these a size of 0 says something.
EMPTY_DIGESTS = frozenset(f"{name}:{hashed(b'').hexdigest()}" for name, hashed in _HASHES.items())


@lru_cache(4096)  # a layer is mostly met again at once, in the next tag's manifest
def is_well_formed(digest: str) -> bool:
    """Whether it is written as a digest; what the type `Digest` demands, for those met often."""
    return _matches(digest) is not None


def canonical_digest(digest: str) -> str:
    """Write a digest the one way that joins: algorithm and hex digits in lower case.

    Bare hex digits get the algorithm of their length. What is no digest of a known algorithm
    stays as it is.
    """
    if is_well_formed(digest):
        return digest
    algorithm, colon, encoded = digest.rpartition(":")
    if not _HEX(encoded):
        return digest
    name = algorithm.lower() if colon else _BARE.get(len(encoded), "")
    return f"{name}:{encoded.lower()}" if name in _HASHES else digest


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
        return text[: protected.format_length] + _unpadded(protected.format_tail)
    except (ValueError, IndexError, RecursionError):
        return None


def _unpadded(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
