"""Turns an answer that is no success into one of our errors, by its status and body.

Error bodies come in five shapes, from gateway, backend and IAM, besides HTML from load balancers.
Successful bodies are read in `wire`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
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
    SwrPageRefused,
    SwrRefused,
    SwrUnauthenticated,
    SwrUnavailable,
    SwrUnknownPath,
)
from pipelines.swr.quoting import quotable

_BY_STATUS: dict[int, type[SwrError]] = {
    401: SwrUnauthenticated,
    403: SwrForbidden,
    404: SwrUnknownPath,
    # Timed out, too early, too many: the same request may do later.
    408: SwrUnavailable,
    # Only gateways that are overloaded call themselves a teapot.
    418: SwrUnavailable,
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
    SwrPageRefused: "refused",
}
_SERVER_ERRORS = 500
_LONGEST_NAME = 80
_LONGEST_ERROR = 64 * 2**10
LONGEST_RETRY_AFTER = 300.0
# Content too large, range not satisfiable: they say by themselves that it is the page's size.
_REFUSED_PAGE_STATUSES = {413, 416}
_OF_PAGES = re.compile(r"limit|offset|page.?size|4001072", re.IGNORECASE)
_SECRET_HEADERS = ("X-Auth-Token", "X-Security-Token", "X-Metadata-Token", "Authorization")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Response(NamedTuple):
    """An answer that arrived whole; names of headers in any case.

    `secrets` are those that it must not be quoted with, beside the ones in its request.
    """

    request: requests.PreparedRequest
    status_code: int
    headers: Mapping[str, str]
    content: bytes
    secrets: Collection[str] = ()

    @property
    def is_success(self) -> bool:
        """Whether the server says that it did what was asked."""
        return self.status_code in range(200, 300)

    @property
    def text(self) -> bytes:
        """The body without a byte-order mark and blanks around it."""
        return self.content.removeprefix(_BYTE_ORDER_MARK).strip()

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
    code, message = _code_and_message(response.text)
    kind = _kind(status, code, message)
    return kind(
        _problem(kind, status, quoted(message, response)),
        request=describe_request(request),
        status=status,
        code=quoted_name(code, response),
        request_id=quoted_name(response.headers.get("X-Request-Id"), response),
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _kind(status: int, code: str | None, message: str | None) -> type[SwrError]:
    number = (code or "").rpartition(".")[2]
    if status == requests.codes.not_found and number in {*_NO_REPOSITORY, _NO_NAMESPACE}:
        return SwrNotFound
    if status >= _SERVER_ERRORS:
        return SwrUnavailable
    is_of_page = status in _REFUSED_PAGE_STATUSES or _OF_PAGES.search(f"{code} {message}")
    return _BY_STATUS.get(status, SwrPageRefused if is_of_page else SwrRefused)


def _problem(kind: type[SwrError], status: int, message: str | None) -> str:
    if status in range(300, 400):
        return "answered with a redirect, which is not followed; check the endpoint"
    is_throttled = status == requests.codes.too_many_requests
    meaning = "too many requests" if is_throttled else _MEANING[kind]
    return f"{meaning}: {message}" if message else meaning


def _code_and_message(body: bytes) -> tuple[str | None, str | None]:
    """Find error code and message in whichever of the known shapes the body has."""
    if len(body) > _LONGEST_ERROR:
        return None, None
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
    values = (part[name] for name in names if isinstance(part.get(name), str | int))
    return next((str(value) for value in values if value), None)


def quoted(text: str | None, response: Response, *longest: int) -> str | None:
    """A server's words, cut; None if they repeat what proves who is asking.

    A request with a body holds a password, so that no answer to it is quoted.
    """
    if response.request.body:
        return None
    headers = (response.request.headers.get(name, "") for name in _SECRET_HEADERS)
    # Of a signed header only the signature, at its end, is a secret.
    sent = (header.rpartition("Signature=")[2] for header in headers)
    return quotable(text, {*response.secrets, *sent}, *longest)


def quoted_name(text: str | None, response: Response) -> str | None:
    """The same of a code, an identifier, a media type."""
    return quoted(text, response, _LONGEST_NAME)


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date; None where it is neither."""
    if header and header.strip().isdecimal():
        return min(float(header), LONGEST_RETRY_AFTER)
    moment = _http_date(header)
    if moment is None:
        return None
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_RETRY_AFTER)


def _http_date(header: str | None) -> datetime | None:
    """Read a date of HTTP; None if it is none."""
    try:
        moment = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
