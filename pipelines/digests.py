"""How a digest is written. What it is the digest of is `images`' business."""

import hashlib
import re
from functools import lru_cache
from typing import Annotated

import msgspec

HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
# Algorithms not known here follow the grammar of OCI; less than 32 characters would tell
# nothing apart.
_WELL_FORMED = (
    r"\A(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
    r"|(?!sha(?:256|384|512):)[a-z0-9]++(?:[+._-][a-z0-9]++)*+:[a-zA-Z0-9=_-]{32,})\Z"
)
Digest = Annotated[str, msgspec.Meta(pattern=_WELL_FORMED)]
_matches = re.compile(_WELL_FORMED).match
_BARE = {64: "sha256", 96: "sha384", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+").fullmatch


@lru_cache(4096)  # a layer is mostly met again at once, in the next tag's manifest
def is_well_formed(digest: str) -> bool:
    """Whether it is written as a digest; what the type `Digest` demands, for those met often."""
    return _matches(digest) is not None


def canonical_digest(digest: str) -> str:
    """Write a digest the one way that joins: algorithm and hex digits in lower case.

    Bare hex digits get the algorithm of their length. What is no digest of a known algorithm
    stays as it is.
    """
    if _matches(digest):
        return digest
    algorithm, colon, encoded = digest.rpartition(":")
    if not _HEX(encoded):
        return digest
    name = algorithm.lower() if colon else _BARE.get(len(encoded), "")
    return f"{name}:{encoded.lower()}" if name in HASHES else digest
