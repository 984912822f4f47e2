"""The calls of SWR that the emulator answers: routes and response bodies.

Credentials are judged before (`iam`); nothing of sockets here (`server`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.emulator.logins import Logins
from pipelines.emulator.messages import (
    Refused,
    Request,
    Response,
    backend_error_in_both_styles,
    gateway_error,
    json_response,
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
    """SWR's calls on a registry; `logins` are made for those who want to pull from it."""

    registry: Registry
    logins: Logins

    def find(self, request: Request) -> Callable[[], Response] | None:
        """Find the call a request means; None if the API has no such."""
        if any("/" in segment for segment in request.segments):
            return None
        call: Callable[[], Response] | None = None
        match (request.method, *request.segments):
            case ("GET", "v2", "manage", "namespaces"):
                call = partial(self._namespaces, request)
            case ("GET", "v2", "manage", "repos"):
                call = partial(self._repositories, request)
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name):
                call = partial(self._repository, namespace, _repository_name(name))
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name, "tags"):
                call = partial(self._tags, request, namespace, _repository_name(name))
            case ("POST", "v2", "manage", "utils", "secret"):
                call = partial(self.logins.create, request)
        return call

    def _namespaces(self, request: Request) -> Response:
        name = effective_parameters(request).get("namespace")
        records = self.registry.namespace_records()
        found = [record for record in records if name in {None, record["name"]}]
        return json_response(200, {"namespaces": found})

    def _repositories(self, request: Request) -> Response:
        asked = read_parameters(request, _REPOSITORY_ORDERS, default_column="updated_time")
        found = [
            record
            for record in self.registry.repository_records()
            if all(asked.matching.get(key, "") in record[key] for key in ("namespace", "name"))
        ]
        found.sort(key=_REPOSITORY_ORDERS[asked.column], reverse=asked.descending)
        page = found[asked.offset : asked.offset + asked.limit]
        body = [record | {"total_range": len(found)} for record in page]
        return json_response(200, body, _range(asked, len(page), len(found)))

    def _repository(self, namespace: str, name: str) -> Response:
        record = self.registry.repository_record(namespace, name)
        if record is None:
            raise _no_repository()
        return json_response(200, record)

    def _tags(self, request: Request, namespace: str, name: str) -> Response:
        asked = read_parameters(request, {"updated_at", "tag"}, default_column="updated_at")
        try:
            tags: Sequence[StoredTag] = self.registry.tags(
                namespace, name, column=asked.column, descending=asked.descending
            )
        except KeyError:
            raise _no_repository() from None
        if wanted := asked.matching.get("tag"):
            tags = [tag for tag in tags if wanted in tag.name]
        page = tags[asked.offset : asked.offset + asked.limit]
        body = b"[" + b",".join([tag.text for tag in page]) + b"]"
        return json_response(200, body, _range(asked, len(page), len(tags)))


def no_such_api() -> Response:
    """Build the gateway's answer to a path that is no call."""
    message = "The API does not exist or has not been published in the environment"
    return gateway_error(404, "APIGW.0101", message)


def _range(asked: ListParameters, rows: int, total: int) -> dict[str, str]:
    """The header `offset-rows/total`; only for those who sent offset and limit."""
    return {"Content-Range": f"{asked.offset}-{rows}/{total}"} if asked.is_paged else {}


def _no_repository() -> Refused:
    return Refused(backend_error_in_both_styles(404, "4040009", "Image list not found"))


def _repository_name(segment: str) -> str:
    """A repository's name out of its path segment, where `$` stands for `/`."""
    return segment.replace("$", "/")
