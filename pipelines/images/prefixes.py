"""What identifies a series of layers from the base up: `layers.prefix_digest`."""

import hashlib
from collections.abc import Iterable


def prefix_digests(images: Iterable[list[str]]) -> list[str]:
    """Hash each image's layer digests from the base up to each layer, a line each.

    Neighbours mostly share their base, which is hashed once.
    """
    every: list[str] = []
    digests: list[str] = []
    prefixes: list[str] = []
    for image in images:
        before, digests = digests, image
        shared = _common_length(before, digests)
        hashed = hashlib.sha256("\n".join([*digests[:shared], ""]).encode())
        del prefixes[shared:]
        for digest in digests[shared:]:
            hashed.update(f"{digest}\n".encode())
            prefixes.append(f"sha256:{hashed.hexdigest()}")
        every += prefixes
    return every


def _common_length(one: list[str], other: list[str]) -> int:
    """How many elements two lists begin with in common."""
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared
