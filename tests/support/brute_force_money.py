"""The brute force's tables about what storage costs and who uses it: costs, cold_repositories."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

from brute_force_knowledge import Row
from brute_force_registry import Name, Registry, name_of
from brute_force_sizes import namespace_sizes, repository_sizes

GIGABYTE = 2**30
COPIED = (
    "registry",
    "namespace",
    "repository",
    "download_count",
    "tag_count",
    "newest_updated_at",
    "deduplicated_bytes",
    "size_basis",
    "exclusive_bytes",
    "exclusive_basis",
    "as_of",
)


def costs(registry: Registry) -> list[Row]:
    """One row per namespace, each before its repositories, where there is a price."""
    if registry.run["price_per_gb_month"] is None:
        return []
    price, until, rows = Fraction(registry.run["price_per_gb_month"]), 0, []
    for space in namespace_sizes(registry):
        inside = []
        for row in repository_sizes(registry):
            if row["namespace"] == space["namespace"]:
                before = _cents(until, price)
                until += row["allocated_bytes"] or 0
                inside.append((row, _cents(until, price) - before))
        whole = (space | {"repository": None}, sum(cents for _, cents in inside))
        rows += [_row(registry, row, cents) for row, cents in (whole, *inside)]
    return rows


def monthly_cost(registry: Registry, size: int | None) -> Decimal | None:
    """What some bytes cost by the run's price, where both are known."""
    price = registry.run["price_per_gb_month"]
    if size is None or price is None:
        return None
    return Decimal(_cents(size, Fraction(price))).scaleb(-2)


def _cents(size: int, price: Fraction) -> int:
    return floor(size * price * 100 / GIGABYTE + Fraction(1, 2))


def _row(registry: Registry, sizes: Row, cents: int) -> Row:
    copied = ("registry", "namespace", "repository", "allocated_bytes", "allocated_basis", "as_of")
    is_known = sizes["allocated_bytes"] is not None
    return {
        **{name: sizes[name] for name in copied},
        "monthly_cost": Decimal(cents).scaleb(-2) if is_known else None,
        "currency": registry.run["currency"],
        "price_per_gb_month": registry.run["price_per_gb_month"],
    }


def cold_repositories(registry: Registry) -> list[Row]:
    """One row per live repository, by going through the counts that runs found."""
    moments = {run["run_id"]: run["as_of"] for run in registry.runs}
    rows = []
    for row in repository_sizes(registry):
        name = (row["namespace"], row["repository"])
        born = registry.repositories[name]["first_seen_at"]
        pulls = _own_pulls(registry, name)
        found = {
            moments[count["run_id"]]: count["download_count"]
            for count in registry.rows("download_counts")
            if name_of(count) == name and moments[count["run_id"]] >= born
        }
        since, own_changes = _last_use(dict(sorted(found.items())), pulls)
        rows.append(
            {
                **{column: row[column] for column in COPIED},
                "unchanged_since": since,
                "unchanged_days": registry.days_since(since),
                "own_change_count": own_changes,
                "own_pull_count": len(pulls),
            }
        )
    return rows


def _own_pulls(registry: Registry, name: Name) -> list[datetime]:
    rows = [row for row in registry.rows("pulls") if name_of(row) == name]
    kinds = ("manifest", "config")
    return [r["asked_at"] for r in rows if r["kind"] in kinds and r["outcome"] != "missing"]


def _last_use(
    counts: dict[datetime, int], pulls: list[datetime]
) -> tuple[datetime | None, int | None]:
    since, own_changes = None, None
    before, count_before = None, 0
    for at, count in counts.items():
        own = 0 if before is None else sum(before <= pull < at for pull in pulls)
        if before is None or not 0 <= count - count_before <= own:
            since, own_changes = at, 0
        else:
            own_changes = (own_changes or 0) + 1
        before, count_before = at, count
    return since, own_changes
