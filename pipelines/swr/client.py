"""The calls this project makes to SWR, one method each.

Which pages to ask for is decided by `paging` and `repository_list`; how a request travels by
`transport`.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from pipelines.errors import (
    SwrAnswerTooLarge,
    SwrError,
    SwrPageRefused,
    SwrRefused,
    UnexpectedResponse,
)
from pipelines.swr.auth import Credentials
from pipelines.swr.json_parts import UNREADABLE, TooMuch
from pipelines.swr.limits import Limits
from pipelines.swr.paging import (
    ACCEPTED_LIMIT,
    CrawlOutcome,
    KnownRecords,
    Land,
    Page,
    PageRequest,
)
from pipelines.swr.repository_list import RepositoryList, RepositoryPage, read_repository_list
from pipelines.swr.responses import Response, describe_request, quoted_name, sent_at
from pipelines.swr.tag_reading import read_tags
from pipelines.swr.transport import FIRST_CONTACT, PATIENT, Patience, Transport, prepare_request
from pipelines.swr.wire import (
    SingleRepository,
    list_namespaces,
    list_records,
    list_repositories,
    single_repository,
)

T = TypeVar("T")

_CONTENT_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})/(\d{1,18})")


class SwrClient:
    """SWR as seen with one set of credentials; used by many threads."""

    def __init__(self, endpoint: str, transport: Transport, credentials: Credentials) -> None:
        self.transport = transport
        self._request = prepare_request("GET", endpoint, {"Content-Type": "application/json"})
        self._endpoint = (self._request.url or "").rstrip("/")
        self._credentials = credentials
        self._limits = Limits()

    @property
    def domain_id(self) -> str | None:
        """The account that logged in; None where nothing says which."""
        return self._credentials.domain_id

    def namespaces(self) -> list[str]:
        """Names of all visible namespaces, sorted; those reached through one repository too."""
        listed = self._get(
            "/v2/manage/namespaces",
            {"filter": "mode::visible"},
            _decode_namespaces,
            patience=FIRST_CONTACT,
        )
        return sorted(set(listed))

    def repositories(self, namespace: str) -> RepositoryList:
        """Every repository of a namespace, also where the endpoint refuses large pages."""

        def ask(offset: int, limit: int) -> RepositoryPage:
            parameters = {
                "namespace": namespace,
                "offset": str(offset),
                "limit": str(limit),
                "order_column": "name",
                "order_type": "asc",
            }
            return self._get("/v2/manage/repos", parameters, _decode_repository_page)

        limit, _ = self._limits.of(namespace)
        try:
            return read_repository_list(namespace, limit, ask)
        except SwrPageRefused:
            if limit <= ACCEPTED_LIMIT:
                raise
            self._limits.refuse(namespace)
            return read_repository_list(namespace, ACCEPTED_LIMIT, ask)

    def repository(self, namespace: str, repository: str) -> SingleRepository:
        """Ask for one repository by name."""
        return self._get(_repository_path(namespace, repository), {}, _decode_repository)

    def tag_page(self, namespace: str, repository: str, page: PageRequest) -> Page:
        """One page of a repository's tags, by time of update."""
        parameters = {
            "offset": str(page.offset),
            "limit": str(page.limit),
            "order_column": "updated_at",
            "order_type": "desc" if page.newest_first else "asc",
        }
        return self.tag_page_with(namespace, repository, parameters)

    def tag_page_with(self, namespace: str, repository: str, parameters: dict[str, str]) -> Page:
        """One answer of the tags call to query parameters given as the API names them."""
        path = _repository_path(namespace, repository) + "/tags"
        return self._get(path, parameters, _decode_tag_page)

    def read(
        self,
        namespace: str,
        repository: str,
        limits: Limits,
        land: Land,
        known: KnownRecords | None,
    ) -> CrawlOutcome:
        """Read a repository's tags in the order that loses none; see `tag_reading`."""
        name = (namespace, repository)
        return read_tags(name, limits, lambda page: self.tag_page(*name, page), land, known)

    def service_figure(self, name: str) -> bytes:
        """What the service says of the account, as JSON: `overview`, `reports/store/daily`."""
        return self._get(f"/v2/manage/{name}", {}, _decode_text, patience=FIRST_CONTACT)

    def retention_rules(self, namespace: str, repository: str) -> bytes:
        """The retention rules of a repository, as text."""
        return self._get(f"{_repository_path(namespace, repository)}/retentions", {}, _decode_text)

    def retention_log(self, namespace: str, repository: str, offset: int, limit: int) -> bytes:
        """A page of the log of what the rules of a repository deleted, as text."""
        path = f"{_repository_path(namespace, repository)}/retentions/histories"
        return self._get(path, {"offset": str(offset), "limit": str(limit)}, _decode_text)

    def tag_config(self, namespace: str, repository: str, tag: str) -> bytes:
        """The configuration of the image that a tag points at, as text (ShowRepoTagConfig).

        Raises:
            SwrUnknownPath: this region does not know the call.
        """
        path = f"{_repository_path(namespace, repository)}/tags/{segment(tag)}/config"
        return self._get(path, {}, _decode_text)

    def post(self, path: str, parameters: dict[str, str], decode: Callable[[Response], T]) -> T:
        """Send an empty POST, for calls that this room does not know, and decode its answer."""
        url = f"{self._endpoint}{path}?{urlencode(parameters)}"
        request = prepare_request("POST", url, {"Content-Type": "application/json"})
        return self.transport.fetch(request, self._credentials.flow, decode, patience=FIRST_CONTACT)

    def _get(
        self,
        path: str,
        parameters: dict[str, str],
        decode: Callable[[Response], T],
        *,
        patience: Patience = PATIENT,
    ) -> T:
        # A copy with another URL: preparing each from nothing takes twenty times as long.
        request = self._request.copy()
        query = f"?{urlencode(parameters)}" if parameters else ""
        request.url = f"{self._endpoint}{path}{query}"
        return self.transport.fetch(request, self._credentials.flow, decode, patience=patience)


def _repository_path(namespace: str, repository: str) -> str:
    """Build the path of a repository; `$` stands for the `/` of its name.

    Raises:
        SwrRefused: a name that would be read as a step through the path.
    """
    owner, name = segment(namespace), segment(repository.replace("/", "$"))
    return f"/v2/manage/namespaces/{owner}/repos/{name}"


def segment(name: str) -> str:
    """A name as one step of a path.

    Raises:
        SwrRefused: it would be read as a step through the path.
    """
    if name in {"", ".", ".."}:
        raise SwrRefused("no such name can be asked for", request=f"the name {name!r}")
    return quote(name, safe="$")


def _decode_text(response: Response) -> bytes:
    """A text, mostly as a JSON string; what is no string is the text itself."""
    try:
        return msgspec.json.decode(response.text, type=str).encode()
    except UNREADABLE:
        return response.text


def _decode_namespaces(response: Response) -> list[str]:
    try:
        return list_namespaces(response.text or b"null")
    except UNREADABLE as error:
        raise unexpected(response, "the JSON of a list of namespaces", error) from None


def _decode_tag_page(response: Response) -> Page:
    body = _array(response)
    try:
        records = list_records(body)
    except UNREADABLE as error:
        raise unexpected(response, "a JSON array of tags", error) from None
    total, moment = _total(response, len(records)), sent_at(response)
    return Page(records, total, moment or datetime.now(UTC), body)


def _decode_repository_page(response: Response) -> RepositoryPage:
    try:
        records, unreadable = list_repositories(_array(response))
    except UNREADABLE as error:
        raise unexpected(response, "a JSON array of repositories", error) from None
    rows = len(records) + len(unreadable)
    stated = [_total(response, rows), *(record.total_range for record in records)]
    # Of two totals the larger: the list is not complete if it holds fewer.
    total = max((total for total in stated if total is not None and total >= rows), default=None)
    return RepositoryPage(records, unreadable, total)


def _decode_repository(response: Response) -> SingleRepository:
    try:
        return single_repository(response.text)
    except UNREADABLE as error:
        raise unexpected(response, "a JSON object", error) from None


def _array(response: Response) -> bytes:
    """The body of a list; nothing and null are how some services write an empty one."""
    text = response.text
    return b"[]" if text in (b"", b"null") else text


def _total(response: Response, rows: int) -> int | None:
    """Read the total from `Content-Range: offset-count/total`; None where it makes no sense."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        return None
    offset, total = int(match[1]), int(match[3])
    return total if rows == 0 or offset + rows <= total else None


def unexpected(response: Response, wanted: str, error: Exception) -> SwrError:
    """The error for a body that is not what was asked for, or too much of it."""
    kind = quoted_name(response.headers.get("Content-Type", "no content type"), response)
    size = f"{len(response.content)} bytes of {kind or 'a type that is not shown'}"
    is_too_much = isinstance(error, TooMuch)
    shape = SwrAnswerTooLarge if is_too_much else UnexpectedResponse
    return shape(
        f"answered {response.status_code} with {size}"
        + (f", and {error}" if is_too_much else f" instead of {wanted}"),
        request=describe_request(response.request),
        status=response.status_code,
        request_id=quoted_name(response.headers.get("X-Request-Id"), response),
    )
