"""No secret is in anything that runs leave behind, however they authenticate and however they end.

Secrets are the settings' own, and what is made of them: issued tokens and signatures.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import rare_faults
from click.testing import CliRunner
from ingest_site import small_registry
from leftovers import leaks, left_in

from assets.cli.main import main
from pipelines.emulator import faults
from pipelines.emulator.iam import User
from pipelines.emulator.messages import Request, Response, gateway_error, iam_error
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

TOKEN = 'ready/t+ken "of" 50%25 \\ backslashes'
PASSWORD = 'pä"ss/w+rd 50%25 \\ 密码'
SECRET_KEY = 's3cret/k+y "of" 50%25 \\ ünicode'
SECURITY_TOKEN = 's3curity/t+ken "of" 50%25 \\ slashes'
WAYS: dict[str, dict[str, str]] = {
    "token": {"SWR_AUTH_TOKEN": TOKEN},
    "user": {
        "SWR_USERNAME": "ann",
        "SWR_PASSWORD": PASSWORD,
        "SWR_DOMAIN_NAME": "company",
        "SWR_PROJECT_NAME": "cn-north-4",
    },
    "key": {
        "HUAWEICLOUD_SDK_AK": "AKOFANN",
        "HUAWEICLOUD_SDK_SK": SECRET_KEY,
        "HUAWEICLOUD_SDK_SECURITY_TOKEN": SECURITY_TOKEN,
    },
}
NEVER_SEEN = {"SWR_AUTH_TOKEN": "a/wr+ng token", "SWR_PASSWORD": "a/wr+ng password",
              "HUAWEICLOUD_SDK_SK": "a/wr+ng key"}  # fmt: skip
NOBODY = "http://127.0.0.1:1"  # a port that is reserved, and nobody listens on


@dataclass
class Scene:
    """An emulator that listens in on what it is sent, and what the runs against it leave."""

    server: Emulator
    directory: Path
    secrets: dict[str, str] = field(default_factory=dict)
    printed: str = ""

    def listen(self, request: Request, response: Response) -> Response:
        """Keep every token and signature, sent or issued."""
        signature = re.search("Signature=(.*)", request.headers.get("authorization", ""))
        seen = (
            signature and signature[1],
            request.headers.get("x-auth-token"),
            response.headers.get("X-Subject-Token"),
        )
        for number, secret in enumerate(seen):
            if secret:
                self.secrets[f"sent {number}, {len(self.secrets)}"] = secret
        return response

    def ingest(self, expected: int, *others: faults.Fault) -> None:
        """Run the real job on an instance on disk."""
        self.server.faults = [self.listen, *others]
        result = CliRunner().invoke(main, ["ingest"])
        assert result.exit_code == expected, result.output
        self.printed += result.output + result.stderr

    def assert_nothing_leaked(self) -> None:
        """Look through all that is left."""
        heap = left_in(self.directory) + self.printed.encode()
        assert leaks(heap, self.secrets) == []


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Credentials with all the characters that are written differently somewhere."""
    users = [User("ann", PASSWORD, domain="company", project="cn-north-4")]
    with Emulator(
        small_registry(),
        token=TOKEN,
        users=users,
        access_keys={"AKOFANN": SECRET_KEY},
        security_tokens={"AKOFANN": SECURITY_TOKEN},
    ) as server:
        for name, value in {
            "SWR_ENDPOINT": server.url,
            "SWR_IAM_ENDPOINT": server.url,
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_WAREHOUSE_DIR": str(tmp_path / "warehouse"),
            "SWR_LOG_FORMAT": "json",
            "DAGSTER_HOME": str(tmp_path / "home"),
        }.items():
            monkeypatch.setenv(name, value)
        known = [TOKEN, PASSWORD, SECRET_KEY, SECURITY_TOKEN, *NEVER_SEEN.values()]
        yield Scene(server, tmp_path, {secret: secret for secret in known})


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_left_behind(scene: Scene, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Of runs that succeed, are refused, forbidden, sent elsewhere, or told their own secrets."""
    for name, value in WAYS[way].items():
        monkeypatch.setenv(name, value)
    scene.ingest(0, faults.ExpiringTokens(uses=3))
    with Emulator(Registry()) as elsewhere:
        scene.ingest(
            2, lambda _, __: Response(302, {"Location": f"{elsewhere.url}/v3/auth/tokens"})
        )
        assert elsewhere.log == []
    scene.ingest(2, echo)
    scene.ingest(1, faults.forbidden("shop"))
    scene.ingest(2 if way == "key" else 0, rare_faults.skewed_clock(3600))
    with monkeypatch.context() as down:
        down.setenv("SWR_IAM_ENDPOINT", NOBODY)
        scene.ingest(2 if way == "user" else 0)
    with monkeypatch.context() as down:
        down.setenv("SWR_ENDPOINT", NOBODY)
        scene.ingest(2)
    (wrong,) = WAYS[way].keys() & NEVER_SEEN.keys()
    monkeypatch.setenv(wrong, NEVER_SEEN[wrong])
    scene.ingest(2)
    assert len(scene.secrets) > 10
    scene.assert_nothing_leaked()


def echo(request: Request, _: Response) -> Response:
    """Refuse a request, and tell all that it held."""
    told = json.dumps({**request.headers, "body": request.body.decode()})
    if request.method == "POST":
        return iam_error(401, "Unauthorized", f"refused: {request.body.decode()} {told}")
    return gateway_error(401, "APIGW.0301", f"refused: {request.headers} {told} {quote(told)}")


def test_a_killed_run_leaves_no_secret_behind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on disk nor in what Python prints of its stacks when it is aborted."""
    for name, value in WAYS["user"].items():
        monkeypatch.setenv(name, value)
    scene.server.faults = [scene.listen, rare_faults.of_tags(rare_faults.slow_first_byte(60))]
    command = [sys.executable, "-X", "faulthandler", "-m", "assets.cli", "ingest"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ.copy()
    ) as process:
        while not any(entry.path.endswith("/tags") for entry in scene.server.log):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGABRT)
        scene.printed, _ = process.communicate(timeout=60)
    assert "most recent call first" in scene.printed
    scene.assert_nothing_leaked()


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """In every form that it looks for."""
    hidden = [
        PASSWORD.encode(),
        quote(PASSWORD).encode(),
        json.dumps({"a": PASSWORD}).encode(),
        json.dumps(json.dumps({"a": PASSWORD})).encode(),
        *(base64.b64encode(b"x" * n + PASSWORD.encode() + b"yz") for n in range(3)),
    ]
    for number, text in enumerate(hidden):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "file").write_bytes(b"before" + text + b"after")
        assert leaks(left_in(folder), {"password": PASSWORD, "token": TOKEN}) == ["password"]
