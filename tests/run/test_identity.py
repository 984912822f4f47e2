"""Two registries never share a warehouse: host and account tell them apart."""

import json
from pathlib import Path

import pytest
from ingest_site import AT, CrawlSite, at_crawl_site, manifest, small_registry
from warehouse_rows import crawl, ingest, tag

from pipelines.emulator.messages import Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import OtherRegistry
from pipelines.run.identity import RegistryIdentity, identify, refuse_another
from pipelines.settings import read_settings

OWN = "0503dda878000fed0f75c0096d70a960"
ANOTHER = "1111aaaa2222bbbb3333cccc4444dddd"
CLOUD = "swr-api.cn-north-4.myhuaweicloud.com"
PASSWORD = {
    "SWR_AUTH_TOKEN": "",
    "SWR_USERNAME": "emulator-user",
    "SWR_PASSWORD": "emulator-password",
    "SWR_DOMAIN_NAME": "emulator-domain",
    "SWR_PROJECT_NAME": "cn-north-4",
}


@pytest.mark.parametrize(
    ("settings", "name", "endpoint", "region"),
    [
        ({"region": "cn-north-4"}, "cn-north-4", CLOUD, "cn-north-4"),
        ({"endpoint_setting": f"https://{CLOUD}"}, "cn-north-4", CLOUD, "cn-north-4"),
        ({"endpoint_setting": f"https://{CLOUD.upper()}:443/"}, "cn-north-4", CLOUD, "cn-north-4"),
        (
            {"endpoint_setting": "https://swr-api.eu-west-101.myhuaweicloud.eu"},
            "eu-west-101",
            "swr-api.eu-west-101.myhuaweicloud.eu",
            "eu-west-101",
        ),
        (
            {"endpoint_setting": "https://swr-api.eu-de.otc.t-systems.com"},
            "eu-de",
            "swr-api.eu-de.otc.t-systems.com",
            "eu-de",
        ),
        (
            {"endpoint_setting": "https://registry.example.org"},
            "registry.example.org",
            "registry.example.org",
            None,
        ),
        (
            {"endpoint_setting": "https://registry.example.org:8443", "region": "ap-1"},
            "ap-1",
            "registry.example.org:8443",
            "ap-1",
        ),
        ({"endpoint_setting": "http://127.0.0.1:5000"}, "localhost", "loopback", None),
        ({"endpoint_setting": "http://127.0.0.1:5001"}, "localhost", "loopback", None),
        ({"endpoint_setting": "http://[::1]:80"}, "localhost", "loopback", None),
        ({"endpoint_setting": "http://localhost"}, "localhost", "loopback", None),
    ],
)
def test_a_registry_is_the_host_of_its_endpoint(
    settings: dict[str, str], name: str, endpoint: str, region: str | None
) -> None:
    """This machine is one, whatever the port; its short name is the region where one is known."""
    assert identify(read_settings(**settings)) == RegistryIdentity(name, endpoint, region, None)


HELD = RegistryIdentity("cn-north-4", CLOUD, "cn-north-4", OWN)


@pytest.mark.parametrize(
    ("stored", "endpoint", "accounts"),
    [
        (None, CLOUD, [ANOTHER]),
        (HELD, CLOUD, [OWN]),
        (HELD, CLOUD, []),
        (HELD, CLOUD, [OWN, ANOTHER]),
        (RegistryIdentity("cn-north-4", CLOUD, None, None), CLOUD, [ANOTHER]),
    ],
)
def test_what_is_unknown_matches_any(
    tmp_path: Path, stored: RegistryIdentity | None, endpoint: str, accounts: list[str]
) -> None:
    """Of accounts; and what holds nothing yet may hold any registry."""
    refuse_another(stored, RegistryIdentity("", endpoint, None, None), accounts, tmp_path)


@pytest.mark.parametrize(
    ("endpoint", "accounts", "named"),
    [("loopback", [], "loopback"), (CLOUD, [ANOTHER], f"{CLOUD}, account {ANOTHER}")],
)
def test_another_host_or_account_is_named(
    tmp_path: Path, endpoint: str, accounts: list[str], named: str
) -> None:
    """With the way out."""
    with pytest.raises(OtherRegistry) as raised:
        refuse_another(HELD, RegistryIdentity("", endpoint, None, None), accounts, tmp_path)
    assert str(raised.value) == (
        f"{tmp_path} holds another registry ({CLOUD}, account {OWN}) than this run reads"
        f" ({named}): set SWR_WAREHOUSE_DIR to a directory of its own, or the endpoint and the"
        " credentials to those of the first."
    )


def account(domain_id: str, *names: str) -> Registry:
    """A registry whose records name this account: one tag in each repository."""
    registry = Registry()
    for name in names:
        record = registry.push("team", name, "1", manifest((f"{domain_id}{name}", 1)), at=AT)
        registry.add_record(record | {"domain_id": domain_id})
    return registry


def tags(site: CrawlSite) -> list[list[object]]:
    """What is published."""
    rows = site.query("select registry, repository, tag, domain_id from tags order by all")
    return [list(row.values()) for row in rows]


def test_the_registry_is_stored_with_its_account(tmp_path: Path) -> None:
    """Of a token nothing is known but what the records say; the port is none of its business."""
    with at_crawl_site(tmp_path, account(ANOTHER, "app")) as site:
        site.ingest()
        [row] = site.query("select * exclude (first_seen_at, last_seen_at) from registries")
        assert list(row.values()) == ["localhost", "loopback", None, ANOTHER]
    with at_crawl_site(tmp_path, account(ANOTHER, "app", "tool")) as site:
        site.ingest()
        assert len(site.query("from registries")) == 1
        assert tags(site) == [
            ["localhost", "app", "1", ANOTHER],
            ["localhost", "tool", "1", ANOTHER],
        ]


def test_another_host_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    """The warehouse was made of a region, and this is a local registry."""
    ingest(tmp_path / "warehouse", 1, [crawl(1)], [tag("a", "A")])
    before = (tmp_path / "warehouse" / ".state.duckdb").read_bytes()
    with at_crawl_site(tmp_path, small_registry()) as site:
        with pytest.raises(OtherRegistry, match=r"swr-api\.cn-north-4.*\(loopback\)"):
            site.ingest()
        assert site.server.log == []
    assert (tmp_path / "warehouse" / ".state.duckdb").read_bytes() == before


def test_another_account_is_refused_as_soon_as_it_is_known(tmp_path: Path) -> None:
    """At the log-in, where that tells; with a token not before its records are loaded."""
    with at_crawl_site(tmp_path, account(ANOTHER, "app")) as site:
        site.ingest()
        before = (site.directory / "warehouse.duckdb").read_bytes()
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.settings = PASSWORD | {"SWR_IAM_ENDPOINT": site.server.url}
        with pytest.raises(OtherRegistry, match=f"account {ANOTHER}.*account {OWN}"):
            site.ingest()
        assert not [entry for entry in site.server.log if entry.path.endswith("/tags")]
        site.settings = PASSWORD | {"SWR_USERNAME": "", "SWR_PASSWORD": ""}
        site.settings |= {"SWR_AUTH_TOKEN": "emulator-token"}
        with pytest.raises(OtherRegistry, match=f"account {ANOTHER}.*account {OWN}"):
            site.ingest()
        assert (site.directory / "warehouse.duckdb").read_bytes() == before


def test_a_landing_of_another_account_is_not_taken_up(tmp_path: Path) -> None:
    """Its own run was refused after it was landed; the first account reads anew."""
    with at_crawl_site(tmp_path, account(ANOTHER, "app")) as site:
        site.ingest()
    with at_crawl_site(tmp_path, account(OWN, "app")) as site, pytest.raises(OtherRegistry):
        site.ingest()
    with at_crawl_site(tmp_path, account(ANOTHER, "app", "new")) as site:
        assert site.ingest() == "complete"
        assert tags(site) == [
            ["localhost", "app", "1", ANOTHER],
            ["localhost", "new", "1", ANOTHER],
        ]
        assert len(site.tags_requests()) == 2


@pytest.mark.parametrize("is_own", [True, False])
def test_a_dead_runs_landing_is_taken_up_by_its_own_account_only(
    tmp_path: Path, *, is_own: bool
) -> None:
    """One repository had been read when the run died; a token does not say whose it is."""
    first = account(ANOTHER, "app", "tool")
    failing = Response(500, {}, b"")
    with Emulator(first, fault=lambda asked: failing if "/tool/" in asked.path else None) as server:
        site = CrawlSite(server, tmp_path / "warehouse")
        site.ingest()
        # As if it had died before it published.
        for path in site.directory.glob("*.duckdb"):
            path.unlink()
        for path in site.directory.glob(".*.duckdb"):
            path.unlink()
    second = account(ANOTHER if is_own else OWN, "app", "tool")
    with at_crawl_site(tmp_path, second) as site:
        assert site.ingest() == "complete"
        assert len(site.tags_requests()) == (1 if is_own else 2)
        assert {row[3] for row in tags(site)} == {ANOTHER if is_own else OWN}
    [folder] = (site.directory / "landing").iterdir()
    asked = json.loads((folder / "run.json").read_text())
    assert (asked["registry"], asked["endpoint"], asked["domain"]) == (
        "localhost",
        "loopback",
        None,
    )
