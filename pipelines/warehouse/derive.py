"""Writes `derived.json` from the SQL: `make docs` runs this module."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pipelines.warehouse.build_plan import derive_inputs, intermediates, report_names
from pipelines.warehouse.catalog import derive_catalog
from pipelines.warehouse.column_lineage import ColumnSource
from pipelines.warehouse.derived import FILE, Derived, fingerprint
from pipelines.warehouse.lineage_of_sql import derive_lineage


def derive() -> Derived:
    """Derive everything anew."""
    tables = [*(("intermediate", name) for name in intermediates()), *_reports()]
    return Derived(
        texts=fingerprint(),
        inputs={
            f"{schema}.{name}": sorted(map(".".join, derive_inputs((schema, name))))
            for schema, name in tables
        },
        tables=msgspec.json.decode(msgspec.json.encode(derive_catalog())),
        lineage={name: _as_texts(derive_lineage(name, "intermediate")) for name in report_names()},
    )


def _reports() -> list[tuple[str, str]]:
    return [("reports", name) for name in report_names()]


def _as_texts(lineage: Mapping[str, tuple[ColumnSource, ...]]) -> dict[str, list[str]]:
    return {name: list(map(".".join, found)) for name, found in lineage.items()}


def main() -> None:
    """Write the file, one value a line, so that a change shows where it is."""
    text = msgspec.json.format(msgspec.json.encode(derive()), indent=1)
    Path(str(FILE)).write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
