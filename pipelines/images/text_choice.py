"""Of several texts that go by one digest, the one to keep.

Mostly there is one, and it settles the matter: then its manifest is given at once. The others wait
for what else may come.
"""

from collections.abc import Collection, Iterable

from pipelines.images.manifest import Kind, Manifest, read_manifest


class TextChoice:
    """Reads texts, some at a time; over all of them gives one manifest a digest."""

    def __init__(self, settled: Collection[str]) -> None:
        """Begin with digests whose matter is settled: their texts are not read."""
        self._settled = set(settled)
        self._best: dict[str, Manifest] = {}

    def choose(self, texts: Iterable[tuple[str, str]]) -> list[Manifest]:
        """Read texts given as (digest, text).

        Returns:
            The manifests that no other text can better, each once.
        """
        return [
            manifest
            for digest, text in texts
            if digest not in self._settled and (manifest := self._settling(digest, text))
        ]

    def undecided(self) -> list[Manifest]:
        """The best manifest of each digest that no text has settled."""
        return list(self._best.values())

    def _settling(self, digest: str, text: str) -> Manifest | None:
        """Read a text; None if a better one may come, or has come."""
        known = self._best.get(digest)
        if known is not None and known.text == text:
            return None
        manifest = read_manifest(text, digest)
        if manifest.is_settled:
            self._settled.add(digest)
            self._best.pop(digest, None)
            return manifest
        rival = self._best.setdefault(manifest.digest, manifest)
        if _badness(manifest) < _badness(rival):
            self._best[manifest.digest] = manifest
        return None


def _badness(manifest: Manifest) -> tuple[bool, bool, int, str]:
    """Of several texts for one digest the one with the least is kept.

    The loader, which meets one text in one chunk and another in the next, compares the same way:
    sql/load. Code points and bytes of UTF-8 sort alike.
    """
    return (
        manifest.digest_verified is not True,
        manifest.kind is Kind.INVALID,
        manifest.text_bytes,
        manifest.text,
    )
