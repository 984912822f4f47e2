"""What a run takes up of the landing of a dead one: repositories that need not be read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.landing.reader import read_crawls
from pipelines.run.discover import Discovery
from pipelines.run.request import Name


@dataclass(frozen=True)
class TakenUp:
    """What a dead run finished.

    `done` is not read again; `vanished` was listed then and is not any more, and is unknown to
    earlier runs; `latest` is the latest moment that it noted, None where it finished nothing.
    """

    done: set[Name]
    vanished: list[Name]
    latest: datetime | None


def taken_up(landing: Path, found: Discovery) -> TakenUp:
    """Compare what a landing holds with what is listed now.

    What failed is tried again, and so is what the list showed and shows no more, or the other way
    round.
    """
    crawls = {
        (row["namespace"], row["repository"]): row
        for row in read_crawls(landing).to_pylist()
        if row["status"] != "failed"
    }
    done = {name for name, row in crawls.items() if _still_holds(name, row, found)}
    asked = {*done, *found.listed, *found.unlisted, *found.unreachable}
    latest = max((row["finished_at"] for row in crawls.values()), default=None)
    return TakenUp(done, sorted(crawls.keys() - asked), latest)


def _still_holds(name: Name, row: Mapping[str, Any], found: Discovery) -> bool:
    return found.is_listed(name) in {None, row["is_listed"]}
