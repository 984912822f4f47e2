"""Turns an answer that is no success into one of our errors, by its status and body.

Error bodies come in five shapes, from gateway, backend and IAM, besides HTML from load balancers.
Successful bodies are read in `wire`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import requests

from pipelines.errors import (
    SwrError,
    SwrForbidden,
    SwrNotFound,
    SwrRefused,
    SwrUnauthenticated,
    SwrUnavailable,
    SwrUnknownPath,
)

_BY_STATUS: dict[int, type[SwrError]] = {
    401: SwrUnauthenticated,
    403: SwrForbidden,
    404: SwrUnknownPath,
    # Timed out, too early, too many: the same request may do later.
    408: SwrUnavailable,
    425: SwrUnavailable,
    429: SwrUnavailable,
}
_NO_NAMESPACE = "4040058"
# SWR's own words for a repository that is not there: image list, image, tag list not found.
_NO_REPOSITORY = {"4040009", "4040010", "4040113", "4041057"}
_MEANING: dict[type[SwrError], str] = {
    SwrUnauthenticated: "the credentials were refused",
    SwrForbidden: "the credentials do not allow this",
    SwrNotFound: "not found",
    SwrUnknownPath: "whatever answered does not know this path; check the endpoint",
    SwrUnavailable: "failed",
    SwrRefused: "refused",
}
_LONGEST_QUOTE = 300
_SECRET_HEADERS = ("X-Auth-Token", "X-Security-Token", "Authorization")
# So many of a secret's last characters give it away; a signature is at the end of its header.
_SECRET_TAIL = 12
_ESCAPES_AND_SIGNS = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|[^A-Za-z0-9]")


class Response(NamedTuple):
    """An answer that arrived whole; names of headers in any case."""

    request: requests.PreparedRequest
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        """Show neither headers nor body: IAM's hold the token."""
        return f"<Response {self.status_code} to {describe_request(self.request)}>"


def describe_request(request: requests.PreparedRequest) -> str:
    """Name a request by method and URL, leaving out the query's values."""
    parts = urlsplit(request.url or "")
    return f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}"


def sent_at(response: Response) -> datetime | None:
    """When the server sent an answer by its own clock, to the second; None if it does not say."""
    return _http_date(response.headers.get("Date"))


def error_from(response: Response) -> SwrError:
    """Turn a response that is no success into the error that says what to do about it."""
    status, request = response.status_code, response.request
    code, message = _code_and_message(response.content)
    kind = _kind(status, code)
    return kind(
        _problem(kind, status, _quotable(message, request)),
        request=describe_request(request),
        status=status,
        code=_quotable(code, request),
        request_id=_quotable(response.headers.get("X-Request-Id"), request),
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _kind(status: int, code: str | None) -> type[SwrError]:
    number = (code or "").rpartition(".")[2]
    if status == requests.codes.not_found and number in {*_NO_REPOSITORY, _NO_NAMESPACE}:
        return SwrNotFound
    return _BY_STATUS.get(status, SwrUnavailable if status in range(500, 600) else SwrRefused)


def _problem(kind: type[SwrError], status: int, message: str | None) -> str:
    if status in range(300, 400):
        return "answered with a redirect, which is not followed; check the endpoint"
    is_throttled = status == requests.codes.too_many_requests
    meaning = "too many requests" if is_throttled else _MEANING[kind]
    return f"{meaning}: {message}" if message else meaning


def _code_and_message(body: bytes) -> tuple[str | None, str | None]:
    """Find error code and message in whichever of the known shapes the body has."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    for part in _error_objects(decoded):
        code = _text(part, "errorCode", "error_code", "code")
        message = _text(part, "errorMessage", "error_msg", "errorMsg", "message")
        if code or message:
            return code, message
    return None, None


def _error_objects(decoded: object) -> Iterator[dict[str, object]]:
    """Yield the objects that may hold code and message, the outermost first."""
    if isinstance(decoded, list):
        yield from (part for part in decoded if isinstance(part, dict))
    elif isinstance(decoded, dict):
        yield decoded
        nested = decoded.get("error")
        if isinstance(nested, dict):
            yield nested
        yield from _error_objects(decoded.get("errors"))


def _text(part: dict[str, object], *names: str) -> str | None:
    value = next((part[name] for name in names if part.get(name)), None)
    return None if value is None else " ".join(str(value).split())


def _quotable(text: str | None, request: requests.PreparedRequest) -> str | None:
    """A server's words, shortened; None if they may repeat what proves who is asking.

    A body holds a password, so that no answer to one is quoted.
    """
    if text is None or request.body:
        return None
    quoted = _letters_and_digits(text)
    secrets = (_letters_and_digits(request.headers.get(name, "")) for name in _SECRET_HEADERS)
    if any(secret[-_SECRET_TAIL:] in quoted for secret in secrets if secret):
        return None
    return text[:_LONGEST_QUOTE]


def _letters_and_digits(text: str) -> str:
    """What is the same of a text however it is escaped."""
    return _ESCAPES_AND_SIGNS.sub("", text)


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date."""
    if header and header.strip().isdecimal():
        return float(header)
    moment = _http_date(header)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else None


def _http_date(header: str | None) -> datetime | None:
    """Read a date of HTTP; None if it is none."""
    try:
        moment = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
