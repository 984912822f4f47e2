"""What no such program can do without: download, parse, insert; each alone, at its best.

    python benchmarks/limits.py STEP FOLDER DATABASE URL CONNECTIONS

`download` uses http.client, the cheapest client there is; `requests` is that library at its
leanest: one prepared request, its URL replaced, sent through the adapter, the body read raw.
`newest` sends the requests of a run that finds nothing changed, likewise. `parse` decodes pages
with msgspec, each manifest on its own, into Arrow tables; `insert` makes a DuckDB file of them.
"""

import http.client
import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import msgspec
import pyarrow as pa
import requests
from measuring import measured
from registry import Repository
from requests.adapters import HTTPAdapter

PAGE_SIZE = 1000
_HEADERS = {"X-Auth-Token": "t", "Content-Type": "application/json"}
# As few as stay in the processor's cache: more take up to half as long again.
_CHUNK_ROWS = 1000
Get = Callable[[str], tuple[bytes, int]]


class Layer(msgspec.Struct, gc=False):
    """A layer of a manifest."""

    digest: str
    size: int
    mediaType: str  # noqa: N815 - the registry's name


class Manifest(msgspec.Struct, gc=False):
    """A manifest, of an image or an index."""

    layers: list[Layer] = []


class Tag(msgspec.Struct, gc=False):
    """What the tag list says of a tag."""

    id: int
    repo_id: int
    Tag: str
    image_id: str
    manifest: str
    digest: str
    schema: int
    path: str
    internal_path: str
    size: int
    is_trusted: bool
    created: datetime
    updated: datetime
    deleted: str | None
    domain_id: str
    tag_type: int


def http_client(url: str) -> Get:
    """Ask through one connection of http.client."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def get(target: str) -> tuple[bytes, int]:
        connection.request("GET", target, headers=_HEADERS)
        response = connection.getresponse()
        return response.read(), _total(response.getheader("Content-Range"))

    return get


def lean_requests(url: str) -> Get:
    """Ask with requests, leaving out all that can be left out."""
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)
    prepared = requests.Request("GET", url, headers=_HEADERS).prepare()

    def get(target: str) -> tuple[bytes, int]:
        prepared.url = url + target
        response = adapter.send(prepared, stream=True)
        body = response.raw.read()
        return body, _total(response.headers["Content-Range"])

    return get


def _total(content_range: str | None) -> int:
    return int((content_range or "").rpartition("/")[2] or 0)


def download(client: Callable[[str], Get], url: str, paths: list[str], connections: int) -> None:
    """Read every page of every repository, newest first, and throw it away."""

    def read(get: Get, path: str) -> None:
        for offset in count(0, PAGE_SIZE):
            order = "order_column=updated_at&order_type=desc"
            _, total = get(f"{path}?offset={offset}&limit={PAGE_SIZE}&{order}")
            if offset + PAGE_SIZE >= total:
                break

    in_threads(read, client, url, paths, connections)


def in_threads(
    read: Callable[[Get, str], object],
    client: Callable[[str], Get],
    url: str,
    targets: list[str],
    connections: int,
) -> None:
    """Have threads, with a connection each, read the targets between them."""
    waiting = iter(targets)

    def work(_: int) -> None:
        get = client(url)
        for target in waiting:
            read(get, target)

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))


def parse(pages: Iterable[bytes]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Arrow tables of tags and of their layers, from some thousand tags at a time."""
    decode = msgspec.json.Decoder(list[Tag]).decode
    waiting: list[Tag] = []
    for page in pages:
        waiting += decode(page)
        if len(waiting) >= _CHUNK_ROWS:
            yield _tag_table(waiting), _layer_table(waiting)
            waiting = []
    if waiting:
        yield _tag_table(waiting), _layer_table(waiting)


def _tag_table(tags: list[Tag]) -> pa.Table:
    names = [name for name in Tag.__struct_fields__ if name != "manifest"]
    return pa.table({name: [getattr(tag, name) for tag in tags] for name in names})


def _layer_table(tags: list[Tag]) -> pa.Table:
    """Decode every manifest on its own, so that a bad one would be bad alone."""
    decode = msgspec.json.Decoder(Manifest).decode
    stacks = [(tag.id, decode(tag.manifest).layers) for tag in tags]
    layers = [layer for _, stack in stacks for layer in stack]
    return pa.table(
        {
            "tag_id": [tag_id for tag_id, stack in stacks for _ in stack],
            "position": [position for _, stack in stacks for position in range(len(stack))],
            "blob_digest": [layer.digest for layer in layers],
            "size_bytes": [layer.size for layer in layers],
            "media_type": [layer.mediaType for layer in layers],
        }
    )


def insert(database: str, tags: pa.Table, layers: pa.Table) -> None:
    """Make a DuckDB file of two tables, whose rows may be stored in any order."""
    with duckdb.connect(database) as con:
        con.execute("set preserve_insertion_order = false")
        for name, rows in (("tags", tags), ("tag_layers", layers)):
            con.register("rows", rows)
            con.execute(f"create table {name} as from rows")


def pages_of(folder: Path) -> list[bytes]:
    """The pages of the first day, as `download` receives them."""
    records = (folder / "records.bin").read_bytes()
    offsets = memoryview((folder / "offsets.bin").read_bytes()).cast("q")
    pages = []
    for row in repositories_of(folder):
        first = row.first_row + row.pushes
        for start in range(first, first + row.tags, PAGE_SIZE):
            end = min(start + PAGE_SIZE, first + row.tags)
            pages.append(b"[" + records[offsets[start] : offsets[end] - 1] + b"]")
    return pages


def repositories_of(folder: Path) -> list[Repository]:
    """The repositories that `registry.py` wrote down."""
    described: dict[str, Any] = json.loads((folder / "registry.json").read_text())
    return [Repository(*row) for row in described["repositories"]]


def bare_incremental(folder: Path) -> list[str]:
    """The requests of a run that finds nothing changed."""
    repositories = repositories_of(folder)
    namespaces = sorted({row.namespace for row in repositories})
    page = "offset=0&limit=20&order_column=updated_at&order_type=desc"
    return [
        "/v2/manage/namespaces",
        *(f"/v2/manage/repos?namespace={name}&offset=0&limit=1000" for name in namespaces),
        *(f"{tags_path(row)}?{page}" for row in repositories),
    ]


def tags_path(row: Repository) -> str:
    """Where a repository's tags are."""
    return f"/v2/manage/namespaces/{row.namespace}/repos/{row.name}/tags"


def main(step: str, folder: Path, database: str, url: str, connections: int) -> None:
    """Measure one step."""
    if step == "parse":
        pages = pages_of(folder)
        with measured(step):
            deque(parse(pages), maxlen=0)
    elif step == "insert":
        tags, layers = map(pa.concat_tables, zip(*parse(pages_of(folder)), strict=True))
        with measured(step):
            insert(database, tags, layers)
    elif step == "newest":
        targets = bare_incremental(folder)
        with measured(step):
            in_threads(lambda get, target: get(target), lean_requests, url, targets, connections)
    else:
        paths = [tags_path(row) for row in repositories_of(folder)]
        client = {"download": http_client, "requests": lean_requests}[step]
        with measured(step):
            download(client, url, paths, connections)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
