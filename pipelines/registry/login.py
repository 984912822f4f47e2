"""A temporary login for the registry: which host it is, and what opens it."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from pipelines.errors import UnexpectedResponse
from pipelines.swr.client import SwrClient
from pipelines.swr.instance import InstanceClient
from pipelines.swr.responses import Response, describe_request

# As long as a run may take to pull all that is missing.
_SECONDS = 6 * 3600


class _Entry(msgspec.Struct):
    auth: str


class _DockerLogin(msgspec.Struct):
    auths: dict[str, _Entry]


@dataclass(frozen=True)
class Login:
    """The registry's host, with its port if it has one, and the value of a Basic header."""

    host: str
    basic: str = field(repr=False)


def log_in(client: SwrClient, project: str | None) -> Login:
    """Get a temporary login; it may do what the client's credentials may.

    Its host is the one that the answer names: no other may be given its password.

    Args:
        client: SWR, which issues it.
        project: name of the project, where one is known.

    Raises:
        SwrForbidden: the credentials lack `swr::createLoginSecret`.
        SwrError: there is no login for another reason.
    """
    if isinstance(client, InstanceClient):
        return _log_in_to_instance(client)
    parameters = {"duration_seconds": str(_SECONDS)}
    if project:
        parameters["projectname"] = project
    return client.post("/v2/manage/utils/secret", parameters, _read_login)


def _log_in_to_instance(client: InstanceClient) -> Login:
    given = client.login()
    if not (given.user and given.password and _is_host(given.host)) or ":" in given.user:
        raise UnexpectedResponse(
            "answered without a login for the instance", request="POST temp-credential"
        )
    pair = f"{given.user}:{given.password}".encode()
    return Login(given.host, f"Basic {b64encode(pair).decode()}")


def _read_login(response: Response) -> Login:
    try:
        auths: Mapping[str, _Entry] = msgspec.json.decode(response.text, type=_DockerLogin).auths
        [(host, entry)] = auths.items()
        user, _, password = b64decode(entry.auth, validate=True).decode().partition(":")
    except (msgspec.MsgspecError, ValueError):
        user = password = host = ""
    if not (user and password and _is_host(host)):
        raise UnexpectedResponse(
            "answered without a login for the registry",
            request=describe_request(response.request),
            status=response.status_code,
        )
    return Login(host, f"Basic {entry.auth}")


def _is_host(text: str) -> bool:
    """Whether this can stand between `https://` and `/` and be nothing but a host and a port."""
    return text.isascii() and text.isprintable() and not set(text) & set("/\\@?# ")
