"""The calls this project makes to SWR, one method each, with names compared here.

The API's own filters are fuzzy, so what comes back is compared again. Which pages of a repository
to ask for is decided by `reading_order`; how a request travels by `transport`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from pipelines.errors import SwrRefused, UnexpectedResponse
from pipelines.settings import Settings
from pipelines.swr.auth import Credentials, credentials_from
from pipelines.swr.paging import ACCEPTED_LIMIT, MAXIMUM_LIMIT, Page, PageRequest
from pipelines.swr.responses import Response, describe_request
from pipelines.swr.transport import ATTEMPTS, Transport, prepare_request
from pipelines.swr.wire import (
    UNREADABLE,
    NamespaceList,
    RepositoryRecord,
    SingleRepository,
    list_records,
    list_repositories,
    single_repository,
)

T = TypeVar("T")

_CONTENT_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})/(\d{1,18})")
_REPOSITORY_WALKS = 3
# A mistyped endpoint should not take a minute to be told.
_FIRST_CONTACT_ATTEMPTS = 3


@dataclass(frozen=True)
class RepositoryList:
    """The repositories of one namespace, and how many records could not be read."""

    records: list[RepositoryRecord]
    unreadable: int


class SwrClient:
    """SWR as seen with one set of credentials; used by many threads."""

    def __init__(self, endpoint: str, transport: Transport, credentials: Credentials) -> None:
        self.transport = transport
        self._request = prepare_request("GET", endpoint, {"Content-Type": "application/json"})
        self._endpoint = (self._request.url or "").rstrip("/")
        self._credentials = credentials

    @property
    def domain_id(self) -> str | None:
        """The account that logged in; None where nothing says which."""
        return self._credentials.domain_id

    def namespaces(self) -> list[str]:
        """Names of all visible namespaces, sorted; those reached through one repository too."""
        response = self._get(
            "/v2/manage/namespaces",
            {"filter": "mode::visible"},
            lambda response: _decode(response, NamespaceList),
            attempts=_FIRST_CONTACT_ATTEMPTS,
        )
        return sorted({record.name for record in response.namespaces})

    def repositories(self, namespace: str) -> RepositoryList:
        """Every repository of a namespace, also where the endpoint refuses large pages."""
        try:
            return self._list_repositories(namespace, MAXIMUM_LIMIT)
        except SwrRefused:
            return self._list_repositories(namespace, ACCEPTED_LIMIT)

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

    def _list_repositories(self, namespace: str, limit: int) -> RepositoryList:
        """List repositories in pages of `limit`.

        The list is paged by offset and can shift while it is read: it is read again until it
        holds as many as the registry says, three times at most, and all that was seen is kept.
        """
        found: dict[tuple[str, str], RepositoryRecord] = {}
        for _ in range(_REPOSITORY_WALKS):
            listed, unreadable, total = self._walk_repositories(namespace, limit)
            found.update(listed)
            if total is None or len(listed) + unreadable >= total:
                break
        records = [record for (owner, _), record in sorted(found.items()) if owner == namespace]
        return RepositoryList(records, unreadable)

    def _walk_repositories(
        self, namespace: str, limit: int
    ) -> tuple[dict[tuple[str, str], RepositoryRecord], int, int | None]:
        found: dict[tuple[str, str], RepositoryRecord] = {}
        unreadable = 0
        offset = 0
        while True:
            parameters = {
                "namespace": namespace,
                "offset": str(offset),
                "limit": str(limit),
                "order_column": "name",
                "order_type": "asc",
            }
            page, total = self._get("/v2/manage/repos", parameters, _decode_repository_page)
            readable = [record for record in page if record is not None]
            unreadable += len(page) - len(readable)
            found.update(
                {(record.namespace or namespace, record.name): record for record in readable}
            )
            # An endpoint that gives fewer than asked for keeps to its own limit: so do we.
            limit = min(limit, len(page)) if offset == 0 else limit
            offset += limit
            if not page or (total is not None and offset >= total):
                return found, unreadable, total

    def _get(
        self,
        path: str,
        parameters: dict[str, str],
        decode: Callable[[Response], T],
        *,
        attempts: int = ATTEMPTS,
    ) -> T:
        # A copy with another URL: preparing each from nothing takes twenty times as long.
        request = self._request.copy()
        query = f"?{urlencode(parameters)}" if parameters else ""
        request.url = f"{self._endpoint}{path}{query}"
        return self.transport.fetch(request, self._credentials.flow, decode, attempts=attempts)


def client_from(settings: Settings, transport: Transport) -> SwrClient:
    """Talk to SWR as the settings say.

    Raises:
        SettingsError: endpoint or credentials are missing.
    """
    return SwrClient(settings.endpoint, transport, credentials_from(settings, transport))


def _repository_path(namespace: str, repository: str) -> str:
    """Build the path of a repository; `$` stands for the `/` of its name.

    Raises:
        SwrRefused: a name that would be read as a step through the path.
    """
    segments = (namespace, repository.replace("/", "$"))
    if any(segment in {"", ".", ".."} for segment in segments):
        raise SwrRefused(
            "no such name can be asked for", request=f"repository {namespace!r}/{repository!r}"
        )
    owner, name = (quote(segment, safe="$") for segment in segments)
    return f"/v2/manage/namespaces/{owner}/repos/{name}"


def _decode_tag_page(response: Response) -> Page:
    try:
        records = list_records(response.content)
    except (msgspec.MsgspecError, RecursionError):
        raise _unexpected(response, "a JSON array of tags") from None
    return Page(records, _total(response, len(records)))


def _decode_repository_page(
    response: Response,
) -> tuple[Sequence[RepositoryRecord | None], int | None]:
    try:
        records = list_repositories(response.content)
    except (msgspec.MsgspecError, RecursionError):
        raise _unexpected(response, "a JSON array of repositories") from None
    return records, _total(response, len(records))


def _decode_repository(response: Response) -> SingleRepository:
    try:
        return single_repository(response.content)
    except UNREADABLE:
        raise _unexpected(response, "a repository as a JSON object") from None


def _decode(response: Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _unexpected(response, "the API's JSON") from None


def _total(response: Response, rows: int) -> int | None:
    """Read the total from `Content-Range: offset-count/total`; None where it makes no sense."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        return None
    offset, total = int(match[1]), int(match[3])
    return total if rows == 0 or offset + rows <= total else None


def _unexpected(response: Response, wanted: str) -> UnexpectedResponse:
    kind = response.headers.get("Content-Type", "no content type")
    return UnexpectedResponse(
        f"answered 200 with {len(response.content)} bytes of {kind} instead of {wanted}",
        request=describe_request(response.request),
        status=response.status_code,
        request_id=response.headers.get("X-Request-Id"),
    )
