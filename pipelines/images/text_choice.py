"""Which of several texts that go by one digest to keep.

Mostly there is one, and it verifies: then its manifest is final. The others wait for a better one.
"""

from collections import deque
from collections.abc import Collection, Iterable

from pipelines.digests import canonical_digest
from pipelines.images.manifest import Kind, Manifest, read_manifest


class TextChoice:
    """Reads texts, some at a time; over all of them it chooses one manifest a digest."""

    def __init__(self, settled: Collection[str]) -> None:
        """Begin with digests that are settled: their texts are not read."""
        self._settled = set(settled)
        self._best: dict[str, Manifest] = {}

    def choose(self, texts: Iterable[tuple[str, str]]) -> list[Manifest]:
        """Read texts given as (digest, text), and those that indexes embed.

        Returns:
            The manifests that no other text can better, each once.
        """
        waiting = deque((digest, text, "tag") for digest, text in texts)
        chosen = []
        while waiting:
            manifest = self._read(*waiting.popleft())
            if manifest is None:
                continue
            # An embedded text is shorter than the one that embeds it: this comes to an end.
            waiting.extend((*embedded, "embedded") for embedded in manifest.embedded)
            if manifest.is_settled:
                chosen.append(manifest)
        return chosen

    def undecided(self) -> list[Manifest]:
        """The best manifest of each digest that no text has settled."""
        return list(self._best.values())

    def _read(self, digest: str, text: str, source: str) -> Manifest | None:
        """Read a text; None if it cannot be better than what there is."""
        canonical = canonical_digest(digest)
        best = self._best.get(canonical)
        if canonical in self._settled or (best is not None and best.text == text):
            return None
        manifest = read_manifest(text, canonical, source)
        if manifest.is_settled:
            self._settled.add(canonical)
            self._best.pop(canonical, None)
        elif best is None or _rank(manifest) < _rank(best):
            self._best[canonical] = manifest
        return manifest


def _rank(manifest: Manifest) -> tuple[bool, bool, int, str]:
    """Of several texts for one digest, the one of the lowest rank is kept.

    The loader, which meets one text in one chunk and another in the next, compares the same way
    in sql/load. Code points and bytes of UTF-8 sort alike.
    """
    return (
        manifest.digest_verified is not True,
        manifest.kind is Kind.INVALID,
        manifest.text_bytes,
        manifest.text,
    )
