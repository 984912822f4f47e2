"""The client against the emulator over HTTP: paths, shapes, failures and what they say."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.emulator.messages import (
    Request,
    Response,
    backend_error,
    backend_error_in_both_styles,
    gateway_error,
)
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import (
    SwrForbidden,
    SwrNotFound,
    SwrRefused,
    SwrUnauthenticated,
    SwrUnavailable,
    SwrUnknownPath,
    UnexpectedResponse,
)
from pipelines.settings import read_settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.paging import PageRequest
from pipelines.swr.repository_list import RepositoryList
from pipelines.swr.transport import Transport

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEWEST = PageRequest(0, 10, newest_first=True)
TOKEN = "a-secret-token-not-to-be-seen"


@pytest.fixture
def server() -> Iterator[Emulator]:
    """A registry of three repositories, one with a slash in its name."""
    registry = Registry()
    for second, (namespace, repository, tag) in enumerate(
        [
            ("team", "app", "1"),
            ("team", "app", "2"),
            ("team", "deep/er/app", "1"),
            ("team2", "x", "1"),
        ]
    ):
        registry.push(namespace, repository, tag, "{}", at=AT.replace(second=second))
    with Emulator(registry, token=TOKEN) as running:
        yield running


@pytest.fixture
def client(server: Emulator) -> Iterator[SwrClient]:
    """A client with the emulator's token."""
    settings = read_settings(
        endpoint_setting=server.url, auth_token=TOKEN, requests_per_second=0, timeout_seconds=2
    )
    with Transport(settings) as transport:
        yield client_from(settings, transport)


def page(client: SwrClient) -> list[str]:
    """Names on the newest page of team/app."""
    return [record.key for record in client.tag_page("team", "app", NEWEST).records]


def failing(server: Emulator, *responses: Response) -> None:
    """Let the emulator send these first, one a request, then go on normally."""
    left = list(responses)
    server.fault = lambda request: left.pop(0) if left and request.path else None


def test_namespaces_and_repositories_are_compared_by_name(client: SwrClient) -> None:
    """The API's filter is fuzzy: team finds team2 as well."""
    assert client.namespaces() == ["team", "team2"]
    listing = client.repositories("team")
    assert [(r.namespace, r.name, r.num_images) for r in listing.records] == [
        ("team", "app", 2),
        ("team", "deep/er/app", 1),
    ]


def test_a_page_brings_records_and_the_total(client: SwrClient, server: Emulator) -> None:
    """In the order asked for, by separate parameters that are always all there."""
    newest = client.tag_page("team", "app", PageRequest(0, 1, newest_first=True))
    oldest = client.tag_page("team", "app", PageRequest(0, 1, newest_first=False))
    assert ([r.key for r in newest.records], newest.total) == (["2"], 2)
    assert ([r.key for r in oldest.records], oldest.total) == (["1"], 2)
    assert server.log[-1].query == {
        "offset": "0",
        "limit": "1",
        "order_column": "updated_at",
        "order_type": "asc",
    }


def test_a_slash_in_a_name_travels_as_a_dollar_sign(client: SwrClient, server: Emulator) -> None:
    """As the API wants it."""
    assert client.tag_page("team", "deep/er/app", NEWEST).total == 1
    assert server.log[-1].path == "/v2/manage/namespaces/team/repos/deep$er$app/tags"


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_a_name_that_would_walk_the_path_is_not_asked_for(
    client: SwrClient, server: Emulator, name: str
) -> None:
    """Names from the API never become paths."""
    with pytest.raises(SwrRefused, match="no such name"):
        client.tag_page("team", name, NEWEST)
    assert server.log == []


def test_a_name_with_odd_characters_stays_one_segment(client: SwrClient, server: Emulator) -> None:
    """Whatever it holds."""
    with pytest.raises(SwrNotFound):
        client.tag_page("team", 'a b?c#d%2F"\n😀', NEWEST)
    assert server.log[-1].path == '/v2/manage/namespaces/team/repos/a b?c#d%2F"\n😀/tags'


def test_a_repository_is_there_or_not(client: SwrClient, server: Emulator) -> None:
    """Asked for by name, once; whether that is enough is not decided here."""
    assert client.repository("team", "app").num_images == 2
    with pytest.raises(SwrNotFound):
        client.repository("team", "ap")
    assert [entry.status for entry in server.log] == [200, 404]


@pytest.mark.parametrize("code", ["4040009", "4040010", "4040113", "4041057", "4040058"])
@pytest.mark.parametrize("error", [backend_error, backend_error_in_both_styles])
def test_swr_says_itself_what_is_gone(
    client: SwrClient, server: Emulator, code: str, error: Callable[[int, str, str], Response]
) -> None:
    """By codes of its own for an image, its list, and a namespace; the error carries them."""
    server.fault = lambda _: error(404, code, "not found")
    with pytest.raises(SwrNotFound) as found:
        client.repository("team", "app")
    assert found.value.code == f"SVCSTG.SWR.{code}"


@pytest.mark.parametrize(
    "answer",
    [
        gateway_error(404, "APIGW.0101", "The API does not exist"),
        backend_error(404, "4040083", "URL not found"),
        backend_error(404, "4040115", "Tag not found"),
        Response(404, {"Content-Type": "text/html"}, b"<html>404</html>"),
        Response(404, {}, b'{"errors":[{"errorCode":4040}]}'),
        Response(404),
    ],
)
def test_any_other_404_says_nothing_of_a_repository(
    client: SwrClient, server: Emulator, answer: Response
) -> None:
    """A gateway's, a proxy's, one of unknown shape: a failure, asked once."""
    server.fault = lambda _: answer
    with pytest.raises(SwrUnknownPath, match="check the endpoint"):
        client.repository("team", "app")
    assert len(server.log) == 1


def test_retryable_failures_are_retried(client: SwrClient, server: Emulator) -> None:
    """Throttling, broken gateways, broken connections and broken bodies alike."""
    html = Response(200, {"Content-Type": "text/html"}, b"<html>maintenance</html>")
    whole = server.answer(
        Request(
            "GET",
            "/v2/manage/namespaces/team/repos/app/tags?offset=0&limit=10",
            {"x-auth-token": TOKEN},
        )
    )
    failing(
        server,
        Response(429, {"Retry-After": "0"}, b""),
        Response(502, {}, b"<html>bad gateway</html>"),
        Response(200, whole.headers, whole.body, truncate_at=40),
        html,
        Response(200, {}, is_reset=True),
        Response(200, {"Content-Type": "application/json"}, b"{}"),
    )
    assert page(client) == ["2", "1"]
    assert client.transport.counters.requests == 7
    assert client.transport.counters.retries == 6


@pytest.mark.parametrize(
    "body", [b"{}", b"<html></html>", b'[{"Tag":"1"', b'{"tags": []}', b"nul", b"0"]
)
def test_a_200_that_is_no_array_is_an_error_in_the_end(
    client: SwrClient, server: Emulator, body: bytes
) -> None:
    """Never an empty list of tags."""
    server.fault = lambda _: Response(200, {"Content-Type": "text/html"}, body)
    with pytest.raises(UnexpectedResponse, match="instead of a JSON array"):
        page(client)
    assert len(server.log) == 7


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [
        (400, SwrRefused, 1),
        (401, SwrUnauthenticated, 1),
        (403, SwrForbidden, 1),
        (404, SwrUnknownPath, 1),
        (408, SwrUnavailable, 7),
        (409, SwrRefused, 1),
        (429, SwrUnavailable, 7),
        (500, SwrUnavailable, 7),
        (503, SwrUnavailable, 7),
        (504, SwrUnavailable, 7),
        (507, SwrUnavailable, 7),
        (418, SwrUnavailable, 7),
        (425, SwrUnavailable, 7),
        *((status, SwrUnavailable, 7) for status in (501, 505, *range(520, 531), 599, 600)),
    ],
)
def test_an_error_says_by_its_kind_what_to_do(
    client: SwrClient, server: Emulator, status: int, kind: type[Exception], requests: int
) -> None:
    """And only what may pass is tried again."""
    server.fault = lambda _: Response(status)
    with pytest.raises(kind):
        page(client)
    assert len(server.log) == requests


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error_msg":"gateway","error_code":"APIGW.0301","request_id":"r"}', "gateway"),
        (
            b'{"errors":[{"errorCode":"APIGW.0301","errorMessage":"backend","detail":""}]}',
            "backend",
        ),
        (b'{"errors":[{"errorCode":"APIGW.0301","errorMessage":"old"}],"error_code":"X"}', "X"),
        (b'[{"errorCode":"APIGW.0301","errorMessage":"array","detail":""}]', "array"),
        (b'{"errorCode":"APIGW.0301","errorMessage":"top"}', "top"),
        (b'{"error":{"code":401,"message":"keystone","title":"Unauthorized"}}', "keystone"),
        (b"<html>WAF</html>", "do not allow this"),
        (b'{"error_msg": {"not": "text"}}', "not"),
    ],
)
def test_all_shapes_of_error_bodies_are_understood(
    client: SwrClient, server: Emulator, body: bytes, told: str
) -> None:
    """Gateway, backend old and new, bare array, top level, IAM; and what is none of them."""
    server.fault = lambda _: Response(403, {"X-Request-Id": "req-42"}, body)
    with pytest.raises(SwrForbidden) as error:
        page(client)
    text = str(error.value)
    assert told in text
    assert f"GET {server.url}/v2/manage/namespaces/team/repos/app/tags" in text
    assert "status 403" in text
    assert "request id req-42" in text
    if b"APIGW.0301" in body and told != "X":
        assert "code APIGW.0301" in text


def test_a_redirect_is_not_followed(client: SwrClient, server: Emulator) -> None:
    """It would carry the token to another host."""
    with Emulator(Registry(), token=TOKEN) as elsewhere:
        server.fault = lambda _: Response(
            302, {"Location": f"{elsewhere.url}/v2/manage/namespaces"}
        )
        with pytest.raises(SwrRefused, match="redirect"):
            page(client)
        assert elsewhere.log == []


def test_a_total_that_makes_no_sense_counts_as_absent(client: SwrClient, server: Emulator) -> None:
    """Better none than a wrong one."""
    for header in ("", "nonsense", "0-2/1", "0-2/x", "bytes 0-1/2", "-1-2/3"):
        request = Request(
            "GET",
            "/v2/manage/namespaces/team/repos/app/tags?offset=0&limit=10",
            {"x-auth-token": TOKEN},
        )
        response = server.answer(request)
        failing(server, Response(200, {**response.headers, "Content-Range": header}, response.body))
        assert client.tag_page("team", "app", NEWEST).total is None


def test_an_unreachable_endpoint_is_told_in_one_sentence() -> None:
    """With what to check."""
    with Emulator(Registry()) as gone:
        url = gone.url
    settings = read_settings(endpoint_setting=url, auth_token=TOKEN)
    with Transport(settings) as transport, pytest.raises(SwrUnavailable) as error:
        client_from(settings, transport).namespaces()
    assert str(error.value) == (
        f"GET {url}/v2/manage/namespaces: cannot connect; check the endpoint and the network"
    )


def test_no_answer_in_time_is_told(server: Emulator) -> None:
    """And named by its setting."""
    server.fault = lambda _: Response(200, {}, b"[]", delay_seconds=5)
    settings = read_settings(endpoint_setting=server.url, auth_token=TOKEN, timeout_seconds=0.05)
    with Transport(settings) as transport, pytest.raises(SwrUnavailable, match="SWR_TIMEOUT"):
        client_from(settings, transport).namespaces()


def test_an_error_never_holds_the_token(client: SwrClient, server: Emulator) -> None:
    """Not even if the server repeats it in a redirect or the query holds it."""
    server.fault = lambda _: Response(403, {}, b'{"error_msg":"no","error_code":"X"}')
    with pytest.raises(SwrForbidden) as error:
        client.tag_page_with("team", "app", {"tag": TOKEN})
    assert TOKEN not in str(error.value)
    assert TOKEN not in repr(error.value)
    assert TOKEN not in repr(vars(error.value))


@pytest.mark.parametrize(
    "told",
    [TOKEN, TOKEN.replace("-", "%2D"), TOKEN.replace("-", "\\u002d"), f"refused {TOKEN[-20:]}"],
)
def test_a_server_that_repeats_the_token_is_not_quoted(
    client: SwrClient, server: Emulator, told: str
) -> None:
    """In whatever form, in message, code or request id."""
    body = f'{{"error_msg":"no: {told}","error_code":"{told}"}}'
    server.fault = lambda _: Response(403, {"X-Request-Id": told}, body.encode())
    with pytest.raises(SwrForbidden) as error:
        page(client)
    assert str(error.value).endswith("/tags: the credentials do not allow this (status 403)")


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("body", [b"", b"null", b"\xef\xbb\xbfnull\n", b"[]"])
def test_nothing_and_null_are_empty_lists(
    client: SwrClient, server: Emulator, status: int, body: bytes
) -> None:
    """As some services write them; the stated total stands beside it. At no cost of retries."""
    header = {"Content-Range": "0-0/0"}
    server.fault = lambda _: Response(status, header, b"" if status == 204 else body)
    assert client.tag_page("team", "app", NEWEST)[:2] == ([], 0)
    assert client.repositories("team") == RepositoryList(
        [], 0, is_complete=True, total=0, received=0
    )
    assert len(server.log) == 2


def test_a_packed_body_that_is_cut_short_is_no_empty_list(
    client: SwrClient, server: Emulator
) -> None:
    """Unlike one that holds nothing, packed or not."""
    packed = {"Content-Encoding": "gzip"}
    for body in (b"", gzip.compress(b"")):
        failing(server, Response(200, packed, body))
        assert client.tag_page("team", "app", NEWEST).records == []
    failing(server, Response(200, packed, gzip.compress(b"[]")[:12]))
    assert page(client) == ["2", "1"]


@pytest.mark.parametrize("body", [b'{"namespaces": null}', b'{"namespaces":[]}', b"null", b""])
def test_an_account_may_see_no_namespace(client: SwrClient, server: Emulator, body: bytes) -> None:
    """That is an answer and no error."""
    server.fault = lambda _: Response(200, {}, body)
    assert client.namespaces() == []
    assert len(server.log) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 226, 299])
def test_any_success_with_the_right_body_is_an_answer(
    client: SwrClient, server: Emulator, status: int
) -> None:
    """Of each call, at no cost of retries."""
    server.faults = [lambda _, response: replace(response, status=status)]
    assert client.namespaces() == ["team", "team2"]
    assert client.repository("team", "app").num_images == 2
    assert page(client) == ["2", "1"]
    assert len(server.log) == 3


def test_a_byte_order_mark_is_skipped(client: SwrClient, server: Emulator) -> None:
    """In every kind of body."""

    def marked(_: Request, response: Response) -> Response:
        return replace(response, body=b"\xef\xbb\xbf" + response.body)

    server.faults = [marked]
    assert client.namespaces() == ["team", "team2"]
    assert client.repository("team", "app").num_images == 2
    assert [record.name for record in client.repositories("team").records] == ["app", "deep/er/app"]
    assert page(client) == ["2", "1"]
