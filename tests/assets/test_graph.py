"""The whole graph in one reviewed file: whatever changes it shows there."""

from pathlib import Path

from graph_text import graph_text


def test_the_graph_is_the_reviewed_one() -> None:
    """Keys, groups, dependencies, checks, jobs, schedules and sensors; `make docs` writes it."""
    assert graph_text() == (Path(__file__).parent / "graph.txt").read_text()
