"""A server that gives temporary keys, as an ECS's metadata service and a pod's agent do."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SESSION = "a-session-of-the-metadata-service"


@dataclass
class KeyService:
    """What it gives, and what it was asked.

    Attributes:
        key: the parts of the key as they are given.
        url: where it is.
        session_status: how it answers who asks for a session.
        asked: method, path and headers of each request, oldest first.
    """

    key: dict[str, Any]
    url: str = ""
    session_status: int = 200
    asked: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """Paths of the requests, oldest first."""
        return [path for _, path, _ in self.asked]


def temporary_key(
    access: str, secret: str, token: str, *, lasts: timedelta = timedelta(hours=12)
) -> dict[str, Any]:
    """A key as both services describe it."""
    expires = (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"access": access, "secret": secret, "securitytoken": token, "expires_at": expires}


@contextmanager
def key_service(key: dict[str, Any]) -> Iterator[KeyService]:
    """Serve a key meanwhile; it may be changed."""
    service = KeyService(key)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.asked.append((self.command, self.path, dict(self.headers.items())))
            is_session = self.command == "PUT"
            body = SESSION if is_session else json.dumps({"credential": service.key})
            self.send_response(service.session_status if is_session else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT = do_POST = _answer  # noqa: N815 - names of the library

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
