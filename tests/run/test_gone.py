"""A repository is gone only where SWR itself says so of it, twice; all else is a failure."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from ingest_site import Site, at_crawl_site, small_registry

from pipelines.emulator.messages import Request, Response, gateway_error, json_response

SPARK = "/v2/manage/namespaces/data/repos/spark"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first run's warehouse is kept: it is the same for each test."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


def swr_error(status: int, code: str) -> Response:
    """An error in the words of SWR."""
    error = {"errorCode": code, "errorMessage": "no", "detail": ""}
    return json_response(status, {"errors": [error]})


OWN_CODES = ["4040009", "4040010", "4040113", "4041057"]
GONE = [swr_error(404, f"SVCSTG.SWR.{code}") for code in OWN_CODES]
NO_NAMESPACE = swr_error(404, "SVCSTG.SWR.4040058")
NOT_GONE = {
    "gateway": gateway_error(404, "APIGW.0101", "The API does not exist"),
    "proxy": Response(404, {"Content-Type": "text/html"}, b"<html>404</html>"),
    "nothing": Response(404, {}, b""),
    "another code": swr_error(404, "SVCSTG.SWR.4040115"),
    "another status": swr_error(400, "SVCSTG.SWR.4040009"),
    "forbidden": swr_error(403, "SVCSTG.SWR.4030170"),
    "namespace is listed": NO_NAMESPACE,
}


def unlisted(*answers: Response) -> Callable[[Request, Response], Response]:
    """Leave `spark` out of the list, and answer so when it is asked for, the last for ever."""
    asked = count()

    def fault(request: Request, response: Response) -> Response:
        if request.path == "/v2/manage/repos" and request.query["namespace"] == "data":
            return json_response(200, [])
        if request.path.startswith(SPARK):
            return answers[min(next(asked), len(answers) - 1)]
        return response

    return fault


def outcome(site: Site) -> tuple[object, ...]:
    """How the latest crawl of `spark` ended, and how many of its tags are live."""
    [row] = site.query(
        "select status, is_listed, tag_count, unlisted_since is not null as is_unlisted,"
        " deleted_detected_at is not null as is_gone"
        " from ingest.crawls inner join repositories using (namespace, repository)"
        " where repository = 'spark' order by started_at desc limit 1"
    )
    return tuple(row.values())


@pytest.mark.parametrize("answer", GONE, ids=OWN_CODES)
def test_a_404_of_swr_twice_is_gone(tmp_path: Path, kept: Path, answer: Response) -> None:
    """By any of its codes for a repository; that is no failure."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.server.faults = [unlisted(answer)]
        assert site.ingest() == "complete"
        asked = [entry.path for entry in site.server.log if entry.path.startswith(SPARK)]
        assert asked == [SPARK, SPARK]
        assert outcome(site) == ("missing", False, 0, False, True)


@pytest.mark.parametrize("answer", NOT_GONE.values(), ids=list(NOT_GONE))
def test_any_other_answer_keeps_its_tags(tmp_path: Path, kept: Path, answer: Response) -> None:
    """It is a failure, and the repository stays unlisted until something is heard of it."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.server.faults = [unlisted(answer)]
        assert site.ingest() == "partial"
        assert outcome(site) == ("failed", False, 1, True, False)
        site.server.faults = []
        assert site.ingest() == "complete"
        assert outcome(site) == ("unchanged", True, 1, False, False)


def test_one_404_is_not_enough(tmp_path: Path, kept: Path) -> None:
    """The second time it is there: it is read."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        there = site.server.answer(Request("GET", SPARK, {"x-auth-token": "emulator-token"}))
        tags = json_response(200, [], {"Content-Range": "0-0/0"})
        site.server.faults = [unlisted(GONE[0], there, tags)]
        assert site.ingest() == "complete"
        assert outcome(site) == ("complete", False, 0, False, False)


def test_a_missing_namespace_counts_where_its_list_lacks_it_too(tmp_path: Path, kept: Path) -> None:
    """The answer names the namespace, so the list of namespaces must agree."""

    def no_data(request: Request, response: Response) -> Response:
        if request.path == "/v2/manage/namespaces":
            return json_response(200, {"namespaces": [{"name": "shop"}]})
        return NO_NAMESPACE if "/namespaces/data/" in request.path else response

    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.server.faults = [no_data]
        assert site.ingest() == "complete"
        assert outcome(site) == ("missing", False, 0, False, True)


@pytest.mark.parametrize(
    ("answer", "status"), [(GONE[0], "missing"), (NOT_GONE["proxy"], "failed")]
)
def test_a_listed_repository_may_be_gone_when_it_is_read(
    tmp_path: Path, kept: Path, answer: Response, status: str
) -> None:
    """Its tags answer 404, and so does it: the list was made before."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.server.faults = [
            lambda request, response: answer if request.path.startswith(SPARK) else response
        ]
        site.ingest()
        [row] = site.query(
            "select status, is_listed from ingest.crawls where repository = 'spark'"
            " order by started_at desc limit 1"
        )
        assert row == {"status": status, "is_listed": True}
        assert site.query("select count(*) as n from tags where repository = 'spark'") == [
            {"n": int(status == "failed")}
        ]


def test_a_list_that_is_not_whole_says_nothing_of_what_it_lacks(tmp_path: Path, kept: Path) -> None:
    """A repository of a namespace that is not listed is neither gone nor unlisted."""

    def refuse(request: Request, response: Response) -> Response:
        is_data = request.path == "/v2/manage/repos" and request.query["namespace"] == "data"
        return swr_error(403, "SVCSTG.SWR.4030170") if is_data else response

    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.server.faults = [refuse]
        assert site.ingest() == "partial"
        assert outcome(site) == ("failed", None, 1, False, False)
        assert site.query("select namespace, list_status from ingest.namespaces order by all") == [
            {"namespace": "data", "list_status": "failed"},
            {"namespace": "shop", "list_status": "complete"},
        ]
