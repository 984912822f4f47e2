"""Which refusals lower the page size, and for whom; and that all tags come in whatever pages."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from tag_requests import repository_of

from assets.cli.main import main
from pipelines.emulator import faults
from pipelines.emulator.messages import Request, Response, backend_error, gateway_error
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.ingest import ingest_without_reports
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings

AT = datetime(2026, 3, 1, tzinfo=UTC)
OF_LIMIT = backend_error(400, "4001072", "Web Bad request error: param limit error")
# What may be said of a page that is too large.
OF_PAGES = {
    "by message": gateway_error(400, "APIGW.0106", "Parameter Limit is out of range"),
    "by offset": gateway_error(422, "X", "offset must be a multiple"),
    "by code": backend_error(400, "4001072", "no"),
    "too large": Response(413, {}, b"<html>"),
    "out of range": Response(416, {}, b""),
}
OTHERS = {
    "other code": backend_error(400, "4001048", "Failed to get Token from Context"),
    "nothing": Response(400, {}, b"<html>"),
    "conflict": Response(409, {}, b""),
    "forbidden": gateway_error(403, "X", "limit of rights"),
}


def registry_of(repositories: int, tags: int = 1) -> Registry:
    """Repositories of one namespace, each with so many tags."""
    registry = Registry()
    for number in range(repositories):
        for tag in range(tags):
            at = AT + timedelta(seconds=number * 1000 + tag)
            registry.push("team", f"app{number}", f"v{tag}", "{}", at=at)
    return registry


def read(server: Emulator, directory: Path) -> dict[str, str]:
    """How the reading of each repository ended."""
    settings = read_settings(
        endpoint_setting=server.url,
        auth_token="emulator-token",
        requests_per_second=0,
        concurrency=1,
        warehouse_dir=directory,
    )
    # No report says in what pages the tags came.
    ingest_without_reports(settings, RunRequest("one", full=False, scope=Scope()), NoProgress())
    with duckdb.connect(directory / "warehouse.duckdb", read_only=True) as con:
        con.execute("select repository, status from ingest.crawls")
        return dict(con.fetchall())


def limits_asked(server: Emulator, path: str = "/tags") -> list[int]:
    """The page sizes asked for, in order."""
    return [int(entry.query["limit"]) for entry in server.log if entry.path.endswith(path)]


def refusing(answer: Response, *repositories: str) -> Callable[[Request, Response], Response]:
    """Refuse large pages of these."""

    def fault(request: Request, response: Response) -> Response:
        name = repository_of(request)
        is_large = int(request.query.get("limit", "0")) > 100
        return answer if name and name[1] in repositories and is_large else response

    return fault


@pytest.mark.parametrize("answer", OF_PAGES.values(), ids=OF_PAGES)
def test_a_refusal_that_speaks_of_the_page_lowers_its_size(
    tmp_path: Path, answer: Response
) -> None:
    """For that repository; the next is asked for large pages again."""
    with Emulator(registry_of(3), faults=[refusing(answer, "app0")]) as server:
        assert set(read(server, tmp_path).values()) == {"complete"}
    assert limits_asked(server) == [1000, 100, 1000, 1000]


def test_a_second_repository_speaks_for_the_endpoint(tmp_path: Path) -> None:
    """From then on all are asked for small pages."""
    with Emulator(registry_of(4), faults=[refusing(OF_LIMIT, "app0", "app2")]) as server:
        assert set(read(server, tmp_path).values()) == {"complete"}
    assert limits_asked(server) == [1000, 100, 1000, 1000, 100, 100]


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
def test_any_other_refusal_says_nothing_of_pages(tmp_path: Path, answer: Response) -> None:
    """It is that repository's failure, asked once."""
    with Emulator(registry_of(2), faults=[refusing(answer, "app0")]) as server:
        assert read(server, tmp_path) == {"app0": "failed", "app1": "complete"}
    assert limits_asked(server) == [1000, 1000]


def test_the_list_of_repositories_is_the_same(tmp_path: Path) -> None:
    """Its first namespace may be an accident, the second speaks for the endpoint."""
    registry = Registry()
    for namespace in "abcd":
        registry.push(namespace, "app", "1", "{}", at=AT)

    def fault(request: Request, response: Response) -> Response:
        is_large = int(request.query.get("limit", "0")) > 100
        is_refused = request.path == "/v2/manage/repos" and request.query["namespace"] in "ac"
        return OF_LIMIT if is_refused and is_large else response

    with Emulator(registry, faults=[fault]) as server:
        assert read(server, tmp_path) == {"app": "complete"}
    assert limits_asked(server, "/repos") == [1000, 100, 1000, 1000, 100, 100]


def clamped(_: Request, response: Response) -> Response:
    """Five records, whatever was asked for; the total is right."""
    if not isinstance(records := json.loads(response.body), list):
        return response
    return Response(response.status, response.headers, json.dumps(records[:5]).encode())


def tags(server: Emulator, *arguments: str) -> Result:
    """Call the command."""
    environment = {
        "SWR_ENDPOINT": server.url,
        "SWR_AUTH_TOKEN": "emulator-token",
        "SWR_REQUESTS_PER_SECOND": "0",
        "COLUMNS": "200",
    }
    return CliRunner(env=environment).invoke(main, ["tags", "team/app0", *arguments])


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [clamped],
        [clamped, faults.without_total],
        [faults.without_total],
        [faults.page_size_refused(100)],
    ],
)
def test_tags_shows_all_tags(wrong: Sequence[faults.Fault]) -> None:
    """In whatever pages they come, in the order asked for."""
    newest = [f"v{number}" for number in range(26, -1, -1)]
    orders = {
        (): newest,
        ("--ascending",): newest[::-1],
        ("--order-by", "tag"): sorted(newest, reverse=True),
        ("--order-by", "tag", "--ascending"): sorted(newest),
        ("--filter-style",): newest,
        ("--tag", "v1"): [name for name in newest if "v1" in name],
    }
    with Emulator(registry_of(1, 27), faults=wrong) as server:
        for arguments, expected in orders.items():
            result = tags(server, *arguments)
            assert result.exit_code == 0, result.stderr
            assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == expected


def test_tags_says_when_they_may_not_be_all() -> None:
    """On standard error, with exit code 1: here the total is one too high."""

    def one_more(_: Request, response: Response) -> Response:
        headers = dict(response.headers)
        if "Content-Range" in headers:
            headers["Content-Range"] = headers["Content-Range"].replace("/27", "/28")
        return Response(response.status, headers, response.body)

    with Emulator(registry_of(1, 27), faults=[one_more]) as server:
        result = tags(server, "--format", "jsonl")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 27)
    assert result.stderr == (
        "These may not be all tags: the list kept changing or contradicting itself"
        " (27 of 28 were read).\n"
    )


def test_an_empty_list_is_compared_with_the_count() -> None:
    """Nothing and null are empty lists, and a repository may be empty."""
    registry = registry_of(1, 27)
    with Emulator(registry) as server:
        server.fault = lambda request: (
            Response(200, {}, b"null") if repository_of(request) else None
        )
        result = tags(server)
        assert result.exit_code == 1
        assert result.stderr == "No tag is listed, but the repository counts 27.\n"
        for number in range(27):
            registry.delete_tag("team", "app0", f"v{number}")
        assert tags(server).exit_code == 0
