"""The vendor's own client takes the emulator for SWR: it signs, asks and pages through it all."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

Connect = Callable[..., Any]
PERMANENT = ("STANDINKEY", "emulator-secret-key", "project")
TEMPORARY = ("STANDINTEMPORARYKEY", "emulator-temporary-secret", "project")


@pytest.fixture(scope="module")
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
