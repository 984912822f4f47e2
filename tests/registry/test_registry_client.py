"""Pulling: who is given which credential, and what a registry's odd answers come to."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.errors import SwrError, SwrRefused, SwrUnauthenticated, UnexpectedResponse
from pipelines.registry.client import RegistryClient
from pipelines.registry.login import log_in
from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

API_TOKEN, BASIC, BEARER = "api-token-of-swr", "user:registry-password", "bearer-token-of-registry"
TEXT = b'{"schemaVersion": 2}'
DIGEST = "sha256:" + hashlib.sha256(TEXT).hexdigest()
SECRETS = {
    "api": API_TOKEN,
    "basic": base64.b64encode(BASIC.encode()).decode(),
    "bearer": BEARER,
}
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Host:
    """A server that writes down which secrets it is sent, and answers as it is told."""

    answer: Callable[[str, str, dict[str, str]], Reply]
    got: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    url: str = ""

    @property
    def name(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def secrets(self) -> set[str]:
        """The kinds of secrets it was ever sent."""
        return {kind for _, _, kinds in self.got for kind in kinds}


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    """Let a host serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            sent = f"{self.path} {self.headers}"
            kinds = tuple(kind for kind, secret in SECRETS.items() if secret in sent)
            host.got.append((self.command, self.path.partition("?")[0], kinds))
            status, headers, body = host.answer(self.command, self.path, dict(self.headers))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_HEAD = do_GET  # noqa: N815 - named by the base

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Places:
    """SWR, its registry, the realm that issues tokens, and object storage: four hosts."""

    swr: Host
    registry: Host
    realm: Host
    storage: Host
    tokens: int = 0
    expires_in: float | None = None
    refuses: bool = False
    redirect: str = ""

    def login(self, *_: object) -> Reply:
        """SWR's answer to a request for a login."""
        auth = base64.b64encode(BASIC.encode()).decode()
        return 200, {}, json.dumps({"auths": {self.registry.name: {"auth": auth}}}).encode()

    def issue(self, _: str, path: str, headers: dict[str, str]) -> Reply:
        """The realm's answer to a request for a token."""
        del path, headers
        self.tokens += 1
        token: dict[str, object] = {"token": f"{BEARER}-{self.tokens}"}
        if self.expires_in is not None:
            token["expires_in"] = self.expires_in
        return 200, {}, json.dumps(token).encode()

    def pull(self, method: str, path: str, headers: dict[str, str]) -> Reply:
        """The registry's answer."""
        challenge = f'Bearer realm="{self.realm.url}/auth/",service="dockyard",scope="x:"'
        sent = headers.get("Authorization", "")
        if self.refuses or not sent.startswith(f"Bearer {BEARER}"):
            return 401, {"Www-Authenticate": challenge}, b"{}"
        if "/blobs/" in path:
            target = self.redirect or f"{self.storage.url}/stored?signature=x"
            return 307, {"Location": target}, b""
        del method
        return 200, {"Content-Type": "application/json"}, TEXT


@pytest.fixture
def places() -> Iterator[Places]:
    """The four hosts, each on a port of its own."""
    stored = Host(lambda *_: (200, {"Content-Length": "12345"}, b""))
    found = Places(Host(_nothing), Host(_nothing), Host(_nothing), stored)
    found.swr.answer, found.registry.answer, found.realm.answer = (
        found.login,
        found.pull,
        found.issue,
    )
    with (
        serving(found.swr),
        serving(found.registry),
        serving(found.realm),
        serving(found.storage),
    ):
        yield found


def _nothing(*_: object) -> Reply:
    return 500, {}, b""


@contextmanager
def client_of(places: Places, directory: Path) -> Iterator[RegistryClient]:
    """Log in and pull from these places."""
    settings = read_settings(
        endpoint_setting=places.swr.url,
        auth_token=API_TOKEN,
        requests_per_second=0,
        warehouse_dir=directory,
    )
    with Transport(settings) as one, Transport(settings, is_one_login=False) as other:
        login = log_in(client_from(settings, one), "cn-north-4")
        yield RegistryClient(login, other, settings)


def test_each_host_is_sent_its_own_credential_and_no_other(tmp_path: Path, places: Places) -> None:
    """SWR its token, the realm the login, the registry bearer tokens, object storage nothing."""
    with client_of(places, tmp_path) as client:
        assert client.manifest("shop/cart", DIGEST) == TEXT
        assert client.blob_size("shop/cart", DIGEST) == 12345
    assert places.swr.secrets() == {"api"}
    assert places.realm.secrets() == {"basic"}
    assert places.registry.secrets() == {"bearer"}
    assert places.storage.secrets() == set()
    assert [(method, path) for method, path, _ in places.storage.got] == [("HEAD", "/stored")]


def test_a_repository_has_one_token(tmp_path: Path, places: Places) -> None:
    """Asked for when it is first needed, and kept."""
    with client_of(places, tmp_path) as client:
        for name in ("shop/cart", "shop/cart", "shop/basket", "shop/cart"):
            client.manifest(name, DIGEST)
    assert places.tokens == 2


def test_a_refused_token_is_renewed_once(tmp_path: Path, places: Places) -> None:
    """Then the repository is given up, not the others."""
    with client_of(places, tmp_path) as client:
        client.manifest("shop/cart", DIGEST)
        places.refuses = True
        with pytest.raises(SwrUnauthenticated):
            client.manifest("shop/cart", DIGEST)
        assert places.tokens == 2
        places.refuses = False
        assert client.manifest("shop/basket", DIGEST) == TEXT


def test_a_token_that_ends_soon_is_renewed_before(tmp_path: Path, places: Places) -> None:
    """One that says that it lives for 20 seconds is not used a second time."""
    places.expires_in = 20
    with client_of(places, tmp_path) as client:
        client.manifest("shop/cart", DIGEST)
        client.manifest("shop/cart", DIGEST)
    assert places.tokens == 2


@pytest.mark.parametrize(
    "target", ["http://198.51.100.7/x", "file:///etc/passwd", "gopher://a", "http://[", "//x:y/z"]
)
def test_a_redirect_to_no_safe_address_is_not_followed(
    tmp_path: Path, places: Places, target: str
) -> None:
    """Only https, or this machine."""
    places.redirect = target
    with client_of(places, tmp_path) as client, pytest.raises(SwrRefused, match="not https"):
        client.blob_size("shop/cart", DIGEST)


def test_a_manifest_that_is_elsewhere_is_looked_for_there(tmp_path: Path, places: Places) -> None:
    """A second redirect is none of ours."""
    places.storage.answer = lambda *_: (307, {"Location": places.swr.url}, b"")
    with client_of(places, tmp_path) as client, pytest.raises(SwrRefused, match="redirect"):
        client.blob_size("shop/cart", DIGEST)
    assert len(places.swr.got) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b"null",
        b'{"auths": {}}',
        b'{"auths": {"a": {"auth": "?"}}}',
        b'{"auths": {"host/path": {"auth": "dXNlcjpwdw=="}}}',
        b'{"auths": {"user@host": {"auth": "dXNlcjpwdw=="}}}',
        b'{"auths": {"a": {"auth": "dXNlcjpwdw=="}, "b": {"auth": "dXNlcjpwdw=="}}}',
    ],
)
def test_a_login_that_is_none_is_said(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """No host, no password, several hosts, or a host that is more than one."""
    monkeypatch.setattr("pipelines.swr.transport._WAIT_INITIAL", 0.0)
    places.swr.answer = lambda *_: (200, {}, answer)
    with pytest.raises(UnexpectedResponse, match="without a login"), client_of(places, tmp_path):
        pass


def test_no_error_quotes_a_credential(tmp_path: Path, places: Places) -> None:
    """Not even where the registry repeats it."""
    words = json.dumps({"errors": [{"code": "DENIED", "message": f"{BEARER}-1 is {BASIC}"}]})
    with client_of(places, tmp_path) as client:
        client.manifest("shop/cart", DIGEST)
        places.registry.answer = lambda *_: (403, {}, words.encode())
        with pytest.raises(SwrError) as caught:
            client.manifest("shop/cart", DIGEST)
    assert not [secret for secret in (BEARER, BASIC, API_TOKEN) if secret in str(caught.value)]


def test_no_error_quotes_the_token_of_another_repository(tmp_path: Path, places: Places) -> None:
    """Though the request that is refused does not carry it."""
    tokens = iter(["q7w8e9r0t1y2", "z0x9c8v7b6n5"])
    places.realm.answer = lambda *_: (
        200,
        {},
        json.dumps({"token": f"{BEARER}-{next(tokens)}"}).encode(),
    )
    words = json.dumps({"errors": [{"code": "DENIED", "message": "not q7w8e9r0t1y2"}]})
    with client_of(places, tmp_path) as client:
        client.manifest("shop/cart", DIGEST)
        client.manifest("shop/basket", DIGEST)
        places.registry.answer = lambda *_: (403, {}, words.encode())
        with pytest.raises(SwrError) as caught:
            client.manifest("shop/basket", DIGEST)
    assert "q7w8e9r0t1y2" not in str(caught.value)
