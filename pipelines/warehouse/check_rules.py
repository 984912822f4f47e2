"""Checks that are one rule for many tables, a line each.

A rule that says something of its own is a file of `sql/checks`; `checks` runs both.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A query that finds the rows that break a rule; `name` is `<table>__<rule>`."""

    name: str
    severity: str
    meaning: str
    sql: str

    @property
    def is_blocking(self) -> bool:
        """Whether a row found keeps the warehouse from being published."""
        return self.severity == "error"


def unique(table: str, columns: str, severity: str = "error") -> Check:
    """No two rows of a table have the same values in these columns."""
    return Check(
        _name(table, "key_is_unique"),
        severity,
        f"One row per {columns}.",
        f"select {columns}, count(*) as row_count"  # noqa: S608 - names of our own
        f" from {table} group by {columns} having count(*) > 1",
    )


def exists(table: str, kind: str, columns: str, known: str, severity: str = "error") -> Check:
    """What these columns of every row name is among the rows of the query `known`."""
    return Check(
        _name(table, f"{kind}_exists"),
        severity,
        f"Every row belongs to a {kind} that is there.",
        f"from {table} anti join ({known}) as known using ({columns})",
    )


def not_negative(table: str, columns: str, severity: str = "error") -> Check:
    """None of these columns is below zero."""
    found = " or ".join(f"{column} < 0" for column in columns.split(", "))
    return Check(
        _name(table, "no_negative_bytes"),
        severity,
        "No bytes are negative.",
        f"from {table} where {found}",
    )


def _name(table: str, rule: str) -> str:
    return f"{table.split('.')[1]}__{rule}"


_MANIFESTS = "select manifest_digest from main.manifests"
_INDEXES = "select manifest_digest as index_digest from main.manifests"
_LIVE_REPOSITORIES = (
    "select registry, namespace, repository from main.repositories"
    " where deleted_detected_at is null"
)
_SCOPE_BYTES = (
    "logical_bytes, deduplicated_bytes, saved_bytes, exclusive_bytes, shared_bytes, allocated_bytes"
)
_LEDGER_BYTES = (
    "logical_bytes, deduplicated_bytes, saved_bytes,"
    " one_tag_bytes, one_repository_bytes, one_namespace_bytes, many_namespaces_bytes"
)
_SHARE_BYTES = "allocated_before_bytes, added_bytes, orphaned_bytes, allocated_after_bytes"
_GROWTH_BYTES = "deduplicated_before_bytes, added_bytes, orphaned_bytes, deduplicated_after_bytes"

RULES = (
    unique("ingest.layer_prefixes", "prefix_key"),
    unique("ingest.manifest_prefixes", "manifest_digest"),
    unique("main.manifests", "manifest_digest"),
    unique("main.platforms", "index_digest, position"),
    unique("main.repositories", "registry, namespace, repository"),
    unique("main.tags", "registry, namespace, repository, tag"),
    exists("ingest.manifest_prefixes", "manifest", "manifest_digest", _MANIFESTS),
    exists("main.platforms", "index", "index_digest", _INDEXES),
    exists("main.tags", "manifest", "manifest_digest", _MANIFESTS),
    exists("main.tags", "repository", "registry, namespace, repository", _LIVE_REPOSITORIES),
    not_negative("ingest.layer_prefixes", "size_bytes"),
    not_negative("main.manifests", "config_bytes, logical_bytes, manifest_bytes"),
    not_negative("reports.age_buckets", "logical_bytes, reclaimable_bytes"),
    not_negative("reports.daily_growth", _GROWTH_BYTES),
    not_negative("reports.namespace_growth", _SHARE_BYTES),
    not_negative("reports.namespace_sizes", _SCOPE_BYTES),
    not_negative(
        "reports.orphaned_followers",
        "logical_bytes, reclaimable_bytes, together_reclaimable_bytes",
    ),
    not_negative("reports.registry_size", _LEDGER_BYTES),
    not_negative("reports.repository_growth", _SHARE_BYTES),
    not_negative("reports.repository_sizes", _SCOPE_BYTES),
    not_negative(
        "reports.retention_coverage",
        "now_reclaimable_bytes, in_7_days_reclaimable_bytes, in_30_days_reclaimable_bytes",
    ),
    not_negative("reports.retention_curve", "reclaimable_bytes"),
    not_negative("reports.tag_events", "orphaned_bytes"),
    not_negative("reports.tag_sizes", "logical_bytes, exclusive_bytes, shared_bytes"),
)
