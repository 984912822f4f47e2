"""The calls of an instance of the enterprise edition on the same registry, and the login to pull.

An instance lists artifacts, not tags, and never their manifests. It is served beside the calls of
the other edition.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from pipelines.emulator.logins import Logins
from pipelines.emulator.messages import (
    Call,
    Refused,
    Request,
    Response,
    gateway_error,
    json_response,
    no_repository,
    not_found,
)
from pipelines.emulator.parameters import Limits, read_parameters
from pipelines.emulator.registry import Registry

PROJECT_ID, INSTANCE_ID = "emulator-project", "emulator-instance"
_PATH = ("v2", PROJECT_ID, "instances", INSTANCE_ID)
_LIMITS = Limits(10, 100)


@dataclass(frozen=True)
class InstanceApi:
    """An instance's calls on a registry; `logins` are made for those who want to pull from it."""

    registry: Registry
    logins: Logins

    def find(self, request: Request) -> Call | None:
        """Find the call a request means; None if there is no such here."""
        if request.segments[:4] != _PATH:
            return None
        call: Call | None = None
        match (request.method, *request.segments[4:]):
            case ("GET",):
                call = self._show
            case ("POST", "temp-credential"):
                call = self.logins.create_for_instance
            case ("GET", "namespaces"):
                call = partial(self._namespaces, request)
            case ("GET", "namespaces", namespace, "repositories"):
                call = partial(self._repositories, request, namespace)
            case ("GET", "namespaces", namespace, "repositories", name):
                call = partial(self._repository, namespace, unquote(name))
            case ("GET", "namespaces", namespace, "repositories", name, "artifacts"):
                call = partial(self._artifacts, request, namespace, unquote(name))
        return call

    def _show(self) -> Response:
        address = self.logins.url().partition("://")[2]
        return json_response(200, {"access_address": address, "status": "Running"})

    def _namespaces(self, request: Request) -> Response:
        records = self.registry.namespace_records()
        return _page(
            request,
            "namespaces",
            [{"name": record["name"], "namespace_id": record["id"]} for record in records],
        )

    def _repositories(self, request: Request, namespace: str) -> Response:
        if not self.registry.has_namespace(namespace):
            raise not_found("4040058", "Organization not found")
        records = self.registry.repository_records()
        own = [_described(record) for record in records if record["namespace"] == namespace]
        return _page(request, "repositories", own)

    def _repository(self, namespace: str, name: str) -> Response:
        for record in self.registry.repository_records():
            if (record["namespace"], record["name"]) == (namespace, name):
                return json_response(200, _described(record))
        raise no_repository()

    def _artifacts(self, request: Request, namespace: str, name: str) -> Response:
        try:
            found = self.registry.artifacts(namespace, name)
        except KeyError:
            raise no_repository() from None
        return _page(request, "artifacts", found)


def _described(record: dict[str, Any]) -> dict[str, Any]:
    """A repository as an instance tells it."""
    return {
        "name": record["name"],
        "namespace_name": record["namespace"],
        "tag_count": record["num_images"],
        "pull_count": record["num_download"],
        "description": "",
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
    }


def _page(request: Request, name: str, records: Sequence[object]) -> Response:
    """A page of a list, with the number of all its records.

    Raises:
        Refused: an offset that is no multiple of the limit.
    """
    asked = read_parameters(request, limits=_LIMITS)
    if asked.offset % asked.limit:
        raise Refused(gateway_error(400, "SWR.4001072", "offset must be a multiple of limit"))
    page = records[asked.offset : asked.offset + asked.limit]
    return json_response(200, json.dumps({name: page, "total": len(records)}).encode())
