"""The brute force's retention_curve: each rule tried by itself."""

from brute_force_knowledge import Row
from brute_force_registry import Key, Registry
from brute_force_sizes import LARGEST_SUM

MOST = {"tag_rule": 1000, "date_rule": 365}


def retention_curve(registry: Registry) -> list[Row]:
    """One row per scope, kind of rule and number from which on other tags go."""
    everything: list[tuple[str | None, ...]] = [(None, None), *sorted(registry.repositories)]
    return [
        row
        for namespace, repository in everything
        for template in sorted(MOST)
        for row in _curve(registry, namespace, repository, template)
    ]


def _curve(
    registry: Registry, namespace: str | None, repository: str | None, template: str
) -> list[Row]:
    rows: list[Row] = []
    names = [name for name in (namespace, repository) if name is not None]
    keys = registry.within(*names)
    last: set[Key] | None = None
    for keeps in range(1, MOST[template] + 1):
        deleted = {key for key in keys if _goes(registry, key, template, keeps)}
        if deleted != last:
            back, basis = registry.given_back(registry.listed(deleted))
            is_within = back is not None and back <= LARGEST_SUM
            row = {
                "registry": registry.name,
                "scope": "repository" if repository else "registry",
                "namespace": namespace,
                "repository": repository,
                "template": template,
                "keeps": keeps,
                "deleted_tag_count": len(deleted),
                "reclaimable_bytes": back if is_within else None,
                "reclaimable_basis": basis if is_within else "unknown",
                "as_of": registry.as_of,
            }
            rows.append(row)
        last = deleted
        if not deleted:
            break
    return rows


def _goes(registry: Registry, key: Key, template: str, keeps: int) -> bool:
    if template == "date_rule":
        age = registry.age(key, "updated_at")
        return age is not None and age >= keeps
    at = registry.tags[key]["updated_at"]
    others = registry.within(*key[:2])
    newer = [k for k in others if registry.tags[k]["updated_at"] > at]
    tied = [k for k in others if registry.tags[k]["updated_at"] == at and k < key]
    return len(newer) + len(tied) >= keeps
