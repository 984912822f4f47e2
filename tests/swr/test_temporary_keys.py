"""Keys that a machine, a pod or the SDKs' file gives, and what happens when they end."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from key_service import SESSION, KeyService, key_service, temporary_key

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SettingsError, SwrUnauthenticated
from pipelines.settings import read_settings
from pipelines.swr import temporary_keys
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

FIRST = ("STANDINTEMPORARYKEY", "emulator-temporary-secret", "emulator-security-token")
SECOND = ("STANDINSECONDKEY", "emulator-second-secret", "emulator-second-token")
SESSION_PATH, KEY_PATH = "/meta-data/latest/api/token", "/openstack/latest/securitykey"


@pytest.fixture
def keys() -> dict[str, tuple[str, str]]:
    """Secrets and security tokens by the access keys that the emulator takes."""
    return {FIRST[0]: FIRST[1:]}


@pytest.fixture
def server(keys: dict[str, tuple[str, str]]) -> Iterator[Emulator]:
    """One namespace behind these keys, as they are at each request."""
    registry = Registry()
    registry.push("team", "app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    with Emulator(registry, access_keys=Part(keys, 0), security_tokens=Part(keys, 1)) as server:
        yield server


class Part(dict[str, str]):
    """One part of each pair of a mapping that changes."""

    def __init__(self, pairs: dict[str, tuple[str, str]], place: int) -> None:
        self._pairs, self._place = pairs, place

    def get(self, name: str, default: Any = None) -> Any:
        """The part, or the default."""
        return self._pairs[name][self._place] if name in self._pairs else default

    def __getitem__(self, name: str) -> str:
        return self._pairs[name][self._place]

    def __contains__(self, name: object) -> bool:
        return name in self._pairs


@contextmanager
def machine(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, key: dict[str, Any]
) -> Iterator[tuple[SwrClient, KeyService]]:
    """A client on a machine whose metadata service gives this key."""
    with key_service(key) as service:
        monkeypatch.setattr(temporary_keys, "METADATA_SERVICE", service.url)
        with connected(server, credentials="ecs-agency") as client:
            yield client, service


@contextmanager
def connected(server: Emulator, **settings: Any) -> Iterator[SwrClient]:
    """A client with these settings."""
    made = read_settings(endpoint_setting=server.url, requests_per_second=0, **settings)
    with Transport(made) as transport:
        yield client_from(made, transport)


def test_an_agency_gives_a_key_for_many_requests(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second version of the metadata service wants a session first; a proxy is not asked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    with machine(server, monkeypatch, temporary_key(*FIRST)) as (client, service):
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert client.namespaces() == ["team"]
        assert client.namespaces() == ["team"]
        assert service.paths() == [SESSION_PATH, KEY_PATH]
        (_, _, asked), (_, _, got) = service.asked
        assert asked["X-Metadata-Token-Ttl-Seconds"] == "21600"
        assert got["X-Metadata-Token"] == SESSION


@pytest.mark.parametrize("status", [404, 405, 503])
def test_the_first_version_of_the_metadata_service_knows_no_sessions(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The key is asked for without one, at once."""
    with (
        stamina.set_testing(False),
        machine(server, monkeypatch, temporary_key(*FIRST)) as (client, service),
    ):
        service.session_status = status
        assert client.namespaces() == ["team"]
        assert service.paths() == [SESSION_PATH, KEY_PATH]
        assert "X-Metadata-Token" not in service.asked[1][2]


def test_a_key_is_renewed_when_it_ends_soon(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, keys: dict[str, tuple[str, str]]
) -> None:
    """Nine minutes before: then the other key signs, whatever becomes of the first."""
    monkeypatch.setattr(temporary_keys, "_BETWEEN_QUESTIONS", timedelta(0))
    soon = temporary_key(*FIRST, lasts=timedelta(minutes=9))
    with machine(server, monkeypatch, soon) as (client, service):
        assert client.namespaces() == ["team"]
        keys[SECOND[0]] = SECOND[1:]
        del keys[FIRST[0]]
        service.key = temporary_key(*SECOND)
        assert client.namespaces() == ["team"]
        assert client.namespaces() == ["team"]
        assert service.paths().count(KEY_PATH) == 2
        assert [entry.status for entry in server.log] == [200, 200, 200]


def test_a_key_that_still_holds_is_used_when_the_source_fails(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its end."""
    monkeypatch.setattr(temporary_keys, "_BETWEEN_QUESTIONS", timedelta(0))
    soon = temporary_key(*FIRST, lasts=timedelta(minutes=9))
    with machine(server, monkeypatch, soon) as (client, service):
        assert client.namespaces() == ["team"]
        service.session_status = 403
        assert client.namespaces() == ["team"]
        assert service.paths() == [SESSION_PATH, KEY_PATH, SESSION_PATH]


def test_a_refused_key_is_renewed_once(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, keys: dict[str, tuple[str, str]]
) -> None:
    """The request is sent again with the other key."""
    with machine(server, monkeypatch, temporary_key(*FIRST)) as (client, service):
        assert client.namespaces() == ["team"]
        keys[SECOND[0]] = SECOND[1:]
        del keys[FIRST[0]]
        service.key = temporary_key(*SECOND)
        assert client.namespaces() == ["team"]
        assert [entry.status for entry in server.log] == [200, 401, 200]


def test_the_same_key_is_not_sent_again(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, keys: dict[str, tuple[str, str]]
) -> None:
    """More than five refused signatures lock it."""
    del keys[FIRST[0]]
    with machine(server, monkeypatch, temporary_key(*FIRST)) as (client, _):
        for _ in range(2):
            with pytest.raises(SwrUnauthenticated, match="the credentials were refused"):
                client.namespaces()
    assert [entry.status for entry in server.log] == [401]


def test_one_thread_asks_for_all(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight begin at the same moment."""
    start = threading.Barrier(8)

    def ask(client: SwrClient) -> list[str]:
        start.wait()
        return client.namespaces()

    with (
        machine(server, monkeypatch, temporary_key(*FIRST)) as (client, service),
        ThreadPoolExecutor(8) as threads,
    ):
        assert list(threads.map(ask, [client] * 8)) == [["team"]] * 8
        assert service.paths() == [SESSION_PATH, KEY_PATH]


def test_a_pods_agent_is_shown_the_token_that_is_in_the_file_now(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file is replaced while the pod lives."""
    monkeypatch.setattr(temporary_keys, "_BETWEEN_QUESTIONS", timedelta(0))
    token = tmp_path / "token"
    token.write_text("first-token\n")
    with key_service(temporary_key(*FIRST, lasts=timedelta(minutes=1))) as service:
        monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/v1/credentials")
        monkeypatch.setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
        with connected(server, credentials="cce-pod") as client:
            assert client.namespaces() == ["team"]
            token.write_text("second-token")
            assert client.namespaces() == ["team"]
        assert [
            (method, path, headers["Authorization"]) for method, path, headers in service.asked
        ] == [
            ("POST", "/v1/credentials", "first-token"),
            ("POST", "/v1/credentials", "second-token"),
        ]


def test_the_sdks_file_holds_a_key(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where HUAWEICLOUD_SDK_CREDENTIALS_FILE names it."""
    file = tmp_path / "credentials"
    file.write_text(f"[basic]\nak = {FIRST[0]}\nsk = {FIRST[1]}\nsecurity_token = {FIRST[2]}\n")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(file))
    with connected(server, credentials="file") as client:
        assert client.namespaces() == ["team"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file or directory"),
        ("[basic]\nak = A\n", r"has no section \[basic\] with ak and sk"),
        ("[global]\nak = A\nsk = hidden-secret\n", r"has no section \[basic\] with ak and sk"),
        ("hidden-secret", "is no INI file"),
        ("[basic]\nhidden-secret\n", "is no INI file"),
    ],
)
def test_a_file_without_a_key_is_named_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, told: str
) -> None:
    """With what is wrong."""
    file = tmp_path / "credentials"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(file))
    settings = read_settings(endpoint_setting="https://swr.example.com", credentials="file")
    with Transport(settings) as transport, pytest.raises(SettingsError, match=told) as error:
        client_from(settings, transport)
    assert str(file) in str(error.value)
    assert "hidden-secret" not in str(error.value)


def test_a_machine_without_an_agency_is_told_of_in_seconds(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting that chose it."""
    with (
        machine(server, monkeypatch, {}) as (client, _),
        pytest.raises(SwrUnauthenticated) as error,
    ):
        client.namespaces()
    assert error.value.problem == (
        "the answer holds no key, so there is no temporary key."
        " SWR_CREDENTIALS=ecs-agency: is an agency bound to this machine?"
    )
    assert server.log == []


def test_a_pod_without_an_identity_is_told_of() -> None:
    """Before anything is sent."""
    settings = read_settings(endpoint_setting="https://swr.example.com", credentials="cce-pod")
    with Transport(settings) as transport, pytest.raises(SettingsError, match="is this a pod"):
        client_from(settings, transport)


def test_a_token_goes_to_no_other_machine_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is beside the machine, or spoken to by https."""
    monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/v1")
    with pytest.raises(SettingsError, match="must be https, or an address beside this machine"):
        read_settings()
    monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1")
    assert read_settings().pod_credentials_uri == "http://169.254.170.23/v1"


def test_sources_that_are_not_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nothing else is set."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = read_settings(endpoint_setting="https://swr.example.com")
    with Transport(settings) as transport:
        monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "provider")
        with pytest.raises(SettingsError, match="OIDC with IAM is not supported"):
            client_from(settings, transport)
        monkeypatch.delenv("HUAWEICLOUD_SDK_IDP_ID")
        (tmp_path / ".hcloud").mkdir()
        (tmp_path / ".hcloud" / "config.json").write_text("{}")
        with pytest.raises(SettingsError, match=r"config\.json is not read"):
            client_from(settings, transport)
