"""Who may call the emulator: tokens of its IAM and signatures, checked as the real ones are."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pipelines.emulator.iam import User
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.swr.signing import authorization

NAMESPACES = "/v2/manage/namespaces"
INCORRECT = "Incorrect IAM authentication information: "
KEYS = {"STANDINKEY": "emulator-secret-key", "STANDINTEMPORARYKEY": "emulator-temporary-secret"}


def call(server: Emulator, headers: dict[str, str], path: str = NAMESPACES) -> requests.Response:
    """Call with some headers."""
    return requests.get(server.url + path, headers=headers, timeout=10)


def refusal(response: requests.Response) -> tuple[int, str, str]:
    """CrawlStatus, code and message of an error as the gateway words it."""
    body = response.json()
    assert body["request_id"] == response.headers["X-Request-Id"]
    return response.status_code, body["error_code"], body["error_msg"]


def password_request(**changed: str) -> dict[str, Any]:
    """Ask for a token as the emulator's user, or with something else."""
    given = {
        "name": "emulator-user",
        "password": "emulator-password",
        "domain": "emulator-domain",
        "project": "cn-north-4",
    } | changed
    user = {
        "name": given["name"],
        "password": given["password"],
        "domain": {"name": given["domain"]},
    }
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": given["project"]}},
        }
    }


def ask_iam(server: Emulator, body: object) -> requests.Response:
    """Ask for a token."""
    return requests.post(
        f"{server.url}/v3/auth/tokens", params={"nocatalog": "true"}, json=body, timeout=10
    )


def test_iam_issues_tokens_that_open_the_api(server: Emulator) -> None:
    """Each call another one, as long as real ones; an older one stays valid."""
    responses = [ask_iam(server, password_request()) for _ in range(2)]
    tokens = [response.headers["X-Subject-Token"] for response in responses]
    assert [response.status_code for response in responses] == [201, 201]
    assert tokens[0] != tokens[1]
    assert len(tokens[0]) == 4003
    for token in tokens:
        assert call(server, {"X-Auth-Token": token}).status_code == 200


def test_a_token_reply_tells_whose_it_is_and_how_long_it_lasts(registry: Registry) -> None:
    """In the shape of Keystone."""
    users = [User("ann", "secret", domain="company", project="eu-west-101")]
    asked = password_request(name="ann", password="secret", domain="company", project="eu-west-101")
    with Emulator(registry, users=users, token_lifetime_seconds=3600) as server:
        token = ask_iam(server, asked).json()["token"]
        assert ask_iam(server, password_request()).status_code == 401
    issued, expires = (
        datetime.strptime(token.pop(name), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        for name in ("issued_at", "expires_at")
    )
    assert expires - issued == timedelta(hours=1)
    assert abs(datetime.now(UTC) - issued) < timedelta(minutes=1)
    # The account that owns the records.
    domain = {"id": "0503dda878000fed0f75c0096d70a960", "name": "company"}
    assert token == {
        "catalog": [],
        "methods": ["password"],
        "project": {"domain": domain, "id": "id-of-eu-west-101", "name": "eu-west-101"},
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"domain": domain, "id": "id-of-ann", "name": "ann"},
    }


@pytest.mark.parametrize("wrong", ["name", "password", "domain", "project"])
def test_a_wrong_password_gets_no_token(server: Emulator, wrong: str) -> None:
    """Nor does another user, account or region; the error is Keystone's."""
    response = ask_iam(server, password_request(**{wrong: "other"}))
    assert response.status_code == 401
    assert response.json() == {
        "error": {
            "code": 401,
            "message": "The username or password is wrong.",
            "title": "Unauthorized",
        }
    }
    assert "X-Subject-Token" not in response.headers
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize("body", [[], {"auth": {}}, {"auth": 3}, "text", None])
def test_a_malformed_request_for_a_token_is_refused(server: Emulator, body: object) -> None:
    """As Keystone does."""
    response = ask_iam(server, body)
    assert (response.status_code, response.json()["error"]["title"]) == (400, "Bad Request")


def test_an_expired_token_must_be_updated(registry: Registry) -> None:
    """The token given to the emulator itself never expires."""
    with Emulator(registry, token="own", token_lifetime_seconds=0.2) as server:
        token = ask_iam(server, password_request()).headers["X-Subject-Token"]
        assert call(server, {"X-Auth-Token": token}).status_code == 200
        time.sleep(0.25)
        expired = call(server, {"X-Auth-Token": token})
        assert refusal(expired) == (401, "APIGW.0307", "The token must be updated.")
        assert call(server, {"X-Auth-Token": "own"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "x-auth-token not found"),
        ({"X-Auth-Token": ""}, "x-auth-token not found"),
        ({"X-Auth-Token": "emulator-toke"}, "decrypt token fail"),
        ({"X-Auth-Token": "größe"}, "decrypt token fail"),
        ({"Authorization": "Bearer abc"}, "verify aksk signature fail"),
    ],
)
def test_without_good_credentials_nothing_is_told(
    server: Emulator, headers: dict[str, str], detail: str
) -> None:
    """Not even whether a repository exists."""
    expected = (401, "APIGW.0301", INCORRECT + detail)
    assert refusal(call(server, headers)) == expected
    assert refusal(call(server, headers, f"{NAMESPACES}/a/repos/b/tags")) == expected


def signed(
    server: Emulator,
    path: str,
    *,
    key: str = "STANDINKEY",
    secret: str | None = None,
    at: datetime | None = None,
    more: dict[str, str] | None = None,
) -> dict[str, str]:
    """Sign a GET of a path."""
    headers = {
        "Host": urlsplit(server.url).netloc,
        "X-Sdk-Date": (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ"),
        **(more or {}),
    }
    value = authorization(
        method="GET",
        url=server.url + path,
        headers=headers,
        body=b"",
        access_key=key,
        secret_key=KEYS.get(key, "") if secret is None else secret,
    )
    return headers | {"Authorization": value}


@pytest.mark.parametrize(
    "path",
    [
        NAMESPACES,
        f"{NAMESPACES}?filter=namespace::group|mode::visible",
        f"{NAMESPACES}/group/repos/tools$ci$runner/tags?offset=0&limit=10&tag=v",
        f"{NAMESPACES}/group/repos/tools%24ci%24runner/tags?tag=%C3%B6%20%7E",
    ],
)
def test_a_signed_request_is_answered(server: Emulator, path: str) -> None:
    """However its URL is encoded, by a permanent key or a temporary one with its token."""
    assert call(server, signed(server, path), path).status_code == 200
    more = {"X-Security-Token": "emulator-security-token", "X-Project-Id": "any"}
    temporary = signed(server, path, key="STANDINTEMPORARYKEY", more=more)
    assert call(server, temporary, path).status_code == 200


def unsigned_token(server: Emulator) -> dict[str, str]:
    """A temporary key's token, sent but not signed."""
    headers = signed(server, NAMESPACES, key="STANDINTEMPORARYKEY")
    return headers | {"X-Security-Token": "emulator-security-token"}


@pytest.mark.parametrize(
    "forge",
    [
        lambda server: signed(server, NAMESPACES, secret="other"),
        lambda server: signed(server, NAMESPACES, key="UNKNOWNKEY"),
        lambda server: signed(server, NAMESPACES + "/other"),
        lambda server: signed(server, NAMESPACES) | {"X-Sdk-Date": "20260101T000000Z"},
        lambda server: signed(server, NAMESPACES) | {"X-Sdk-Date": "today"},
        lambda server: signed(server, NAMESPACES, more={"X-Security-Token": "any"}),
        lambda server: signed(server, NAMESPACES, key="STANDINTEMPORARYKEY"),
        lambda server: signed(
            server, NAMESPACES, key="STANDINTEMPORARYKEY", more={"X-Security-Token": "wrong"}
        ),
        unsigned_token,
    ],
    ids=[
        "another secret",
        "an unknown key",
        "another path",
        "another date than the signed one",
        "no date",
        "a token with a permanent key",
        "a temporary key without its token",
        "a temporary key with a wrong token",
        "a token that is not signed",
    ],
)
def test_a_forged_signature_is_refused(
    server: Emulator, forge: Callable[[Emulator], dict[str, str]]
) -> None:
    """Each of them looks right at a glance."""
    status, code, message = refusal(call(server, forge(server)))
    assert (status, code) == (401, "APIGW.0301")
    assert message.startswith(INCORRECT + "verify aksk signature fail")


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (-14, 200), (16, 401), (-16, 401)])
def test_a_signature_is_good_for_a_quarter_of_an_hour(
    server: Emulator, minutes: int, status: int
) -> None:
    """Before and after the emulator's own clock."""
    headers = signed(server, NAMESPACES, at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert call(server, headers).status_code == status


def test_secrets_do_not_show(server: Emulator) -> None:
    """A user can be printed."""
    assert "emulator-password" not in repr(server._identity.users)
