"""What of the registry was seen running, of a warehouse that is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.warehouse.asking import Asked, asking
from pipelines.warehouse.in_use import Landed
from pipelines.warehouse.resources import LEAST, Resources

QUESTIONS = ("tags_in_use", "snapshots_that_count")
# No snapshot is too old to be matched when it is given.
_ANY_DAYS = 100_000


@dataclass(frozen=True)
class Seen:
    """What was seen running.

    Attributes:
        tag_keys: the live tags that were, by their keys.
        snapshots: those that count: `snapshot_id, cluster, taken_at`, the latest last.
    """

    tag_keys: Any
    snapshots: pa.Table


def seen_in(asked: Asked) -> Seen:
    """What was seen in the snapshots that count."""
    keys = asked.ask("tags_in_use")["tag_key"].unique().to_numpy()
    return Seen(keys, asked.ask("snapshots_that_count"))


def match_snapshot(directory: Path, snapshot: pa.Table, resources: Resources = LEAST) -> pa.Table:
    """Match the references of a snapshot, rows of LANDED_IN_USE, with the published warehouse.

    Returns:
        A row for each reference: see sql/questions/in_use.sql.

    Raises:
        WarehouseMissing: there is no warehouse yet.
    """
    given = Landed(snapshot, _ANY_DAYS)
    with asking(directory, ["in_use"], resources, given) as asked:
        return asked.ask("in_use", asked=snapshot.select(["snapshot_id"]).slice(0, 1))
