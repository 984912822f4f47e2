"""Killed at any moment, a run leaves the warehouse of before or of after, and is taken up."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_site import AT, manifest
from killed_runs import COMMAND, RENAMING, REPOSITORIES, CrawlOutcome, Proof
from plain_run import STAGES

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.landing import writer as landing


@pytest.fixture
def proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proof]:
    """Repositories behind 40 ms of latency, and a warehouse of two runs: nothing new is usual."""
    registry = Registry()
    for number in range(REPOSITORIES):
        for tag in range(3):
            text = manifest(("base", 1000), (f"a{number}", 10), (f"t{number % 7}-{tag}", 5))
            registry.push("shop", f"app{number}", f"v{tag}", text, at=AT + timedelta(minutes=tag))
    # Written often, so that a crawl of a second leaves finished repositories behind.
    monkeypatch.setattr(landing, "_PART_SECONDS", 0.1)
    with Emulator(registry, latency_seconds=0.04) as server:
        monkeypatch.setenv("SWR_ENDPOINT", server.url)
        monkeypatch.setenv("SWR_AUTH_TOKEN", "emulator-token")
        monkeypatch.setenv("SWR_REQUESTS_PER_SECOND", "0")
        monkeypatch.setenv("SWR_CONCURRENCY", "2")
        monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
        found = Proof(server, tmp_path / "warehouse", random.Random(20261124))
        found.finish()
        found.change()
        found.finish()
        yield found


def run_kills(proof: Proof, targets: list[str | None]) -> None:
    """Kill once at each target; two in five dead runs are followed by one that ends."""
    for target in targets:
        if target == "crawl" and proof.finished:
            proof.finish()  # or there would be little left to read
        proof.change()
        proof.attempt(target)
        if proof.draw.random() < 0.4:
            proof.finish()
    proof.finish()


def test_a_killed_run_leaves_before_or_after_and_is_taken_up(proof: Proof) -> None:
    """A few kills, one in each stage and on each side of the rename."""
    run_kills(proof, [*STAGES[:3], *RENAMING])
    before, after = proof.outcomes[-2:]
    assert (before.published, after.published) == (False, True)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_a_thousand_kills(
    proof: Proof, part: int, record_property: Callable[[str, object], None]
) -> None:
    """Fifty each: 21 at any moment, 20 aimed at a stage, 4 beside the rename, 5 of the command."""
    proof.draw.seed(part)
    targets: list[str | None] = [None] * 21
    targets += [*STAGES * 5, *RENAMING, *RENAMING, *[COMMAND] * 5]
    proof.draw.shuffle(targets)
    try:
        run_kills(proof, targets)
    finally:
        record_property("printed", told(proof.outcomes))
    assert len(proof.outcomes) == 50


def told(outcomes: list[CrawlOutcome]) -> str:
    """The table of kills by stage."""
    stages = Counter(outcome.stage for outcome in outcomes)
    published = Counter(outcome.stage for outcome in outcomes if outcome.published)
    lines = [f"\n{'killed in':<45}{'kills':>6}{'found before':>14}{'found after':>13}"]
    lines += [
        f"{stage:<45}{kills:>6}{kills - published[stage]:>14}{published[stage]:>13}"
        for stage, kills in sorted(stages.items())
    ]
    taken_up = sum(outcome.finished > 0 for outcome in outcomes)
    lines.append(f"{len(outcomes)} kills without a row lost or doubled; {taken_up} left finished")
    lines.append("repositories behind, none of which was fetched again.")
    return "\n".join(lines)
