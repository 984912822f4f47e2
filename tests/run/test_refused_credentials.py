"""The first final refusal of the credentials ends the reading: nothing more is sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from plain_run import run_steps
from tag_requests import repository_of

from assets.cli.main import main
from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import NothingRead, SwrUnauthenticated
from pipelines.settings import Settings, read_settings

AT = datetime(2026, 3, 1, tzinfo=UTC)
REFUSAL = gateway_error(401, "APIGW.0301", "Incorrect IAM authentication information")
WAYS: dict[str, dict[str, str]] = {
    "token": {"auth_token": "emulator-token"},
    "key": {"access_key": "STANDINKEY", "secret_key": "emulator-secret-key"},
    "user": {
        "username": "emulator-user",
        "password": "emulator-password",
        "domain_name": "emulator-domain",
        "project_name": "cn-north-4",
    },
}


@contextmanager
def registry_of_forty(fault: Callable[[Request], Response | None]) -> Iterator[Emulator]:
    """Four namespaces of ten repositories each."""
    registry = Registry()
    for number in range(40):
        registry.push(f"team{number // 10}", f"app{number:02}", "1", "{}", at=AT)
    with Emulator(registry, fault=fault) as server:
        yield server


def refused_after(reads: int) -> Callable[[Request], Response | None]:
    """Tags of so many repositories, then no more of anything."""
    read: list[Request] = []

    def fault(request: Request) -> Response | None:
        if request.path == "/v3/auth/tokens" or len(read) < reads:
            read.extend([request] if repository_of(request) else [])
            return None
        return REFUSAL

    return fault


def settings_for(server: Emulator, directory: Path, **more: Any) -> Settings:
    """Settings for the emulator, as SWR and as IAM."""
    return read_settings(
        endpoint_setting=server.url,
        iam_endpoint_setting=server.url,
        requests_per_second=0,
        warehouse_dir=directory,
        **{"auth_token": "emulator-token", **more},
    )


def crawls(directory: Path) -> list[tuple[str, str | None]]:
    """How the reading of each repository ended, and why."""
    with duckdb.connect(directory / "warehouse.duckdb", read_only=True) as con:
        con.execute("select status, error from ingest.crawls order by namespace, repository")
        return con.fetchall()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_read_is_kept_and_nothing_more_is_sent(tmp_path: Path, way: str) -> None:
    """One refusal, or with a password the one of a renewed token too, for all that is left."""
    credentials = {"auth_token": None, **WAYS[way]}
    with registry_of_forty(refused_after(12)) as server:
        run_steps(settings_for(server, tmp_path, concurrency=1, **credentials))
        refused = [entry for entry in server.log if entry.status == 401]
        issued = sum(entry.path == "/v3/auth/tokens" for entry in server.log)
    assert (len(refused), issued) == ((2, 2) if way == "user" else (1, 0))
    path = "/v2/manage/namespaces/team1/repos/app12/tags"
    found = crawls(tmp_path)
    assert found[:12] == [("complete", None)] * 12
    assert {status for status, _ in found[12:]} == {"failed"}
    (why,) = {error for _, error in found[12:]}
    assert why is not None
    assert why.startswith(
        f"The credentials were refused after 12 of 40 repositories: GET {server.url}{path}:"
        " the credentials were refused: Incorrect IAM authentication information"
        " (status 401, code APIGW.0301, request id "
    )


def test_many_threads_stop_before_their_next_request(tmp_path: Path) -> None:
    """Only what was under way at the first refusal can be refused as well."""
    with registry_of_forty(refused_after(12)) as server:
        run_steps(settings_for(server, tmp_path, concurrency=4))
        assert sum(entry.status == 401 for entry in server.log) <= 4
    found = crawls(tmp_path)
    assert sum(status == "complete" for status, _ in found) == 12
    assert sum("after 12 of 40 repositories" in (error or "") for _, error in found) == 28


def test_nothing_is_published_of_nothing(tmp_path: Path) -> None:
    """The sentence says how far it got."""
    with (
        registry_of_forty(refused_after(0)) as server,
        pytest.raises(SwrUnauthenticated, match="the credentials were refused"),
    ):
        run_steps(settings_for(server, tmp_path))
    assert len(server.log) == 1
    with (
        registry_of_forty(lambda request: REFUSAL if repository_of(request) else None) as server,
        pytest.raises(NothingRead, match="refused after 0 of 40 repositories: GET "),
    ):
        run_steps(settings_for(server, tmp_path, concurrency=1))


def test_a_refusal_while_repositories_are_listed_ends_the_reading(tmp_path: Path) -> None:
    """No other namespace is asked for."""

    def fault(request: Request) -> Response | None:
        return REFUSAL if request.query.get("namespace") == "team1" else None

    with registry_of_forty(fault) as server, pytest.raises(SwrUnauthenticated):
        run_steps(settings_for(server, tmp_path, concurrency=1))
    asked = [entry.query.get("namespace") for entry in server.log]
    assert asked == [None, "team0", "team1"]
    assert not (tmp_path / "warehouse.duckdb").exists()


def test_the_exit_code_says_whether_anything_was_read(
    site_settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 with some, 2 with nothing."""
    monkeypatch.setenv("SWR_CONCURRENCY", "1")
    with registry_of_forty(refused_after(12)) as server:
        site_settings(server.url)
        some = CliRunner().invoke(main, ["ingest"])
        server.fault = refused_after(0)
        nothing = CliRunner().invoke(main, ["ingest"])
    assert (some.exit_code, nothing.exit_code) == (1, 2)
    assert "refused after 12 of 40 repositories" in " ".join((some.output + some.stderr).split())
