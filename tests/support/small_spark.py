"""Spark as small as it goes: two threads, one partition, nothing compiled that runs but once.

It takes a few seconds to start; `small_spark` is for a whole file of tests.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

MASTER = "local[2]"
MISSING = (
    "pyspark is not installed"
    if find_spec("pyspark") is None
    else "there is no Java"
    if shutil.which("java") is None
    else ""
)
needs_spark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

_DEFAULTS = """
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.sql.shuffle.partitions 1
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.memory 2g
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m \\
    -XX:MetaspaceSize=256m -XX:+UseSerialGC -Xmn600m
"""
_LOG = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
"""


@contextmanager
def small_spark(folder: Path) -> Iterator[None]:
    """Have Spark start small while the block lasts; stopped at its end."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - may be missing

    (folder / "spark-defaults.conf").write_text(_DEFAULTS)
    (folder / "log4j2.properties").write_text(_LOG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        yield
        SparkSession.builder.getOrCreate().stop()
