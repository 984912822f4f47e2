"""Whether the published warehouse keeps to limits, for CI: in sentences, as JSON, as JUnit does."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from rich.filesize import decimal

from pipelines.page.tables import shown_bytes
from pipelines.warehouse.query import open_published, require_one_registry

_FIGURES = """
    select
        registry.as_of,
        registry.deduplicated_bytes,
        registry.size_basis,
        case when stale.tag_count > 0 then stale.reclaimable_bytes else 0 end
            as reclaimable_bytes,
        coalesce(stale.reclaimable_basis, 'exact') as reclaimable_basis,
        gaps.gap_count,
        gaps.kinds,
        rules.repository_count,
        rules.ruled_count,
        rules.without
    from reports.registry_size as registry
    cross join (
        select
            count(*) as tag_count,
            max(registry_reclaimable_bytes) as reclaimable_bytes,
            max(registry_reclaimable_basis) as reclaimable_basis
        from reports.stale_tags
    ) as stale
    cross join (
        select count(*) as gap_count, string_agg(distinct kind, ', ' order by kind) as kinds
        from reports.gaps
    ) as gaps
    cross join (
        select
            count(*) as repository_count,
            count(*) filter (coverage = 'rule') as ruled_count,
            list(
                namespace || '/' || repository || ' (' || replace(coverage, '_', ' ') || ')'
                order by namespace, repository
            ) filter (coverage <> 'rule')[:3] as without
        from reports.retention_coverage
    ) as rules
"""
_HOUR = timedelta(hours=1)
Row = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What is asked for; None is not.

    Attributes:
        max_reclaimable: percent of the deduplicated bytes that all stale tags may give back.
        max_size: deduplicated bytes.
        exact: whether every figure has to be.
        max_age: hours since the latest run.
        require_rule: whether every repository has to have a retention rule that can take something.
    """

    max_reclaimable: Decimal | None = None
    max_size: int | None = None
    exact: bool = False
    max_age: float | None = None
    require_rule: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether a limit is kept, and what was found. What is not known keeps no limit."""

    rule: str
    is_kept: bool
    found: str


def judge(directory: Path, limits: Limits, now: datetime) -> tuple[datetime | None, list[Verdict]]:
    """Hold the warehouse against limits.

    Returns:
        The moment its figures speak of, None before any run; a verdict for each limit that is set.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: it is one of several registries.
    """
    with open_published(directory) as con:
        require_one_registry(con)
        [row] = con.sql(_FIGURES).to_arrow_table().to_pylist()
    return row["as_of"], list(_verdicts(row, limits, now))


def _verdicts(row: Row, limits: Limits, now: datetime) -> Iterator[Verdict]:
    if limits.max_reclaimable is not None:
        yield _reclaimable(row, limits.max_reclaimable)
    if limits.max_size is not None:
        size = row["deduplicated_bytes"]
        held = shown_bytes(row, "deduplicated_bytes", "size_basis")
        yield Verdict(
            "max-size",
            is_kept=size is not None and size <= limits.max_size,
            found=f"the registry holds {held}, {decimal(limits.max_size)} are allowed",
        )
    if limits.exact:
        count = row["gap_count"]
        found = f"{count:,} things are not known: {row['kinds']}" if count else "all is known"
        yield Verdict("exact", is_kept=not count, found=found)
    if limits.max_age is not None:
        yield _age(row["as_of"], limits.max_age, now)
    if limits.require_rule:
        yield _rules(row)


def _reclaimable(row: Row, percent: Decimal) -> Verdict:
    back, held = row["reclaimable_bytes"], row["deduplicated_bytes"]
    is_known = back is not None and held is not None
    share = f" ({Decimal(back) * 100 / held:.1f}%)" if is_known and held else ""
    shown = shown_bytes(row, "reclaimable_bytes", "reclaimable_basis")
    whole = shown_bytes(row, "deduplicated_bytes", "size_basis")
    return Verdict(
        "max-reclaimable",
        is_kept=is_known and Decimal(back) * 100 <= percent * held,
        found=f"stale tags would give back {shown} of {whole}{share}, {percent:f}% are allowed",
    )


def _rules(row: Row) -> Verdict:
    repositories, ruled, names = row["repository_count"], row["ruled_count"], row["without"] or []
    found = (
        f"{ruled:,} of {repositories:,} repositories have a retention rule that can take something"
    )
    more = ", …" if repositories - ruled > len(names) else ""
    without = f": not {', '.join(names)}{more}" if names else ""
    return Verdict("require-rule", is_kept=ruled == repositories, found=found + without)


def _age(as_of: datetime | None, hours: float, now: datetime) -> Verdict:
    if as_of is None:
        return Verdict("max-age", is_kept=False, found="no run has read the registry")
    found = f"the latest run was {(now - as_of) / _HOUR:.1f} hours ago, {hours:g} are allowed"
    return Verdict("max-age", is_kept=now - as_of <= hours * _HOUR, found=found)


def as_json(as_of: datetime | None, verdicts: Sequence[Verdict]) -> str:
    """One JSON object: `as_of`, `is_kept`, and `rules` with a verdict each."""
    whole = {
        "as_of": as_of,
        "is_kept": all(verdict.is_kept for verdict in verdicts),
        "rules": list(map(asdict, verdicts)),
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1).decode()


def as_junit(as_of: datetime | None, verdicts: Sequence[Verdict]) -> bytes:
    """XML as JUnit writes it: a test for each limit, a failure for each that is not kept."""
    broken = [verdict for verdict in verdicts if not verdict.is_kept]
    suite = ET.Element("testsuite", name="swr-warehouse check", errors="0")
    suite.set("tests", str(len(verdicts)))
    suite.set("failures", str(len(broken)))
    if as_of:
        suite.set("timestamp", as_of.isoformat(timespec="seconds"))
    for verdict in verdicts:
        case = ET.SubElement(suite, "testcase", classname="swr-warehouse", name=verdict.rule)
        if not verdict.is_kept:
            ET.SubElement(case, "failure", message=verdict.found)
    ET.indent(suite)
    text: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
