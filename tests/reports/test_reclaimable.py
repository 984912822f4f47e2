"""What any tags would give back together equals what counting by hand gives."""

from collections.abc import Sequence
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from brute_force_money import monthly_cost
from brute_force_registry import Key, Registry
from described_registry import expand, warehouse, with_what_it_reads
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_registries import registries

from pipelines.errors import WarehouseError
from pipelines.warehouse.reclaimable import count_reclaimable, select_tags
from pipelines.warehouse.reports import build_reports

TOO_BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]
NAMES = ("namespace", "repository", "tag")
# v1 and v2 share `old`, all of them `base`.
DESCRIBED = {
    "tags": {
        "team/app": {"v1": "image-1", "v2": "image-2", "v3": "image-3"},
        "team/tool": {"same": "image-1"},
    },
    "manifests": {
        "image-1": {"config": "config-1 1", "layers": ["base 1000", "old 200"]},
        "image-2": {"config": "config-2 2", "layers": ["base 1000", "old 200"]},
        "image-3": {"config": "config-3 3", "layers": ["base 1000"]},
    },
}

V1, V2, V3 = ("team", "app", "v1"), ("team", "app", "v2"), ("team", "app", "v3")
SAME = ("team", "tool", "same")


def answer(con: duckdb.DuckDBPyConnection, keys: Sequence[Key]) -> dict[str, Any]:
    """The row for these tags."""
    rows = [dict(zip(NAMES, key, strict=True)) for key in keys]
    schema = pa.schema([(name, pa.string()) for name in NAMES])
    [row] = count_reclaimable(con, pa.Table.from_pylist(rows, schema=schema)).to_pylist()
    del row["break_count"]
    return dict(row)


def by_hand(registry: Registry, keys: Sequence[Key], not_live: int) -> dict[str, Any]:
    """The row for these live tags."""
    chosen = registry.listed(keys)
    basis = registry.basis(chosen)
    deduplicated = registry.deduplicated(keys)
    back, back_basis = registry.given_back(chosen)
    return {
        "tag_count": len(keys),
        "not_live_count": not_live,
        "logical_bytes": None if basis == "unknown" else registry.logical(keys),
        "deduplicated_bytes": None if basis == "unknown" else deduplicated,
        "size_basis": basis,
        "reclaimable_bytes": back,
        "shared_bytes": None if back is None else deduplicated - back,
        "reclaimable_basis": back_basis,
        "reclaimable_monthly_cost": monthly_cost(registry, back),
        "currency": registry.run["currency"],
        "as_of": registry.run["as_of"],
    }


@pytest.mark.parametrize(
    ("keys", "logical", "deduplicated", "reclaimable"),
    [
        # Nothing but its configuration, which `same` uses too.
        ([V1], 1201, 1201, 0),
        ([V1, SAME], 2402, 1201, 1),
        ([V1, V2], 2403, 1203, 2),
        # Now `old` goes as well.
        ([V1, V2, SAME], 3604, 1203, 203),
        ([V1, V2, V3, SAME], 4607, 1206, 1206),
        ([], 0, 0, 0),
    ],
)
def test_tags_together_give_back_what_nobody_else_uses(
    keys: list[Key], logical: int, deduplicated: int, reclaimable: int
) -> None:
    """More than each alone; what another tag uses stays, be it of another repository."""
    with warehouse(expand(DESCRIBED)) as con:
        # A tag named twice counts once; one that is not there gives nothing back.
        row = answer(con, [*keys, *keys, ("team", "app", "v0")])
        del row["as_of"]
        assert row == {
            "tag_count": len(keys),
            "not_live_count": 1,
            "logical_bytes": logical,
            "deduplicated_bytes": deduplicated,
            "size_basis": "exact",
            "reclaimable_bytes": reclaimable,
            "shared_bytes": deduplicated - reclaimable,
            "reclaimable_basis": "exact",
            "reclaimable_monthly_cost": None,
            "currency": None,
        }


@settings(max_examples=13, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_any_tags_equal_the_brute_force(description: dict[str, Any], random: Random) -> None:
    """Whatever the registry looks like, and also where parts of it are unknown."""
    assert_equal_by_hand(description, random)


@pytest.mark.soak
@settings(max_examples=200, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_any_tags_of_many_registries_equal_the_brute_force(
    description: dict[str, Any], random: Random
) -> None:
    """The same for two hundred registries."""
    assert_equal_by_hand(description, random)


def assert_equal_by_hand(description: dict[str, Any], random: Random) -> None:
    """Choose few, some and most tags of a registry."""
    tables = expand(description)
    registry = Registry(tables)
    with warehouse(tables) as con:
        for share in (0.2, 0.5, 0.9):
            keys = [key for key in registry.within() if random.random() < share]
            assert answer(con, keys) == by_hand(registry, keys, 0)


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries())
def test_tags_that_reports_choose_give_back_what_the_reports_say(
    description: dict[str, Any],
) -> None:
    """A single tag, stale ones, an age of a repository: the same number two ways."""
    assert_given_back_as_reported(description)


@pytest.mark.soak
@settings(max_examples=100, suppress_health_check=TOO_BIG)
@given(registries())
def test_tags_of_many_registries_give_back_what_the_reports_say(
    description: dict[str, Any],
) -> None:
    """The same for a hundred registries."""
    assert_given_back_as_reported(description)


def assert_given_back_as_reported(description: dict[str, Any]) -> None:
    """Choose tags that reports name, with what they say of them."""
    said_by = ("age_buckets", "stale_tags", "tag_ages", "tag_sizes")
    tables = expand(description)
    unread = Registry(tables).unread
    with warehouse(tables) as con:
        build_reports(con, names={name for said in said_by for name in with_what_it_reads(said)})

        def counted(choice: str) -> tuple[Any, Any]:
            [row] = count_reclaimable(con, select_tags(con, choice)).to_pylist()
            return row["reclaimable_bytes"], row["reclaimable_basis"]

        stale = con.sql("from reports.stale_tags").to_arrow_table().to_pylist()
        for row in stale[:1]:
            said = row["registry_reclaimable_bytes"], row["registry_reclaimable_basis"]
            assert counted("from reports.stale_tags") == said
        single = con.sql("from reports.tag_sizes").to_arrow_table().to_pylist()
        for row in single[:3]:
            name = {key: row[key] for key in NAMES}
            con.register("one", pa.Table.from_pylist([name]))
            assert counted("from one") == (row["reclaimable_bytes"], row["reclaimable_basis"])
        buckets = con.sql("from reports.age_buckets where tag_count > 1").to_arrow_table()
        for row in buckets.to_pylist()[:3]:
            name = {key: row[key] for key in ("namespace", "repository", "age_bucket")}
            con.register("one", pa.Table.from_pylist([name]))
            chosen = "from reports.tag_ages semi join one using (namespace, repository, age_bucket)"
            size, basis = counted(chosen)
            # What was not read of a repository may be of that age; it is none of the tags named.
            if basis == "upper_bound" and (row["namespace"], row["repository"]) in unread:
                basis = "estimate"
            assert (size, basis) == (row["reclaimable_bytes"], row["reclaimable_basis"])


@pytest.mark.parametrize("sql", ["select 1", "select tag from tags"])
def test_a_query_that_gives_no_tags_is_refused(sql: str) -> None:
    """And told what it has to give."""
    with (
        warehouse(expand(DESCRIBED)) as con,
        pytest.raises(WarehouseError, match="columns namespace, repository and tag"),
    ):
        select_tags(con, sql)
