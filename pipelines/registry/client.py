"""The calls of the registry's own API that this project makes: only such that read.

Answers come as they are: what a manifest's text must hash to, its caller knows.
"""

from functools import cache, partial
from http import HTTPMethod
from urllib.parse import quote

from pipelines.errors import UnexpectedResponse
from pipelines.registry.login import Login
from pipelines.registry.tokens import PullTokens
from pipelines.settings import Settings, is_loopback
from pipelines.swr.responses import Response, describe_request
from pipelines.swr.transport import Transport, prepare_request

# All types there are: one that is left out may be converted into another, with another digest.
_MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,"
    "application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.v2+json,"
    "application/vnd.oci.artifact.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.v1+prettyjws,"
    "application/vnd.docker.distribution.manifest.v1+json,"
    "*/*;q=0.1"
)


class RegistryClient:
    """The registry as seen with one login; used by many threads.

    Raises, each method: SwrError, where the registry does not give what is asked.
    """

    def __init__(self, login: Login, transport: Transport, settings: Settings) -> None:
        is_clear = is_loopback(login.host) or settings.endpoint.startswith("http://")
        self._url = f"{'http' if is_clear else 'https'}://{login.host}"
        self._transport = transport
        self._prepared = cache(
            lambda method, *headers: prepare_request(method, self._url, dict(headers))
        )
        self._tokens = PullTokens(self._url, login, transport, allow_http=settings.allow_http)

    def manifest(self, repository: str, digest: str) -> bytes:
        """The text of a manifest, by its digest.

        Args:
            repository: with its namespace, `/` between.
            digest: in its canonical form.
        """
        headers = {"Accept": _MANIFEST_TYPES}
        path = f"manifests/{digest}"
        return self._fetch(HTTPMethod.GET, repository, path, headers).content

    def blob_size(self, repository: str, digest: str) -> int:
        """Bytes of a blob, which is not downloaded."""
        # Packed on the way it would have another length.
        headers = {"Accept-Encoding": "identity"}
        answer = self._fetch(HTTPMethod.HEAD, repository, f"blobs/{digest}", headers)
        length = answer.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise UnexpectedResponse(
                "answered without the blob's length",
                request=describe_request(answer.request),
                status=answer.status_code,
            )
        return int(length)

    def blob(self, repository: str, digest: str) -> bytes:
        """The content of a blob: a configuration, never a layer."""
        headers = {"Accept-Encoding": "identity"}
        return self._fetch(HTTPMethod.GET, repository, f"blobs/{digest}", headers).content

    def _fetch(
        self, method: HTTPMethod, repository: str, path: str, headers: dict[str, str]
    ) -> Response:
        # A copy with another URL: preparing each from nothing takes twenty times as long.
        request = self._prepared(method, *headers.items()).copy()
        request.url = f"{self._url}/v2/{quote(repository)}/{quote(path, safe='/:')}"
        flow = partial(self._tokens.flow, repository=repository)
        return self._transport.fetch(request, flow, _as_it_is)


def _as_it_is(response: Response) -> Response:
    return response
