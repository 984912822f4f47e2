"""What the tag lists leave out is asked for once, and makes figures exact."""

import hashlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ingest_site import AT, CrawlSite, PlainSite, Site, manifest
from plain_run import run_steps
from pullable import Truth, digest_of, index, random_registry

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SwrForbidden
from pipelines.landing import pulls
from pipelines.run.progress import NoProgress
from pipelines.settings import read_settings

AMD, ARM = manifest(("base", 1000), ("amd", 50)), manifest(("base", 1000), ("arm", 60))
BOTH = index(AMD, ARM, platforms=["amd64", "arm64"])
SIZES = """
    select namespace, repository, tag, logical_bytes, size_basis, reclaimable_bytes,
        reclaimable_basis
    from reports.tag_sizes order by all
"""
GAPS = "select kind, manifest_digest, detail from reports.gaps order by all"
OF_SIZES = ("gaps", "tag_sizes")
GROWTH = (*OF_SIZES, "daily_growth")


class Notices(NoProgress):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


class Asking(PlainSite):
    """A site that tells what its last run asked for."""

    def pulled(self) -> Counter[str]:
        """How often each manifest was asked for in the last run, by digest."""
        paths = [entry.path for entry in self.server.log if "/manifests/" in entry.path]
        return Counter(path.rsplit("/", 1)[1] for path in paths)

    def logins(self) -> int:
        """Temporary logins of the last run."""
        return sum(entry.path.endswith("/utils/secret") for entry in self.server.log)


class SizesSite(CrawlSite, Asking):
    """One whose runs make only the reports of what is known of sizes."""


@contextmanager
def whole_site(directory: Path, registry: Registry, **options: Any) -> Iterator[Asking]:
    """Serve a registry beside a warehouse in this directory, for runs of every step."""
    with Emulator(registry, **options) as server:
        yield Asking(server, directory / "warehouse", progress=Notices())


@contextmanager
def sizes_site(
    directory: Path,
    registry: Registry,
    *,
    reports: tuple[str, ...] = OF_SIZES,
    **options: Any,
) -> Iterator[SizesSite]:
    """Serve it for runs that make few reports."""
    with Emulator(registry, **options) as server:
        yield SizesSite(server, directory / "warehouse", progress=Notices(), reports=reports)


def told(site: Site) -> list[str]:
    """What a person was told since the site was made."""
    assert isinstance(site.progress, Notices)
    return site.progress.texts


def two_platforms() -> Registry:
    """One tag for two processors."""
    registry = Registry()
    registry.push("shop", "cart", "v1", BOTH, at=AT)
    for child in (AMD, ARM):
        registry.store_manifest("shop", "cart", child)
    return registry


def size(logical: int | None, basis: str, reclaimable: int | None, other: str) -> dict[str, Any]:
    """A row of SIZES for that tag."""
    return {
        "namespace": "shop",
        "repository": "cart",
        "tag": "v1",
        "logical_bytes": logical,
        "size_basis": basis,
        "reclaimable_bytes": reclaimable,
        "reclaimable_basis": other,
    }


def test_children_are_asked_for_once_and_make_sizes_exact(tmp_path: Path) -> None:
    """Base, two layers and one configuration; the next run logs in nowhere and pulls nothing."""
    with whole_site(tmp_path, two_platforms()) as site:
        site.ingest()
        assert site.query(SIZES) == [size(1210, "exact", 1210, "exact")]
        assert site.query(GAPS) == []
        assert site.pulled() == {digest_of(AMD): 1, digest_of(ARM): 1}
        sources = "select source, count(*) as n from manifests group by all order by all"
        assert site.query(sources) == [{"source": "pull", "n": 2}, {"source": "tag", "n": 1}]
        site.ingest()
        assert (site.pulled(), site.logins()) == ({}, 0)
        assert site.query(SIZES) == [size(1210, "exact", 1210, "exact")]
        assert told(site) == []


def test_only_new_digests_are_asked_for(tmp_path: Path) -> None:
    """A second tag shares one of its children with the first."""
    registry = two_platforms()
    with sizes_site(tmp_path, registry) as site:
        site.ingest()
        new = manifest(("base", 1000), ("new", 70))
        registry.store_manifest("shop", "cart", new)
        registry.push("shop", "cart", "v2", index(ARM, new), at=AT)
        site.ingest()
        assert site.pulled() == {digest_of(new): 1}


def test_without_permission_one_line_names_it_and_bounds_stand(tmp_path: Path) -> None:
    """Nothing of the index's children is known, as before anything was pulled."""
    with sizes_site(tmp_path, two_platforms(), grants_logins=False) as site:
        site.ingest()
        assert site.query(SIZES) == [size(None, "unknown", None, "unknown")]
        lacks = "nobody has read it: the credentials lack swr::createLoginSecret"
        assert [row["detail"] for row in site.query(GAPS)] == [lacks] * 2
        [sentence] = told(site)
        assert sentence == (
            "2 manifests or sizes that the tag lists leave out stay unknown, so figures that depend"
            " on them are bounds: the credentials lack swr::createLoginSecret."
        )
        site.settings["SWR_RESOLVE"] = "required"
        with pytest.raises(SwrForbidden):
            site.ingest()


def test_off_asks_for_nothing(tmp_path: Path) -> None:
    """No login, no pull, no word."""
    with sizes_site(tmp_path, two_platforms()) as site:
        site.settings["SWR_RESOLVE"] = "off"
        site.ingest()
        assert (site.logins(), site.pulled(), told(site)) == (0, {}, [])
        off = "nobody has read it: SWR_RESOLVE is off"
        assert [row["detail"] for row in site.query(GAPS)] == [off] * 2
        assert site.query(SIZES) == [size(None, "unknown", None, "unknown")]


def test_what_a_limit_leaves_out_is_asked_for_by_the_next_run(tmp_path: Path) -> None:
    """It is a gap until then, and said."""
    with sizes_site(tmp_path, two_platforms()) as site:
        site.settings["SWR_RESOLVE_LIMIT"] = "1"
        site.ingest()
        first = site.pulled()
        left = "nobody has read it: it is left for the next run"
        assert [row["detail"] for row in site.query(GAPS)] == [left]
        run = "select pulls_left, resolve_problem from ingest.runs"
        assert site.query(run) == [{"pulls_left": 1, "resolve_problem": None}]
        assert told(site) == [
            "1 manifests or sizes are left for the next run: SWR_RESOLVE_LIMIT is 1."
        ]
        site.ingest()
        assert first + site.pulled() == {digest_of(AMD): 1, digest_of(ARM): 1}
        assert site.query(GAPS) == []


def test_what_is_not_there_is_asked_for_again_after_some_days(tmp_path: Path) -> None:
    """A child that was deleted stays a gap, with the day the registry said so."""
    registry = two_platforms()
    registry.remove_manifest("shop", "cart", digest_of(ARM))
    with sizes_site(tmp_path, registry) as site:
        site.ingest()
        assert site.query(SIZES) == [size(1150, "lower_bound", 1150, "lower_bound")]
        today = time.strftime("%Y-%m-%d", time.gmtime())
        words = f"nobody has read it: the registry does not have it, it said on {today}"
        gap = {"kind": "unread_child", "manifest_digest": digest_of(ARM), "detail": words}
        assert site.query(GAPS) == [gap]
        site.ingest()
        assert (site.pulled(), site.logins()) == ({}, 0)
        site.settings["SWR_RESOLVE_RETRY_DAYS"] = "0"
        site.ingest()
        assert site.pulled() == {digest_of(ARM): 1}
        registry.store_manifest("shop", "cart", ARM)
        site.ingest()
        assert site.pulled() == {digest_of(ARM): 1}
        assert site.query(SIZES) == [size(1210, "exact", 1210, "exact")]


def test_a_child_is_looked_for_in_every_repository_that_names_it(tmp_path: Path) -> None:
    """One of two repositories has let go of it."""
    registry = two_platforms()
    registry.push("shop", "basket", "v1", BOTH, at=AT)
    registry.store_manifest("shop", "basket", AMD)
    registry.store_manifest("shop", "basket", ARM)
    for repository, child in (("cart", AMD), ("basket", ARM)):
        registry.remove_manifest("shop", repository, digest_of(child))
    with sizes_site(tmp_path, registry) as site:
        site.ingest()
        assert site.query(GAPS) == []
        outcomes = "select digest, outcome from ingest.pulls order by all"
        asked = {(row["digest"], row["outcome"]) for row in site.query(outcomes)}
        assert {(digest_of(AMD), "read"), (digest_of(ARM), "read")} <= asked


def another_body(digests: set[str], body: bytes) -> Any:
    """A fault: what is given under some digests is something else."""

    def fault(request: Request, response: Response) -> Response:
        is_it = request.path.rsplit("/", 1)[1] in digests and response.status == 200
        return replace(response, body=body, headers={}) if is_it else response

    return fault


@pytest.mark.parametrize("body", [AMD.encode(), ARM.encode()[:-1], b"", b"\xff\xfe", b"[]"])
def test_a_body_of_another_digest_is_not_believed(tmp_path: Path, body: bytes) -> None:
    """Another manifest, a cut one, nothing, no text, no manifest: it stays a gap that says so."""
    fault = another_body({digest_of(ARM)}, body)
    with sizes_site(tmp_path, two_platforms(), faults=[fault]) as site:
        site.ingest()
        assert site.query(SIZES) == [size(1150, "lower_bound", 1150, "lower_bound")]
        today = time.strftime("%Y-%m-%d", time.gmtime())
        words = f"nobody has read it: what the registry gives is something else, as of {today}"
        assert [row["detail"] for row in site.query(GAPS)] == [words]
        site.ingest()
        assert site.pulled() == {}


def test_schema_1_is_exact_once_the_registry_told_its_layers_sizes(tmp_path: Path) -> None:
    """Two layers, one of them listed twice; a redirect leads to each one's length."""
    registry = Registry()
    layers = [registry.store_blob("shop", "cart", content) for content in (b"base", b"application")]
    text = json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": layers[n]} for n in (1, 0, 0)]})
    registry.push("shop", "cart", "v1", text, at=AT)
    with sizes_site(tmp_path, registry, reports=GROWTH, has_own_storage_port=True) as site:
        site.ingest()
        assert site.query(SIZES) == [size(15, "exact", 15, "exact")]
        assert site.query(GAPS) == []
        heads = [entry.path for entry in site.server.log if "/blobs/" in entry.path]
        assert sorted(heads) == sorted(f"/v2/shop/cart/blobs/{layer}" for layer in layers)
        site.ingest()
        assert site.logins() == 0
        growth = "select deduplicated_after_bytes as n from reports.daily_growth order by as_of"
        assert site.query(growth) == [{"n": 15}] * 2


def test_sizes_learned_later_are_growth_that_was_learned(tmp_path: Path) -> None:
    """A run that may not ask, then one that may: nothing was added."""
    registry = Registry()
    layer = registry.store_blob("shop", "cart", b"base")
    text = json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": layer}]})
    registry.push("shop", "cart", "v1", text, at=AT)
    with sizes_site(tmp_path, registry, reports=GROWTH) as site:
        site.settings["SWR_RESOLVE"] = "off"
        site.ingest()
        site.settings["SWR_RESOLVE"] = "auto"
        site.ingest()
        growth = """
            select deduplicated_after_bytes, added_bytes, orphaned_bytes, learned_bytes
            from reports.daily_growth order by as_of
        """
        rows = [tuple(row.values()) for row in site.query(growth)]
        assert rows[1] == (4, 0, 0, 4)


@pytest.mark.parametrize("seed", range(6))
def test_figures_equal_what_is_known_by_another_way(tmp_path: Path, seed: int) -> None:
    """Random registries of nested indexes with shared children, of which some cannot be read."""
    assert_equal_truth(tmp_path, seed)


@pytest.mark.soak
def test_figures_equal_what_is_known_for_many_registries(tmp_path: Path) -> None:
    """Three hundred of them."""
    for seed in range(100, 400):
        assert_equal_truth(tmp_path / str(seed), seed)


def assert_equal_truth(directory: Path, seed: int) -> None:
    """Read a random registry, and hold its sizes and gaps against the truth."""
    registry, truth = random_registry(seed)
    fault = another_body(truth.unreadable, b'{"schemaVersion": 2}')
    if seed % 2:
        remove_unreadable(registry, truth)
    with sizes_site(directory, registry, faults=[fault]) as site:
        site.ingest()
        assert site.query(SIZES) == list(truth.tag_sizes())
        assert {row["manifest_digest"] for row in site.query(GAPS)} == truth.gaps()
        pulled = site.pulled()
        assert (
            max([pulled[digest] for digest in pulled if digest not in truth.gaps()], default=1) == 1
        )
        site.ingest()
        assert site.pulled() == {}


def remove_unreadable(registry: Registry, truth: Truth) -> None:
    """Delete what cannot be read, wherever it was."""
    for place in {name[:2] for name in truth.tags}:
        for digest in truth.unreadable:
            if registry.manifest(*place, digest):
                registry.remove_manifest(*place, digest)


def test_a_killed_run_does_not_ask_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it pulls one after the other: one that was on its way is asked for again."""
    monkeypatch.setattr(pulls, "_SECONDS", 0.0)
    registry = Registry()
    children = [manifest((f"layer{number}", number)) for number in range(1, 41)]
    registry.push("shop", "cart", "v1", index(*children), at=AT)
    for child in children:
        registry.store_manifest("shop", "cart", child)
    with sizes_site(tmp_path, registry, latency_seconds=0.02) as site:
        # An answer is on the disk before the next one comes.
        site.settings |= {"SWR_CONCURRENCY": "1", "SWR_PULLS_PER_SECOND": "20"}
        site.set_environment()
        process = os.fork()
        if process == 0:
            run_steps(read_settings())
            os._exit(0)
        deadline = time.monotonic() + 60
        while sum(site.pulled().values()) < 15 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        time.sleep(0.1)
        first = site.pulled()
        site.ingest()
        asked = first + site.pulled()
        assert set(asked) == {digest_of(text) for text in children}
        assert sum(asked.values()) <= len(children) + 1
        assert site.query(GAPS) == []


def test_a_crawl_only_site_resolves_too(tmp_path: Path) -> None:
    """Children are rows of manifests, with their layers."""
    with sizes_site(tmp_path, two_platforms(), reports=()) as site:
        site.ingest()
        layers = "select count(*) as n from tag_layers where tag = 'v1'"
        assert site.query(layers) == [{"n": 4}]


CONFIG = {
    "os": "linux",
    "architecture": "amd64",
    "created": "2026-02-01T10:20:30.123456789Z",
    "config": {"Labels": {"team": "blue", "org.opencontainers.image.base.name": "host/b:1"}},
    "history": [{"created_by": "COPY"}, {"empty_layer": True}],
}


@pytest.mark.parametrize("has_tag_configs", [True, False])
def test_configurations_are_read_once(tmp_path: Path, *, has_tag_configs: bool) -> None:
    """By SWR's own call for a tag's image where the region has it, else as a blob; a child's always
    as a blob.
    """
    registry = Registry()
    config = registry.store_blob("shop", "cart", json.dumps(CONFIG).encode())
    other = registry.store_blob("shop", "cart", b'{"created": 5, "config": {"Labels": [1]}}')
    image, child = image_of(config, ("base", 10)), image_of(other, ("base", 10))
    registry.store_manifest("shop", "cart", child)
    registry.push("shop", "cart", "v1", image, at=AT)
    registry.push("shop", "cart", "v2", index(child), at=AT)
    with sizes_site(tmp_path, registry, has_tag_configs=has_tag_configs) as site:
        site.settings["SWR_READ_CONFIGS"] = "true"
        site.ingest()
        columns = "manifest_digest, os, architecture, built_at, labels, base_name, history_steps"
        rows = site.query(f"select {columns}, problem from image_configs order by os nulls last")
        built_at = datetime(2026, 2, 1, 10, 20, 30, 123457, tzinfo=UTC)
        labels = '{"org.opencontainers.image.base.name":"host/b:1","team":"blue"}'
        assert [tuple(row.values()) for row in rows] == [
            (digest_of(image), "linux", "amd64", built_at, labels, "host/b:1", 2, None),
            (digest_of(child), *[None] * 3, "{}", None, None, "cannot be read: config, created"),
        ]
        images = "select tag, platform, bytes, built_at from images order by all"
        assert [tuple(row.values()) for row in site.query(images)] == [
            ("v1", "linux/amd64", 10 + len(json.dumps(CONFIG)), built_at),
            ("v2", "linux/p0", 10 + 41, None),
        ]
        asked = [entry.path.rsplit("/", 1)[1] for entry in site.server.log]
        assert asked.count("config") == 1
        blobs = [digest for digest in asked if digest in (config, other)]
        assert blobs.count(other) == 2  # and once more where the redirect leads
        assert blobs.count(config) == (0 if has_tag_configs else 2)
        site.ingest()
        assert site.logins() == 0


def image_of(config: str, layer: tuple[str, int]) -> str:
    """An image with a configuration that the registry holds."""
    text = json.loads(manifest(layer))
    size = 41 if config.endswith(EMPTY_CONFIG) else len(json.dumps(CONFIG))
    text["config"] |= {"digest": config, "size": size}
    return json.dumps(text)


EMPTY_CONFIG = hashlib.sha256(b'{"created": 5, "config": {"Labels": [1]}}').hexdigest()


def test_the_built_in_registry_is_exact_until_something_is_broken(tmp_path: Path) -> None:
    """Every size and what each tag gives back; with a broken manifest those of all others are upper
    bounds, and gaps name it.
    """
    registry = built_in_registry(date(2026, 3, 2))
    bases = "select distinct size_basis, reclaimable_basis from reports.tag_sizes where tag <> {}"
    with whole_site(tmp_path, registry) as site:
        site.ingest()
        exact = {"size_basis": "exact", "reclaimable_basis": "exact"}
        assert site.query(bases.format("''")) == [exact]
        assert site.query(GAPS) == []
        registry.push("shop", "cart", "broken", "{", at=AT)
        site.ingest()
        others = {"size_basis": "exact", "reclaimable_basis": "upper_bound"}
        assert site.query(bases.format("'broken'")) == [others]
        gaps = "select kind, namespace, repository, tag from reports.gaps"
        [gap] = site.query(gaps)
        assert tuple(gap.values()) == ("invalid_manifest", "shop", "cart", "broken")
