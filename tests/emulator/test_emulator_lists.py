"""The emulator's lists over HTTP: paging, order, filters, and how it refuses what SWR refuses."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

Get = Callable[..., requests.Response]
BUSYBOX = "/v2/manage/namespaces/group/repos/busybox"
TAGS = f"{BUSYBOX}/tags"
REPOSITORIES = "/v2/manage/repos"
NEWEST_FIRST = ["edge", "latest", "2.0", "1.1", "1.0"]


def tags(response: requests.Response) -> list[str]:
    """Names in a page of tags."""
    assert response.status_code == 200
    return [record["Tag"] for record in response.json()]


def repositories(response: requests.Response) -> list[str]:
    """Names in a page of repositories."""
    assert response.status_code == 200
    return [f"{record['namespace']}/{record['name']}" for record in response.json()]


def filtered(**parts: object) -> str:
    """The parameters as one `filter`."""
    return "|".join(f"{name}::{value}" for name, value in parts.items())


def refusal(response: requests.Response) -> tuple[int, str, str]:
    """CrawlStatus, code and message of an error as SWR words it."""
    assert list(response.json()["errors"][0]) == ["errorCode", "errorMessage", "detail"]
    error = response.json()["errors"][0]
    return response.status_code, error["errorCode"], error["errorMessage"]


def test_a_page_of_tags_is_an_array_of_records(get: Get, registry: Registry) -> None:
    """Newest first where no order is given, each record as the registry holds it."""
    response = get(TAGS)
    stored = registry.tags("group", "busybox", descending=True)
    assert response.json() == [tag.wire for tag in stored]
    assert tags(response) == NEWEST_FIRST
    assert response.headers["Content-Type"] == "application/json"
    assert "Content-Range" not in response.headers
    assert len(response.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize(
    ("offset", "limit", "expected", "content_range"),
    [
        (0, 2, ["edge", "latest"], "0-2/5"),
        (2, 2, ["2.0", "1.1"], "2-2/5"),
        (4, 2, ["1.0"], "4-1/5"),
        (1, 3, ["latest", "2.0", "1.1"], "1-3/5"),
        (5, 2, [], "5-0/5"),
        (900, 1000, [], "900-0/5"),
    ],
)
def test_offset_and_limit_page_through(
    get: Get, offset: int, limit: int, expected: list[str], content_range: str
) -> None:
    """Content-Range is offset, rows of the page, total; past the end is an empty array."""
    for query in (
        {"offset": offset, "limit": limit},
        {"filter": filtered(offset=offset, limit=limit)},
    ):
        response = get(TAGS, **query)
        assert tags(response) == expected
        assert response.headers["Content-Range"] == content_range


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"order_column": "updated_at", "order_type": "asc"}, NEWEST_FIRST[::-1]),
        ({"order_column": "updated_at", "order_type": "desc"}, NEWEST_FIRST),
        ({"order_column": "tag", "order_type": "asc"}, ["1.0", "1.1", "2.0", "edge", "latest"]),
        ({"order_column": "tag", "order_type": "desc"}, ["latest", "edge", "2.0", "1.1", "1.0"]),
    ],
)
def test_tags_come_in_the_order_asked_for(
    get: Get, order: dict[str, str], expected: list[str]
) -> None:
    """By time of update or by name, both ways, in both spellings."""
    assert tags(get(TAGS, **order)) == expected
    assert tags(get(TAGS, filter=filtered(**order))) == expected


def test_both_spellings_of_a_filter_are_understood(server: Emulator, get: Get) -> None:
    """Percent-encoded as the SDK sends it, raw as Terraform does."""
    assert tags(get(f"{TAGS}?filter=offset::1|limit::1")) == ["latest"]
    assert tags(get(f"{TAGS}?filter=offset%3A%3A1%7Climit%3A%3A1")) == ["latest"]
    assert [entry.query for entry in server.log] == [{"filter": "offset::1|limit::1"}] * 2


def test_a_filter_wins_over_single_parameters(get: Get) -> None:
    """They are not even looked at."""
    response = get(TAGS, filter="offset::3|limit::1", offset=0, limit="nonsense", tag="edge")
    assert tags(response) == ["1.1"]


def test_a_tag_selects_all_names_that_hold_it(get: Get) -> None:
    """The total is that of the selection."""
    response = get(TAGS, tag="1.", offset=1, limit=1)
    assert tags(response) == ["1.0"]
    assert response.headers["Content-Range"] == "1-1/2"
    assert tags(get(TAGS, filter="tag::1.")) == ["1.1", "1.0"]
    assert tags(get(TAGS, tag="")) == NEWEST_FIRST


@pytest.mark.parametrize(
    ("query", "code", "problem"),
    [
        ({"offset": 0}, "4001072", "param offset error"),
        ({"limit": 10}, "4001072", "param offset error"),
        ({"filter": "limit::10"}, "4001072", "param offset error"),
        ({"offset": "x", "limit": 10}, "4001072", "param offset error"),
        ({"offset": -1, "limit": 10}, "4001072", "param offset error"),
        ({"offset": 0, "limit": 0}, "4001072", "param limit error"),
        ({"offset": 0, "limit": 1001}, "4001072", "param limit error"),
        ({"order_column": "updated_at"}, "4001096", "param order column error"),
        ({"order_type": "asc"}, "4001096", "param order column error"),
        ({"order_column": "created", "order_type": "asc"}, "4001096", "param order column error"),
        ({"order_column": "updated_at", "order_type": "up"}, "4001096", "param order column error"),
        ({"filter": "offset=0"}, "4001035", "invalid filter"),
    ],
)
@pytest.mark.parametrize("path", [TAGS, REPOSITORIES])
def test_wrong_parameters_are_refused(
    get: Get, path: str, query: dict[str, object], code: str, problem: str
) -> None:
    """With the codes of SWR, offset and limit belong together, and so do column and direction."""
    expected = (400, f"SVCSTG.SWR.{code}", f"Web Bad request error: {problem}")
    # The list of repositories calls its column otherwise.
    query = {
        name: "updated_time" if (path, value) == (REPOSITORIES, "updated_at") else value
        for name, value in query.items()
    }
    assert refusal(get(path, **query)) == expected


def test_a_page_holds_a_hundred_where_nothing_is_said(registry: Registry, get: Get) -> None:
    """Of tags and of repositories alike."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(101):
        registry.push("many", "tags", f"{number}", "{}", at=at + timedelta(seconds=number))
        registry.push("many", f"repository-{number}", "x", "{}", at=at)
    expected = [str(number) for number in range(100, 0, -1)]
    assert tags(get("/v2/manage/namespaces/many/repos/tags/tags")) == expected
    page = get(REPOSITORIES, namespace="many").json()
    assert len(page) == 100
    assert {record["total_range"] for record in page} == {102}


def test_names_with_levels_are_asked_for_with_a_dollar_sign(get: Get) -> None:
    """Raw or encoded; a slash, raw or encoded, is unknown to the gateway."""
    for name in ("tools$ci$runner", "tools%24ci%24runner"):
        path = f"/v2/manage/namespaces/group/repos/{name}"
        assert get(path).json()["name"] == "tools/ci/runner"
        assert tags(get(path + "/tags")) == ["v1"]
    for name in ("tools/ci/runner", "tools%2Fci%2Frunner"):
        response = get(f"/v2/manage/namespaces/group/repos/{name}/tags")
        assert response.status_code == 404
        assert response.json()["error_code"] == "APIGW.0101"


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v2/manage", "/v2/manage/namespaces/", "/v2/manage/namespaces/group/repos", "/a//"],
)
def test_what_is_no_call_is_unknown_to_the_gateway(get: Get, path: str) -> None:
    """The body repeats the request id of the header."""
    response = get(path)
    assert response.status_code == 404
    assert response.json() == {
        "error_msg": "The API does not exist or has not been published in the environment",
        "error_code": "APIGW.0101",
        "request_id": response.headers["X-Request-Id"],
    }


def test_nothing_can_be_changed_over_http(server: Emulator, session: requests.Session) -> None:
    """Only tokens can be asked for by POST."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = session.request(method, server.url + TAGS, data=b"{}", timeout=10)
        assert response.json()["error_code"] == "APIGW.0101"


@pytest.mark.parametrize("name", ["busybo", "tools$ci", "Busybox", "tools%24ci%24runner%24x"])
@pytest.mark.parametrize("rest", ["", "/tags"])
def test_a_missing_repository_is_404_in_both_styles(get: Get, name: str, rest: str) -> None:
    """The old list of errors and the new fields side by side."""
    response = get(f"/v2/manage/namespaces/group/repos/{name}{rest}")
    code, message = "SVCSTG.SWR.4040009", "Image list not found"
    assert refusal(response) == (404, code, message)
    assert response.json()["error_code"] == code
    assert response.json()["error_msg"] == message
    assert response.json()["details"] == [{"error_code": code, "error_msg": ""}]
    assert response.headers["X-Request-Id"]


def test_one_repository_can_be_asked_for(get: Get, registry: Registry) -> None:
    """Its response calls its stamps otherwise than the list does."""
    record = get(BUSYBOX).json()
    assert record == registry.repository_record("group", "busybox")
    assert record["created"] == "2026-03-01T09:00:00Z"
    assert record["updated"] == "2026-03-05T09:00:00Z"
    assert record["num_images"] == 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["group/busybox", "grouped/nginx", "group/tools/ci/runner"]),
        ({"namespace": "group"}, ["group/busybox", "grouped/nginx", "group/tools/ci/runner"]),
        ({"namespace": "grouped"}, ["grouped/nginx"]),
        ({"name": "n"}, ["grouped/nginx", "group/tools/ci/runner"]),
        ({"name": "ci", "namespace": "group"}, ["group/tools/ci/runner"]),
        ({"name": "absent"}, []),
        (
            {"order_column": "name", "order_type": "asc"},
            ["group/busybox", "grouped/nginx", "group/tools/ci/runner"],
        ),
        (
            {"order_column": "updated_time", "order_type": "asc"},
            ["group/tools/ci/runner", "grouped/nginx", "group/busybox"],
        ),
        (
            {"order_column": "tag_count", "order_type": "asc"},
            ["group/tools/ci/runner", "grouped/nginx", "group/busybox"],
        ),
        (
            {"order_column": "namespace", "order_type": "desc"},
            ["grouped/nginx", "group/busybox", "group/tools/ci/runner"],
        ),
        (
            {"order_column": "is_public", "order_type": "desc"},
            ["group/tools/ci/runner", "group/busybox", "grouped/nginx"],
        ),
        ({"offset": 1, "limit": 1}, ["grouped/nginx"]),
        ({"offset": 3, "limit": 1}, []),
    ],
)
def test_repositories_are_listed_filtered_and_ordered(
    get: Get, registry: Registry, query: dict[str, object], expected: list[str]
) -> None:
    """Namespace and name are fuzzy; both spellings; the newest first where no order is given."""
    registry.describe("group", "tools/ci/runner", is_public=True, download_count=3)
    assert repositories(get(REPOSITORIES, **query)) == expected
    with_filter = get(REPOSITORIES, filter=filtered(center="self", **query))
    assert repositories(with_filter) == expected


def test_a_page_of_repositories_states_the_total_twice(get: Get, registry: Registry) -> None:
    """In Content-Range and in each row."""
    response = get(REPOSITORIES, namespace="group", offset=2, limit=2)
    assert response.headers["Content-Range"] == "2-1/3"
    listed = {record["name"]: record for record in registry.repository_records()}
    assert response.json() == [listed["tools/ci/runner"] | {"total_range": 3}]


def test_namespaces_are_listed_without_pages(get: Get) -> None:
    """All of them, or the one that is named."""
    group = {
        "id": 3_800_000,
        "name": "group",
        "creator_name": "emulator",
        "auth": 7,
        "access_user_count": 1,
        "repo_count": 2,
    }
    grouped = group | {"id": 3_800_001, "name": "grouped", "repo_count": 1}
    path = "/v2/manage/namespaces"
    assert get(path).json() == {"namespaces": [group, grouped]}
    assert get(f"{path}?filter=mode::visible").json() == {"namespaces": [group, grouped]}
    assert get(path, filter="namespace::group|mode::visible").json() == {"namespaces": [group]}
    assert get(path, namespace="grouped").json() == {"namespaces": [grouped]}
    assert get(path, namespace="grou").json() == {"namespaces": []}


@pytest.fixture
def crowd() -> Iterator[Emulator]:
    """A repository of 12,000 tags."""
    registry = Registry()
    at = datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(12_000):
        registry.push("many", "tags", f"{number}", "{}", at=at + timedelta(seconds=number % 500))
    with Emulator(registry) as server:
        yield server


def test_a_walk_through_a_crowd_sees_every_tag_once(
    crowd: Emulator, session: requests.Session
) -> None:
    """Although most of them are tied; and the order is worked out once, not for each page."""
    seen: list[str] = []
    order = {"order_column": "updated_at", "order_type": "asc", "limit": "1000"}
    for offset in range(0, 12_000, 1000):
        response = session.get(
            f"{crowd.url}/v2/manage/namespaces/many/repos/tags/tags",
            params=order | {"offset": str(offset)},
            timeout=10,
        )
        seen += tags(response)
    assert sorted(map(int, seen)) == list(range(12_000))
    first = crowd.registry.tags("many", "tags")
    assert crowd.registry.tags("many", "tags") is first
