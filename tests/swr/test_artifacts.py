"""Artifacts are told as tag records; a list that moves is not taken for whole with one missing."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec
import pytest

from pipelines.swr.artifacts import MAXIMUM_LIMIT, ArtifactPage, artifact_page, read_artifacts
from pipelines.swr.paging import CrawlOutcome, CrawlStatus, Page

PUSHED, LATER, NEVER = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", "0001-01-01T00:00:00Z"
DIGEST = "sha256:" + "a" * 64


def artifact(number: int, *tags: str, at: str = PUSHED) -> dict[str, Any]:
    """An artifact as the API tells it."""
    named = [{"name": tag, "push_time": at, "pull_time": NEVER} for tag in tags]
    digest = f"sha256:{number:064x}"
    return {"digest": digest, "size": number, "push_time": at, "tags": named or None}


def answer(artifacts: Sequence[object], total: int | None = None) -> bytes:
    """An answer of the artifacts call."""
    count = len(artifacts) if total is None else total
    return json.dumps({"artifacts": artifacts, "total": count}).encode()


def test_each_tag_of_an_artifact_is_a_record() -> None:
    """With its own times; one that has no time of its push has the artifact's."""
    tags = [
        {"id": 7, "name": "v1", "push_time": LATER, "pull_time": NEVER},
        {"name": "old", "push_time": None, "pull_time": LATER},
    ]
    body = answer([{"digest": DIGEST, "size": 5, "push_time": PUSHED, "tags": tags}])
    page = artifact_page(body)
    assert json.loads(page.tags.body) == [
        {
            "Tag": "v1", "id": 7, "digest": DIGEST, "size": 5,
            "updated": LATER, "pulled": NEVER,
        },
        {
            "Tag": "old", "id": None, "digest": DIGEST, "size": 5,
            "updated": PUSHED, "pulled": LATER,
        },
    ]  # fmt: skip
    assert [record.key for record in page.tags.records] == ["v1", "old"]
    assert page.total == 1


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"artifacts": 7}', b'{"artifacts": [1}'])
def test_what_is_no_list_of_artifacts_is_refused(body: bytes) -> None:
    """Whatever else it is."""
    with pytest.raises(msgspec.MsgspecError):
        artifact_page(body)


def test_an_odd_artifact_is_a_record_that_counts_and_closes_nothing() -> None:
    """It may be any tag: what is not listed beside it need not be gone."""
    body = answer([artifact(1, "v1"), {"digest": 7, "tags": "none"}, "text"])
    outcome, landed = read([lambda: body])
    assert (outcome.status, outcome.lists_everything, outcome.received) == (
        CrawlStatus.COMPLETE,
        False,
        3,
    )
    assert sorted(key[:7] for key in landed) == ["#sha256", "#sha256", "v1"]


def read(bodies: Sequence[Callable[[], bytes]]) -> tuple[CrawlOutcome, set[str]]:
    """Read a list of which each page is asked for once; give the keys that are to be loaded."""
    asked = iter(bodies)
    return read_by(lambda _: artifact_page(next(asked)()))


def read_by(ask: Callable[[int], ArtifactPage]) -> tuple[CrawlOutcome, set[str]]:
    """Read a list; give the keys that are to be loaded."""
    landed: list[tuple[int, str]] = []

    def land(walk: int, page: Page, kept: Sequence[int]) -> None:
        landed.extend((walk, page.records[place].key) for place in kept)

    outcome = read_artifacts(ask, land)
    return outcome, {key for walk, key in landed if walk >= outcome.first_walk}


def test_a_single_page_is_proof() -> None:
    """No tag at all is proof as well; a total that promises more is none."""
    assert read([lambda: answer([])])[0].status is CrawlStatus.COMPLETE
    full = [artifact(number, f"v{number}") for number in range(MAXIMUM_LIMIT)]
    outcome, keys = read([lambda: answer(full)])
    assert (outcome.status, outcome.pages, len(keys)) == (CrawlStatus.COMPLETE, 1, MAXIMUM_LIMIT)
    short = [lambda: answer(full[1:], MAXIMUM_LIMIT)] * 4
    outcome, _ = read(short)
    assert (outcome.status, outcome.walks, outcome.lists_everything) == (
        CrawlStatus.INCOMPLETE,
        4,
        False,
    )


class Moving:
    """A list that changes between two requests with some chance; `always` never left it."""

    def __init__(self, random: Random, size: int, chance: float) -> None:
        self.random, self.chance = random, chance
        self.numbers = list(range(size))
        random.shuffle(self.numbers)
        self.always = set(self.numbers)
        self.ever = set(self.numbers)
        self.next = size

    def ask(self, offset: int) -> ArtifactPage:
        """A page; then the list may change."""
        page = [artifact(n, f"v{n}") for n in self.numbers[offset : offset + MAXIMUM_LIMIT]]
        body = answer(page, len(self.numbers))
        while self.random.random() < self.chance:
            self.change()
        return artifact_page(body)

    def change(self) -> None:
        """One artifact goes, or one comes, or both, anywhere."""
        kind = self.random.choice(["goes", "comes", "both"])
        if kind != "comes" and self.numbers:
            gone = self.numbers.pop(self.random.randrange(len(self.numbers)))
            self.always.discard(gone)
        if kind != "goes":
            self.numbers.insert(self.random.randint(0, len(self.numbers)), self.next)
            self.ever.add(self.next)
            self.next += 1


def test_a_reading_that_is_complete_has_all_that_was_there_throughout() -> None:
    """And nothing that never was; one of a list that stays as it is is complete."""
    for seed in range(300):
        random = Random(seed)
        chance = random.choice([0.0, 0.02, 0.1, 0.5])
        registry = Moving(random, random.randint(0, 450), chance)
        outcome, keys = read_by(registry.ask)
        assert keys <= {f"v{number}" for number in registry.ever}
        if outcome.status is CrawlStatus.COMPLETE:
            assert {f"v{number}" for number in registry.always} <= keys
        if not chance:
            assert outcome.status is CrawlStatus.COMPLETE
            assert outcome.received == len(registry.numbers)
