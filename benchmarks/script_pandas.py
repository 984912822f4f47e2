"""What a competent engineer writes in an hour: requests in threads, json, pandas, DuckDB.

python benchmarks/script_pandas.py FOLDER DATABASE URL CONNECTIONS
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import pandas as pd
import requests
from measuring import measured
from requests.adapters import HTTPAdapter

PAGE_SIZE = 1000
Row = dict[str, Any]


def main(database: str, url: str, connections: int) -> None:
    """Read all tags, then write two tables."""
    session = requests.Session()
    session.headers.update({"X-Auth-Token": "t", "Content-Type": "application/json"})
    session.mount("http://", HTTPAdapter(pool_maxsize=connections))
    with ThreadPoolExecutor(connections) as pool:
        listed = list(records(session, f"{url}/v2/manage/repos"))
        read = list(pool.map(lambda repository: tags_of(session, url, repository), listed))
    tags = pd.DataFrame([tag for page, _ in read for tag in page])
    layers = pd.DataFrame([layer for _, page in read for layer in page])
    for column in ("created", "updated"):
        tags[column] = pd.to_datetime(tags[column])
    with duckdb.connect(database) as con:
        for name, frame in (("tags", tags), ("tag_layers", layers)):
            con.register("frame", frame)
            con.execute(f"create table {name} as from frame")


def records(session: requests.Session, path: str) -> Iterator[Row]:
    """Page through a list."""
    offset = total = 0
    while offset == 0 or offset < total:
        page = {"offset": str(offset), "limit": str(PAGE_SIZE)}
        order = {"order_column": "updated_at", "order_type": "desc"}
        answer = session.get(path, params=page | order)
        answer.raise_for_status()
        yield from answer.json()
        total = int(answer.headers["Content-Range"].rpartition("/")[2])
        offset += PAGE_SIZE


def tags_of(session: requests.Session, url: str, repository: Row) -> tuple[list[Row], list[Row]]:
    """A repository's tags, and the layers of each."""
    path = f"{url}/v2/manage/namespaces/{repository['namespace']}/repos/{repository['name']}/tags"
    tags, layers = [], []
    for tag in records(session, path):
        for position, layer in enumerate(json.loads(tag.pop("manifest")).get("layers", [])):
            layers.append(
                {
                    "tag_id": tag["id"],
                    "position": position,
                    "blob_digest": layer["digest"],
                    "size_bytes": layer["size"],
                    "media_type": layer["mediaType"],
                }
            )
        tags.append(tag)
    return tags, layers


if __name__ == "__main__":
    with measured("script"):
        main(sys.argv[2], sys.argv[3], int(sys.argv[4]))
