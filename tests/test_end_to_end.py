"""From a registry over HTTP to a published warehouse, by the real job: the promises."""

import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from checkout import SHARED
from ingest_site import AT, Site, at_plain_site, at_site, manifest, small_registry

from pipelines.emulator.catalogue import read_catalogues
from pipelines.emulator.faults import Fault, page_size_refused, without_total
from pipelines.emulator.registry import Registry

# What each run adds to or moves on by itself.
BOOKKEEPING = {
    "ingest.runs",
    "ingest.crawls",
    "ingest.service_figures",
    "ingest.namespaces",
    "main.registries",
    "main.repositories",
}
TABLES = """
    select schema_name || '.' || table_name as name from duckdb_tables()
    where schema_name in ('main', 'ingest') order by name
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the warehouse is kept that a first run makes of the small registry."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


def catalogue(name: str) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]], Path]:
    """Records of a shared catalogue, the truth about each by id, and where the catalogue is."""
    path = SHARED / "data" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the shared catalogue {name} is not beside this checkout")
    with gzip.open(path, "rt") as lines:
        records = [json.loads(line) for line in lines]
    with gzip.open(SHARED / "data" / f"{name}.truth.jsonl.gz", "rt") as lines:
        truths = {truth["id"]: truth for truth in map(json.loads, lines)}
    return records, truths, path


def test_every_real_manifest_is_read_as_an_independent_reading_says(tmp_path: Path) -> None:
    """Layers, platforms and sums of valid ones exactly; the invalid are there and named."""
    records, truths, path = catalogue("manifests")
    with at_site(tmp_path, read_catalogues([path])) as site:
        assert site.ingest() == "complete"
        manifests = {row["manifest_digest"]: row for row in site.query("from manifests")}
        layers = by_key(site.query("from layers order by position"), "manifest_digest")
        platforms = by_key(site.query("from platforms order by position"), "index_digest")
        live = {
            (f"{row['namespace']}/{row['repository']}", row["tag"])
            for row in site.query("from tags")
        }
    assert live == {(truths[r["id"]]["repo"], r["Tag"]) for r in records}
    judged: Counter[str] = Counter()
    for record in records:
        truth, row = truths[record["id"]], manifests[record["digest"]]
        judged[truth["status"]] += 1
        if truth["status"] == "invalid":
            assert row["manifest_kind"] == "invalid", truth["hard"]
            assert row["problem"]
        if truth["status"] == "valid":
            assert_as_told(truth, row, layers[record["digest"]], platforms[record["digest"]])
    assert judged == {"valid": 543, "invalid": 27, "lenient": 10, "strict-invalid": 3}


def by_key(rows: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    """Rows grouped by a column; nothing for a key that has none."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def assert_as_told(
    truth: dict[str, Any],
    row: dict[str, Any],
    layers: list[dict[str, Any]],
    platforms: list[dict[str, Any]],
) -> None:
    """Compare one manifest's rows with the truth about it."""
    told = [
        [layer.get("base_first_position", layer["position"])]
        + [layer[name] for name in ("digest", "size", "mediaType")]
        for layer in truth["layers"]
    ]
    columns = ("position", "blob_digest", "size_bytes", "media_type")
    assert [[layer[name] for name in columns] for layer in layers] == sorted(told)
    names = ("position", "os", "architecture", "variant", "os_version")
    told = [
        [child[name] for name in (*names, "digest", "size", "mediaType", "attestation")]
        for child in truth["platforms"]
    ]
    found = (*names, "manifest_digest", "manifest_bytes", "media_type", "is_attestation")
    assert [[child[name] for name in found] for child in platforms] == told
    config = truth["config"] or {}
    assert row["config_digest"] == config.get("digest")
    assert row["config_bytes"] == config.get("size")
    if truth["sum_with_config"] is not None:
        listed = sum(layer["size_bytes"] for layer in layers)
        assert listed == truth["sum_layers_as_listed"]
        assert listed + row["config_bytes"] == truth["sum_with_config"]


def test_sizes_equal_a_brute_force_over_the_truth(tmp_path: Path) -> None:
    """Logical and deduplicated bytes of the registry and of each repository."""
    records, truths, path = catalogue("registry")
    with at_site(tmp_path, read_catalogues([path])) as site:
        site.ingest()
        (registry,) = site.query("from reports.registry_size")
        found = {
            f"{row['namespace']}/{row['repository']}": (
                row["logical_bytes"],
                row["deduplicated_bytes"],
            )
            for row in site.query("from reports.repository_sizes")
        }
    blobs: dict[str, dict[str, int]] = {}
    logical: Counter[str] = Counter()
    for record in records:
        truth = truths[record["id"]]
        own = {layer["digest"]: layer["size"] for layer in truth["layers"]}
        own[truth["config"]["digest"]] = truth["config"]["size"]
        blobs.setdefault(truth["repo"], {}).update(own)
        logical[truth["repo"]] += sum(own.values())
    everything = {digest: size for own in blobs.values() for digest, size in own.items()}
    assert found == {repo: (logical[repo], sum(own.values())) for repo, own in blobs.items()}
    assert registry["logical_bytes"] == sum(logical.values())
    assert registry["deduplicated_bytes"] == sum(everything.values())


def test_nothing_changed_costs_one_tags_request_a_repository(tmp_path: Path, kept: Path) -> None:
    """Lands no record, and changes no row but the bookkeeping."""
    with at_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        before = dump(site)
        site.ingest()
        first, second = sorted(
            site.directory.glob("landing/*"), key=lambda path: path.stat().st_ctime
        )
        assert len(list(first.glob("pages-*"))) == 1
        assert list(second.glob("pages-*")) == []
        assert set(site.tags_requests().values()) == {1}
        assert len(site.tags_requests()) == 3
        after = dump(site)
        statuses = site.query("select distinct status from ingest.crawls")
        assert {row["status"] for row in statuses} == {"complete", "unchanged"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= BOOKKEEPING
    proven = ["last_seen_at", "read_at", "crawl_status"]
    seen = before["main.repositories"].drop_columns(proven)
    assert after["main.repositories"].drop_columns(proven) == seen


def dump(site: Site) -> dict[str, pa.Table]:
    """Every stored table, in one order."""
    names = [row["name"] for row in site.query(TABLES)]
    return {name: site.table(f"from {name} order by all") for name in names}


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_a_push_a_move_and_a_deletion_are_told_exactly(
    tmp_path: Path, kept: Path, full: bool
) -> None:
    """In tags and in history, with the moments between which each happened."""
    registry = small_registry()
    with at_site(tmp_path, registry) as site:
        site.begin(kept)
        later = AT + timedelta(days=1)
        registry.push("shop", "cart", "new", manifest(("new", 7)), at=later)
        registry.push("shop", "cart", "v0", manifest(("moved", 8)), at=later)
        registry.delete_tag("shop", "cart", "v30")
        site.ingest(full=full)
        tags = {(row["repository"], row["tag"]) for row in site.query("from tags")}
        (moved,) = site.query("from tags where tag = 'v0'")
        history = site.query(
            "select tag, change, manifest_digest is null as gone, valid_from, valid_from_earliest,"
            " valid_to, valid_to_earliest from tag_history"
            " where tag in ('new', 'v0', 'v30') order by tag, valid_from"
        )
        first, second = site.query(
            "select started_at, finished_at from ingest.crawls where repository = 'cart'"
            " order by started_at"
        )
        others = site.query(
            "select distinct change, valid_to from tag_history"
            " where tag not in ('new', 'v0', 'v30')"
        )
    expected = {("cart", f"v{number}") for number in range(60) if number != 30}
    assert tags == expected | {("cart", "new"), ("deep/er/app", "1"), ("spark", "latest")}
    assert moved["updated_at"] == later
    assert moved["created_at"] == AT
    saw = {"at": second["finished_at"], "not_before": first["started_at"]}
    began = [first["finished_at"], None]
    news = [saw["at"], saw["not_before"]]
    assert [list(row.values()) for row in history] == [
        ["new", "created", False, *news, None, None],
        ["v0", "created", False, *began, *news],
        ["v0", "moved", False, *news, None, None],
        ["v30", "created", False, *began, *news],
        ["v30", "deleted", True, *news, None, None],
    ]
    assert others == [{"change": "created", "valid_to": None}]


READER = """
import sys
from pathlib import Path
from pipelines.warehouse.query import connect_published
con = connect_published(Path(sys.argv[1]))
for _ in range(2):
    print(con.execute("select count(*) from tags").fetchone()[0], flush=True)
    sys.stdin.readline()
"""


def test_a_reader_and_a_run_do_not_disturb_each_other(tmp_path: Path, kept: Path) -> None:
    """The open connection keeps its data, a new one sees the new."""
    registry = small_registry()
    with at_site(tmp_path, registry) as site:
        site.begin(kept)
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(site.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "62\n"
        registry.push("shop", "cart", "new", manifest(("new", 7)), at=AT + timedelta(days=1))
        assert site.ingest() == "complete"
        reader.stdin.write("go on\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "62\n"
        reader.communicate("done\n")
        assert reader.returncode == 0
        assert site.query("select count(*) as n from tags") == [{"n": 63}]
        left = sorted(path.name for path in site.directory.glob("*.duckdb*"))
        assert left == [".state.duckdb", "warehouse.duckdb"]


def test_the_sample_of_the_api_page_is_read_to_the_byte(tmp_path: Path) -> None:
    """busybox: its digest is that of its manifest, two layers, 1,304,902 bytes."""
    page = SHARED / "docs" / "seed-tags-api.txt"
    if not page.exists():
        pytest.skip("the API's page is not beside this checkout")
    text = page.read_text()
    (record,), _ = json.JSONDecoder().raw_decode(text[text.index("[\n        {") :])
    registry = Registry()
    registry.add_record(record)
    with at_site(tmp_path, registry) as site:
        site.ingest()
        (row,) = site.query(
            "select manifests.digest_verified, layer_count, logical_bytes, size_basis,"
            " api_size_bytes from tags inner join manifests using (manifest_digest)"
        )
    assert row == {
        "digest_verified": True,
        "layer_count": 2,
        "logical_bytes": 1_304_902,
        "size_basis": "exact",
        "api_size_bytes": 1_304_902,
    }


@pytest.mark.parametrize(
    ("faults", "page_size"),
    [([without_total], "1000"), ([page_size_refused(100)], "1000"), ([], "7")],
    ids=["no total stated", "large pages refused", "small pages"],
)
def test_an_endpoint_with_habits_of_its_own_is_read_completely(
    tmp_path: Path, faults: list[Fault], page_size: str
) -> None:
    """Whatever it states, refuses or is asked for; every step is taken, without Dagster."""
    registry = small_registry()
    for number in range(150):
        text = manifest(("base", 1000), (f"job{number}", 10))
        registry.push("data", "jobs", f"v{number}", text, at=AT + timedelta(hours=number))
    with at_plain_site(tmp_path, registry, faults=faults) as site:
        site.settings["SWR_PAGE_SIZE"] = page_size
        assert site.ingest() == "complete"
        counts = site.query("select repository, count(*) as n from tags group by all order by all")
        assert site.ingest() == "complete"
    assert [(row["repository"], row["n"]) for row in counts] == [
        ("cart", 60),
        ("deep/er/app", 1),
        ("jobs", 150),
        ("spark", 1),
    ]
