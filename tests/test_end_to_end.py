"""From a registry over HTTP to a published warehouse, by the real job: the promises."""

import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ingesting import SHARED, Site

from pipelines.errors import NothingRead, SettingsError, WarehouseBusy
from pipelines.swr.stand_in.catalogue import read_catalogues
from pipelines.swr.stand_in.exchange import Reply, Request
from pipelines.swr.stand_in.registry import Registry
from pipelines.swr.stand_in.server import StandIn
from pipelines.warehouse.building import writer_lock

AT = datetime(2026, 3, 1, tzinfo=UTC)
# What each run adds to or moves on by itself.
BOOKKEEPING = {"ingest.runs", "ingest.crawls", "main.repositories"}
TABLES = """
    select schema_name || '.' || table_name as name from duckdb_tables()
    where schema_name in ('main', 'ingest') order by name
"""

Sites = Callable[..., Any]


@pytest.fixture
def at_site(tmp_path: Path) -> Sites:
    """Serve a registry beside an empty warehouse."""

    @contextmanager
    def serve(registry: Registry, **options: Any) -> Iterator[Site]:
        with StandIn(registry, **options) as server:
            yield Site(server, tmp_path / "warehouse")

    return serve


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


def manifest(*layers: tuple[str, int], config: str = "c") -> str:
    """An image of named layers and sizes, and a configuration of 100 bytes."""

    def descriptor(name: str, size: int) -> dict[str, Any]:
        digest = "sha256:" + name.encode().hex().rjust(64, "0")
        return {"mediaType": "application/octet-stream", "digest": digest, "size": size}

    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": descriptor(config, 100)
            | {"mediaType": "application/vnd.docker.container.image.v1+json"},
            "layers": [descriptor(*layer) for layer in layers],
        }
    )


def small_registry() -> Registry:
    """Two namespaces, three repositories, one of them of 60 tags, one empty of news."""
    registry = Registry()
    for number in range(60):
        text = manifest(("base", 1000), (f"app{number}", 10))
        registry.push("shop", "cart", f"v{number}", text, at=AT + timedelta(minutes=number))
    registry.push("shop", "deep/er/app", "1", manifest(("base", 1000)), at=AT)
    registry.push("data", "spark", "latest", manifest(("spark", 5000)), at=AT)
    return registry


def test_every_real_manifest_is_read_as_an_independent_reading_says(at_site: Sites) -> None:
    """Layers, platforms and sums of valid ones exactly; the invalid are there and named."""
    records, truths, path = catalogue("manifests")
    with at_site(read_catalogues([path])) as site:
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


def test_sizes_equal_a_brute_force_over_the_truth(at_site: Sites) -> None:
    """Logical and deduplicated bytes of the registry and of each repository."""
    records, truths, path = catalogue("registry")
    with at_site(read_catalogues([path])) as site:
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


def test_nothing_changed_costs_one_tags_request_a_repository(at_site: Sites) -> None:
    """And changes no row but the bookkeeping."""
    with at_site(small_registry()) as site:
        site.ingest()
        before = dump(site)
        site.ingest()
        assert set(site.tags_requests().values()) == {1}
        assert len(site.tags_requests()) == 3
        after = dump(site)
        statuses = site.query(
            "select distinct status from ingest.crawls where run_id = getvariable('x') or true"
        )
        assert {row["status"] for row in statuses} == {"complete", "unchanged"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= BOOKKEEPING
    seen = before["main.repositories"].drop_columns(["last_seen_at"])
    assert after["main.repositories"].drop_columns(["last_seen_at"]) == seen


def dump(site: Site) -> dict[str, pa.Table]:
    """Every stored table, in one order."""
    names = [row["name"] for row in site.query(TABLES)]
    return {name: site.table(f"from {name} order by all") for name in names}


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_a_push_a_move_and_a_deletion_are_told_exactly(at_site: Sites, full: bool) -> None:
    """In tags and in history, with the moments between which each happened."""
    registry = small_registry()
    with at_site(registry) as site:
        site.ingest()
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


def test_a_reader_and_a_run_do_not_disturb_each_other(at_site: Sites) -> None:
    """The open connection keeps its data, a new one sees the new."""
    registry = small_registry()
    with at_site(registry) as site:
        site.ingest()
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
        assert sorted(path.name for path in site.directory.glob("*.duckdb*")) == [
            "warehouse.duckdb"
        ]


def test_the_sample_of_the_api_page_is_read_to_the_byte(at_site: Sites) -> None:
    """busybox: its digest is that of its manifest, two layers, 1,304,902 bytes."""
    page = SHARED / "docs" / "seed-tags-api.txt"
    if not page.exists():
        pytest.skip("the API's page is not beside this checkout")
    text = page.read_text()
    (record,), _ = json.JSONDecoder().raw_decode(text[text.index("[\n        {") :])
    registry = Registry()
    registry.add_record(record)
    with at_site(registry) as site:
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


def only(path: str, reply: Reply) -> Callable[[Request], Reply | None]:
    """A fault of one path."""
    return lambda request: reply if request.path.endswith(path) else None


def test_a_repository_that_fails_keeps_its_rows_and_stops_nobody(at_site: Sites) -> None:
    """The run is partial, says why, and the others are read."""
    registry = small_registry()
    with at_site(registry) as site:
        site.ingest()
        registry.push("shop", "cart", "new", manifest(("new", 7)), at=AT + timedelta(days=1))
        registry.push("data", "spark", "new", manifest(("new", 7)), at=AT + timedelta(days=1))
        site.server.fault = only("/cart/tags", Reply(500, {}, b"<html>oops</html>"))
        assert site.ingest() == "partial"
        (crawl,) = site.query(
            "select status, error from ingest.crawls"
            " where repository = 'cart' order by started_at desc limit 1"
        )
        counts = site.query("select repository, count(*) as n from tags group by all order by all")
        (registry_size,) = site.query("from reports.registry_size")
    assert crawl["status"] == "failed"
    assert "status 500" in crawl["error"]
    assert [(row["repository"], row["n"]) for row in counts] == [
        ("cart", 60),
        ("deep/er/app", 1),
        ("spark", 2),
    ]
    assert (registry_size["repositories_complete"], registry_size["repository_count"]) == (2, 3)


def test_a_namespace_that_cannot_be_listed_keeps_its_rows(at_site: Sites) -> None:
    """Forbidden is not gone."""
    with at_site(small_registry()) as site:
        site.ingest()

        def forbid(request: Request) -> Reply | None:
            is_shop = request.path == "/v2/manage/repos" and request.query["namespace"] == "shop"
            return Reply(403, {}, b"{}") if is_shop else None

        site.server.fault = forbid
        assert site.ingest() == "partial"
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        crawls = site.query(
            "select status from ingest.crawls where namespace = 'shop' and run_id ="
            " (select run_id from ingest.runs order by as_of desc limit 1)"
        )
        assert crawls == [{"status": "failed"}] * 2


def test_a_repository_that_is_gone_closes_its_tags(at_site: Sites) -> None:
    """It is asked for by name first; that is no failure."""
    registry = small_registry()
    with at_site(registry) as site:
        site.ingest()
        registry.delete_repository("shop", "deep/er/app")
        assert site.ingest() == "complete"
        assert site.query("select tag from tags where repository = 'deep/er/app'") == []
        (row,) = site.query("from repositories where repository = 'deep/er/app'")
        (run,) = site.query("from ingest.runs order by as_of desc limit 1")
        assert run["started_at"] <= row["deleted_detected_at"] <= run["finished_at"]
        assert site.query("select count(*) as n from tags") == [{"n": 61}]


def test_a_scope_reads_its_part_and_infers_nothing_about_the_rest(at_site: Sites) -> None:
    """Neither a namespace nor a repository outside it is taken for deleted."""
    with at_site(small_registry()) as site:
        site.ingest()
        site.ingest(namespaces=("data",))
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/data/repos/spark/tags"]
        site.ingest(repositories=("shop/deep/er/app",))
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/shop/repos/deep$er$app/tags"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        (run,) = site.query("from ingest.runs order by as_of desc limit 1")
        assert (run["unread_namespaces"], run["unread_repositories"]) == (1, 1)
        with pytest.raises(SettingsError, match="'dta' is not visible"):
            site.ingest(namespaces=("dta",))
        with pytest.raises(SettingsError, match="'shop/crat' was not found"):
            site.ingest(repositories=("shop/crat",))


def test_when_nothing_can_be_read_nothing_is_published(at_site: Sites) -> None:
    """Yesterday's warehouse stays."""
    with at_site(small_registry()) as site:
        site.ingest()
        before = (site.directory / "warehouse.duckdb").read_bytes()
        site.server.fault = only("/tags", Reply(500))
        with pytest.raises(NothingRead, match="status 500"):
            site.ingest()
        assert (site.directory / "warehouse.duckdb").read_bytes() == before


def test_a_second_run_meanwhile_is_refused(at_site: Sites) -> None:
    """One writer."""
    with at_site(small_registry()) as site, writer_lock(site.directory):
        with pytest.raises(WarehouseBusy):
            site.ingest()
        assert site.server.log == []


def test_finished_repositories_of_a_dead_run_are_not_fetched_again(at_site: Sites) -> None:
    """The landing is taken up, whatever killed the run."""
    with at_site(small_registry()) as site:
        site.server.fault = only("/spark/tags", Reply(500))
        site.ingest()
        site.server.fault = None
        landings = list((site.directory / "landing").iterdir())
        assert len(landings) == 1
        (site.directory / "warehouse.duckdb").unlink()
        site.ingest()
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/data/repos/spark/tags"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]


def test_a_record_that_cannot_be_used_is_kept_aside_alone(at_site: Sites) -> None:
    """Its text verbatim, its neighbours untouched, the repository still unchanged next time."""
    registry = small_registry()
    path = "swr.cn-north-4.myhuaweicloud.com/shop/cart:bad"
    bad = {"id": 99, "Tag": "bad", "path": path, "digest": 5, "updated": "2026-01-01T00:00:00Z"}
    registry.add_record(bad)
    with at_site(registry) as site:
        assert site.ingest() == "complete"
        (rejected,) = site.query("from ingest.rejected_records")
        assert json.loads(rejected["record"]) == bad
        assert (rejected["namespace"], rejected["repository"]) == ("shop", "cart")
        assert "digest" in rejected["reason"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        site.ingest()
        assert set(site.tags_requests().values()) == {1}
