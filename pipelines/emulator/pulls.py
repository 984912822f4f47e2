"""The registry's own API, by which images are pulled: manifests, tags, blobs.

Repositories are named with plain slashes here. Nothing can be pushed. Who may pull is in `logins`.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, urlencode

from pipelines.emulator.logins import REALM, Logins
from pipelines.emulator.messages import Call, Request, Response, json_response, registry_error
from pipelines.emulator.object_storage import ObjectStorage
from pipelines.emulator.registry import Registry

# On the emulator's one host SWR's own API comes before a namespace of this name.
_OTHER_API = ("v2", "manage")
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class _Repository(NamedTuple):
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Pulls:
    """The calls of those who pull.

    Attributes:
        registry: what they pull from.
        logins: who may.
        storage: where blobs are.
        states_digests: whether a manifest comes with its digest as a header.
    """

    registry: Registry
    logins: Logins
    storage: ObjectStorage
    states_digests: bool

    def find(self, request: Request) -> Call | None:
        """Find the call that a request means; None if there is no such."""
        if request.method not in {"GET", "HEAD"} or request.segments[:2] == _OTHER_API:
            return None
        call: Call | None = None
        match request.segments:
            case _ if request.path == REALM:
                call = partial(self.logins.issue_token, request)
            case ("v2", ""):
                call = partial(self._version, request)
            case ("v2", namespace, *levels, "tags", "list") if levels:
                call = partial(self._tags, request, _Repository(namespace, "/".join(levels)))
            case ("v2", namespace, *levels, "manifests", reference) if levels:
                asked = _Repository(namespace, "/".join(levels))
                call = partial(self._manifest, request, asked, reference)
            case ("v2", namespace, *levels, "blobs", digest) if levels:
                asked = _Repository(namespace, "/".join(levels))
                call = partial(self._blob, request, asked, digest)
        return call

    def _version(self, request: Request) -> Response:
        self.logins.check(request, None)
        return json_response(200, {}, _VERSION)

    def _tags(self, request: Request, asked: _Repository) -> Response:
        self.logins.check(request, str(asked))
        try:
            stored = self.registry.tags(*asked, column="tag")
        except KeyError:
            return registry_error(404, "NAME_UNKNOWN", "repository name not known to registry")
        last, count = request.query.get("last", ""), request.query.get("n", "")
        names = [tag.name for tag in stored if tag.name > last]
        if not count:
            return json_response(200, {"name": str(asked), "tags": names}, _VERSION)
        if not (count.isascii() and count.isdecimal()):
            return registry_error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results")
        page = names[: int(count)]
        body = {"name": str(asked), "tags": page}
        return json_response(200, body, _VERSION | _next_page(request, page, len(names)))

    def _manifest(self, request: Request, asked: _Repository, reference: str) -> Response:
        self.logins.check(request, str(asked))
        found = self.registry.manifest(*asked, reference)
        if found is None:
            return registry_error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type = found.media_type
        accepted = request.headers.get("accept", "*/*")
        if media_type not in accepted and "*/*" not in accepted:
            message = f"{media_type} found, but accept header does not support it"
            return registry_error(404, "MANIFEST_UNKNOWN", message)
        headers = {"Content-Type": media_type, **_VERSION}
        if self.states_digests:
            headers["Docker-Content-Digest"] = found.digest
        return Response(200, headers, found.text.encode())

    def _blob(self, request: Request, asked: _Repository, digest: str) -> Response:
        self.logins.check(request, str(asked))
        is_held = self.registry.blob(*asked, digest) is not None
        is_sized = self.registry.blob_size(*asked, digest) is not None
        if not (is_held or (is_sized and request.method == "HEAD")):
            return registry_error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        address = self.storage.address(request.method, *asked, digest)
        return Response(307, {"Location": address, **_VERSION})


def namespace_pulled(request: Request) -> str | None:
    """The namespace that a request of this API is about; None for any other request."""
    begin, *rest = request.segments
    is_pull = begin == "v2" and len(rest) > 1 and request.segments[:2] != _OTHER_API
    return rest[0] if is_pull else None


def _next_page(request: Request, page: list[str], left: int) -> dict[str, str]:
    """The header that leads to the next page, if names are left."""
    if len(page) == left or not page:
        return {}
    query = urlencode({"last": page[-1], "n": len(page)})
    return {"Link": f'<{quote(request.path)}?{query}>; rel="next"'}
