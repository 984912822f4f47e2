"""What was read is held against the repository's own count of its tags."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ingest_site import AT, Site, at_crawl_site, manifest, small_registry

from pipelines.emulator.messages import Request, Response, json_response
from pipelines.emulator.registry import Registry

APP = "/v2/manage/namespaces/team/repos/app"
Fault = Callable[[Request, Response], Response]


def five_tags() -> Registry:
    """One repository."""
    registry = Registry()
    for number in range(5):
        registry.push("team", "app", f"v{number}", manifest((f"app{number}", 1)), at=AT)
    return registry


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first run's warehouse is kept: it is the same for each test."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


def changed(response: Response, **fields: Any) -> Response:
    """A JSON object, or all objects of a JSON array, with other fields."""
    body = json.loads(response.body)
    body = [one | fields for one in body] if isinstance(body, list) else body | fields
    return Response(response.status, response.headers, json.dumps(body).encode())


def cut(request: Request, response: Response) -> Response:
    """Three tags, and the total says that these are all."""
    if request.path != f"{APP}/tags":
        return response
    records = json.loads(response.body)[:3]
    return json_response(200, records, {"Content-Range": f"0-{len(records)}/3"})


def own_count(count: int | None) -> Fault:
    """What the repository counts when it is asked by name."""
    return lambda request, response: (
        changed(response, num_images=count) if request.path == APP else response
    )


def listed_count(count: int | None) -> Fault:
    """What the list of repositories counts."""
    return lambda request, response: (
        changed(response, num_images=count) if request.path == "/v2/manage/repos" else response
    )


def crawl(site: Site) -> dict[str, Any]:
    """The latest crawl."""
    [row] = site.query(
        "select status, cause, received, error from ingest.crawls order by started_at desc limit 1"
    )
    return row


def test_fewer_tags_than_counted_are_not_all(tmp_path: Path) -> None:
    """Both numbers are named; known tags that were not seen stay, and are counted as unseen."""
    with at_crawl_site(tmp_path, five_tags()) as site:
        assert site.ingest() == "complete"
        site.server.faults = [cut]
        assert site.ingest() == "partial"
        assert crawl(site) == {
            "status": "incomplete",
            "cause": "list_contradicted",
            "received": 3,
            "error": "it lists 3 tags and counts 5",
        }
        assert site.query("select tag_count, unseen_tag_count from repositories") == [
            {"tag_count": 5, "unseen_tag_count": 2}
        ]
        site.server.faults = []
        assert site.ingest() == "complete"
        assert crawl(site)["status"] == "complete"


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ([cut, own_count(3)], "complete"),
        ([cut, own_count(2)], "complete"),
        ([cut, own_count(4)], "incomplete"),
        ([cut, own_count(None)], "incomplete"),
        ([cut, listed_count(3)], "complete"),
        ([cut, listed_count(None)], "complete"),
        ([listed_count(9)], "complete"),
        ([listed_count(9), own_count(9)], "incomplete"),
        ([listed_count(1), own_count(1)], "complete"),
    ],
)
def test_the_count_that_decides_is_asked_for_after_the_reading(
    tmp_path: Path, faults: list[Fault], status: str
) -> None:
    """It is asked for only where the list of repositories counts more; more tags are no failure."""
    with at_crawl_site(tmp_path, five_tags(), faults=faults) as site:
        site.ingest()
        assert crawl(site)["status"] == status


@pytest.mark.parametrize("status", [403, 500])
def test_a_count_that_is_refused_decides_nothing(tmp_path: Path, status: int) -> None:
    """Then the list of repositories is believed."""
    refused = Response(status, {}, b"{}")
    faults: list[Fault] = [cut, lambda asked, answer: refused if asked.path == APP else answer]
    with at_crawl_site(tmp_path, five_tags(), faults=faults) as site:
        site.ingest()
        assert crawl(site)["cause"] == "list_contradicted"


def test_tags_pushed_since_the_reading_contradict_nothing(tmp_path: Path) -> None:
    """Deleted before it, pushed after it: by then the list says so too."""
    registry = five_tags()

    def between(request: Request, response: Response) -> Response:
        if request.path == "/v2/manage/repos":
            registry.delete_tag("team", "app", "v0")
        if request.path == f"{APP}/tags" and "later" not in pushed:
            registry.push("team", "app", "later", manifest(("later", 1)), at=AT)
            pushed.add("later")
        return response

    pushed: set[str] = set()
    with at_crawl_site(tmp_path, registry, faults=[between]) as site:
        assert site.ingest() == "complete"
        assert crawl(site) == {"status": "complete", "cause": None, "received": 4, "error": None}
        by_name = [entry.path for entry in site.server.log if entry.path == APP]
        assert len(by_name) == 1


def test_an_unchanged_list_that_is_contradicted_is_read_whole(tmp_path: Path) -> None:
    """Two tags more than it ever showed: the short page that proved it unchanged proves nothing."""
    with at_crawl_site(tmp_path, five_tags()) as site:
        site.settings = {"SWR_PAGE_SIZE": "2"}
        site.ingest()
        site.server.faults = [listed_count(7), own_count(7)]
        assert site.ingest() == "partial"
        assert crawl(site) == {
            "status": "incomplete",
            "cause": "list_contradicted",
            "received": 5,
            "error": "it lists 5 tags and counts 7",
        }
        # All five were seen: none of them is in doubt for that.
        assert site.query("select tag_count, unseen_tag_count from repositories") == [
            {"tag_count": 5, "unseen_tag_count": 0}
        ]


def emptied(body: bytes, **headers: str) -> Fault:
    """Answer for tags with nothing."""
    answer = Response(200, {"Content-Type": "application/json"} | headers, body)
    return lambda request, response: answer if request.path == f"{APP}/tags" else response


EMPTY = [
    ([emptied(b"[]"), listed_count(0), own_count(0)], "complete", 0),
    ([emptied(b"[]"), listed_count(0)], "incomplete", 5),
    ([emptied(b"[]"), listed_count(None), own_count(None)], "incomplete", 5),
    ([emptied(b"[]")], "incomplete", 5),
    ([emptied(b"[]", **{"Content-Range": "0-0/0"}), listed_count(0), own_count(0)], "complete", 0),
    ([emptied(b"[]", **{"Content-Range": "0-0/0"}), listed_count(0)], "complete", 0),
    ([emptied(b"[]", **{"Content-Range": "0-0/0"})], "incomplete", 5),
]


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
@pytest.mark.parametrize(("faults", "status", "left"), EMPTY)
def test_an_empty_list_is_believed_where_a_count_says_0_too(
    tmp_path: Path, kept: Path, faults: list[Fault], status: str, left: int, *, full: bool
) -> None:
    """Its own total, or the repository's count asked by name; else nothing is taken for deleted."""
    with at_crawl_site(tmp_path, five_tags()) as site:
        site.begin(kept)
        site.server.faults = faults
        site.ingest(full=full)
        assert (crawl(site)["status"], site.query("select count(*) as n from tags")) == (
            status,
            [{"n": left}],
        )


def untold(request: Request, response: Response) -> Response:
    """State no totals."""
    if not request.path.endswith("/tags"):
        return response
    return Response(response.status, {"Content-Type": "application/json"}, response.body)


def test_a_repository_that_never_held_a_tag_may_be_empty(tmp_path: Path) -> None:
    """Nothing can be lost of it, so nobody is asked."""
    registry = small_registry()
    registry.delete_tag("data", "spark", "latest")
    with at_crawl_site(tmp_path, registry, faults=[untold]) as site:
        assert site.ingest() == "complete"
        assert not [entry for entry in site.server.log if entry.path.endswith("/repos/spark")]
