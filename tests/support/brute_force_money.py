"""The brute force's tables about money: costs, in exact fractions."""

from decimal import Decimal
from fractions import Fraction
from math import floor

from brute_force_knowledge import Row
from brute_force_registry import Registry
from brute_force_sizes import namespace_sizes, repository_sizes

GIGABYTE = 2**30


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
