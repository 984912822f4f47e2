"""The ways to authenticate: a ready token, an IAM user's password, an access key that signs.

Each is an object with one method, `flow`: it yields the request ready to send, is sent the
response, and may yield again. Which one the settings ask for is decided in `credentials`; keys that
are given for a while are in `temporary_keys`.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import requests

from pipelines.errors import SwrUnauthenticated, UnexpectedResponse
from pipelines.settings import Settings
from pipelines.swr.responses import Response, describe_request
from pipelines.swr.signing import authorization
from pipelines.swr.transport import FIRST_CONTACT, PATIENT, AuthFlow, Transport, prepare_request

_TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - a header's name, no secret
_RENEW_BEFORE_EXPIRY_SECONDS = 600.0


class Credentials(Protocol):
    """Something that can make a request acceptable."""

    @property
    def domain_id(self) -> str | None:
        """The account that logged in; None where nothing says which."""

    def flow(self, request: requests.PreparedRequest) -> AuthFlow:
        """Yield the request with its credentials, again if the response calls for it."""


class Token:
    """A ready token. Nothing can renew it, and nothing says whose it is."""

    domain_id = None

    def __init__(self, token: str) -> None:
        self._token = token

    def flow(self, request: requests.PreparedRequest) -> AuthFlow:
        """Yield the request once."""
        request.headers[_TOKEN_HEADER] = self._token
        yield request


class AccessKey:
    """An access key that signs each request. A refused signature is never sent again."""

    domain_id = None

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        *,
        security_token: str | None = None,
        project_id: str | None = None,
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        optional = {"X-Security-Token": security_token, "X-Project-Id": project_id}
        self._extra = {name: value for name, value in optional.items() if value}

    def flow(self, request: requests.PreparedRequest) -> AuthFlow:
        """Yield the request once, signed."""
        yield self.sign(request)

    def sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request as of now."""
        url = request.url or ""
        headers = {
            "Content-Type": request.headers["Content-Type"],
            "Host": urlsplit(url).netloc,
            "X-Sdk-Date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
            **self._extra,
        }
        request.headers.update(headers)
        request.headers["Authorization"] = authorization(
            method=request.method or "GET",
            url=url,
            headers=headers,
            body=_body(request),
            access_key=self._access_key,
            secret_key=self._secret_key,
        )
        return request


@dataclass(frozen=True)
class _IssuedToken:
    value: str = field(repr=False)
    issued: float
    renew_at: float
    domain_id: str | None


class IamUser:
    """An IAM user's password, exchanged for a token that all threads share.

    The token is renewed before it expires, and when it is refused: a request gives up only when a
    token issued after its refusal is refused too.
    """

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._lock = threading.Lock()
        self._token: _IssuedToken | None = None

    @property
    def domain_id(self) -> str | None:
        """The account of the user, as the token tells it; None before the first token."""
        return self._token.domain_id if self._token else None

    def flow(self, request: requests.PreparedRequest) -> AuthFlow:
        """Yield the request, and again with a newer token after a 401."""
        token = self._usable_token(refused=None)
        request.headers[_TOKEN_HEADER] = token.value
        response = yield request
        refused_at = time.monotonic()
        while response.status_code == requests.codes.unauthorized and (token.issued <= refused_at):
            token = self._usable_token(refused=token)
            request.headers[_TOKEN_HEADER] = token.value
            response = yield request

    def _usable_token(self, refused: _IssuedToken | None) -> _IssuedToken:
        """Give the shared token, renewed if it is about to expire or is the refused one."""
        with self._lock:
            token = self._token
            if token is None or token is refused or token.renew_at <= time.monotonic():
                token = self._token = self._issue()
            return token

    def _issue(self) -> _IssuedToken:
        request = prepare_request(
            "POST",
            f"{self._settings.iam_endpoint}/v3/auth/tokens?nocatalog=true",
            {"Content-Type": "application/json;charset=utf8"},
            msgspec.json.encode(_password_request(self._settings)),
        )
        patience = PATIENT if self._token else FIRST_CONTACT
        try:
            token = self._transport.fetch(
                request, _without_credentials, _issued_token, patience=patience
            )
        except SwrUnauthenticated as error:
            if error.request != describe_request(request):
                raise
            raise SwrUnauthenticated(
                "IAM refused the user; check SWR_USERNAME, SWR_PASSWORD, SWR_DOMAIN_NAME and"
                " SWR_PROJECT_NAME",
                request=error.request,
                status=error.status,
                code=error.code,
                request_id=error.request_id,
            ) from None
        self._transport.hide(token.value)
        return token


def _password_request(settings: Settings) -> dict[str, object]:
    """Build the body IAM wants; the project scopes the token to a region."""
    user = {
        "name": settings.username,
        "password": settings.password.get_secret_value() if settings.password else "",
        "domain": {"name": settings.domain_name},
    }
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": settings.project_name or settings.region}},
        }
    }


def _without_credentials(request: requests.PreparedRequest) -> AuthFlow:
    yield request


class _TokenBody(msgspec.Struct):
    issued_at: datetime
    expires_at: datetime


class _TokenResponse(msgspec.Struct):
    token: _TokenBody


class _Domain(msgspec.Struct):
    id: str


class _Project(msgspec.Struct):
    domain: _Domain


class _Owner(msgspec.Struct):
    project: _Project


class _OwnedToken(msgspec.Struct):
    token: _Owner


def _account(response: Response) -> str | None:
    """The account whose project a token is for; None where the answer does not tell."""
    try:
        return msgspec.json.decode(response.text, type=_OwnedToken).token.project.domain.id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _issued_token(response: Response) -> _IssuedToken:
    """Read a token response; its own two stamps give the lifetime, our clock the start."""
    value = response.headers.get("X-Subject-Token")
    try:
        body = msgspec.json.decode(response.text, type=_TokenResponse).token
        lifetime = body.expires_at - body.issued_at
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
        lifetime = timedelta(0)
        value = None
    if not value:
        raise UnexpectedResponse(
            "IAM answered without a token",
            request=describe_request(response.request),
            status=response.status_code,
        )
    issued = time.monotonic()
    seconds = lifetime.total_seconds()
    margin = min(_RENEW_BEFORE_EXPIRY_SECONDS, seconds / 10)
    return _IssuedToken(value, issued, issued + seconds - margin, _account(response))


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else body
