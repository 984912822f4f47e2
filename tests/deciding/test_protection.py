"""What `plan` leaves alone by when tags were pulled, told by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.deciding.protection import Protection
from pipelines.errors import NoPullsKnown

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")


def tags(*ages: tuple[int | None, int | None]) -> pa.Table:
    """Tags of one repository by how many days ago each was updated and pulled."""

    def moments(place: int) -> Any:
        days = [age[place] for age in ages]
        return pa.array([None if n is None else AS_OF - timedelta(days=n) for n in days], MOMENT)

    count = len(ages)
    return pa.table(
        {
            "namespace": ["shop"] * count,
            "repository": ["cart"] * count,
            "tag": [f"v{number}" for number in range(count)],
            "manifest_digest": [f"image-{number}" for number in range(count)],
            "updated_at": moments(0),
            "known_updated_at": moments(0),
            "pulled_at": moments(1),
        }
    )


def spared(protection: Protection, table: pa.Table) -> list[bool]:
    """Of each tag whether it stays."""
    nobody = np.zeros(table.num_rows, np.bool_)
    return [bool(stays) for stays in protection.protects(table, AS_OF, nobody)]


@pytest.mark.parametrize(
    ("updated", "pulled", "stays"),
    [
        (90, 90, False),
        (90, 30, False),
        (90, 29, True),
        (29, 90, True),
        (90, None, False),
        (29, None, True),
        (None, 90, True),
        (None, None, True),
    ],
)
def test_the_later_of_pull_and_update_counts(
    updated: int | None, pulled: int | None, *, stays: bool
) -> None:
    """For 30 days. One never pulled goes by its update; without a date of that it stays."""
    table = tags((updated, pulled), (500, 400))
    assert spared(Protection(not_pulled_for=30), table) == [stays, False]


def test_without_any_pull_nothing_is_guessed() -> None:
    """It is refused, as it would be where nothing is ever pulled; no tag at all is no reason to."""
    with pytest.raises(NoPullsKnown):
        spared(Protection(not_pulled_for=30), tags((90, None), (80, None)))
    assert spared(Protection(not_pulled_for=30), tags((90, None)).slice(0, 0)) == []
