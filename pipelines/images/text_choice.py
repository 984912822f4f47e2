"""Which of several texts that go by one digest to keep.

Mostly there is one, and it verifies: then its manifest is final. The others wait for a better one.
"""

from collections.abc import Collection, Iterable

from pipelines.images.manifest import Kind, Manifest, read_manifest
from pipelines.images.plain import PlainImages, read_plain


class TextChoice:
    """Reads texts, some at a time; over all of them it chooses one manifest a digest.

    Digests are in their canonical form.
    """

    def __init__(self, final: Collection[str]) -> None:
        """Begin with digests whose manifests are final: their texts are not read."""
        self._final = set(final)
        self._best: dict[str, Manifest] = {}

    def choose_plain(self, texts: Iterable[tuple[str, str]]) -> PlainImages:
        """Read those texts that are plain images, which are final; the others are left to read."""
        new: dict[str, str] = {}
        repeated: list[tuple[str, str]] = []
        for digest, text in texts:
            if digest in new:
                repeated.append((digest, text))
            elif digest not in self._final:
                new[digest] = text
        plain = read_plain(new.items())
        for digest in new.keys() - {other for other, _ in plain.others}:
            self._final.add(digest)
            self._best.pop(digest, None)
        return plain._replace(others=[*plain.others, *repeated])

    def choose(self, texts: Iterable[tuple[str, str]], source: str = "tag") -> list[Manifest]:
        """Read texts given as (digest, text) from a source, and those that indexes embed.

        Returns:
            The final manifests among them, each once.
        """
        chosen = []
        # An embedded text is shorter than the one that embeds it: this comes to an end.
        while texts:
            embedded: list[tuple[str, str]] = []
            for digest, text in texts:
                manifest = self._read(digest, text, source)
                if manifest is not None:
                    embedded += manifest.embedded
                    if manifest.is_final:
                        chosen.append(manifest)
            texts, source = embedded, "embedded"
        return chosen

    def undecided(self) -> list[Manifest]:
        """The best manifest so far of each digest that has no final one."""
        return list(self._best.values())

    def _read(self, digest: str, text: str, source: str) -> Manifest | None:
        """Read a text; None if it cannot be better than the best so far."""
        best = self._best.get(digest)
        if digest in self._final or (best is not None and best.text == text):
            return None
        manifest = read_manifest(text, digest, source)
        if manifest.is_final:
            self._final.add(digest)
            self._best.pop(digest, None)
        elif best is None or _rank(manifest) < _rank(best):
            self._best[digest] = manifest
        return manifest


def _rank(manifest: Manifest) -> tuple[bool, bool, int, str]:
    """Of several texts for one digest, the one of the lowest rank is kept.

    The loader compares texts of different chunks the same way: sql/load/02_macros.sql. Code
    points and bytes of UTF-8 sort alike.
    """
    return (
        manifest.digest_verified is not True,
        manifest.kind is Kind.INVALID,
        manifest.text_bytes,
        manifest.text,
    )
