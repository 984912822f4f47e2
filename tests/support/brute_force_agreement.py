"""The brute force's retention_agreement: every reading held against every execution."""

from fractions import Fraction
from itertools import product

from brute_force_coverage import DOCUMENTED
from brute_force_knowledge import Row
from brute_force_registry import Registry

COUNTS = ("tag_count", "logged_count", "predicted_count", "agreed_count")


def retention_agreement(registry: Registry) -> list[Row]:
    """One row per scope and reading."""
    fits = list(registry.rows("retention_fits"))
    names = sorted({(row["namespace"], row["repository"]) for row in fits})
    scopes: list[tuple[str | None, str | None]] = [(None, None), *names] if fits else []
    return [row for scope in scopes for row in _scope(registry, fits, *scope)]


def _scope(
    registry: Registry, fits: list[Row], namespace: str | None, repository: str | None
) -> list[Row]:
    own = [
        row
        for row in fits
        if namespace is None or (row["namespace"], row["repository"]) == (namespace, repository)
    ]
    values = [sorted({row[name] for row in own if row[name]}) or [None] for name in DOCUMENTED]
    found = []
    for reading in (dict(zip(DOCUMENTED, v, strict=True)) for v in product(*values)):
        fitting = [row for row in own if all(row[n] in (None, v) for n, v in reading.items())]
        tags, logged, predicted, agreed = (sum(row[name] for row in fitting) for name in COUNTS)
        either = logged + predicted - agreed
        row = {
            "registry": registry.name,
            "scope": "repository" if repository else "registry",
            "namespace": namespace,
            "repository": repository,
            **reading,
            "execution_count": len(fitting),
            "tag_count": tags,
            "logged_tag_count": logged,
            "predicted_tag_count": predicted,
            "agreed_tag_count": agreed,
            "agreement_percent": float(Fraction(100 * agreed, either)) if either else None,
            "is_documented": all(v in (None, DOCUMENTED[n]) for n, v in reading.items()),
            "as_of": registry.as_of,
        }
        found.append(row)
    best = max(
        (row["agreement_percent"] for row in found if row["agreement_percent"] is not None),
        default=None,
    )
    for row in found:
        row["is_best"] = best is not None and row["agreement_percent"] == best
    return sorted(found, key=_order)


def _order(row: Row) -> tuple[object, ...]:
    percent = row["agreement_percent"]
    switches = [(row[name] is None, row[name] or "") for name in DOCUMENTED]
    return (percent is None, -(percent or 0), not row["is_documented"], *switches)
