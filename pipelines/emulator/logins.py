"""Who may pull from the emulator's registry: temporary logins, and the tokens they get.

A login is asked for through SWR's API, whose credentials are judged before (`iam`).
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipelines.emulator.messages import (
    Refused,
    Request,
    Response,
    backend_error,
    backend_error_in_both_styles,
    gateway_error,
    json_response,
    registry_error,
)
from pipelines.emulator.registry import Registry

# With its slash at the end, as the challenge names it.
REALM = "/swr/auth/v2/registry/auth/"
_SERVICE = "dockyard"
_DEFAULT_PROJECT = "cn-north-4"
_SHORTEST, _LONGEST = 900, 86_400
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


class _Grant(NamedTuple):
    """What a token opens: `namespace/repository`, if anything, until then (monotonic clock)."""

    repository: str | None
    expires: float


@dataclass
class Logins:
    """The registry's gate.

    Attributes:
        registry: tells which organizations there are and what is public.
        url: tells the base URL of the registry, which is the emulator's own.
        token_lifetime_seconds: how long a token opens its repository.
        is_granted: whether callers of the API may have logins.
    """

    registry: Registry
    url: Callable[[], str]
    token_lifetime_seconds: float
    is_granted: bool
    # When each login ends, on the monotonic clock, by `user:password`.
    _logins: dict[str, float] = field(default_factory=dict, repr=False)
    _grants: dict[str, _Grant] = field(default_factory=dict, repr=False)

    def create(self, request: Request) -> Response:
        """Answer a request for a login; each gets a new one."""
        if not self.is_granted:
            return backend_error_in_both_styles(403, "4030170", "Insufficient permissions")
        seconds = _duration(request.query.get("duration_seconds"))
        if seconds is None:
            return backend_error(400, "4001025", "Invalid parameter", "duration_seconds")
        project = request.query.get("projectname") or _DEFAULT_PROJECT
        user, password = self._new_login(project, seconds)
        host = self.url().partition("://")[2]
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        headers = {
            "X-Swr-Dockerlogin": f"docker login -u {user} -p {password} {host}",
            "X-Swr-Expireat": ends.strftime(_STAMP),
        }
        return json_response(200, {"auths": {host: {"auth": auth}}}, headers)

    def create_for_instance(self) -> Response:
        """Answer a request for a login to an instance; each gets a new one."""
        if not self.is_granted:
            return gateway_error(403, "SWR.4030170", "Insufficient permissions")
        user, password = self._new_login("instance", _LONGEST)
        return json_response(201, {"user_id": user, "auth_token": password})

    def _new_login(self, project: str, seconds: int) -> tuple[str, str]:
        user, password = f"{project}@{secrets.token_hex(10)}", secrets.token_hex(32)
        self._logins[f"{user}:{password}"] = time.monotonic() + seconds
        return user, password

    def issue_token(self, request: Request) -> Response:
        """Answer a request for a token, from a login or from anybody."""
        authorization = request.headers.get("authorization")
        is_known = authorization is not None and self._is_login(authorization)
        if request.query.get("service") != _SERVICE or (authorization and not is_known):
            return _denied("Authenticate Error")
        kind, _, rest = request.query.get("scope", "").partition(":")
        name, _, actions = rest.rpartition(":")
        namespace, _, repository = name.partition("/")
        if kind == "repository" and not self.registry.has_namespace(namespace):
            return _denied("Image organization does not exist")
        if not is_known and not self.registry.is_public(namespace, repository):
            return _denied("You may not login yet")
        is_pull = kind == "repository" and "pull" in actions.split(",")
        return json_response(200, {"token": self._new_token(name if is_pull else None)})

    def check(self, request: Request, repository: str | None) -> None:
        """Judge who asks for something of a repository, or of none.

        Raises:
            Refused: they may not have it.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            raise Refused(_denied("Authenticate Error"))
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        is_open = grant is not None and grant.expires > time.monotonic()
        if not (grant and is_open and repository in {None, grant.repository}):
            raise Refused(self._challenge(repository))

    def _is_login(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            login = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and self._logins.get(login, 0) > time.monotonic()

    def _new_token(self, repository: str | None) -> str:
        """A token as long as a real one; what it says of itself is not what is checked."""
        head, claims = {"typ": "JWT", "alg": "RS256"}, {"access": [repository] * bool(repository)}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (head, claims)]
        token = ".".join(
            [*(part.decode().rstrip("=") for part in parts), secrets.token_urlsafe(96)]
        )
        self._grants[token] = _Grant(repository, time.monotonic() + self.token_lifetime_seconds)
        return token

    def _challenge(self, repository: str | None) -> Response:
        # The scope names no action: who asks for a token has to add `pull`.
        scope = f',scope="repository:{repository}:"' if repository else ""
        challenge = f'Bearer realm="{self.url()}{REALM}",service="{_SERVICE}"{scope}'
        headers = {"Www-Authenticate": challenge}
        return registry_error(401, "UNAUTHORIZED", "authentication required", headers)


def _denied(message: str) -> Response:
    return registry_error(401, "DENIED", message)


def _duration(text: str | None) -> int | None:
    """Seconds that a login is asked for, the longest by default; None if that cannot be had."""
    if text is None:
        return _LONGEST
    is_number = text.isascii() and text.isdecimal()
    return int(text) if is_number and _SHORTEST <= int(text) <= _LONGEST else None
