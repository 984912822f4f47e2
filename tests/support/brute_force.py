"""The slow and obvious reference for every report: tables in, rows of reports out.

Written from the rules of docs/sizes.md in plain Python over rows of plain dicts; shares no code
and no SQL with the product. Takes the rows of `main` and `ingest` as they were after each run, for
what is past stays as it was written. Words (`detail`, `remedy`) are left out.
"""

from collections.abc import Callable, Sequence

from brute_force_agreement import retention_agreement
from brute_force_coverage import retention_coverage
from brute_force_curve import retention_curve
from brute_force_followers import orphaned_followers, stale_tags
from brute_force_gaps import gaps
from brute_force_growth import namespace_growth, repository_growth
from brute_force_history import Day, daily_growth, tag_events
from brute_force_integrity import integrity
from brute_force_knowledge import Row, Tables
from brute_force_layers import base_images, label_sizes, shared_layers
from brute_force_money import cold_repositories, costs
from brute_force_registry import Registry
from brute_force_sizes import (
    age_buckets,
    namespace_sizes,
    registry_size,
    repository_sizes,
    tag_ages,
    tag_sizes,
    within_bigint,
)
from brute_force_use import running_untagged, tag_use

REPORTS: dict[str, Callable[[Registry], list[Row]]] = {
    "age_buckets": age_buckets,
    "base_images": base_images,
    "cold_repositories": cold_repositories,
    "costs": costs,
    "gaps": gaps,
    "label_sizes": label_sizes,
    "namespace_sizes": namespace_sizes,
    "orphaned_followers": orphaned_followers,
    "registry_size": registry_size,
    "repository_sizes": repository_sizes,
    "retention_agreement": retention_agreement,
    "retention_coverage": retention_coverage,
    "retention_curve": retention_curve,
    "shared_layers": shared_layers,
    "stale_tags": stale_tags,
    "tag_ages": tag_ages,
    "running_untagged": running_untagged,
    "tag_sizes": tag_sizes,
    "tag_use": tag_use,
}
LIMITED = ("age_buckets", "namespace_sizes", "registry_size", "repository_sizes")
SCOPES = ("namespace_sizes", "registry_size", "repository_sizes")


def reports(snapshots: Sequence[Tables]) -> dict[str, list[Row]]:
    """Compute every report from the tables after each run; each run added one row of `runs`."""
    latest = snapshots[-1]
    names = sorted({run["registry"] for run in latest["runs"]})
    registries = [Registry(latest, name) for name in names]
    found = {
        name: [row for registry in registries for row in report(registry)]
        for name, report in REPORTS.items()
    }
    sizes = [row for name in SCOPES for row in found[name]]
    found["integrity"] = integrity(registries, sizes)
    for name in LIMITED:
        found[name] = list(map(within_bigint, found[name]))
    past = days(snapshots)
    found["tag_events"] = [event for day in past for event in tag_events(day)]
    found["daily_growth"] = list(map(daily_growth, past))
    found["namespace_growth"] = [row for day in past for row in namespace_growth(day)]
    found["repository_growth"] = [row for day in past for row in repository_growth(day)]
    return found


def days(snapshots: Sequence[Tables]) -> list[Day]:
    """Each run beside the one before it of the same registry."""
    past: list[Day] = []
    reported: set[str] = set()
    for tables in snapshots:
        [run] = [run for run in tables["runs"] if run["run_id"] not in reported]
        reported.add(run["run_id"])
        before = [day for day in past if day.registry.name == run["registry"]]
        past.append(Day(Registry(tables, run["registry"]), before[-1] if before else None))
    return past
