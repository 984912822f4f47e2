"""The vendor's own client takes the emulator for SWR: it signs, asks and pages through it all."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

Connect = Callable[..., Any]
PERMANENT = ("STANDINKEY", "emulator-secret-key", "project")
TEMPORARY = ("STANDINTEMPORARYKEY", "emulator-temporary-secret", "project")


@pytest.fixture
def registry() -> Registry:
    """The built-in registry instead of the small one."""
    return built_in_registry(date(2026, 11, 23))


@pytest.fixture
def connect(server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connect:
    """Make a client of the official SDK, which keeps a file in the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME
    from huaweicloudsdkswr.v2 import SwrClient  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME

    def make(credentials: tuple[str, str, str], security_token: str | None = None) -> Any:
        signing = BasicCredentials(*credentials)
        if security_token:
            signing = signing.with_security_token(security_token)
        builder = SwrClient.new_builder().with_credentials(signing)
        return builder.with_endpoints([server.url]).build()

    return make


@pytest.fixture
def sdk(connect: Connect) -> Any:
    """The SDK's requests."""
    from huaweicloudsdkswr import v2  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME

    del connect
    return v2


def all_tags(client: Any, sdk: Any, namespace: str, repository: str) -> Iterator[Any]:
    """Page through a repository's tags until a page is empty."""
    offset = 0
    while True:
        response = client.list_repository_tags(
            sdk.ListRepositoryTagsRequest(
                namespace=namespace,
                repository=repository.replace("/", "$"),
                offset=str(offset),
                limit="100",
                order_column="updated_at",
                order_type="asc",
            )
        )
        if not response.body:
            return
        yield from response.body
        offset += 100


@pytest.mark.parametrize(
    ("credentials", "security_token"),
    [(PERMANENT, None), (TEMPORARY, "emulator-security-token")],
    ids=["permanent", "temporary"],
)
def test_the_official_client_sees_every_tag(
    connect: Connect,
    sdk: Any,
    registry: Registry,
    credentials: tuple[str, str, str],
    security_token: str | None,
) -> None:
    """From the namespaces to the last tag, in the registry's order, every field read."""
    client = connect(credentials, security_token)
    namespaces = client.list_namespaces(
        sdk.ListNamespacesRequest(filter="mode::visible")
    ).namespaces
    assert [namespace.name for namespace in namespaces] == ["data", "platform", "shop"]
    listed = client.list_repos_details(sdk.ListReposDetailsRequest(offset="0", limit="100"))
    assert listed.content_range == "0-40/40"
    seen = 0
    for repository in listed.body:
        tags = list(all_tags(client, sdk, repository.namespace, repository.name))
        stored = registry.tags(repository.namespace, repository.name)
        assert [(tag.tag, tag.digest, tag.manifest) for tag in tags] == [
            (tag.name, tag.wire["digest"], tag.wire["manifest"]) for tag in stored
        ]
        assert [
            tag.name
            for tag in registry.tags(repository.namespace, repository.name, descending=True)
        ] == repository.tags
        seen += len(tags)
    assert seen == registry.tag_count


def test_the_official_client_reads_a_filter_and_one_repository(
    connect: Connect, sdk: Any, server: Emulator
) -> None:
    """With the filter and the dollar sign encoded, as it does."""
    client = connect(PERMANENT)
    asked = sdk.ListRepositoryTagsRequest(
        namespace="shop", repository="payments$api", filter="offset::0|limit::2|tag::latest"
    )
    response = client.list_repository_tags(asked)
    assert [tag.tag for tag in response.body] == ["latest"]
    assert response.content_range == "0-1/1"
    one = client.show_repository(
        sdk.ShowRepositoryRequest(namespace="shop", repository="payments$api")
    )
    assert one.name == "payments/api"
    assert [entry.path for entry in server.log] == [
        "/v2/manage/namespaces/shop/repos/payments$api/tags",
        "/v2/manage/namespaces/shop/repos/payments$api",
    ]


def asked_of_a_repository(sdk: Any, kind: str, **more: Any) -> Any:
    """A request of that kind about the repository whose images are signed."""
    return getattr(sdk, f"{kind}Request")(namespace="shop", repository="payments$api", **more)


def test_the_official_client_reads_what_is_told_of_a_repository(
    connect: Connect, sdk: Any, registry: Registry
) -> None:
    """A tag, the newer list of tags, signatures and what they are of, rules and their log."""
    rules = [{"template": "tag_rule", "params": {"num": "5"}, "tag_selectors": []}]
    registry.set_retention("shop", "payments/api", rules)
    oldest, *_ = registry.tags("shop", "payments/api")
    registry.delete_by_retention(
        "shop", "payments/api", oldest.name, at=datetime(2026, 11, 22, tzinfo=UTC)
    )
    client = connect(PERMANENT)
    stored = registry.tag("shop", "payments/api", "latest")
    assert stored is not None
    latest = client.show_repo_tag(asked_of_a_repository(sdk, "ShowRepoTag", tag="latest"))
    assert (latest.tag, latest.manifest) == ("latest", stored.wire["manifest"])
    newer = client.list_repository_tag(
        asked_of_a_repository(sdk, "ListRepositoryTag", limit=2, with_manifest=True)
    )
    newest = registry.tags("shop", "payments/api", descending=True)
    assert [tag.tag for tag in newer.tags] == [tag.name for tag in newest[:2]]
    assert (newer.has_more, bool(newer.next_marker)) == (True, True)
    attached = client.list_repo_accessories(
        asked_of_a_repository(sdk, "ListRepoAccessories", tag="latest")
    )
    (signature,) = attached.accessories
    assert (attached.total, signature.target_digest) == (1, stored.wire["digest"])
    referring = client.list_references(
        asked_of_a_repository(sdk, "ListReferences", tag=signature.sig_tag)
    )
    assert "latest" in referring.tags
    (rule,) = client.list_retentions(asked_of_a_repository(sdk, "ListRetentions")).body
    assert rule.rules[0].params == {"num": "5"}
    one = client.show_retention(asked_of_a_repository(sdk, "ShowRetention", retention_id=rule.id))
    assert one.algorithm == "or"
    log = client.list_retention_histories(asked_of_a_repository(sdk, "ListRetentionHistories"))
    assert [(entry.tag, entry.rule_type) for entry in log.retention_log] == [
        (oldest.name, "tag_rule")
    ]


def test_the_official_client_reads_what_is_told_of_the_account(
    connect: Connect, sdk: Any, registry: Registry
) -> None:
    """Its figures, quotas and namespaces, lists by marker, what is shared, the versions."""
    registry.describe("shop", "checkout", is_shared=True)
    client = connect(PERMANENT)
    overview = client.show_domain_overview(sdk.ShowDomainOverviewRequest())
    counts = (overview.namspace_num, overview.repo_num, overview.image_num)
    assert counts == (3, len(registry.repository_records()), registry.tag_count)
    report = client.show_domain_resource_reports(
        sdk.ShowDomainResourceReportsRequest(resource_type="store", frequency="daily")
    )
    assert len(report.body) == 30
    (quota,) = client.list_quotas(sdk.ListQuotasRequest()).quotas
    assert (quota.quota_key, quota.used) == ("namespace", 3)
    assert client.show_namespace(sdk.ShowNamespaceRequest(namespace="shop")).name == "shop"
    first = client.list_repo_details(sdk.ListRepoDetailsRequest(namespace="shop", limit=10))
    rest = client.list_repo_details(
        sdk.ListRepoDetailsRequest(namespace="shop", limit=10, marker=first.next_marker)
    )
    shop = [r["name"] for r in registry.repository_records() if r["namespace"] == "shop"]
    assert sorted(row.name for row in (*first.repos, *rest.repos)) == shop
    assert rest.next_marker is None
    shared = client.list_shared_repos_details(sdk.ListSharedReposDetailsRequest(center="self"))
    assert [row.name for row in shared.body] == ["checkout"]
    newer = client.list_shared_repo_details(sdk.ListSharedRepoDetailsRequest(shared_by="self"))
    assert [row.name for row in newer.repos] == ["checkout"]
    (version,) = client.list_api_versions(sdk.ListApiVersionsRequest()).versions
    one = client.show_api_version(sdk.ShowApiVersionRequest(api_version="v2"))
    assert one.version.id == version.id == "v2"


def test_the_official_client_gets_a_login(connect: Connect, sdk: Any, server: Emulator) -> None:
    """Headers and body."""
    client = connect(PERMANENT)
    login = client.create_secret(sdk.CreateSecretRequest(projectname="cn-north-4"))
    host = server.url.removeprefix("http://")
    assert list(login.auths) == [host]
    assert login.x_swr_dockerlogin.endswith(f" {host}")
    assert login.x_swr_expireat.endswith("Z")


def test_the_official_client_finds_its_project(
    connect: Connect, sdk: Any, server: Emulator
) -> None:
    """It asks IAM for the project of its region, if it was given none."""
    del connect
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415 - needs HOME
    from huaweicloudsdkcore.region.region import Region  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME

    signing = BasicCredentials(*PERMANENT[:2]).with_iam_endpoint(server.url)
    builder = sdk.SwrClient.new_builder().with_credentials(signing)
    client = builder.with_region(Region("cn-north-4", server.url)).build()
    client.list_namespaces(sdk.ListNamespacesRequest())
    asked = [(entry.path, entry.query) for entry in server.log]
    assert asked == [("/v3/projects", {"name": "cn-north-4"}), ("/v2/manage/namespaces", {})]


@pytest.mark.parametrize(
    ("credentials", "repository", "expected"),
    [
        ((("STANDINKEY", "wrong", "project"), None), "checkout", (401, "APIGW.0301")),
        ((TEMPORARY, None), "checkout", (401, "APIGW.0301")),
        ((TEMPORARY, "wrong"), "checkout", (401, "APIGW.0301")),
        ((PERMANENT, None), "payments/api", (404, "APIGW.0101")),
        ((PERMANENT, None), "absent", (404, "SVCSTG.SWR.4040009")),
    ],
)
def test_the_official_client_understands_the_errors(
    connect: Connect,
    sdk: Any,
    credentials: tuple[tuple[str, str, str], str | None],
    repository: str,
    expected: tuple[int, str],
) -> None:
    """CrawlStatus, code and request id."""
    from huaweicloudsdkcore.exceptions.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME
        ClientRequestException,
    )

    client = connect(*credentials)
    asked = sdk.ListRepositoryTagsRequest(namespace="shop", repository=repository)
    with pytest.raises(ClientRequestException) as caught:
        client.list_repository_tags(asked)
    assert (caught.value.status_code, caught.value.error_code) == expected
    assert len(caught.value.request_id) == 32
