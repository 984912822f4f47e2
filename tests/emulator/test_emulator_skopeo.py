"""A foreign client of registries takes the emulator for one: skopeo lists, inspects and copies."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

SKOPEO = shutil.which("skopeo")
UPLOADS = ("data", "scratch/uploads")
PRIVATE, PUBLIC = "data/scratch/uploads", "platform/base/alpine"
Skopeo = Callable[..., str]

pytestmark = pytest.mark.skipif(not SKOPEO, reason="skopeo is not installed")


@pytest.fixture
def registry() -> Registry:
    """The built-in registry instead of the small one."""
    return built_in_registry(date(2026, 11, 23))


@pytest.fixture
def server(registry: Registry) -> Iterator[Emulator]:
    """Digests are not stated, and blobs are on another port."""
    with Emulator(registry, states_digests=False, has_own_storage_port=True) as emulator:
        yield emulator


@pytest.fixture
def image(server: Emulator) -> Callable[[str], str]:
    """Name an image as skopeo does."""
    return lambda name: f"docker://{server.url.removeprefix('http://')}/{name}"


@pytest.fixture
def skopeo(server: Emulator, tmp_path: Path) -> Skopeo:
    """Run skopeo with a temporary login, whose answer is an authfile as it is."""
    login = requests.post(
        f"{server.url}/v2/manage/utils/secret",
        headers={"X-Auth-Token": "emulator-token"},
        timeout=10,
    )
    authfile = tmp_path / "auth.json"
    authfile.write_bytes(login.content)
    return lambda *arguments: run(tmp_path, *arguments, "--authfile", str(authfile))


def run(home: Path, *arguments: str) -> str:
    """Run skopeo, with nothing of this machine's settings; give what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [SKOPEO or "", *arguments],
        env=environment | {"XDG_RUNTIME_DIR": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_lists_tags(
    skopeo: Skopeo, image: Callable[[str], str], registry: Registry, tmp_path: Path
) -> None:
    """Of what is private with the login, of what is public without any."""
    listed = json.loads(skopeo("list-tags", "--tls-verify=false", image(PRIVATE)))
    assert listed["Tags"] == [f"import-{number}" for number in range(5)]
    anonymous = run(tmp_path, "list-tags", "--tls-verify=false", "--no-creds", image(PUBLIC))
    names = [tag.name for tag in registry.tags("platform", "base/alpine", column="tag")]
    assert json.loads(anonymous)["Tags"] == names


def test_skopeo_inspects_manifests_and_configurations(
    skopeo: Skopeo, image: Callable[[str], str], registry: Registry
) -> None:
    """An index verbatim; of an image also what it was built from."""
    stored = registry.tag(*UPLOADS, "import-4")
    assert stored is not None
    inspect = ("inspect", "--tls-verify=false")
    assert skopeo(*inspect, "--raw", image(f"{PRIVATE}:import-4")) == stored.wire["manifest"]
    by_digest = image(f"{PRIVATE}@{stored.wire['digest']}")
    assert skopeo(*inspect, "--raw", by_digest) == stored.wire["manifest"]
    config = json.loads(skopeo(*inspect, "--config", image("shop/storefront:latest")))
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.source"] == "https://git.example.com/shop/storefront"
    assert labels["team"] == "shop"
    # Of the manifest that the tag's record lacks.
    told = json.loads(skopeo(*inspect, image(f"{PRIVATE}:import-3")))
    record = registry.tag(*UPLOADS, "import-3")
    assert record is not None
    assert told["Digest"] == record.wire["digest"]


@pytest.mark.parametrize("more", [(), ("--all",)], ids=["one platform", "all platforms"])
def test_skopeo_copies_an_image(
    skopeo: Skopeo, image: Callable[[str], str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    """With every blob, each of which it fetches from where it is stored."""
    source, target = image(f"{PRIVATE}:import-4"), tmp_path / "copy"
    platform = ("--override-os", "linux", "--override-arch", "arm64")
    skopeo(
        "--insecure-policy",
        *platform,
        "copy",
        "--src-tls-verify=false",
        *more,
        source,
        f"dir:{target}",
    )
    manifests = [json.loads(file.read_text()) for file in target.glob("*manifest.json")]
    assert len(manifests) == (3 if more else 1)
    for part in parts_of(manifests):
        digest = part["digest"].removeprefix("sha256:")
        assert hashlib.sha256((target / digest).read_bytes()).hexdigest() == digest


def parts_of(manifests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Configuration and layers of each image."""
    for manifest in manifests:
        if "config" in manifest:
            yield from (manifest["config"], *manifest["layers"])
