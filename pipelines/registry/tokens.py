"""Bearer tokens for pulling, one a repository, got by the registry's own challenge.

Credentials go to two places: Basic to the realm that the registry names, a token to the registry
itself. https://distribution.github.io/distribution/spec/auth/token/
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

import msgspec
import requests

from pipelines.errors import SwrRefused, SwrUnauthenticated, UnexpectedResponse
from pipelines.registry.login import Login
from pipelines.settings import is_safe_url
from pipelines.swr.responses import Response, describe_request
from pipelines.swr.transport import FIRST_CONTACT, AuthFlow, Transport, prepare_request

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
# Tokens mostly do not say how long they live: 15 minutes were seen.
_LIFETIME_SECONDS = 600.0
# Of a lifetime that is stated, what a request may take.
_MARGIN_SECONDS = 30.0
_MOVED = 307


class _Issued(msgspec.Struct):
    token: str = ""
    access_token: str = ""
    expires_in: float | None = None


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


@dataclass(frozen=True)
class _Realm:
    url: str
    service: str


@dataclass
class _OfRepository:
    """The token of one repository; whoever needs it waits for who gets it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: _Token | None = None


class PullTokens:
    """Tokens that pull from repositories, shared by many threads."""

    def __init__(self, url: str, login: Login, transport: Transport, *, allow_http: bool) -> None:
        """Prepare to ask for tokens.

        Args:
            url: base URL of the registry.
            login: what opens it.
            transport: how requests travel.
            allow_http: whether credentials may travel in the clear.
        """
        self._url = url
        self._login = login
        self._transport = transport
        self._allow_http = allow_http
        self._realm: _Realm | None = None
        self._lock = threading.Lock()
        self._tokens: dict[str, _OfRepository] = defaultdict(_OfRepository)
        transport.hide(login.basic)

    def flow(self, request: requests.PreparedRequest, repository: str) -> AuthFlow:
        """Yield the request with the repository's token, once more with a new one after a 401.

        A 307 is followed: a new request to that address without any credential.
        """
        token = self._usable_token(repository, refused=None)
        response = yield _with_token(request, token)
        if response.status_code == requests.codes.unauthorized:
            token = self._usable_token(repository, refused=token)
            response = yield _with_token(request, token)
        if response.status_code == _MOVED:
            yield from self._elsewhere(request, response)

    def _elsewhere(
        self, request: requests.PreparedRequest, response: Response
    ) -> Generator[requests.PreparedRequest, Response, None]:
        try:
            url = urljoin(request.url or "", response.headers.get("Location", ""))
        except ValueError:
            url = ""
        if not is_safe_url(url, allow_http=self._allow_http):
            raise SwrRefused(
                "answered with a redirect to an address that is not https",
                request=describe_request(request),
                status=response.status_code,
            )
        wanted = {"Accept-Encoding": request.headers["Accept-Encoding"]}
        yield prepare_request(request.method or "GET", url, wanted)

    def _usable_token(self, repository: str, refused: _Token | None) -> _Token:
        """Give the repository's token, renewed if it is old or is the refused one."""
        with self._lock:
            own = self._tokens[repository]
        with own.lock:
            if own.token is None or own.token is refused or own.token.renew_at <= time.monotonic():
                own.token = self._issue(repository)
            return own.token

    def _issue(self, repository: str) -> _Token:
        realm = self._known_realm()
        query = urlencode({"service": realm.service, "scope": f"repository:{repository}:pull"})
        separator = "&" if "?" in realm.url else "?"
        request = prepare_request("GET", f"{realm.url}{separator}{query}", {})
        token = self._transport.fetch(request, self._with_login, _read_token)
        self._transport.hide_token(token.value)
        return token

    def _with_login(self, request: requests.PreparedRequest) -> AuthFlow:
        request.headers["Authorization"] = self._login.basic
        yield request

    def _known_realm(self) -> _Realm:
        """Where tokens are issued; asked once."""
        with self._lock:
            if self._realm is None:
                request = prepare_request("GET", f"{self._url}/v2/", {})
                with suppress(SwrUnauthenticated):
                    self._transport.fetch(
                        request, self._learn_realm, _unexpected, patience=FIRST_CONTACT
                    )
            if self._realm is None:
                raise AssertionError("a realm is learned, or an error raised")
            return self._realm

    def _learn_realm(self, request: requests.PreparedRequest) -> AuthFlow:
        """Send a request without credentials: its refusal names the realm."""
        response = yield request
        if response.status_code == requests.codes.unauthorized:
            self._realm = self._read_challenge(response)

    def _read_challenge(self, response: Response) -> _Realm:
        challenge = response.headers.get("Www-Authenticate", "")
        given = dict(_PARAMETER.findall(challenge))
        url = given.get("realm", "")
        is_bearer = challenge.lower().startswith("bearer ")
        if not (is_bearer and is_safe_url(url, allow_http=self._allow_http)):
            raise UnexpectedResponse(
                "answered without saying where tokens are issued",
                request=describe_request(response.request),
                status=response.status_code,
            )
        return _Realm(url, given.get("service", ""))


def _unexpected(response: Response) -> _Realm:
    raise UnexpectedResponse(
        "answered without asking for a login",
        request=describe_request(response.request),
        status=response.status_code,
    )


def _with_token(request: requests.PreparedRequest, token: _Token) -> requests.PreparedRequest:
    request.headers["Authorization"] = f"Bearer {token.value}"
    return request


def _read_token(response: Response) -> _Token:
    try:
        issued = msgspec.json.decode(response.text, type=_Issued)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        issued = _Issued()
    value = issued.token or issued.access_token
    if not (value.isascii() and value.isprintable() and value):
        raise UnexpectedResponse(
            "answered without a token for the registry",
            request=describe_request(response.request),
            status=response.status_code,
        )
    lifetime = _LIFETIME_SECONDS
    if issued.expires_in is not None:
        lifetime = min(lifetime, issued.expires_in - _MARGIN_SECONDS)
    return _Token(value, time.monotonic() + lifetime)
