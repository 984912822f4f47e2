"""Signatures are the official SDK's, and one that was tampered with is told apart."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from pipelines.swr.signing import authorization, is_authentic, read_authorization

KEY, SECRET = "AKEXAMPLE", "a secret, with ünicode"
HOST = "swr-api.cn-north-4.myhuaweicloud.com"
HEADERS = {"Host": HOST, "X-Sdk-Date": "20261123T131809Z", "Content-Type": "application/json"}
TAGS = "/v2/manage/namespaces/group/repos/busybox/tags"


@pytest.fixture(autouse=True)
def home_of_the_sdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Importing the SDK writes a file to the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))


def ours(
    method: str = "GET",
    path: str = TAGS,
    headers: Mapping[str, str] = HEADERS,
    body: bytes = b"",
) -> str:
    """Sign with our own code."""
    return authorization(
        method=method,
        url=f"https://{HOST}{path}",
        headers=headers,
        body=body,
        access_key=KEY,
        secret_key=SECRET,
    )


def theirs(
    method: str,
    path: str,
    query: list[tuple[str, object]],
    headers: Mapping[str, str] = HEADERS,
    body: str = "",
) -> tuple[str, str]:
    """Sign with the official SDK; give its authorization and the path and query it would send."""
    from huaweicloudsdkcore.auth import credentials  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME
    from huaweicloudsdkcore.sdk_request import SdkRequest  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME
    from huaweicloudsdkcore.signer.signer import Signer  # type: ignore[import-untyped]  # noqa: PLC0415 - needs HOME

    request = SdkRequest(
        method=method,
        schema="https",
        host=HOST,
        resource_path=path,
        query_params=query,
        header_params=dict(headers),
        body=body,
    )
    signed = Signer(credentials.BasicCredentials(KEY, SECRET)).sign(request)
    return signed.header_params["Authorization"], signed.uri


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (TAGS, []),
        (TAGS, [("limit", 100), ("offset", 0), ("order_type", "desc"), ("tag", "v1.0+x y~z")]),
        (TAGS, [("filter", "offset::0|limit::100|order_column::updated_at|tag::latest")]),
        (TAGS, [("tag", ""), ("offset", "0"), ("a", "")]),
        (TAGS, [("tag", "b"), ("tag", "a"), ("tag", "B"), ("Tag", "c"), ("tag", "a")]),
        (TAGS, [("tag", "größe/日本&=%25?#")]),
        ("/v2/manage/namespaces/group/repos/a$b/tags", []),
        ("/v2/manage/namespaces/group/repos/a%24b/tags", []),
        ("/v2/manage/namespaces/group/repos/a%2Fb/tags", []),
        ("/v2/manage/namespaces/gr%C3%B6%C3%9Fe/repos/100%25 b~c/", [("x", "%")]),
        ("/", []),
    ],
)
def test_signatures_are_those_of_the_official_sdk(
    path: str, query: list[tuple[str, object]]
) -> None:
    """Whatever path and query hold, signed as the SDK would send them."""
    expected, sent = theirs("GET", path, query)
    assert ours(path=sent) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"host": HOST, "x-sdk-date": "20200101T000000Z"},
        HEADERS | {"X-Project-Id": "proj0123", "X-Security-Token": "tökén== ", "Accept": " */*"},
    ],
)
def test_exactly_the_given_headers_are_signed(headers: dict[str, str]) -> None:
    """Whatever their case, with blanks around values left out of account."""
    expected, sent = theirs("GET", TAGS, [], headers)
    assert ours(path=sent, headers=headers) == expected
    assert read_authorization(expected).signed_headers == tuple(sorted(map(str.lower, headers)))


def test_method_and_body_are_signed() -> None:
    """A body is signed by its bytes."""
    expected, _ = theirs("POST", TAGS, [], body='{"name": "größe"}')
    assert ours("post", body='{"name": "größe"}'.encode()) == expected
    assert ours("POST") != expected


@pytest.mark.parametrize("encode", [str, quote, lambda text: quote(text, safe="")])
def test_the_querys_encoding_does_not_matter(encode: Callable[[str], str]) -> None:
    """`::`, `%3A%3A`, `|` and `%7C` sign alike, as both sides decode before they sign."""
    expected, _ = theirs("GET", TAGS, [("filter", "offset::0|limit::100")])
    assert ours(path=f"{TAGS}?filter={encode('offset::0|limit::100')}") == expected


@pytest.mark.parametrize("missing", ["Host", "X-Sdk-Date"])
def test_a_request_without_host_or_date_is_not_signed(missing: str) -> None:
    """Nobody would accept it."""
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(ValueError, match="Host and X-Sdk-Date"):
        ours(headers=headers)


def verifies(value: str, **changed: object) -> bool:
    """Verify a signature of the plain request, some of it changed on the way."""
    received: dict[str, object] = {
        "method": "GET",
        "url": TAGS,
        "headers": HEADERS | {"Accept": "*/*"},
        "body": b"",
        "secret_key": SECRET,
    }
    return is_authentic(read_authorization(value), **received | changed)  # type: ignore[arg-type]  # one mapping for all


def test_a_signature_is_verified_from_what_was_received() -> None:
    """Headers that were not signed may be added; the scheme and host of the URL do not matter."""
    assert verifies(ours())
    assert verifies(ours(), url=f"http://127.0.0.1:1{TAGS}")


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "POST"},
        {"url": TAGS + "?limit=1"},
        {"url": urlsplit(TAGS).path + "/latest"},
        {"headers": HEADERS | {"Content-Type": "text/plain"}},
        {"headers": {"Host": HOST, "X-Sdk-Date": HEADERS["X-Sdk-Date"]}},
        {"body": b"{}"},
        {"secret_key": "another"},
    ],
)
def test_a_changed_request_is_told_apart(changed: dict[str, object]) -> None:
    """Any signed part, changed or taken away."""
    assert not verifies(ours(), **changed)


def test_a_signature_that_leaves_out_the_date_is_none() -> None:
    """It could be sent again for ever."""
    value = ours().replace("content-type;host;x-sdk-date", "content-type;host")
    assert not verifies(value)


@pytest.mark.parametrize(
    "value",
    ["", "Bearer abc", "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=xyz", "ä" * 90],
)
def test_another_kind_of_authorization_is_refused(value: str) -> None:
    """It has no parts to verify."""
    with pytest.raises(ValueError, match="SDK-HMAC-SHA256"):
        read_authorization(value)
