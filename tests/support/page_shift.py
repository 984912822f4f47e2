"""Repositories read page by page over HTTP while they change, and what was read judged by force."""

import json
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from changing_registry import Moving
from watched_registry import State, TickingClock, WatchedRegistry, small_image, still_standing

from pipelines.emulator.server import Emulator
from pipelines.landing.reader import read_crawls, read_pages
from pipelines.landing.writer import LandingWriter
from pipelines.run.clock import RunClock
from pipelines.run.crawler import Crawler
from pipelines.run.discover import Discovery
from pipelines.run.log import RunLog
from pipelines.run.progress import NoProgress
from pipelines.run.request import Name
from pipelines.settings import Settings, read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.limits import Limits
from pipelines.swr.paging import KnownRecords, RecordVersion
from pipelines.swr.transport import Transport
from pipelines.swr.wire import RepositoryRecord

NAMESPACE = "shop"


@dataclass
class Memory:
    """What earlier crawls left, told to the next as the warehouse would."""

    rows: dict[Name, State] = field(default_factory=dict)
    proven: set[Name] = field(default_factory=set)

    def get(self, name: Name) -> KnownRecords | None:
        """What is known of a repository."""
        if name not in self.proven:
            return None
        versions = {
            tag: RecordVersion(datetime.fromisoformat(updated), digest)
            for tag, (digest, updated) in self.rows[name].items()
        }
        moments = [version.updated for version in versions.values() if version.updated]
        newest = max(moments, default=None)
        tied = sum(
            newest is not None and moment.replace(microsecond=0) == newest.replace(microsecond=0)
            for moment in moments
        )

        def lookup(keys: Collection[str]) -> dict[str, RecordVersion]:
            return {key: versions[key] for key in keys if key in versions}

        return KnownRecords(len(versions), newest, tied, lookup)

    def record_count(self, name: Name) -> int:
        """How many tags a repository held."""
        return len(self.rows[name])


@dataclass
class Tally:
    """How crawls ended, and what was wrong with them."""

    ended: Counter[tuple[str, int]] = field(default_factory=Counter)
    changes: int = 0
    wrongly_complete: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another one's."""
        self.ended += other.ended
        self.changes += other.changes
        self.wrongly_complete += other.wrongly_complete
        self.lost += other.lost

    def table(self) -> str:
        """What it came to, in a few lines."""
        again = sum(count for (_, walks), count in self.ended.items() if walks > 1)
        title = (
            f"{self.ended.total():,} interleavings, {self.changes:,} changes while reading:"
            f" {len(self.wrongly_complete)} wrongly complete, {len(self.lost)} with a tag lost,"
            f" {again:,} walked again"
        )
        lines = [
            f"  {status:<10} after {walks} walks: {count:,}"
            for (status, walks), count in sorted(self.ended.items())
        ]
        return "\n".join([title, *lines])


def shift_pages(seed: int, repositories: int, directory: Path) -> Tally:
    """Read so many repositories twice, first whole, then what is new, under constant change."""
    draw = random.Random(seed)
    clock = TickingClock(draw)
    registry = WatchedRegistry()
    names = [(NAMESPACE, f"repository-{number}") for number in range(repositories)]
    for name in names:
        for number in range(draw.randrange(1, 26)):
            registry.push(*name, f"tag-{number}", small_image(number), at=clock())
    unrest = [
        Moving(registry, draw, clock, chance)
        for chance in draw.choice([(0.15,), (0.4,), (0.5, 0.5), (0.9, 0.9, 0.5)])
    ]
    memory = Memory({name: {} for name in names})
    tally = Tally()
    with Emulator(registry, faults=unrest) as server:
        for turn in ("first", "second"):
            settings = read_settings(
                endpoint_setting=server.url,
                auth_token="emulator-token",
                requests_per_second=0,
                page_size=draw.randrange(2, 9),
            )
            folder = LandingWriter(directory / f"{seed}-{turn}", lambda: 0.0)
            folder.path.mkdir()
            begun = {name: len(registry.states[name]) - 1 for name in names}
            read(settings, folder, names, memory)
            judge(registry, folder.path, begun, memory, tally)
    return tally


def read(settings: Settings, folder: LandingWriter, names: list[Name], memory: Memory) -> None:
    """Crawl these repositories, two at the same time."""
    found = Discovery(listed={name: RepositoryRecord(name[1], name[0]) for name in names})
    with Transport(settings) as transport:
        limits = Limits(settings.page_size)
        client = client_from(settings, transport)
        clock = RunClock(None)
        crawler = Crawler(client, folder, memory, limits, clock, NoProgress(), RunLog("run"))
        crawler.crawl(found, done=(), threads=2)
    folder.flush()


def judge(
    registry: WatchedRegistry, path: Path, begun: dict[Name, int], memory: Memory, tally: Tally
) -> None:
    """Compare what was landed with all states since the crawl began, then remember it."""
    landed = landed_records(path)
    for crawl in read_crawls(path).to_pylist():
        name = (crawl["namespace"], crawl["repository"])
        states = registry.states[name][begun[name] :]
        before = memory.rows[name]
        rows = ({} if crawl["lists_everything"] else before) | landed.get(name, {})
        where = f"{path.name} {name[1]}"
        proven = crawl["status"] in {"complete", "unchanged"}
        if proven and rows not in states:
            tally.wrongly_complete.append(where)
        kept = proven or before.keys() <= rows.keys()
        if not (kept and still_standing(states).items() <= rows.items()):
            tally.lost.append(where)
        tally.ended[crawl["status"], crawl["attempts"]] += 1
        tally.changes += len(states) - 1
        memory.rows[name] = rows
        (memory.proven.add if proven else memory.proven.discard)(name)


def landed_records(path: Path) -> dict[Name, State]:
    """The newest version of each landed tag, by repository; of two as new the later."""
    rows: dict[Name, State] = {}
    for landed in read_pages(path):
        known = rows.setdefault((landed.namespace, landed.repository), {})
        records: list[dict[str, Any]] = json.loads(landed.body)
        for place in range(len(records)) if landed.kept is None else landed.kept:
            record = records[place]
            tag, version = record["Tag"], (record["digest"], record["updated"])
            if tag not in known or moment(version) >= moment(known[tag]):
                known[tag] = version
    return rows


def moment(version: tuple[str, str]) -> datetime:
    """When a version was updated."""
    return datetime.fromisoformat(version[1])
