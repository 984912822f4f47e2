"""What a repository's registry holds by digest: manifests and blobs, tagged or not.

Not thread-safe: `registry` sees to that. Which tag names which digest is in `repository`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_UNKNOWN = "application/octet-stream"


class Manifest(NamedTuple):
    """A manifest as it is pulled: the digest it is known by, and its text, verbatim."""

    digest: str
    text: str

    @property
    def media_type(self) -> str:
        """What its text says that it is, or how it looks where it does not say."""
        parsed = _parsed(self.text)
        if isinstance(stated := parsed.get("mediaType"), str):
            return stated
        if parsed.get("schemaVersion") == 1:
            return _SCHEMA1_SIGNED if "signatures" in parsed else _SCHEMA1
        if "manifests" in parsed:
            return _OCI_INDEX
        return _OCI_IMAGE if "config" in parsed else _UNKNOWN

    @property
    def config_digest(self) -> str | None:
        """Digest of its image's configuration, if it names one."""
        config = _parsed(self.text).get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        return digest if isinstance(digest, str) else None


@dataclass
class Contents:
    """Manifests and blobs that were stored under their digests.

    Attributes:
        manifests: texts by digest.
        blobs: contents by digest.
        blob_sizes: bytes of blobs that are held without their content.
    """

    manifests: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    blob_sizes: dict[str, int] = field(default_factory=dict)


def sha256(content: bytes) -> str:
    """Digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def stated_sizes(text: str) -> Iterator[tuple[str, int]]:
    """Digest and size of each blob that a manifest says the registry stores."""
    parsed = _parsed(text)
    layers = parsed.get("layers")
    for part in (parsed.get("config"), *(layers if isinstance(layers, list) else ())):
        if isinstance(part, dict) and "urls" not in part:
            digest, size = part.get("digest"), part.get("size")
            if isinstance(digest, str) and type(size) is int and size >= 0:
                yield digest, size


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
