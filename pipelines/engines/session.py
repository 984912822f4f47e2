"""How Spark is started or reached, and what must hold in its session for its figures to be ours."""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipelines.errors import EngineError, EngineMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MUST_HOLD = {
    # What does not fit is an error, and never another figure.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # A table that is said to be small may be large: its size is an estimate.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    # Since Spark 4.1 a union keeps how its parts are cut, and goes on believing it where the plan
    # has changed on the way: "Can't zip RDDs with unequal numbers of partitions".
    "spark.sql.unionOutputPartitioning": "false",
}
_INSTALL = "install it with `pip install 'swr-warehouse[spark]'`, or set SWR_ENGINE=duckdb."


def spark_session(where: str | None) -> "SparkSession":
    """A new session, with a master or server as `SWR_SPARK` names it; nothing is left of others.

    Without one it is what `spark-submit` was told, else all cores of this machine.

    Raises:
        EngineMissing: Spark, or the Java that it needs, is not installed.
        EngineError: it cannot be started or reached.
    """
    if find_spec("pyspark") is None:
        raise EngineMissing(f"SWR_ENGINE=spark needs pyspark: {_INSTALL}")
    if not _is_server(where) and not _has_java():
        raise EngineMissing(
            "SWR_ENGINE=spark needs Java 17 or newer: install it, or set JAVA_HOME to where it is."
        )
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # pandas' version
            session = _new_session(where)
        for name, value in _MUST_HOLD.items():
            session.conf.set(name, value)
    except Exception as error:  # whatever the Java side is about
        raise EngineError(f"Spark cannot be started or reached: {first_line(error)}") from error
    return session


def _new_session(where: str | None) -> "SparkSession":
    from pyspark.sql import SparkSession  # noqa: PLC0415 - not every installation has it

    builder = SparkSession.builder.appName("swr-warehouse")
    if where and _is_server(where):
        return builder.remote(where).create()
    if where:
        builder = builder.master(where)
    return builder.getOrCreate().newSession()


def _is_server(where: str | None) -> bool:
    """Whether it is the address of a server of Spark Connect, which brings a Java of its own."""
    return bool(where and where.startswith("sc://"))


@contextmanager
def told() -> Iterator[None]:
    """Say in one sentence what went wrong in Spark."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - not every installation has it
    from pyspark.errors import PySparkException  # noqa: PLC0415 - not every installation has it

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise EngineError(f"Spark could not do its part: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, without the call above it and the plans and stacks below."""
    said = str(error).partition("\n: ")[2] or str(error)
    return next(filter(None, map(str.strip, said.splitlines())), type(error).__name__)


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin" if home else None) is not None
