"""A cluster of processes makes the same rows, also when it loses one of them on the way."""

import time
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from both_engines import differences, seen_by_runs
from random_registries import registry
from small_spark import needs_spark, small_spark
from spark_cluster import cluster

from pipelines.engines.lake import Lake

pytestmark = [needs_spark, pytest.mark.soak]


@pytest.mark.parametrize("killed_at", ["manifest_keys", "reached_manifests", "tag_changes"])
def test_a_killed_worker_loses_nothing(tmp_path: Path, killed_at: str) -> None:
    """Whenever it dies: in the midst of keys, of a recursion, of the last tables."""
    (tmp_path / "conf").mkdir()
    place = tmp_path / "lake"
    with small_spark(tmp_path / "conf"), cluster(tmp_path) as spark:

        def kill() -> None:
            while not [*place.glob(f"work/*/intermediate__{killed_at}*")]:
                time.sleep(0.05)
            spark.workers[0].kill()

        killer = Thread(target=kill)
        killer.start()
        with seen_by_runs(registry(Random(13), 60)) as con:
            assert [*differences(con, Lake(str(place)), spark.url)] == []
        killer.join()
        assert spark.workers[0].wait(10) == -9
        assert spark.workers[1].poll() is None
