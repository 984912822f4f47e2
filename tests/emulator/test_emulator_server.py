"""The emulator as a server: connections, log, latency, and failing on demand."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests

from pipelines.emulator.messages import Request, Response, json_response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SwrWarehouseError

Get = Callable[..., requests.Response]
TAGS = "/v2/manage/namespaces/group/repos/tools$ci$runner/tags"


def test_it_listens_on_loopback_only(server: Emulator) -> None:
    """On the port its URL names."""
    assert urlsplit(server.url).hostname == "127.0.0.1"
    assert server._server is not None
    assert server._server.socket.getsockname() == ("127.0.0.1", urlsplit(server.url).port)


def test_a_port_in_use_is_one_sentence(server: Emulator, registry: Registry) -> None:
    """And the one that has it goes on."""
    port = urlsplit(server.url).port
    assert port is not None
    with pytest.raises(SwrWarehouseError) as caught, Emulator(registry, port=port):
        pass
    assert str(caught.value) == (
        f"Port {port} of 127.0.0.1 is taken; choose another, or none for a free one."
    )


def test_a_port_can_be_chosen_and_is_free_again_afterwards(registry: Registry) -> None:
    """Even while a client still holds its connection."""
    with Emulator(registry) as first:
        port = urlsplit(first.url).port
    assert port is not None
    for _ in range(2):
        with Emulator(registry, port=port) as server, requests.Session() as session:
            assert server.url == f"http://127.0.0.1:{port}"
            assert session.get(server.url, timeout=10).status_code == 401


def test_connections_are_kept(server: Emulator, get: Get) -> None:
    """HTTP/1.1, many requests on one connection, also after errors."""
    ports = []
    server.fault = lambda request: ports.append(request.headers["host"])
    responses = [get(path) for path in (TAGS, "/nowhere", TAGS)]
    assert [response.status_code for response in responses] == [200, 404, 200]
    assert {response.raw.version for response in responses} == {11}
    assert server._server is not None
    assert len(server._server._connections) == 1


def test_many_clients_are_answered_at_once(registry: Registry) -> None:
    """Sixteen requests of a tenth of a second take less than one in a row would."""
    with Emulator(registry, latency_seconds=0.1) as server:
        statuses: list[int] = []

        def ask() -> None:
            response = requests.get(server.url + TAGS, headers=token, timeout=10)
            statuses.append(response.status_code)

        token = {"X-Auth-Token": "emulator-token"}
        threads = [threading.Thread(target=ask) for _ in range(16)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 0.1 <= time.monotonic() - began < 1.6
    assert statuses == [200] * 16


def test_every_request_is_logged(server: Emulator, get: Get) -> None:
    """Method, path and query decoded, status; so that requests can be counted."""
    get(TAGS.replace("$", "%24"), offset=0, limit=10, tag="a b")
    get("/v2/manage/namespaces?filter=mode::visible")
    requests.post(server.url + "/v3/auth/tokens", data=b"", timeout=10)
    query = {"offset": "0", "limit": "10", "tag": "a b"}
    assert server.log == [
        ("GET", TAGS, query, 200),
        ("GET", "/v2/manage/namespaces", {"filter": "mode::visible"}, 200),
        ("POST", "/v3/auth/tokens", {}, 400),
    ]
    server.log.clear()
    get("/nowhere")
    assert [entry.status for entry in server.log] == [404]


def test_a_fault_answers_instead(server: Emulator, get: Get) -> None:
    """It sees the request as received, before credentials are looked at."""
    seen: list[Request] = []

    def throttle(request: Request) -> Response | None:
        seen.append(request)
        if request.query.get("offset") != "0":
            return None
        return json_response(429, {"error_code": "APIGW.0308"}, {"Retry-After": "2"})

    server.fault = throttle
    response = get(TAGS, offset=0, limit=10)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert response.json() == {"error_code": "APIGW.0308"}
    assert response.headers["X-Request-Id"]
    assert get(TAGS).status_code == 200
    assert seen[0].target == f"{TAGS}?offset=0&limit=10"
    assert seen[0].segments[-2] == "tools$ci$runner"
    assert seen[0].headers["x-auth-token"] == "emulator-token"
    assert [entry.status for entry in server.log] == [429, 200]


def test_a_fault_can_change_the_normal_reply(server: Emulator, get: Get) -> None:
    """What `answer` gives is a value to be altered."""
    server.fault = lambda request: replace(server.answer(request), headers={"X-Own": "x"})
    response = get(TAGS, offset=0, limit=10)
    assert [record["Tag"] for record in response.json()] == ["v1"]
    assert "Content-Range" not in response.headers
    assert response.headers["X-Own"] == "x"


def test_a_fault_can_change_the_registry_between_two_reads(
    server: Emulator, registry: Registry, get: Get
) -> None:
    """The request it saw is answered with what is there then."""

    def push(request: Request) -> None:
        if request.path.endswith("/tags"):
            registry.push(
                "group", "tools/ci/runner", "v2", "{}", at=datetime(2026, 4, 1, tzinfo=UTC)
            )

    server.fault = push
    response = get(TAGS, offset=0, limit=10)
    assert [record["Tag"] for record in response.json()] == ["v2", "v1"]
    assert response.headers["Content-Range"] == "0-2/2"


def test_a_body_can_break_off(server: Emulator, get: Get) -> None:
    """After some of the bytes that were announced; the next request is whole again."""
    server.fault = lambda request: replace(server.answer(request), truncate_at=20)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="20 bytes read"):
        get(TAGS)
    server.fault = None
    assert len(get(TAGS).json()) == 1
    assert [entry.status for entry in server.log] == [200, 200]


def test_a_connection_can_be_reset(server: Emulator, get: Get) -> None:
    """Without an answer; logged with status 0."""
    server.fault = lambda _: Response(200, is_reset=True)
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        get(TAGS)
    assert "Connection reset by peer" in str(caught.value)
    server.fault = None
    assert get(TAGS).status_code == 200
    assert [entry.status for entry in server.log] == [0, 200]


def test_a_reply_can_be_late(server: Emulator, session: requests.Session) -> None:
    """Later than the client waits; that it hung up disturbs nobody."""
    server.fault = lambda request: replace(server.answer(request), delay_seconds=0.3)
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(server.url + TAGS, timeout=0.1)
    server.fault = None
    assert session.get(server.url + TAGS, timeout=10).status_code == 200


def test_leaving_ends_waiting_and_idle_connections(registry: Registry) -> None:
    """At once, whatever they wait for."""
    with Emulator(registry, latency_seconds=60) as server:
        address = ("127.0.0.1", urlsplit(server.url).port)
        idle = socket.create_connection(address)
        waiting = socket.create_connection(address)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.log:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    with idle, waiting:
        assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name]
