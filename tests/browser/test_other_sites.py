"""`ui` answers its own page in a browser, and no page of another site: on the real servers."""

import base64
import hashlib
import json
import os
import socket
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest
import requests
from playwright.sync_api import expect
from served import CHROMIUM, browser, free_port, running, wait_for

LAUNCH = """mutation {
    launchRun(executionParams: {
        selector: {
            repositoryName: "__repository__"
            repositoryLocationName: "swr_warehouse"
            jobName: "clear_up"
        }
        runConfigData: "{}"
    }) { __typename }
}"""
# Every way in which a page can have a browser send something, and how a socket answered.
ATTACK = """
<form id=form method=post action="{target}/graphql" target=frame enctype="text/plain">
<input value='"}}'></form>
<iframe name=frame></iframe><iframe src="{target}/graphql?query={query}"></iframe>
<img src="{target}/graphql?query={query}">
<script>
const body = JSON.stringify({{query: {launch}}});
const types = ['text/plain', 'application/json', 'application/x-www-form-urlencoded'];
const sent = types.flatMap(type => ['cors', 'no-cors'].map(mode => fetch(
    '{target}/graphql', {{method: 'POST', mode, body, headers: {{'Content-Type': type}}}}
)));
const socket = new WebSocket('{target}/graphql'.replace('http', 'ws'), 'graphql-ws');
const answered = new Promise(done => {{
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
}});
const form = document.getElementById('form');
form.elements[0].name = body.slice(0, -1) + ', "_": "';
form.submit();
Promise.allSettled(sent).then(async () => document.title = await answered);
</script>
"""


@dataclass
class Ui:
    """The running pages, and where they keep their files."""

    port: int
    home: Path

    @property
    def address(self) -> str:
        """Where a browser opens them."""
        return f"http://127.0.0.1:{self.port}"

    def launch(self, **headers: str) -> requests.Response:
        """Ask for a run by POST."""
        return requests.post(
            f"{self.address}/graphql", json={"query": LAUNCH}, headers=headers, timeout=60
        )

    def keep_runs_waiting(self) -> None:
        """Once the first run has ended, have one go on for ever: the others wait for it.

        Each that starts takes seconds, and nothing is tested but that it was asked for.
        """
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            for _ in range(480):
                if all(run.is_finished for run in instance.get_runs()):
                    break
                time.sleep(0.25)
            else:
                raise TimeoutError("the first run does not end")
            assert [run.is_success for run in instance.get_runs()] == [True]
            going = dg.DagsterRunStatus.STARTED
            instance.add_run(
                dg.DagsterRun(job_name="clear_up", run_id=str(uuid.uuid4()), status=going)
            )

    def run_count(self) -> int:
        """Runs that were ever asked for."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return instance.get_runs_count()


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`ui` itself, on the demo's registry, in a home that was open to everybody."""
    directory = tmp_path_factory.mktemp("ui")
    home, port = directory / "home", free_port()
    (home / "old").mkdir(parents=True)
    (home / "old" / "log").write_text("a run's log")
    for path in (home, *home.rglob("*")):
        path.chmod(0o777)
    settings = {"DAGSTER_HOME": str(home), "SWR_WAREHOUSE_DIR": str(directory / "data")}
    before = os.umask(0)
    try:
        with running(home, settings, ["assets.cli", "ui", "--port", str(port)]):
            wait_for(f"http://127.0.0.1:{port}")
            pages = Ui(port, home)
            pages.launch()
            pages.keep_runs_waiting()
            yield pages
    finally:
        os.umask(before)


OWN = [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example:{port}"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1.evil.example:{port}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_another_site_sends_is_refused(ui: Ui, headers: dict[str, str]) -> None:
    """With one sentence; no run is asked for."""
    before = ui.run_count()
    answer = ui.launch(**{name: text.format(port=ui.port) for name, text in headers.items()})
    assert answer.status_code == 403
    assert len(answer.text.splitlines()) == 1
    assert ui.run_count() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_graphql_is_taken_by_post_only(ui: Ui, method: str) -> None:
    """An address alone starts nothing, whoever asks for it."""
    before = ui.run_count()
    answer = requests.request(method, f"{ui.address}/graphql", params={"query": LAUNCH}, timeout=60)
    assert answer.status_code == 403
    assert ui.run_count() == before


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_its_own_page_and_programs_of_this_machine_are_served(
    ui: Ui, headers: dict[str, str]
) -> None:
    """What is refused above works, asked for from here."""
    for host in ("127.0.0.1", "localhost", "[::1]"):
        own = {"Host": f"{host}:{ui.port}", **headers}
        if headers:
            own["Origin"] = f"http://{own['Host']}"
        answer = ui.launch(**own)
        assert answer.json() == {"data": {"launchRun": {"__typename": "LaunchRunSuccess"}}}


def test_a_link_from_another_site_opens_a_page(ui: Ui) -> None:
    """As from a chat: it shows something, and does nothing."""
    followed = {"Site": "cross-site", "Mode": "navigate", "Dest": "document"}
    headers = {f"Sec-Fetch-{name}": value for name, value in followed.items()}
    answer = requests.get(f"{ui.address}/runs", headers=headers, timeout=60)
    assert answer.status_code == 200


def handshake(ui: Ui, origin: str) -> bytes:
    """The first line of the answer to a page that opens a socket."""
    key = base64.b64encode(hashlib.sha256(b"any").digest()[:16]).decode()
    lines = [
        "GET /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{ui.port}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: graphql-ws",
        f"Sec-WebSocket-Key: {key}",
    ]
    with socket.create_connection(("127.0.0.1", ui.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(4096).splitlines()[0]


def test_a_socket_is_opened_for_the_own_page_only(ui: Ui) -> None:
    """What subscriptions come through takes mutations too."""
    assert handshake(ui, ui.address).startswith(b"HTTP/1.1 101 ")
    assert handshake(ui, "http://evil.example").startswith(b"HTTP/1.1 403 ")


def test_all_files_of_dagster_are_their_owners_alone(ui: Ui) -> None:
    """Those that were there before, and those of the runs since, whatever the umask."""
    ui.launch()
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (ui.home, *ui.home.rglob("*"))}
    # The test's own, written before `ui` starts.
    del modes[ui.home / "assets.cli.log"]
    assert ui.home / "old" / "log" in modes
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[int]:
    """A server of pages of another site; its port. What it serves is in `tmp_path`."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path: apt-get install chromium")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.test"])
def test_no_page_of_another_site_starts_a_run(
    ui: Ui, elsewhere: int, tmp_path: Path, host: str
) -> None:
    """Images, frames, forms, scripts and sockets of a page, from this machine or from afar; and
    one whose own name has come to mean this machine.
    """
    before = ui.run_count()
    for target in (ui.address, f"http://evil.test:{ui.port}"):
        page = ATTACK.format(target=target, query=quote(LAUNCH), launch=json.dumps(LAUNCH))
        (tmp_path / "attack.html").write_text(page)
        with browser("--host-resolver-rules=MAP evil.test 127.0.0.1") as chromium:
            tab = chromium.new_page()
            tab.goto(f"http://{host}:{elsewhere}/attack.html")
            expect(tab).to_have_title("refused", timeout=30_000)
            tab.wait_for_timeout(500)
    assert ui.run_count() == before


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path: apt-get install chromium")
def test_the_own_page_works(ui: Ui) -> None:
    """Its socket too: without one, Dagster shows that it is disconnected."""
    ui.launch()
    with browser() as chromium:
        tab = chromium.new_page()
        with tab.expect_websocket() as opened:
            tab.goto(f"{ui.address}/runs")
        assert opened.value.url == f"ws://127.0.0.1:{ui.port}/graphql"
        expect(tab.get_by_text("clear_up").first).to_be_visible(timeout=30_000)
