"""Whoever answers is asked for a certificate before anything is told: the token above all."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SettingsError, SwrUnavailable
from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

HOST = "127.0.0.1"
PASSWORD = {"username": "u", "password": "p", "domain_name": "d", "project_name": "cn-north-4"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate in a file."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@contextmanager
def behind_tls(certificate: trustme.LeafCert) -> Iterator[Emulator]:
    """The emulator as it is, with TLS around its socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    registry = Registry()
    registry.push("team", "app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    with Emulator(registry) as server:
        assert server._server is not None
        # Hands are shaken by each connection's own thread.
        server._server.socket = context.wrap_socket(
            server._server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.url = server.url.replace("http:", "https:")
        yield server


def namespaces(server: Emulator, bundle: Path | None, **credentials: str) -> list[str]:
    """Ask for the list of namespaces, and with a password for a token before."""
    settings = read_settings(
        endpoint_setting=server.url,
        iam_endpoint_setting=server.url,
        ca_bundle=bundle,
        **(credentials or {"auth_token": "emulator-token"}),
    )
    with Transport(settings) as transport:
        return client_from(settings, transport).namespaces()


def test_an_authority_of_one_s_own_is_trusted_when_named(
    authority: trustme.CA, bundle: Path
) -> None:
    """SWR_CA_BUNDLE names it; the token then arrives."""
    with behind_tls(authority.issue_cert(HOST)) as server:
        assert namespaces(server, bundle) == ["team"]
        assert [entry.status for entry in server.log] == [200]


@pytest.mark.parametrize("credentials", [{}, PASSWORD], ids=["token", "password"])
def test_an_unknown_authority_is_refused(
    authority: trustme.CA, credentials: dict[str, str]
) -> None:
    """With a sentence that says what to do, before anything is asked."""
    with behind_tls(authority.issue_cert(HOST)) as server:
        refused_before_anything_is_said(
            server, None, "unable to get local issuer certificate", **credentials
        )


def test_a_certificate_of_another_name_is_refused(authority: trustme.CA, bundle: Path) -> None:
    """Though its authority is trusted."""
    with behind_tls(authority.issue_cert("swr.example.com")) as server:
        refused_before_anything_is_said(
            server, bundle, f"IP address mismatch, certificate is not valid for '{HOST}'."
        )


def test_a_certificate_of_the_past_is_refused(authority: trustme.CA, bundle: Path) -> None:
    """Though its authority is trusted, and its name is right."""
    expired = authority.issue_cert(
        HOST,
        not_before=datetime(2024, 1, 1, tzinfo=UTC),
        not_after=datetime(2025, 1, 1, tzinfo=UTC),
    )
    with behind_tls(expired) as server:
        refused_before_anything_is_said(server, bundle, "certificate has expired")


VARIABLES = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]


def hashed(authority: trustme.CA, folder: Path) -> Path:
    """A folder of certificates as OpenSSL looks them up: by the hash of the subject's name."""
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(folder / "authority.pem")]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (folder / f"{name}.0").symlink_to("authority.pem")
    return folder


@pytest.mark.parametrize("variable", VARIABLES)
def test_what_other_programs_trust_is_trusted(
    authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """By the variables that administrators set for all of them, files and folders alike."""
    folder = hashed(authority, bundle.parent / "folder")
    is_folder = variable == "SSL_CERT_DIR"
    monkeypatch.setenv(variable, f"/nowhere:{folder}" if is_folder else str(bundle))
    with behind_tls(authority.issue_cert(HOST)) as server:
        assert namespaces(server, None) == ["team"]


def test_a_folder_of_certificates_is_trusted_when_named(
    authority: trustme.CA, bundle: Path
) -> None:
    """By SWR_CA_BUNDLE, as a file would be."""
    with behind_tls(authority.issue_cert(HOST)) as server:
        assert namespaces(server, hashed(authority, bundle.parent / "folder")) == ["team"]


def test_our_own_setting_comes_before_the_others(
    authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the others the more special ones."""
    other = bundle.parent / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
    with behind_tls(authority.issue_cert(HOST)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        assert namespaces(server, None) == ["team"]
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
        assert namespaces(server, bundle) == ["team"]
        server.log.clear()
        refused_before_anything_is_said(server, None, "unable to get local issuer certificate")


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_names_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Instead of trusting what it was set to replace."""
    monkeypatch.setenv(variable, "/nowhere/ca")
    settings = read_settings(endpoint_setting="https://127.0.0.1:1", auth_token="t")
    with pytest.raises(SettingsError, match=f"{variable}: there is no file or folder /nowhere/ca"):
        Transport(settings)


def refused_before_anything_is_said(
    server: Emulator, bundle: Path | None, why: str, **credentials: str
) -> None:
    """The sentence is exact, and no request got through."""
    path = "/v3/auth/tokens" if credentials else "/v2/manage/namespaces"
    method = "POST" if credentials else "GET"
    with pytest.raises(SwrUnavailable) as raised:
        namespaces(server, bundle, **credentials)
    assert str(raised.value) == (
        f"{method} {server.url}{path}: the certificate cannot be verified ({why});"
        " see SWR_CA_BUNDLE"
    )
    assert server.log == []
