"""Whether a digest is that of a manifest's text; `pipelines.digests` says how one is written."""

from base64 import urlsafe_b64decode
from typing import Annotated

import msgspec

from pipelines.digests import HASHES

# Of nothing: only these have a size of 0.
EMPTY_DIGESTS = frozenset(f"{name}:{hashed(b'').hexdigest()}" for name, hashed in HASHES.items())


class _Signature(msgspec.Struct):
    protected: str


class _Signed(msgspec.Struct):
    signatures: list[_Signature]


class _Protected(msgspec.Struct, rename="camel"):
    """Where a signed schema 1 manifest's payload ends, and with which bytes."""

    format_length: Annotated[int, msgspec.Meta(ge=0)]
    format_tail: str


def is_digest_of(digest: str, content: bytes) -> bool | None:
    """Whether this is the content's digest; None for algorithms not known here."""
    algorithm, _, encoded = digest.partition(":")
    hashed = HASHES.get(algorithm)
    return None if hashed is None else hashed(content).hexdigest() == encoded


def signed_payload(text: bytes) -> bytes | None:
    """What a signed schema 1 manifest's digest is over: its text without the signatures.

    Every signature names the same payload, so the first one is enough. None if there is none.
    """
    if b'"signatures"' not in text:
        return None
    try:
        first = msgspec.json.decode(text, type=_Signed).signatures[0]
        protected = msgspec.json.decode(_decode_base64(first.protected), type=_Protected)
        return text[: protected.format_length] + _decode_base64(protected.format_tail)
    except (ValueError, IndexError, RecursionError):
        return None


def _decode_base64(unpadded: str) -> bytes:
    return urlsafe_b64decode(unpadded + "=" * (-len(unpadded) % 4))
