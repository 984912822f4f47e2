"""Pulling the children of indexes, beside the bare requests for the same manifests.

    python benchmarks/pulls.py [INDEXES]

10,000 indexes of three children each in 100 repositories, 40 ms away, 16 connections, no limit on
the rate. The bare requests are made by threads that throw the answers away.
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

import requests

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.crawl import crawl_registry
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.run.resolve import resolve
from pipelines.settings import read_settings
from pipelines.warehouse.building import writer_lock

_REPOSITORIES, _CHILDREN, _LATENCY_SECONDS, _CONNECTIONS = 100, 3, 0.04, 16
_AT = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    """Print the seconds of both, and their ratio."""
    indexes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with serving(indexes) as (url, manifests), tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "SWR_ENDPOINT": url,
            "SWR_AUTH_TOKEN": "emulator-token",
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_PULLS_PER_SECOND": "0",
            "SWR_RESOLVE_LIMIT": "1000000",
            "SWR_CONCURRENCY": str(_CONNECTIONS),
            "SWR_WAREHOUSE_DIR": directory,
        }
        bare = bare_requests(url, manifests)
        own, cpu = resolved(len(manifests))
    print(
        f"{len(manifests)} manifests: bare {bare:.1f} s, resolve {own:.1f} s wall, {cpu:.1f} s CPU"
    )
    print(f"ratio {own / bare:.2f}")


def resolved(expected: int) -> tuple[float, float]:
    """Seconds and processor seconds of the step `resolve` after a first crawl."""
    settings = read_settings()
    request = RunRequest(str(uuid.uuid4()), full=False, scope=Scope())
    with writer_lock(settings.warehouse_dir):
        crawl_registry(settings, request, NoProgress())
        load_landing(settings, request.run_id)
        began, cpu = time.perf_counter(), time.process_time()
        found = resolve(settings, request.run_id, NoProgress())
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    if found.answers != {("manifest", "read"): expected}:
        raise SystemExit(f"resolved {found}")
    return seconds, spent


def bare_requests(url: str, manifests: list[tuple[str, str]]) -> float:
    """Seconds for asking for every manifest, with a token each repository."""
    login = requests.post(
        f"{url}/v2/manage/utils/secret", headers={"X-Auth-Token": "emulator-token"}, timeout=10
    ).json()
    [entry] = login["auths"].values()
    names = sorted({name for name, _ in manifests})
    tokens = {name: token_of(url, name, entry["auth"]) for name in names}
    parts = [manifests[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(lambda part: ask(url, part, tokens), parts))
    return time.perf_counter() - began


def token_of(url: str, name: str, auth: str) -> str:
    """A token for pulling from a repository."""
    answer = requests.get(
        f"{url}/swr/auth/v2/registry/auth/",
        params={"service": "dockyard", "scope": f"repository:{name}:pull"},
        headers={"Authorization": f"Basic {auth}"},
        timeout=10,
    )
    token: str = answer.json()["token"]
    return token


def ask(url: str, manifests: list[tuple[str, str]], tokens: dict[str, str]) -> None:
    """Ask for some manifests on one connection."""
    with requests.Session() as session:
        for name, digest in manifests:
            headers = {"Authorization": f"Bearer {tokens[name]}"}
            session.get(f"{url}/v2/{name}/manifests/{digest}", headers=headers, timeout=60).content  # noqa: B018 - thrown away


@contextmanager
def serving(indexes: int) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve a registry in a process of its own; give its address, and the manifests to ask for."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(there, indexes), daemon=True)
    process.start()
    yield here.recv()
    process.terminate()
    process.join()


def serve(pipe: Connection, indexes: int) -> None:
    """Serve until the process ends."""
    registry = Registry()
    manifests = []
    for number in range(indexes):
        name = f"repo{number % _REPOSITORIES}"
        children = [image(f"{number}-{child}") for child in range(_CHILDREN)]
        digests = [registry.store_manifest("bench", name, text) for text in children]
        manifests += [(f"bench/{name}", digest) for digest in digests]
        registry.push("bench", name, f"v{number}", index(digests), at=_AT)
    with Emulator(registry, latency_seconds=_LATENCY_SECONDS) as server:
        pipe.send((server.url, manifests))
        pipe.recv()


def image(name: str) -> str:
    """An image of ten layers."""
    layers = [{"digest": _digest(f"{name} {n}"), "size": 1000 + n} for n in range(9)]
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": _digest(f"{name} config"),
                "size": 900,
            },
            "layers": [{"digest": _digest("base"), "size": 9000}, *layers],
        }
    )


def index(digests: list[str]) -> str:
    """An index of these."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{"digest": digest, "size": 1500} for digest in digests],
        }
    )


def _digest(name: str) -> str:
    return "sha256:" + uuid.uuid5(uuid.NAMESPACE_OID, name).hex * 2


if __name__ == "__main__":
    main()
