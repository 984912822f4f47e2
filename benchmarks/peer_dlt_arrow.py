"""dlt fed with Arrow tables, its fast path: reading and parsing are then our limits' own.

python benchmarks/peer_dlt_arrow.py FOLDER DATABASE URL CONNECTIONS
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

# dlt reads these when it is imported.
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
import dlt
import msgspec
from dlt.common.typing import TDataItem
from limits import PAGE_SIZE, Get, http_client, parse
from measuring import measured

_CHUNK_PAGES = 50


def paths(get: Get) -> list[str]:
    """Every repository's list of tags."""
    found: list[str] = []
    for offset in count(0, PAGE_SIZE):
        body, total = get(f"/v2/manage/repos?offset={offset}&limit={PAGE_SIZE}")
        found += [
            f"/v2/manage/namespaces/{row['namespace']}/repos/{row['name']}/tags"
            for row in msgspec.json.decode(body)
        ]
        if offset + PAGE_SIZE >= total:
            break
    return found


def pages(get: Get, path: str) -> list[bytes]:
    """The pages of one repository."""
    bodies = []
    for offset in count(0, PAGE_SIZE):
        body, total = get(
            f"{path}?offset={offset}&limit={PAGE_SIZE}&order_column=updated_at&order_type=desc"
        )
        bodies.append(body)
        if offset + PAGE_SIZE >= total:
            break
    return bodies


@dlt.resource(name="swr", write_disposition="replace")
def tables(url: str, connections: int) -> Iterator[TDataItem]:
    """Yield tags and layers, some thousands of tags at a time."""
    every = paths(http_client(url))
    with ThreadPoolExecutor(connections) as pool:
        clients = [http_client(url) for _ in range(connections)]
        for start in range(0, len(every), _CHUNK_PAGES):
            chunk = every[start : start + _CHUNK_PAGES]
            shares = [chunk[number::connections] for number in range(connections)]
            read = pool.map(
                lambda get, share: [body for path in share for body in pages(get, path)],
                clients,
                shares,
            )
            bodies = [body for share in read for body in share]
            for tags, layers in parse(bodies):
                yield dlt.mark.with_table_name(tags, "tags")
                yield dlt.mark.with_table_name(layers, "tag_layers")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, measured("dlt"):
        pipeline = dlt.pipeline(
            "swr_arrow",
            destination=dlt.destinations.duckdb(sys.argv[2]),
            dataset_name="main",
            pipelines_dir=directory,
        )
        pipeline.run(tables(sys.argv[3], int(sys.argv[4])), loader_file_format="parquet")
