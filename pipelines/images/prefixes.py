"""Series of layers from the base up: those that manifests begin with alike are kept once.

What identifies one is `layers.prefix_digest`, a hash of its layers' digests, a line each.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol


class _Layer(Protocol):
    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> int | None: ...
    @property
    def media_type(self) -> str | None: ...


class Prefixes:
    """The distinct series of some manifests; each has a place, in columns about its last layer."""

    def __init__(self) -> None:
        """Begin with none."""
        self.positions: list[int] = []
        self.digests: list[str] = []
        self.sizes: list[int | None] = []
        self.media_types: list[str | None] = []
        self._hashes: list[Any] = []
        self._places: dict[tuple[int, str, int | None, str | None], int] = {}

    def add(self, layers: Iterable[_Layer]) -> list[int]:
        """Give the place of each series that these layers, the base first, begin with."""
        place = -1
        places = []
        for layer in layers:
            key = (place, layer.digest, layer.size, layer.media_type)
            found = self._places.get(key)
            if found is None:
                found = self._places[key] = self._keep(*key)
            place = found
            places.append(place)
        return places

    def prefix_digests(self) -> list[str]:
        """What identifies each series."""
        return [f"sha256:{hashed.hexdigest()}" for hashed in self._hashes]

    def _keep(self, below: int, digest: str, size: int | None, media_type: str | None) -> int:
        is_base = below < 0
        hashed = hashlib.sha256() if is_base else self._hashes[below].copy()
        hashed.update(f"{digest}\n".encode())
        self._hashes.append(hashed)
        self.positions.append(0 if is_base else self.positions[below] + 1)
        self.digests.append(digest)
        self.sizes.append(size)
        self.media_types.append(media_type)
        return len(self.digests) - 1
