"""Tags that a query gives, each with its blobs, as a tree of files of which some are the same."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.warehouse.asking import Asked, asking
from pipelines.warehouse.query import open_published
from pipelines.warehouse.reclaimable import select_tags
from pipelines.warehouse.resources import LEAST, Resources

QUESTIONS = ("tree_tags", "tree_links", "tree_blobs")
_HEAD = "select registry, as_of from reports.registry_size"


@dataclass(frozen=True)
class TagTree:
    """Some live tags with their blobs.

    Attributes:
        registry: its short name.
        as_of: the moment it speaks of.
        tags: `namespace, repository, tag, is_open` (its bytes may be more) and `link_count`, how
            many of `links` are its own, in name order.
        links: of each tag in turn, the places of its blobs in `blobs`.
        blobs: `blob_digest, size_bytes` (null where not known) and `link_count`, the tags that
            reach it, in the order of digests; some may have none.
    """

    registry: str
    as_of: datetime
    tags: pa.Table
    links: "pa.Array[Any]"
    blobs: pa.Table


def tag_tree(directory: Path, choice: str, resources: Resources = LEAST) -> TagTree:
    """Find the blobs of the tags that a query chooses.

    Args:
        directory: of the published warehouse.
        choice: SQL that gives `namespace`, `repository` and `tag`, and whatever else.
        resources: that this may take.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: the SQL is wrong, in DuckDB's words; or it does not give tags.
    """
    with open_published(directory) as con:
        head, named = head_of(con), select_tags(con, choice)
    with asking(directory, QUESTIONS, resources) as asked:
        return tree_of(asked, head, named)


def head_of(con: DuckDBPyConnection) -> tuple[str, datetime]:
    """Whose registry a warehouse holds, and as of when."""
    [(registry, as_of)] = con.sql(_HEAD).fetchall()
    return registry, as_of


def tree_of(asked: Asked, head: tuple[str, datetime], named: pa.Table) -> TagTree:
    """The same of a warehouse that is asked."""
    tags = asked.ask("tree_tags", named=named)
    links = asked.ask("tree_links", chosen_tags=tags.select(["tag_key"]))
    blobs = asked.ask("tree_blobs")
    keys = blobs["blob_key"].to_numpy()
    place = np.zeros(int(keys.max(initial=0)) + 1, np.int64)
    place[keys] = np.arange(len(keys))
    places = place[links["blob_key"].to_numpy()]
    counts = np.bincount(places, minlength=len(keys))
    tag_keys = tags["tag_key"].to_numpy()
    of_tags = np.bincount(links["tag_key"].to_numpy(), minlength=int(tag_keys.max(initial=0)) + 1)
    return TagTree(
        *head,
        tags=tags.append_column("link_count", pa.array(of_tags[tag_keys])),
        links=pa.array(places),
        blobs=blobs.append_column("link_count", pa.array(counts)),
    )
