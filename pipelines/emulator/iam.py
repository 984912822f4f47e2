"""Who may call the emulator: IAM tokens issued and checked, signatures verified."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from pipelines.emulator.messages import (
    Call,
    Request,
    Response,
    gateway_error,
    iam_error,
    json_response,
)
from pipelines.swr.signing import Claim, is_authentic, read_authorization

_CLOCK_WINDOW = timedelta(minutes=15)
# Real tokens are several kilobytes; shorter ones would hide clients that cannot take them.
_TOKEN_BYTES = 3000
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
_SIGNATURE_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class User:
    """An IAM user who may have tokens for one project."""

    name: str
    password: str = field(repr=False)
    domain: str
    project: str


DEFAULT_USERS = (
    User("emulator-user", "emulator-password", domain="emulator-domain", project="cn-north-4"),
)
DEFAULT_ACCESS_KEYS: Mapping[str, str] = MappingProxyType(
    {"STANDINKEY": "emulator-secret-key", "STANDINTEMPORARYKEY": "emulator-temporary-secret"}
)
DEFAULT_SECURITY_TOKENS: Mapping[str, str] = MappingProxyType(
    {"STANDINTEMPORARYKEY": "emulator-security-token"}
)


@dataclass
class Identity:
    """The emulator's IAM and the check at its gate.

    Attributes:
        token: a token that is always accepted.
        users: who can get tokens by password.
        access_keys: secret keys by access key.
        security_tokens: of the access keys that are temporary, the token each needs.
        token_lifetime_seconds: how long issued tokens are accepted.
        domain_id: tells the account's id, that of the records that are served.
    """

    token: str
    users: Sequence[User]
    access_keys: Mapping[str, str]
    security_tokens: Mapping[str, str]
    token_lifetime_seconds: float
    domain_id: Callable[[], str]
    # When each issued token expires, on the monotonic clock.
    _issued: dict[str, float] = field(default_factory=dict)

    def find(self, request: Request) -> Call | None:
        """Find the call of IAM a request means; None if there is no such."""
        match (request.method, request.path):
            case ("POST", "/v3/auth/tokens"):
                return partial(self.issue_token, request)
            case ("GET", "/v3/projects"):
                return lambda: self.refusal(request) or self.projects(request)
        return None

    def issue_token(self, request: Request) -> Response:
        """Answer a request for a token; each gets a new one."""
        try:
            asked = json.loads(request.body)["auth"]
            user = self._user(asked["identity"]["password"]["user"], asked["scope"]["project"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return iam_error(400, "Bad Request", "Invalid input for the request body")
        if user is None:
            return iam_error(401, "Unauthorized", "The username or password is wrong.")
        token = "MII" + secrets.token_urlsafe(_TOKEN_BYTES)
        self._issued[token] = time.monotonic() + self.token_lifetime_seconds
        return json_response(201, {"token": self._described(user)}, {"X-Subject-Token": token})

    def projects(self, request: Request) -> Response:
        """List the projects, one a region, or the one of the name asked for."""
        wanted = request.query.get("name")
        names = sorted({user.project for user in self.users if wanted in {None, user.project}})
        listed = [
            {
                "id": _project_id(name),
                "name": name,
                "domain_id": self.domain_id(),
                "parent_id": self.domain_id(),
                "is_domain": False,
                "enabled": True,
                "description": "",
                "links": {},
            }
            for name in names
        ]
        return json_response(200, {"projects": listed, "links": {}})

    def refusal(self, request: Request) -> Response | None:
        """Judge a request's credentials; None if they are good."""
        if token := request.headers.get("x-auth-token"):
            return self._token_refusal(token)
        if authorization := request.headers.get("authorization"):
            return self._signature_refusal(authorization, request)
        return _incorrect("x-auth-token not found")

    def _user(self, asked: dict[str, Any], project: dict[str, Any]) -> User | None:
        wanted = User(
            asked["name"],
            asked["password"],
            domain=asked["domain"]["name"],
            project=project["name"],
        )
        return wanted if wanted in self.users else None

    def _described(self, user: User) -> dict[str, Any]:
        issued = datetime.now(UTC)
        expires = issued + timedelta(seconds=self.token_lifetime_seconds)
        domain = {"id": self.domain_id(), "name": user.domain}
        return {
            "catalog": [],
            "expires_at": expires.strftime(_STAMP),
            "issued_at": issued.strftime(_STAMP),
            "methods": ["password"],
            "project": {
                "domain": domain,
                "id": _project_id(user.project),
                "name": user.project,
            },
            "roles": [{"id": "0", "name": "te_admin"}],
            "user": {"domain": domain, "id": f"id-of-{user.name}", "name": user.name},
        }

    def _token_refusal(self, token: str) -> Response | None:
        if secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        if token not in self._issued:
            return _incorrect("decrypt token fail")
        if self._issued[token] <= time.monotonic():
            return expired_token()
        return None

    def _signature_refusal(self, authorization: str, request: Request) -> Response | None:
        try:
            claim = read_authorization(authorization)
        except ValueError:
            return _incorrect("verify aksk signature fail")
        if not is_timely(request, datetime.now(UTC)):
            return stale_signature()
        if not (self._has_security_token(claim, request) and self._is_signed(claim, request)):
            return _incorrect("verify aksk signature fail")
        return None

    def _has_security_token(self, claim: Claim, request: Request) -> bool:
        """A temporary key needs its own token, signed; any other key must come without one."""
        wanted = self.security_tokens.get(claim.access_key)
        is_signed = "x-security-token" in claim.signed_headers
        given = request.headers.get("x-security-token")
        return given == wanted and is_signed == (wanted is not None)

    def _is_signed(self, claim: Claim, request: Request) -> bool:
        return claim.access_key in self.access_keys and is_authentic(
            claim,
            method=request.method,
            url=request.target,
            headers=request.headers,
            body=request.body,
            secret_key=self.access_keys[claim.access_key],
        )


def _project_id(name: str) -> str:
    return f"id-of-{name}"


def is_timely(request: Request, now: datetime) -> bool:
    """Whether a request was signed about now, by what it says itself."""
    try:
        stamp = request.headers.get("x-sdk-date", "")
        signed_at = datetime.strptime(stamp, _SIGNATURE_STAMP).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - signed_at) <= _CLOCK_WINDOW


def expired_token() -> Response:
    """Build the answer to a token whose time is over."""
    return gateway_error(401, "APIGW.0307", "The token must be updated.")


def stale_signature() -> Response:
    """Build the answer to a signature of another time."""
    return _incorrect("verify aksk signature fail, x-sdk-date is not the present time")


def _incorrect(detail: str) -> Response:
    return gateway_error(401, "APIGW.0301", f"Incorrect IAM authentication information: {detail}")
