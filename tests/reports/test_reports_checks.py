"""Every check is silent on a sound warehouse, and finds what it is there to find."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from damages import DAMAGES, SOUND
from described_registry import expand, warehouse

from pipelines.errors import CheckFailed
from pipelines.warehouse.checks import CheckOutcome, check_names, raise_if_blocked, run_checks
from pipelines.warehouse.reports import build_reports


@pytest.fixture(scope="module")
def sound() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that is in order, reports built."""
    with warehouse(expand(SOUND)) as con:
        build_reports(con)
        yield con


def test_a_sound_warehouse_passes_every_check(sound: duckdb.DuckDBPyConnection) -> None:
    """No check finds anything in a warehouse that is in order, even if parts are unread."""
    assert [outcome.name for outcome in run_checks(sound) if outcome.count] == []


def test_an_empty_warehouse_passes_every_check() -> None:
    """A warehouse before its first run is in order."""
    with warehouse(expand({})) as con:
        build_reports(con)
        assert [outcome.name for outcome in run_checks(con) if outcome.count] == []


def test_every_check_has_a_damage_it_must_find() -> None:
    """No check is without a proof that it can fail."""
    assert sorted(DAMAGES) == check_names()


@pytest.mark.parametrize("name", DAMAGES)
def test_a_check_finds_its_damage(sound: duckdb.DuckDBPyConnection, name: str) -> None:
    """Each check finds the damage it is there for and shows at most ten of its rows."""
    sound.execute("begin")
    sound.execute(DAMAGES[name])
    [found] = run_checks(sound, [name])
    sound.execute("rollback")
    assert found.count > 0
    assert found.sample.num_rows == min(found.count, 10)


def test_what_may_be_so_in_truth_only_warns() -> None:
    """Every check blocks publishing, but those about what the registry said and how it grows."""
    with warehouse(expand({})) as con:
        build_reports(con)
        warnings = [outcome.name for outcome in run_checks(con) if not outcome.is_blocking]
    assert warnings == [
        "crawls__complete_ones_hold_every_tag",
        "daily_growth__complete_share_holds",
        "daily_growth__is_usual",
    ]


def test_counted_records_stand_for_themselves_but_not_for_a_live_tag() -> None:
    """A deleted record counts towards what the registry said, a rejected copy of a live tag
    does not.
    """
    counted = [
        {"record_key": "gone", "reason": "deleted", "fingerprint": "x"},
        {"record_key": "v1", "reason": "rejected", "fingerprint": "y"},
    ]
    description = {
        "tags": {"team/app": {"v1": "image"}},
        "expected": {"team/app": 2},
        "counted": [{"in": "team/app", **row} for row in counted],
        "manifests": {"image": {"layers": ["base 100"]}},
    }
    with warehouse(expand(description)) as con:
        build_reports(con)
        assert [outcome.name for outcome in run_checks(con) if outcome.count] == []


def outcome(rule: str, *, is_blocking: bool, count: int) -> CheckOutcome:
    """An outcome of a check of table `tags`."""
    sample = pa.table({"tag": ["v1"][:count]})
    return CheckOutcome(f"tags__{rule}", is_blocking=is_blocking, count=count, sample=sample)


def test_the_refusal_names_each_failed_blocking_check_with_its_count() -> None:
    """The refusal says what failed and how often; warnings and clean checks are left out."""
    outcomes = [
        outcome("one", is_blocking=True, count=3),
        outcome("two", is_blocking=True, count=0),
        outcome("three", is_blocking=False, count=5),
        outcome("four", is_blocking=True, count=1),
    ]
    with pytest.raises(
        CheckFailed, match=r"2 blocking checks.*: tags__one \(3\), tags__four \(1\)"
    ):
        raise_if_blocked(outcomes)


def test_a_warehouse_with_warnings_alone_is_not_refused() -> None:
    """A warning does not keep a warehouse from being published."""
    raise_if_blocked([outcome("three", is_blocking=False, count=5)])
