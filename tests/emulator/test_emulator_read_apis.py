"""The emulator's other read calls: one tag and its configuration, newer lists, rules, figures."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from pipelines.emulator.iam import User
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

Get = Callable[..., requests.Response]
BUSYBOX = "/v2/manage/namespaces/group/repos/busybox"
RUNNER = "/v2/manage/namespaces/group/repos/tools$ci$runner"
V3_TAGS = "/v3/manage/namespaces/group/repos/busybox/tags"
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
NEWEST_FIRST = ["edge", "latest", "2.0", "1.1", "1.0"]


def code(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error."""
    body = response.json()
    return response.status_code, body.get("error_code") or body["errors"][0]["errorCode"]


def test_one_tag_can_be_asked_for(get: Get, registry: Registry) -> None:
    """Its record has a name without a capital, and two fields less than the list's."""
    stored = registry.tag("group", "busybox", "edge")
    assert stored is not None
    expected = {k: v for k, v in stored.wire.items() if k not in {"Tag", "deleted", "scanned"}}
    assert get(f"{BUSYBOX}/tags/edge").json() == expected | {"tag": "edge"}
    assert code(get(f"{BUSYBOX}/tags/absent")) == (404, "SVCSTG.SWR.4040115")
    assert code(get(f"{BUSYBOX}x/tags/edge")) == (404, "SVCSTG.SWR.4040009")


def test_the_configuration_of_a_tags_image_is_a_text_in_quotes(
    registry: Registry, get: Get
) -> None:
    """Verbatim; none for an index, nor where the registry has not got it."""
    text = '{"architecture" : "arm64", "config":{"Labels":{"team":"größe"}}}'
    digest = registry.store_blob("group", "tools/ci/runner", text.encode())
    manifests = {
        "whole": {"config": {"digest": digest}},
        "index": {"manifests": []},
        "lost": {"config": {"digest": "sha256:0"}},
        "odd": {"config": "none"},
    }
    for tag, manifest in manifests.items():
        registry.push("group", "tools/ci/runner", tag, json.dumps(manifest), at=AT)
    answer = get(f"{RUNNER}/tags/whole/config")
    assert (answer.status_code, answer.json()) == (200, text)
    for tag in ("index", "lost", "odd"):
        assert code(get(f"{RUNNER}/tags/{tag}/config")) == (404, "SVCSTG.SWR.4040113")
    assert code(get(f"{RUNNER}/tags/absent/config")) == (404, "SVCSTG.SWR.4040115")


def test_some_regions_have_no_configurations(registry: Registry) -> None:
    """The gateway does not know the call there."""
    with Emulator(registry, has_tag_configs=False) as server:
        headers = {"X-Auth-Token": "emulator-token"}
        answer = requests.get(f"{server.url}{BUSYBOX}/tags/edge/config", headers=headers, timeout=9)
    assert code(answer) == (404, "APIGW.0101")


def v3_pages(get: Get, path: str, key: str, **query: object) -> Iterator[list[dict[str, Any]]]:
    """Follow the markers from page to page."""
    marker: dict[str, object] = {}
    while True:
        body = get(path, **query, **marker).json()
        yield body[key]
        if "nextMarker" not in body:
            return
        marker = {"marker": body["nextMarker"]}


@pytest.mark.parametrize("column", ["updated_at", "tag"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_the_newer_list_of_tags_is_the_older_one(
    registry: Registry, get: Get, column: str, order: str, limit: int
) -> None:
    """In each order, whatever the size of its pages, also where tags are updated at once."""
    for tag in ("b", "a"):
        registry.push("group", "busybox", tag, "{}", at=datetime(2026, 3, 3, 9, tzinfo=UTC))
    asked = {"order_column": column, "order_type": order}
    expected = [record["Tag"] for record in get(f"{BUSYBOX}/tags", **asked).json()]
    pages = list(v3_pages(get, V3_TAGS, "tags", limit=limit, **asked))
    assert [record["tag"] for page in pages for record in page] == expected
    assert {len(page) for page in pages[:-1]} <= {limit}


def test_a_newer_page_continues_where_the_last_one_ended(registry: Registry, get: Get) -> None:
    """Even if the tag that it ended with is gone, and a newer one came."""
    first = get(V3_TAGS, limit=2).json()
    assert first["has_more"] is True
    registry.delete_tag("group", "busybox", "latest")
    registry.push("group", "busybox", "newest", "{}", at=AT)
    second = get(V3_TAGS, limit=9, marker=first["nextMarker"]).json()
    assert [record["tag"] for record in second["tags"]] == ["2.0", "1.1", "1.0"]
    assert second["has_more"] is False


def test_the_newer_list_has_manifests_on_demand(get: Get) -> None:
    """And selects by a part of the name as the older one does."""
    plain, whole = (
        get(V3_TAGS, tag="1.", **more).json()["tags"] for more in ({}, {"with_manifest": "true"})
    )
    assert [(record["tag"], record["manifest"]) for record in plain] == [("1.1", ""), ("1.0", "")]
    assert [record["manifest"] for record in whole] == ['{"build": 2}', '{"build": 1}']
    assert {"Tag", "deleted", "scanned"} & whole[0].keys() == set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": 0}, "4001072"),
        ({"limit": 1001}, "4001072"),
        ({"limit": "x"}, "4001072"),
        ({"marker": "x"}, "4001025"),
        ({"marker": "WzFd"}, "4001025"),
        ({"order_column": "tag"}, "4001096"),
    ],
)
def test_wrong_parameters_of_the_newer_list_are_refused(
    get: Get, query: dict[str, object], expected: str
) -> None:
    """With the codes of the older one."""
    assert code(get(V3_TAGS, **query)) == (400, f"SVCSTG.SWR.{expected}")


def test_the_newer_list_of_repositories_goes_by_their_ids(registry: Registry, get: Get) -> None:
    """Its marker is the id that the next page begins with."""
    registry.describe("grouped", "nginx", is_public=True, category="linux")
    pages = list(v3_pages(get, "/v3/manage/repos", "repos", limit=2))
    names = [[(row["namespace_name"], row["name"]) for row in page] for page in pages]
    assert names == [[("group", "busybox"), ("group", "tools/ci/runner")], [("grouped", "nginx")]]
    assert pages[1][0] == {
        "id": 3_300_002,
        "name": "nginx",
        "category": "linux",
        "description": "",
        "size": 0,
        "is_public": True,
        "num_images": 1,
        "num_download": 0,
        "created_at": "2026-02-05T00:00:00Z",
        "updated_at": "2026-02-05T00:00:00Z",
        "domain_name": "0503dda878000fed0f75c0096d70a960",
        "namespace_name": "grouped",
        "status": False,
    }
    public = get("/v3/manage/repos", is_public="true").json()["repos"]
    assert [row["name"] for row in public] == ["nginx"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"category": "linux"}, ["nginx"]),
        ({"category": "other"}, ["busybox", "tools/ci/runner"]),
        ({"category": "arm"}, []),
        ({"is_public": "true"}, ["tools/ci/runner"]),
        ({"is_public": "false"}, ["busybox", "nginx"]),
        ({"center": "self"}, ["busybox", "nginx", "tools/ci/runner"]),
        ({"center": "thirdparty"}, []),
        ({"category": "", "is_public": ""}, ["busybox", "nginx", "tools/ci/runner"]),
    ],
)
def test_repositories_are_selected_by_what_is_described(
    registry: Registry, get: Get, query: dict[str, str], expected: list[str]
) -> None:
    """In both spellings of the parameters."""
    registry.describe("grouped", "nginx", category="linux")
    registry.describe("group", "tools/ci/runner", is_public=True)
    in_filter = "|".join(f"{name}::{value}" for name, value in query.items())
    for asked in (query, {"filter": in_filter}):
        rows = get("/v2/manage/repos", **asked).json()
        assert sorted(row["name"] for row in rows) == expected


def test_what_is_shared_is_listed(registry: Registry, get: Get) -> None:
    """By the older call and the newer one; others share nothing with this account."""
    registry.describe("group", "busybox", is_shared=True)
    older, newer = "/v2/manage/shared-repositories", "/v3/manage/shared-repositories"
    own = get(older, center="self", offset=0, limit=10)
    assert [row["name"] for row in own.json()] == ["busybox"]
    assert own.headers["Content-Range"] == "0-1/1"
    assert get(older, center="thirdparty").json() == []
    assert [row["name"] for row in get(newer, shared_by="self").json()["repos"]] == ["busybox"]
    assert get(newer, shared_by="thirdparty").json() == {"repos": []}
    assert code(get(newer)) == (400, "SVCSTG.SWR.4001025")


def test_one_namespace_can_be_asked_for(get: Get) -> None:
    """As the list has it."""
    listed = get("/v2/manage/namespaces").json()["namespaces"]
    assert get("/v2/manage/namespaces/grouped").json() == listed[1]
    assert code(get("/v2/manage/namespaces/grou")) == (404, "SVCSTG.SWR.4040058")


def test_rules_are_kept(registry: Registry, get: Get) -> None:
    """At most one set a repository, told in a list and by its id; it can be taken away."""
    rules = [
        {
            "template": "date_rule",
            "params": {"days": "30"},
            "tag_selectors": [{"kind": "label", "pattern": "v5"}],
        }
    ]
    assert get(f"{BUSYBOX}/retentions").json() == []
    registry.set_retention("group", "busybox", rules)
    expected = {"algorithm": "or", "id": 222, "scope": "", "rules": rules}
    assert get(f"{BUSYBOX}/retentions").json() == [expected]
    assert get(f"{BUSYBOX}/retentions/222").json() == expected
    assert code(get(f"{BUSYBOX}/retentions/223")) == (404, "SVCSTG.SWR.4040104")
    assert code(get(f"{BUSYBOX}x/retentions")) == (404, "SVCSTG.SWR.4040009")
    assert get(f"{RUNNER}/retentions").json() == []
    registry.set_retention("group", "busybox", [])
    assert get(f"{BUSYBOX}/retentions").json() == []


def test_what_a_rule_deletes_is_written_down(registry: Registry, get: Get) -> None:
    """The newest first, in pages."""
    with pytest.raises(KeyError):
        registry.delete_by_retention("group", "busybox", "1.0", at=AT)
    registry.set_retention("group", "busybox", [{"template": "tag_rule", "params": {"num": "3"}}])
    for tag in ("1.0", "1.1"):
        registry.delete_by_retention("group", "busybox", tag, at=AT)
    entry = {
        "created_at": "2026-03-09T09:30:00Z",
        "id": 2,
        "namespace": "group",
        "repo": "busybox",
        "retention_id": 222,
        "rule_type": "tag_rule",
        "tag": "1.1",
    }
    answer = get(f"{BUSYBOX}/retentions/histories", offset=0, limit=1)
    assert answer.json() == {"retention_log": [entry], "total": 2}
    assert answer.headers["Content-Range"] == "0-1/2"
    tags = [record["Tag"] for record in get(f"{BUSYBOX}/tags").json()]
    assert tags == ["edge", "latest", "2.0"]


def test_signatures_and_what_they_are_of_name_each_other(registry: Registry, get: Get) -> None:
    """By the digest in the signature's tag."""
    image = registry.push("group", "tools/ci/runner", "v2", '{"x": 1}', at=AT)
    registry.push("group", "tools/ci/runner", "v2.0", '{"x": 1}', at=AT)
    name = image["digest"].replace(":", "-") + ".sig"
    signature = registry.push("group", "tools/ci/runner", name, '{"x": 2}', at=AT)
    accessories = get(f"{RUNNER}/v2.0/accessories").json()
    assert accessories == {
        "total": 1,
        "accessories": [
            {
                "id": signature["id"],
                "domain_id": "0503dda878000fed0f75c0096d70a960",
                "namespace_name": "group",
                "repo_name": "tools/ci/runner",
                "sig_tag": name,
                "sig_digest": signature["digest"],
                "target_digest": image["digest"],
                "size": 0,
                "type": "signature.cosign",
                "created_at": "2026-03-09T09:30:00Z",
                "updated_at": "2026-03-09T09:30:00Z",
            }
        ],
    }
    assert get(f"{RUNNER}/v1/accessories").json() == {"total": 0, "accessories": []}
    first = get(f"{RUNNER}/{name}/references", limit=1).json()
    assert first == {"tags": ["v2"], "has_more": True, "next_marker": "v2"}
    second = get(f"{RUNNER}/{name}/references", marker="v2").json()
    assert second == {"tags": ["v2.0"], "has_more": False}
    assert code(get(f"{RUNNER}/absent/references")) == (404, "SVCSTG.SWR.4040115")
    assert code(get(f"{RUNNER}/{name}/references", limit=11)) == (400, "SVCSTG.SWR.4001072")


def test_the_accounts_figures_are_counted(registry: Registry, get: Get) -> None:
    """Namespaces, repositories, tags, and the bytes that their records say."""
    sized = json.dumps({"config": {"size": 30, "digest": "x"}, "layers": [{"size": 12}]})
    registry.push("group", "busybox", "sized", sized, at=AT)
    assert get("/v2/manage/overview").json() == {
        "domain_id": "0503dda878000fed0f75c0096d70a960",
        "domain_name": "emulator-domain",
        "namspace_num": 2,
        "repo_num": 3,
        "image_num": 8,
        "store_space": 42.0,
        "downflow_size": 0.0,
    }
    quota = {"quota_key": "namespace", "quota_limit": 15, "unit": "", "used": 2}
    assert get("/v2/manage/projects/any/quotas").json() == {"quotas": [quota]}


def test_the_accounts_reports_tell_each_day_and_month(registry: Registry, get: Get) -> None:
    """What the tags of today took when they existed already."""
    sized = json.dumps({"config": {"size": 30, "digest": "x"}, "layers": []})
    today = datetime.now(UTC)
    for age in (400, 10, 10, 0):
        registry.push("group", "aged", f"{age}", sized, at=today - timedelta(days=age))
    daily = get("/v2/manage/reports/store/daily").json()
    days = [date.fromisoformat(row["date"]) for row in daily]
    assert [(days[-1] - day).days for day in days] == list(range(29, -1, -1))
    values = [row["value"] for row in daily]
    assert values == [30.0] * 19 + [60.0] * 10 + [90.0]
    monthly = get("/v2/manage/reports/store/monthly").json()
    months = [date.fromisoformat(row["date"]) for row in monthly]
    assert len(months) == 12
    assert {month.day for month in months} == {1}
    assert months == sorted(set(months))
    assert monthly[0]["value"] == 30.0
    assert {row["value"] for row in get("/v2/manage/reports/downflow/daily").json()} == {0.0}
    for path in ("store/hourly", "images/daily"):
        assert code(get(f"/v2/manage/reports/{path}")) == (400, "SVCSTG.SWR.4001025")


def test_versions_and_projects_are_told(registry: Registry) -> None:
    """The version under each of its two addresses; projects by name or all."""
    users = [User(name, "", domain="d", project=p) for name, p in ("ax", "by", "cx")]
    headers = {"X-Auth-Token": "emulator-token"}
    with Emulator(registry, users=users) as server:

        def ask(path: str) -> Any:
            return requests.get(server.url + path, headers=headers, timeout=10).json()

        version = ask("/v2")["version"]
        assert ask("/")["versions"] == [version]
        assert version["links"] == {"href": f"{server.url}/v2", "rel": "self"}
        assert [project["name"] for project in ask("/v3/projects")["projects"]] == ["x", "y"]
        assert [project["id"] for project in ask("/v3/projects?name=y")["projects"]] == ["id-of-y"]
        assert ask("/v3/projects?name=z")["projects"] == []
        assert code(requests.get(server.url + "/v3/projects", timeout=10)) == (401, "APIGW.0301")
