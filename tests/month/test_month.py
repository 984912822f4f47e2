"""A month of scheduled runs through the real daemon, with what goes wrong in a month."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from deployment import Deployment, await_that, deployed
from ingest_site import Site
from tag_requests import repository_of

from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.faults import failing
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.landing.reader import read_crawls

HERE = Path(__file__).resolve().parent
DAYS = 30
KILLED_ON = 15
BROKEN_ON = range(20, 23)
BROKEN = "shop"
Tag = tuple[str, str, str]
State = dict[Tag, str]


def broken(request: Request, response: Response) -> Response:
    """Answer 500 for one namespace."""
    name = repository_of(request)
    is_meant = BROKEN in {request.query.get("namespace"), name and name[0]}
    return failing(500)(request, response) if is_meant else response


def state_of(registry: Registry) -> State:
    """Every live tag and its digest."""
    return {
        (repository["namespace"], repository["name"], tag.name): tag.wire["digest"]
        for repository in registry.repository_records()
        for tag in registry.tags(repository["namespace"], repository["name"])
        if not tag.wire.get("deleted")
    }


def told_by(states: list[State]) -> set[tuple[int, str, Tag, str | None]]:
    """Day, change, tag and digest of every change the runs could see, by going through the days."""
    seen: State = {}
    ever: set[Tag] = set()
    events: set[tuple[int, str, Tag, str | None]] = set()
    for day, state in enumerate(states, 1):
        hidden = BROKEN if day in BROKEN_ON else None
        for tag in sorted({*seen, *state}):
            before, now = seen.get(tag), state.get(tag)
            if tag[0] == hidden or before == now:
                continue
            if now is None:
                events.add((day, "deleted", tag, None))
                del seen[tag]
                continue
            change = "moved" if before else "restored" if tag in ever else "created"
            events.add((day, change, tag, now))
            seen[tag] = now
            ever.add(tag)
    return events


def kill_in_mid_crawl(deployment: Deployment, site: Site, day: int) -> set[tuple[str, str]]:
    """Kill the day's worker when part of its crawl is on disk; tell what of it is."""
    site.server._latency_seconds = 0.4
    await_that(lambda: bool(deployment.runs_of(day)), f"the run of day {day}")
    run_id = deployment.runs_of(day)[0].dagster_run.run_id
    folder = site.directory / "landing" / run_id
    await_that(lambda: any(folder.glob("crawls-*.parquet")), "a part of the crawl")
    os.kill(deployment.worker(run_id), signal.SIGKILL)
    done = read_crawls(folder).to_pylist()
    site.server._latency_seconds = 0
    site.server.log.clear()
    return {(row["namespace"], row["repository"]) for row in done}


def live_a_month(deployment: Deployment, site: Site) -> list[State]:
    """Let the registry move on and the clock strike, day by day; give each day's state."""
    first = datetime.now(UTC).date() - timedelta(days=DAYS)
    states = []
    for day in range(1, DAYS + 1):
        advance_a_day(site.server.registry, first + timedelta(days=day))
        states.append(state_of(site.server.registry))
        site.server.faults = (broken,) if day in BROKEN_ON else ()
        site.server.log.clear()
        deployment.begin(day)
        if day != KILLED_ON:
            deployment.live(day, runs=1)
            continue
        done = kill_in_mid_crawl(deployment, site, day)
        deployment.live(day, runs=2)
        asked = {tuple(path.split("/")[4:7:2]) for path in site.tags_requests()}
        again = {(namespace, name.replace("$", "/")) for namespace, name in asked}
        assert done
        assert not done & again
    return states


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_month_goes_by_without_a_manual_step(tmp_path: Path) -> None:
    """One run is killed, one namespace fails for three days: no overlap, and history is right."""
    began = time.monotonic()
    registry = built_in_registry(datetime.now(UTC).date() - timedelta(days=DAYS))
    with Emulator(registry) as server:
        site = Site(server, tmp_path / "warehouse")
        environment = {
            "SWR_ENDPOINT": server.url,
            "SWR_AUTH_TOKEN": "emulator-token",
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_WAREHOUSE_DIR": str(site.directory),
        }
        definitions = HERE / "month_definitions.py"
        with deployed(tmp_path / "home", definitions, environment) as deployment:
            states = live_a_month(deployment, site)
            records = [run for day in range(1, DAYS + 1) for run in deployment.runs_of(day)]
            await_that(lambda: bool(deployment.alerts), "the alert")
    days = {run.dagster_run.run_id: int(run.dagster_run.tags["day"]) for run in records}
    statuses = [run.dagster_run.status.value for run in records]
    assert statuses == ["SUCCESS"] * (KILLED_ON - 1) + ["FAILURE"] + ["SUCCESS"] * 16
    ends = [(run.start_time or 0.0, run.end_time or 0.0) for run in records]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    published = site.query("from ingest.runs order by as_of")
    assert [days[run["run_id"]] for run in published] == list(range(1, DAYS + 1))
    assert all(a["finished_at"] <= b["started_at"] for a, b in pairwise(published))
    partial = [days[run["run_id"]] for run in published if run["status"] == "partial"]
    assert partial == list(BROKEN_ON)
    full = [days[run["run_id"]] for run in published if run["mode"] == "full"]
    assert full == [7, 14, 21, 28]
    events = site.query("from reports.tag_events")
    found = [
        (
            days[event["run_id"]],
            event["change"],
            (event["namespace"], event["repository"], event["tag"]),
            event["manifest_digest"],
        )
        for event in events
    ]
    assert len(found) == len(set(found))
    assert set(found) == told_by(states)
    live = site.query("from tags")
    assert {
        (row["namespace"], row["repository"], row["tag"]): row["manifest_digest"] for row in live
    } == states[-1]
    (alert,) = deployment.alerts
    assert (alert["job"], alert["will_retry"]) == ("ingest", True)
    print(
        f"{len(records)} runs in {time.monotonic() - began:.0f} s, {len(found)} changes,"
        f" {len(live)} tags"
    )
