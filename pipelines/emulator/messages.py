"""One request as the emulator received it, one response as it is to be sent.

No routes (`api`) and no sockets (`server`) here.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request. `target` is path and query as on the wire; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path cut at its slashes, then decoded: an encoded slash stays in its segment."""
        raw = urlsplit(self.target).path.removeprefix("/").split("/")
        return tuple(unquote(segment) for segment in raw)

    @property
    def path(self) -> str:
        """The decoded path."""
        return "/" + "/".join(self.segments)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters as sent, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """One response, and how sending it fails, if at all.

    Attributes:
        truncate_at: send only so many bytes of the body that was announced, then hang up.
        is_reset: send nothing and reset the connection.
        delay_seconds: wait before sending.
        pause_seconds: wait after half of the body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncate_at: int | None = None
    is_reset: bool = False
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0


Call = Callable[[], Response]


class Logged(NamedTuple):
    """One answered request; path and query are decoded, a reset connection has status 0."""

    method: str
    path: str
    query: dict[str, str]
    status: int


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(
    status: int, payload: object, headers: Mapping[str, str] | None = None
) -> Response:
    """Build a response whose body is JSON; a payload of bytes is JSON already."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, body)


def gateway_error(status: int, code: str, message: str) -> Response:
    """Build an error as the gateway in front of all services words it."""
    request_id = uuid.uuid4().hex
    payload = {"error_msg": message, "error_code": code, "request_id": request_id}
    return json_response(status, payload, {"X-Request-Id": request_id})


def backend_error(status: int, code: str, message: str, detail: str = "") -> Response:
    """Build an error as SWR itself words it; `code` without its prefix."""
    return json_response(status, _backend_errors(code, message, detail))


def backend_error_in_both_styles(status: int, code: str, message: str) -> Response:
    """Build an error in SWR's old and its new wording at once."""
    name = f"SVCSTG.SWR.{code}"
    newer = {
        "error_code": name,
        "error_msg": message,
        "details": [{"error_code": name, "error_msg": ""}],
    }
    return json_response(status, _backend_errors(code, message, "") | newer)


def not_found(code: str, message: str) -> Refused:
    """Build the refusal of a call on something that is not there."""
    return Refused(backend_error_in_both_styles(404, code, message))


def no_repository() -> Refused:
    """Build the refusal of a call on a repository that is not there."""
    return not_found("4040009", "Image list not found")


def registry_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Build an error as the registry words it to those who pull."""
    return json_response(status, {"errors": [{"code": code, "message": message}]}, headers)


def iam_error(status: int, title: str, message: str) -> Response:
    """Build an error as IAM words it."""
    return json_response(status, {"error": {"code": status, "message": message, "title": title}})


def _backend_errors(code: str, message: str, detail: str) -> dict[str, object]:
    error = {"errorCode": f"SVCSTG.SWR.{code}", "errorMessage": message, "detail": detail}
    return {"errors": [error]}
