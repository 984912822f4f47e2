"""A lake's parts are named by what is in them, and a version is there whole or not at all."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.engines.lake import Lake, Version
from pipelines.errors import LakeError

ONE = pa.table({"tag": ["v1"]})
OTHER = pa.table({"tag": ["v2"]})


def files(place: Path) -> list[str]:
    """Every file of a lake, by its path in it."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_the_same_rows_are_put_once(tmp_path: Path) -> None:
    """What is there by its name is not written again; other rows are another part."""
    lake = Lake(str(tmp_path))
    part = lake.put_part("main.tags", ONE)
    written = (tmp_path / part).stat().st_mtime_ns
    assert lake.put_part("main.tags", ONE) == part
    assert (tmp_path / part).stat().st_mtime_ns == written
    other = lake.put_part("main.tags", OTHER)
    assert files(tmp_path) == sorted([part, other])
    assert pq.read_table(tmp_path / other).to_pylist() == [{"tag": "v2"}]


def test_a_part_that_was_cut_short_is_written_anew(tmp_path: Path) -> None:
    """As a machine leaves it that lost its power."""
    lake = Lake(str(tmp_path))
    part = lake.put_part("main.tags", ONE)
    (tmp_path / part).write_bytes(b"")
    lake.put_part("main.tags", ONE)
    assert pq.read_table(tmp_path / part).to_pylist() == [{"tag": "v1"}]


def test_a_version_clears_what_dead_runs_have_left(tmp_path: Path) -> None:
    """Two versions stay, with their parts; of a run without a version nothing does."""
    lake = Lake(str(tmp_path))
    parts = []
    for number in range(4):
        parts.append(lake.put_part("main.tags", pa.table({"tag": [f"v{number}"]})))
        if number != 1:
            version = Version(f"run{number}", {"main.tags": [parts[number]]})
            lake.put_version(version, str(number))
    assert [version.run_id for version in lake.versions()] == ["run2", "run3"]
    assert files(tmp_path) == sorted(
        [parts[2], parts[3], "versions/2-run2.json", "versions/3-run3.json"]
    )
    assert json.loads((tmp_path / "versions/3-run3.json").read_text()) == {
        "run_id": "run3",
        "tables": {"main.tags": [parts[3]]},
    }


def test_what_a_dead_run_made_on_the_way_is_gone(tmp_path: Path) -> None:
    """The next one begins with nothing, and leaves nothing."""
    left = tmp_path / "work" / "dead" / "intermediate__blob_keys"
    left.mkdir(parents=True)
    (left / "part-00000.parquet").write_bytes(b"half")
    lake = Lake(str(tmp_path))
    with lake.work() as folder:
        assert [path.name for path in (tmp_path / "work").iterdir()] == [Path(folder).name]
    assert not (tmp_path / "work").exists()


def test_rows_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    """Spark numbers the files of a sorted table."""
    lake = Lake(str(tmp_path))
    with lake.work() as folder:
        for number in (1, 0):
            table = pa.table({"place": [number * 2, number * 2 + 1]})
            pq.write_table(table, tmp_path / folder / f"part-0000{number}.parquet")
        rows = lake.rows(folder)
        assert rows.schema == pa.schema({"place": pa.int64()})
        assert [row["place"] for b in rows.batches for row in b.to_pylist()] == [0, 1, 2, 3]


def test_spark_names_a_lake_by_its_own_clients() -> None:
    """A directory by its path; a bucket by the client that Hadoop has."""
    assert Lake("/srv/lake").for_spark("tables/a") == "file:///srv/lake/tables/a"


@pytest.mark.parametrize("place", ["ftp://host/lake", "s4://bucket"])
def test_a_place_of_no_known_kind_is_a_sentence(place: str) -> None:
    """It names the setting."""
    with pytest.raises(LakeError, match="SWR_LAKE is no place for a lake"):
        Lake(place)


def test_a_lake_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """It says where, and what to do."""
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(LakeError, match=r"lake cannot be read or written .*SWR_LAKE"):
        Lake(str(tmp_path / "lake")).put_part("main.tags", ONE)
