"""A tag list that changes between any two reads, to run the reading order against without HTTP."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zlib import crc32

from pipelines.swr.paging import (
    CrawlOutcome,
    KnownRecords,
    ListedRecord,
    Page,
    PageRequest,
    Reading,
    RecordVersion,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def listed(name: str, second: int, digest: str) -> ListedRecord:
    """A record as the wire module would hand it on."""
    return ListedRecord(name, RecordVersion(EPOCH + timedelta(seconds=second), digest))


@dataclass
class MovingList:
    """A repository's tags, with an unrelenting team pushing, moving and deleting.

    `churn` is the chance of one more change between two reads; `ties` the chance that the clock
    stands still between two changes, so that records share their `updated`. Tied records keep
    one order per direction, another one each. `doubled` is the chance that a new tag is listed
    twice as long as it is there, once moved perhaps with an older version beside the newer one, and
    `misdated` the chance that it is dated years ahead; totals count rows.
    """

    draw: random.Random
    churn: float = 0.0
    ties: float = 0.0
    doubled: float = 0.0
    misdated: float = 0.0
    states_total: bool = True
    clamp: int | None = None
    live: dict[str, RecordVersion] = field(default_factory=dict)
    doubles: dict[str, RecordVersion] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    requests: list[PageRequest] = field(default_factory=list)
    landed: list[tuple[int, ListedRecord]] = field(default_factory=list)
    second: int = 0
    pushes: int = 0

    def fill(self, tags: int) -> None:
        """Push that many tags."""
        for _ in range(tags):
            self.push()

    def push(self, name: str | None = None) -> None:
        """Push a new tag, or move a given one."""
        self.second += self._chance(1 - self.ties)
        self.pushes += 1
        name = name or f"tag-{self.pushes}"
        ahead = 10**8 if self._chance(self.misdated) else 0
        version = RecordVersion(
            EPOCH + timedelta(seconds=self.second + ahead), f"digest-{self.pushes}"
        )
        if name in self.doubles or (name not in self.live and self._chance(self.doubled)):
            earlier = self.live.get(name, version)
            is_older = _is_newer(version, earlier)
            self.doubles[name] = earlier if is_older and self._chance(0.5) else version
        self.live[name] = version
        self.touched.add(name)

    def _chance(self, share: float) -> bool:
        return share > 0 and self.draw.random() < share

    def delete(self, name: str) -> None:
        """Delete a tag."""
        del self.live[name]
        self.doubles.pop(name, None)
        self.touched.add(name)

    def change(self) -> None:
        """Change something at random."""
        kind = self.draw.choice(["push", "move", "delete"])
        if kind == "push" or not self.live:
            self.push()
        elif kind == "move":
            self.push(self.draw.choice(sorted(self.live)))
        else:
            self.delete(self.draw.choice(sorted(self.live)))

    def answer(self, request: PageRequest) -> Page:
        """Answer one request after whatever happened since the last."""
        while self.draw.random() < self.churn:
            self.change()
        self.requests.append(request)
        rows = self.in_order(newest_first=request.newest_first)
        limit = min(request.limit, self.clamp or request.limit)
        page = rows[request.offset : request.offset + limit]
        total = len(rows) if self.states_total else None
        return Page(page, total, EPOCH + timedelta(seconds=self.second))

    def in_order(self, *, newest_first: bool) -> list[ListedRecord]:
        """All records in the order of one direction."""
        rows = [
            ListedRecord(name, version)
            for listed in (self.live, self.doubles)
            for name, version in listed.items()
        ]
        rows.sort(key=lambda row: crc32(f"{row.key} {newest_first}".encode()))
        rows.sort(key=lambda row: row.version.updated or EPOCH, reverse=newest_first)
        return rows

    def land(self, walk: int, page: Page, kept: Sequence[int]) -> None:
        """Keep what the reading lands."""
        self.landed += [(walk, page.records[place]) for place in kept]

    def run(self, reading: Reading) -> CrawlOutcome:
        """Drive a reading to its end."""
        return self.go_on(reading, next(reading))

    def go_on(self, reading: Reading, request: PageRequest) -> CrawlOutcome:
        """Drive a reading that has begun to its end."""
        try:
            while True:
                request = reading.send(self.answer(request))
        except StopIteration as end:
            outcome: CrawlOutcome = end.value
            return outcome

    def loaded(
        self, outcome: CrawlOutcome, before: Mapping[str, RecordVersion]
    ) -> dict[str, RecordVersion]:
        """What a warehouse that held `before` would hold after loading what was landed."""
        rows = {} if outcome.lists_everything else dict(before)
        for walk, record in self.landed:
            if walk >= outcome.first_walk:
                earlier = rows.get(record.key)
                if earlier is None or not _is_newer(earlier, record.version):
                    rows[record.key] = record.version
        return rows


def _is_newer(version: RecordVersion, than: RecordVersion) -> bool:
    return (version.updated or EPOCH) > (than.updated or EPOCH)


def known_from(rows: Mapping[str, RecordVersion]) -> KnownRecords:
    """What a warehouse holding these rows would tell the next reading."""
    moments = [version.updated for version in rows.values() if version.updated]
    newest = max(moments, default=None)

    def lookup(keys: Collection[str]) -> dict[str, RecordVersion]:
        return {key: rows[key] for key in keys if key in rows}

    return KnownRecords(len(rows), newest, moments.count(newest) if newest else 0, lookup)
