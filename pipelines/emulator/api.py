"""The calls of SWR that list what there is: namespaces, repositories, tags; and the login.

Credentials are judged before (`iam`); nothing of sockets here (`server`). What is asked of one
repository is in `api_repository`, the newer lists are in `api_v3`, the account's figures in
`api_account`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.emulator.logins import Logins
from pipelines.emulator.messages import (
    Call,
    Request,
    Response,
    gateway_error,
    json_response,
    no_repository,
    not_found,
)
from pipelines.emulator.parameters import effective_parameters, read_parameters
from pipelines.emulator.records import instant
from pipelines.emulator.registry import Registry
from pipelines.emulator.repository import StoredTag

_OWN = "self"
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

    def find(self, request: Request) -> Call | None:
        """Find the call a request means; None if there is no such here."""
        call: Call | None = None
        match (request.method, *request.segments):
            case ("GET", "v2", "manage", "namespaces"):
                call = partial(self._namespaces, request)
            case ("GET", "v2", "manage", "namespaces", namespace):
                call = partial(self._namespace, namespace)
            case ("GET", "v2", "manage", "repos"):
                call = partial(self._repositories, request)
            case ("GET", "v2", "manage", "shared-repositories"):
                call = partial(self._repositories, request, only_shared=True)
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name):
                call = partial(self._repository, namespace, repository_name(name))
            case ("GET", "v2", "manage", "namespaces", namespace, "repos", name, "tags"):
                call = partial(self._tags, request, namespace, repository_name(name))
            case ("POST", "v2", "manage", "utils", "secret"):
                call = partial(self.logins.create, request)
        return call

    def _namespaces(self, request: Request) -> Response:
        name = effective_parameters(request).get("namespace")
        records = self.registry.namespace_records()
        found = [record for record in records if name in {None, record["name"]}]
        return json_response(200, {"namespaces": found})

    def _namespace(self, name: str) -> Response:
        for record in self.registry.namespace_records():
            if record["name"] == name:
                return json_response(200, record)
        raise not_found("4040058", "Organization not found")

    def _repositories(self, request: Request, *, only_shared: bool = False) -> Response:
        asked = read_parameters(request, _REPOSITORY_ORDERS, default_column="updated_time")
        records = self.registry.repository_records(only_shared=only_shared)
        found = [record for record in records if is_asked_for(record, asked.matching)]
        # All is the account's own, and nothing is shared with it.
        if asked.matching.get("center", _OWN) != _OWN:
            found = []
        found.sort(key=_REPOSITORY_ORDERS[asked.column], reverse=asked.descending)
        page = found[asked.offset : asked.offset + asked.limit]
        body = [record | {"total_range": len(found)} for record in page]
        return json_response(200, body, asked.content_range(len(page), len(found)))

    def _repository(self, namespace: str, name: str) -> Response:
        record = self.registry.repository_record(namespace, name)
        if record is None:
            raise no_repository()
        return json_response(200, record)

    def _tags(self, request: Request, namespace: str, name: str) -> Response:
        asked = read_parameters(request, {"updated_at", "tag"}, default_column="updated_at")
        try:
            tags: Sequence[StoredTag] = self.registry.tags(
                namespace, name, column=asked.column, descending=asked.descending
            )
        except KeyError:
            raise no_repository() from None
        if wanted := asked.matching.get("tag"):
            tags = [tag for tag in tags if wanted in tag.name]
        page = tags[asked.offset : asked.offset + asked.limit]
        body = b"[" + b",".join([tag.text for tag in page]) + b"]"
        return json_response(200, body, asked.content_range(len(page), len(tags)))


def is_asked_for(record: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    """Whether a repository is among those asked for; namespace and name are fuzzy."""
    namespace = record.get("namespace") or record.get("namespace_name") or ""
    return (
        asked.get("namespace", "") in namespace
        and asked.get("name", "") in record["name"]
        and asked.get("category") in {None, "", record["category"]}
        and asked.get("is_public") in {None, "", str(record["is_public"]).lower()}
    )


def repository_name(segment: str) -> str:
    """A repository's name out of its path segment, where `$` stands for `/`."""
    return segment.replace("$", "/")


def no_such_api() -> Response:
    """Build the gateway's answer to a path that is no call."""
    message = "The API does not exist or has not been published in the environment"
    return gateway_error(404, "APIGW.0101", message)
