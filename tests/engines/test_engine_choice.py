"""Which engine the settings name, and what is said where it is not there."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_spark import needs_spark

from pipelines.engines.engine import DuckDBEngine, engine_of
from pipelines.engines.session import first_line, spark_session
from pipelines.engines.spark import SparkEngine
from pipelines.errors import EngineMissing, LakeError, SettingsError
from pipelines.settings import read_settings


def test_duckdb_unless_another_is_named() -> None:
    """A newcomer meets nothing else."""
    assert isinstance(engine_of(read_settings()), DuckDBEngine)


def test_duckdb_needs_nothing_of_spark() -> None:
    """Neither its packages nor what translates SQL for it are loaded."""
    code = (
        "import sys; from pipelines.run import ingest; from pipelines import settings;"
        " ingest.engine_of(settings.read_settings());"
        " print(sorted({'pyspark', 'sqlglot', 'pipelines.engines.spark'} & {*sys.modules}))"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"


def test_spark_uses_a_lake_beside_the_warehouse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Unless the lake is elsewhere."""
    monkeypatch.setenv("SWR_ENGINE", "spark")
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path))
    assert isinstance(engine_of(read_settings()), SparkEngine)
    assert read_settings().lake == str(tmp_path / "lake")
    monkeypatch.setenv("SWR_LAKE", "s4://elsewhere")
    with pytest.raises(LakeError, match="SWR_LAKE"):
        engine_of(read_settings())


def test_an_engine_of_no_known_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the setting."""
    monkeypatch.setenv("SWR_ENGINE", "trino")
    with pytest.raises(SettingsError, match="SWR_ENGINE"):
        read_settings()


def test_what_to_install_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyspark is missing."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(EngineMissing, match=r"pip install 'swr-warehouse\[spark\]'"):
        spark_session(None)


@needs_spark
def test_java_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where only pyspark is there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineMissing, match="needs Java 17"):
        spark_session(None)


def test_an_error_is_told_without_its_stack() -> None:
    """Neither the call on our side nor what is below it in Java."""
    text = "An error occurred while calling o1.\n: java.io.IOException: full\n\tat a.b(C.java)"
    assert first_line(RuntimeError(text)) == "java.io.IOException: full"
    assert first_line(RuntimeError("\n[CODE] not so.\n== SQL ==\nselect 1")) == "[CODE] not so."
    assert first_line(RuntimeError()) == "RuntimeError"
