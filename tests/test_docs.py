"""Pages that are made from the code are current, and every query of a page runs."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from checkout import ROOT
from ingest_site import PlainSite

from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.server import Emulator
from pipelines.warehouse.catalog import data_dictionary

DOCS = ROOT / "docs"
QUESTION = re.compile(r"^## (\d+\. .*?)$.*?^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUESTIONS = dict(QUESTION.findall((DOCS / "queries.md").read_text()))
DAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSite]:
    """The built-in registry, ingested, moved on by a day and ingested again."""
    registry = built_in_registry(DAY)
    with Emulator(registry) as server:
        site = PlainSite(server, tmp_path_factory.mktemp("demo"))
        site.ingest()
        advance_a_day(registry, DAY)
        site.ingest()
        yield site


def test_the_data_dictionary_is_current() -> None:
    """`make docs` makes it."""
    assert (DOCS / "data-dictionary.md").read_text() == data_dictionary()


def test_questions_are_numbered_as_they_come() -> None:
    """From one, without a gap."""
    numbers = [int(name.split(".")[0]) for name in QUESTIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_an_answer(demo: PlainSite, question: str) -> None:
    """On the demo's registry, by a query that runs as it stands."""
    assert demo.table(QUESTIONS[question]).num_rows > 0
