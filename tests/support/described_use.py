"""What described runs know of what runs: snapshots, kept before each.

A run's `in_use` has snapshots, each of a `cluster`, some `hours_ago`, with `references`: texts
`image | image id | found in | containers`, of which all but the first may be left out. An image is
`host/namespace/repository:tag@digest`; what begins with @ is a digest alone.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from described_runs import Row, Run, row_of


def snapshots_of_use(runs: Sequence[Run]) -> Iterator[Row]:
    """A row each."""
    for run, number, described in _described(runs):
        at = run.as_of - timedelta(hours=described.get("hours_ago", 1))
        yield row_of(
            "in_use_snapshots",
            snapshot_id=f"{run.run_id}-{number}",
            cluster=described["cluster"],
            taken_at=at,
            kept_at=at,
        )


def references(runs: Sequence[Run]) -> Iterator[Row]:
    """A row for each reference of each."""
    for run, number, described in _described(runs):
        for text in described["references"]:
            image, image_id, found_in, count = _parts(text)
            parts = _taken_apart(image_id)
            yield row_of(
                "in_use_references",
                snapshot_id=f"{run.run_id}-{number}",
                reference=f"{image} {image_id}".strip(),
                image=image or None,
                image_id=image_id or None,
                found_in=found_in or "pod",
                container_count=int(count or 1),
                **_taken_apart(image),
                **{f"id_{name}": parts[name] for name in parts if name != "tag"},
                is_readable="?" not in text,
            )


def _described(runs: Sequence[Run]) -> Iterator[tuple[Run, int, Row]]:
    for run in runs:
        for number, described in enumerate(run.described.get("in_use", []), start=1):
            yield run, number, described


def _parts(text: str) -> list[str]:
    words = [word.strip() for word in text.split("|")]
    return words + [""] * (4 - len(words))


def _taken_apart(text: str) -> Row:
    name, _, digest = text.partition("@")
    path, _, tag = name.partition(":")
    host, _, rest = path.partition("/")
    namespace, _, repository = rest.partition("/")
    parts = {
        "host": host,
        "namespace": namespace,
        "repository": repository,
        "tag": tag,
        "digest": digest,
    }
    return {part: value or None for part, value in parts.items()}
