"""The emulator as a server on 127.0.0.1: sockets, log, latency and faults.

What it answers is in `api` and its neighbours, `iam`, `pulls` and `object_storage`.
"""

import errno
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pipelines.emulator.api import Api, no_such_api
from pipelines.emulator.api_account import AccountApi
from pipelines.emulator.api_instance import InstanceApi
from pipelines.emulator.api_repository import RepositoryApi
from pipelines.emulator.api_v3 import V3Api
from pipelines.emulator.faults import Fault
from pipelines.emulator.iam import (
    DEFAULT_ACCESS_KEYS,
    DEFAULT_SECURITY_TOKENS,
    DEFAULT_USERS,
    Identity,
    User,
)
from pipelines.emulator.logins import Logins
from pipelines.emulator.messages import Call, Logged, Refused, Request, Response, gateway_error
from pipelines.emulator.object_storage import ROOT, ObjectStorage
from pipelines.emulator.pulls import Pulls
from pipelines.emulator.registry import Registry
from pipelines.errors import SwrWarehouseError

_HOST = "127.0.0.1"
_STOP_CHECK_SECONDS = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Answer = Callable[[Request], Response | None]


class Emulator:
    """A local SWR, its registry and IAM; serves while entered as a context manager.

    Attributes:
        registry: what it serves; may be changed meanwhile.
        url: base URL of SWR, its registry and IAM alike.
        storage_url: base URL of the object storage that blobs are in.
        log: every request answered, oldest first.
        fault: takes each request before it is answered; a response that it returns is sent
            instead of the normal one, which `answer` gives. May be replaced meanwhile.
        faults: each takes a request and the response about to be sent, and returns the one to
            send. May be replaced meanwhile.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        port: int = 0,
        token: str = "emulator-token",  # noqa: S107 - opens nothing but this emulator
        users: Sequence[User] = DEFAULT_USERS,
        access_keys: Mapping[str, str] = DEFAULT_ACCESS_KEYS,
        security_tokens: Mapping[str, str] = DEFAULT_SECURITY_TOKENS,
        latency_seconds: float = 0.0,
        token_lifetime_seconds: float = 86_400,
        grants_logins: bool = True,
        pull_token_lifetime_seconds: float = 900,
        states_digests: bool = True,
        has_tag_configs: bool = True,
        has_own_storage_port: bool = False,
        fault: Answer | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        self.registry = registry
        self.log: list[Logged] = []
        self.fault = fault
        self.faults = faults
        self.url = self.storage_url = ""
        self._port = port
        self._has_own_storage_port = has_own_storage_port
        self._latency_seconds = latency_seconds
        keys, lifetime = (access_keys, security_tokens), token_lifetime_seconds
        self._identity = Identity(token, users, *keys, lifetime, lambda: registry.domain_id)
        logins = Logins(registry, lambda: self.url, pull_token_lifetime_seconds, grants_logins)
        self._storage = ObjectStorage(registry, lambda: self.storage_url)
        self._pulls = Pulls(registry, logins, self._storage, states_digests)
        account = AccountApi(registry, lambda: self.url)
        of_one = RepositoryApi(registry, has_tag_configs)
        of_instance = InstanceApi(registry, logins)
        self._apis = (Api(registry, logins), V3Api(registry), of_one, account, of_instance)
        self._server: _Server | None = None
        self._storage_server: _Server | None = None
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        """Start to serve.

        Raises:
            SwrWarehouseError: the port is taken or forbidden.
        """
        self._stopping.clear()
        self._server = _listen(self, self._port)
        self.url = self.storage_url = self._server.start()
        if self._has_own_storage_port:
            self._storage_server = _listen(self, 0)
            self.storage_url = self._storage_server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and close all connections, also those that wait for an answer."""
        self._stopping.set()
        for server in (self._server, self._storage_server):
            if server is not None:
                server.shutdown()
                server.hang_up()
                server.server_close()

    def answer(self, request: Request) -> Response:
        """Give the normal response to a request, without faults, latency or log."""
        if request.segments[0] == ROOT:
            return self._storage.answer(request)
        try:
            return self._call(request)()
        except Refused as refused:
            return refused.response

    def handle(self, request: Request) -> Response:
        """Give the response to send, altered by faults, logged and after its delay."""
        response = (self.fault(request) if self.fault else None) or self.answer(request)
        for fault in self.faults:
            response = fault(request, response)
        status = 0 if response.is_reset else response.status
        self.log.append(Logged(request.method, request.path, request.query, status))
        self.wait(self._latency_seconds + response.delay_seconds)
        return response

    def _call(self, request: Request) -> Call:
        """Find what answers a request."""
        if any("/" in segment for segment in request.segments):
            return no_such_api
        if call := self._identity.find(request) or self._pulls.find(request):
            return call
        found = next(filter(None, (api.find(request) for api in self._apis)), None)
        is_misspelt = request.path != "/" and "" in request.segments
        if found is None or is_misspelt:
            return no_such_api
        return lambda: self._identity.refusal(request) or found()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the server runs."""
        if seconds:
            self._stopping.wait(seconds)


class _Server(ThreadingHTTPServer):
    """One thread a connection; all of them are joined when it closes."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, emulator: Emulator, port: int) -> None:
        self.emulator = emulator
        self._connections: set[socket.socket] = set()
        super().__init__((_HOST, port), _Handler)

    def start(self) -> str:
        """Serve in a thread; give the base URL."""
        threading.Thread(
            target=self.serve_forever, args=(_STOP_CHECK_SECONDS,), daemon=True
        ).start()
        return f"http://{_HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections, idle ones too."""
        for connection in self._connections.copy():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up; anything else is a mistake of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    # Buffered, so that head and body leave together.
    wbufsize = -1

    def do_GET(self) -> None:
        """Answer any method; `api` knows which calls there are."""
        length = int(self.headers.get("Content-Length") or 0)
        headers = {
            name.lower(): _text(", ".join(self.headers.get_all(name, ()))) for name in self.headers
        }
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        self._send(self.server.emulator.handle(request))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - named by the base
    do_OPTIONS = do_TRACE = do_GET  # noqa: N815 - named by the base

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, or has an unknown method, as the gateway words it."""
        del explain
        self.close_connection = True
        self._send(gateway_error(code, "APIGW.0101", message or "Bad request"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Print nothing; `Emulator.log` has it."""

    def _send(self, response: Response) -> None:
        if response.is_reset:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.connection.close()
            return
        self.send_response_only(response.status)
        own = {
            "Server": self.version_string(),
            "Date": self.date_time_string(),
            "X-Request-Id": uuid.uuid4().hex,
            "Content-Length": str(len(response.body)),
        }
        for name, value in (own | dict(response.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if response.truncate_at is not None:
            self.close_connection = True
        body = b"" if self.command == "HEAD" else response.body
        half = len(body) // 2 if response.pause_seconds else 0
        self.wfile.write(body[:half])
        if half:
            self.wfile.flush()
            self.server.emulator.wait(response.pause_seconds)
        self.wfile.write(body[half : response.truncate_at])


def _listen(emulator: Emulator, port: int) -> _Server:
    try:
        return _Server(emulator, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SwrWarehouseError(
                f"Port {port} of {_HOST} is taken; choose another, or none for a free one."
            ) from None
        raise SwrWarehouseError(
            f"Port {port} of {_HOST} cannot be listened on: {error.strerror}."
        ) from None


def _text(header: str) -> str:
    """Decode a header as UTF-8, which the standard library takes for Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
