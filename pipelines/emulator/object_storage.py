"""Where the emulator's registry keeps its blobs: addresses that are signed, and what they give."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry

ROOT = "object-storage"
_ADDRESS_LIFETIME_SECONDS = 900


@dataclass(frozen=True)
class ObjectStorage:
    """Blobs by address.

    Attributes:
        registry: what it holds.
        url: tells its base URL.
    """

    registry: Registry
    url: Callable[[], str]
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def address(self, method: str, namespace: str, repository: str, digest: str) -> str:
        """Sign the address of a blob, good for one method and a quarter of an hour."""
        path = f"/{ROOT}/{namespace}/{repository}/{digest}"
        expires = str(int(time.time()) + _ADDRESS_LIFETIME_SECONDS)
        query = {"Expires": expires, "Signature": self._signature(method, path, expires)}
        return f"{self.url()}{quote(path, safe='/:')}?{urlencode(query)}"

    def answer(self, request: Request) -> Response:
        """Give a blob, or its size, to those who have a good address and no other credential."""
        if "authorization" in request.headers:
            return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
        expires = request.query.get("Expires", "")
        signature = self._signature(request.method, request.path, expires)
        if not hmac.compare_digest(signature, request.query.get("Signature", "")):
            return _error(403, "SignatureDoesNotMatch", "The signature does not match")
        if int(expires) < time.time():
            return _error(403, "AccessDenied", "Request has expired")
        namespace, *levels, digest = request.segments[1:]
        return self._blob(request.method, namespace, "/".join(levels), digest)

    def _blob(self, method: str, namespace: str, repository: str, digest: str) -> Response:
        size = self.registry.blob_size(namespace, repository, digest)
        content = self.registry.blob(namespace, repository, digest)
        if size is None or (content is None and method != "HEAD"):
            return _error(404, "NoSuchKey", "The specified key does not exist")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return Response(200, headers, content or b"")

    def _signature(self, method: str, path: str, expires: str) -> str:
        text = f"{method}\n{path}\n{expires}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _error(status: int, code: str, message: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Response(status, {"Content-Type": "application/xml"}, body)
