"""An image reference or an image id, as container runtimes write them, taken apart.

The host that is left out is docker.io, a single name there is in library, and a name without tag
and digest means the tag latest: that is Docker's reading, and every runtime's.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from pipelines.digests import HASHES, canonical_digest, is_well_formed

_DOCKER_HUB = "docker.io"
_OTHER_NAMES = {"index.docker.io": _DOCKER_HUB, "registry-1.docker.io": _DOCKER_HUB}
_HTTPS = ":443"
_MOST_CHARACTERS = 1000
_SCHEME = re.compile(r"\A[a-zA-Z][a-zA-Z0-9+.-]*://")
_HOST = re.compile(r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d+)?\Z")
_PATH = re.compile(r"\A[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)*\Z")
_TAG = re.compile(r"\A\w[\w.-]{0,127}\Z", re.ASCII)


class Reference(NamedTuple):
    """The parts of a reference. A digest alone has neither host nor names nor tag.

    `namespace` is the first part of the path where it has several.
    """

    host: str | None = None
    namespace: str | None = None
    repository: str | None = None
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        host = self.host
        if host and not _is_host(host):
            # One word is told from a namespace by its capitals alone, as Docker does.
            host = host.upper()
        path = "/".join(part for part in (host, self.namespace, self.repository) if part)
        tag = f":{self.tag}" if self.tag else ""
        if not path:
            return self.digest or ""
        return f"{path}{tag}@{self.digest}" if self.digest else f"{path}{tag}"


def read_reference(text: str, aliases: Mapping[str, str]) -> Reference | None:
    """Take a reference apart; None where it is none.

    Args:
        text: such as `host:5000/team/app:v1@sha256:…`, `docker-pullable://host/app@sha256:…`,
            `docker://sha256:…`, or 64 hex digits.
        aliases: other names, `host` or `host/path`, and the names that they stand for.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    bare = _SCHEME.sub("", text.strip())
    if digest := _lone_digest(bare):
        return Reference(digest=digest)
    name, at, encoded = bare.partition("@")
    digest = canonical_digest(encoded) if at else None
    if digest is not None and not is_well_formed(digest):
        return None
    named = _named(name, aliases)
    if named is None:
        return None
    return named._replace(
        digest=digest, tag=named.tag or (None if digest is not None else "latest")
    )


def _lone_digest(text: str) -> str | None:
    """A digest of a known algorithm, or bare hex digits of its length, without a name."""
    digest = canonical_digest(text)
    is_known = digest.partition(":")[0] in HASHES
    return digest if is_known and is_well_formed(digest) else None


def _named(name: str, aliases: Mapping[str, str]) -> Reference | None:
    """Host, path and tag of a name; None where it is none."""
    before, colon, tag = name.rpartition(":")
    has_tag = bool(colon) and "/" not in tag
    path = before if has_tag else name
    if has_tag and not _TAG.match(tag):
        return None
    host, path = _with_host(path)
    if not _HOST.match(host) or not _PATH.match(path):
        return None
    host, _, path = _resolved(f"{_one_host(host)}/{path}", aliases).partition("/")
    namespace, slash, repository = path.partition("/")
    if not slash:
        namespace, repository = "", path
    return Reference(host, namespace or None, repository, tag if has_tag else None)


def _with_host(path: str) -> tuple[str, str]:
    """Host and path; the host is told from a namespace as Docker does."""
    first, slash, rest = path.partition("/")
    if slash and _is_host(first):
        return first, rest
    return _DOCKER_HUB, path if slash else f"library/{path}"


def _is_host(first: str) -> bool:
    signs = any(sign in first for sign in ".:[")
    return signs or first == "localhost" or first.lower() != first


def _one_host(host: str) -> str:
    lower = host.lower().removesuffix(_HTTPS)
    return _OTHER_NAMES.get(lower, lower)


def _resolved(name: str, aliases: Mapping[str, str]) -> str:
    """A name with the longest alias that it begins with replaced."""
    for alias in sorted(aliases, key=len, reverse=True):
        if name == alias or name.startswith(f"{alias}/"):
            return aliases[alias] + name[len(alias) :]
    return name
