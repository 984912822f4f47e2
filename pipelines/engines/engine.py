"""What an engine does, and which one the settings name."""

from collections.abc import Collection
from typing import Protocol

from duckdb import DuckDBPyConnection

from pipelines.settings import Settings
from pipelines.warehouse import checks, reports
from pipelines.warehouse.checks import CheckOutcome
from pipelines.warehouse.reports import BuiltReport


class Engine(Protocol):
    """Builds the reports of an open building file, and runs its checks."""

    def build_reports(
        self,
        con: DuckDBPyConnection,
        cursors: int = 1,
        *,
        names: Collection[str] | None = None,
        is_rebuilt: bool = False,
    ) -> list[BuiltReport]:
        """As `warehouse.reports.build_reports` says."""

    def run_checks(
        self,
        con: DuckDBPyConnection,
        names: Collection[str] | None = None,
        cursors: int = 1,
    ) -> list[CheckOutcome]:
        """As `warehouse.checks.run_checks` says."""


class DuckDBEngine:
    """DuckDB, in this process: what the building file is made with anyway."""

    build_reports = staticmethod(reports.build_reports)
    run_checks = staticmethod(checks.run_checks)


def engine_of(settings: Settings) -> Engine:
    """The engine that `SWR_ENGINE` names.

    Raises:
        LakeError: `SWR_LAKE` is no place for a lake.
    """
    if settings.engine == "duckdb":
        return DuckDBEngine()
    from pipelines.engines.lake import Lake  # noqa: PLC0415 - hardly ever needed
    from pipelines.engines.spark import SparkEngine  # noqa: PLC0415 - hardly ever needed

    return SparkEngine(Lake(settings.lake), settings.spark)
