"""The calls of SWR that the emulator answers: routes and response bodies.

Who may call is judged before (`identity`); nothing of sockets here (`server`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.emulator.messages import (
    Refused,
    Request,
    Response,
    backend_error_in_both_styles,
    gateway_error,
    json_response,
    json_text_response,
)
from pipelines.emulator.parameters import ListParameters, effective_parameters, read_parameters
from pipelines.emulator.records import instant
from pipelines.emulator.registry import Registry
from pipelines.emulator.repository import StoredTag

_REPOSITORY_ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "updated_time": lambda record: instant(record["updated_at"]),
    "name": lambda record: record["name"],
    "tag_count": lambda record: record["num_images"],
    "namespace": lambda record: record["namespace"],
    "is_public": lambda record: record["is_public"],
}


@dataclass(frozen=True)
class Api:
    """SWR's calls on a registry.

    Attributes:
        match_tag_exactly: `tag` selects the tag of that name, not all names that hold it.
        max_limit: a larger limit is refused.
        content_range: pages state the total in the header `Content-Range`.
    """

    registry: Registry
    match_tag_exactly: bool
    max_limit: int
    content_range: bool

    def find(self, request: Request) -> Callable[[], Response] | None:
        """Find the call a request means; None if the API has no such."""
        if any("/" in segment for segment in request.segments):
            return None
        match (request.method, *request.segments):
            case ("GET", "v2", "manage", "namespaces"):
                return lambda: self._namespaces(request)
            case ("GET", "v2", "manage", "repos"):
                return lambda: self._repositories(request)
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name):
                return lambda: self._repository(namespace, _repository_name(name))
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name, "tags"):
                return lambda: self._tags(request, namespace, _repository_name(name))
        return None

    def _namespaces(self, request: Request) -> Response:
        name = effective_parameters(request).get("namespace")
        records = self.registry.namespace_records()
        found = [record for record in records if name in {None, record["name"]}]
        return json_response(200, {"namespaces": found})

    def _repositories(self, request: Request) -> Response:
        asked = read_parameters(
            request,
            columns=_REPOSITORY_ORDERS,
            default_column="updated_time",
            max_limit=self.max_limit,
        )
        found = [
            record
            for record in self.registry.repository_records()
            if all(asked.matching.get(key, "") in record[key] for key in ("namespace", "name"))
        ]
        found.sort(key=_REPOSITORY_ORDERS[asked.column], reverse=asked.descending)
        page = found[asked.offset : asked.offset + asked.limit]
        body = [record | {"total_range": len(found)} for record in page]
        return json_response(200, body, self._range(asked, len(page), len(found)))

    def _repository(self, namespace: str, name: str) -> Response:
        record = self.registry.repository_record(namespace, name)
        if record is None:
            raise _no_repository()
        return json_response(200, record)

    def _tags(self, request: Request, namespace: str, name: str) -> Response:
        asked = read_parameters(
            request,
            columns={"updated_at", "tag"},
            default_column="updated_at",
            max_limit=self.max_limit,
        )
        try:
            tags: Sequence[StoredTag] = self.registry.tags(
                namespace, name, column=asked.column, descending=asked.descending
            )
        except KeyError:
            raise _no_repository() from None
        if wanted := asked.matching.get("tag"):
            tags = [tag for tag in tags if self._matches(wanted, tag.name)]
        page = tags[asked.offset : asked.offset + asked.limit]
        body = b"[" + b",".join([tag.text for tag in page]) + b"]"
        return json_text_response(200, body, self._range(asked, len(page), len(tags)))

    def _matches(self, wanted: str, name: str) -> bool:
        return wanted == name if self.match_tag_exactly else wanted in name

    def _range(self, asked: ListParameters, rows: int, total: int) -> dict[str, str]:
        """The header `offset-rows/total`; only for those who sent offset and limit."""
        if not (asked.is_paged and self.content_range):
            return {}
        return {"Content-Range": f"{asked.offset}-{rows}/{total}"}


def no_such_api() -> Response:
    """Build the gateway's answer to a path that is no call."""
    message = "The API does not exist or has not been published in the environment"
    return gateway_error(404, "APIGW.0101", message)


def _no_repository() -> Refused:
    return Refused(backend_error_in_both_styles(404, "4040009", "Image list not found"))


def _repository_name(segment: str) -> str:
    """A repository's name out of its path segment, where `$` stands for `/`."""
    return segment.replace("$", "/")
