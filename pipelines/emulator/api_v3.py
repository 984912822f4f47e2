"""The newer lists of SWR, whose pages lead to each other by a marker."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.emulator.api import is_asked_for, repository_name
from pipelines.emulator.messages import (
    Call,
    Refused,
    Request,
    Response,
    backend_error,
    json_response,
    no_repository,
)
from pipelines.emulator.parameters import read_limit, read_order
from pipelines.emulator.registry import Registry
from pipelines.emulator.repository import StoredTag

_COLUMNS = {"updated_at", "tag"}


@dataclass(frozen=True)
class V3Api:
    """Lists of tags and of repositories."""

    registry: Registry

    def find(self, request: Request) -> Call | None:
        """Find the call a request means; None if there is no such here."""
        call: Call | None = None
        match (request.method, *request.segments):
            case ("GET", "v3", "manage", "repos"):
                call = partial(self._repositories, request, self.registry.v3_records())
            case ("GET", "v3", "manage", "shared-repositories"):
                call = partial(self._shared, request)
            case ("GET", "v3", "manage", "namespaces", namespace, "repos", name, "tags"):
                call = partial(self._tags, request, namespace, repository_name(name))
        return call

    def _shared(self, request: Request) -> Response:
        by_whom = request.query.get("shared_by")
        if by_whom not in {"self", "thirdparty"}:
            raise _invalid("shared_by")
        is_own = by_whom == "self"
        return self._repositories(
            request, self.registry.v3_records(only_shared=True) if is_own else []
        )

    def _repositories(self, request: Request, records: Sequence[Mapping[str, Any]]) -> Response:
        limit, marker = read_limit(request), request.query.get("marker", "0")
        if not (marker.isascii() and marker.isdecimal()):
            raise _invalid("marker")
        found = [
            record
            for record in records
            if record["id"] >= int(marker) and is_asked_for(record, request.query)
        ]
        more = {"nextMarker": found[limit]["id"]} if len(found) > limit else {}
        return json_response(200, {"repos": found[:limit], **more})

    def _tags(self, request: Request, namespace: str, name: str) -> Response:
        limit = read_limit(request)
        column, descending = read_order(request.query, _COLUMNS, "updated_at")
        try:
            tags = self.registry.tags(namespace, name, column=column, descending=descending)
        except KeyError:
            raise no_repository() from None
        wanted = request.query.get("tag", "")
        found = [tag for tag in tags if wanted in tag.name]
        if marker := request.query.get("marker"):
            last = _read_marker(marker)
            found = [tag for tag in found if _follows(tag, last, column, descending=descending)]
        page, has_more = found[:limit], len(found) > limit
        has_manifests = request.query.get("with_manifest") == "true"
        body = {
            "tags": [_record(tag, has_manifest=has_manifests) for tag in page],
            "has_more": has_more,
        }
        return json_response(200, body | ({"nextMarker": _marker(page[-1])} if has_more else {}))


def without_capital(record: Mapping[str, Any]) -> dict[str, Any]:
    """A tag's record as all calls but the older list give it."""
    named = {"tag" if name == "Tag" else name: value for name, value in record.items()}
    return {name: value for name, value in named.items() if name not in {"deleted", "scanned"}}


def _record(tag: StoredTag, *, has_manifest: bool) -> dict[str, Any]:
    return without_capital(tag.wire) | ({} if has_manifest else {"manifest": ""})


def _follows(tag: StoredTag, last: tuple[int, str], column: str, *, descending: bool) -> bool:
    """Whether a tag comes after the one that the last page ended with, gone or not."""
    updated, name = last
    if column == "tag":
        return tag.name < name if descending else tag.name > name
    if tag.updated != updated:
        return (tag.updated < updated) == descending
    return tag.name > name


def _marker(tag: StoredTag) -> str:
    return base64.urlsafe_b64encode(json.dumps([tag.updated, tag.name]).encode()).decode()


def _read_marker(text: str) -> tuple[int, str]:
    try:
        updated, name = json.loads(base64.urlsafe_b64decode(text))
        return int(updated), str(name)
    except (ValueError, TypeError):
        raise _invalid("marker") from None


def _invalid(name: str) -> Refused:
    return Refused(backend_error(400, "4001025", "Invalid parameter", name))
