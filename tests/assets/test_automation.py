"""What begins by itself: schedules, the sensor of namespaces, alerts; on a real instance."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
import stamina.instrumentation
from dagster._utils.error import serializable_error_info_from_exc_info
from ingest_site import AT, Site, manifest, small_registry
from sensed_namespaces import PARTITIONS, look

from assets.defs.schedules import CLEARING, DAILY, WEEKLY
from assets.defs.sensors import run_failures
from pipelines.emulator.faults import failing
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import AlertFailed, SettingsError, SwrUnauthenticated
from pipelines.run.alerts import Alert, post
from pipelines.settings import read_calendar, read_settings

ALERT = Alert("all of it", "ingest", "r1", "what went wrong", will_retry=False)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A small registry that the settings point at."""
    with Emulator(small_registry()) as server:
        monkeypatch.setenv("SWR_ENDPOINT", server.url)
        monkeypatch.setenv("SWR_AUTH_TOKEN", "emulator-token")
        yield server


def test_by_themselves_runs_begin_at_three_in_utc_and_on_sunday_read_everything() -> None:
    """No day has both."""
    told = {schedule.name: schedule.cron_schedule for schedule in (DAILY, WEEKLY, CLEARING)}
    assert told == {
        "daily": "0 3 * * 1,2,3,4,5,6",
        "weekly_full": "0 3 * * 0",
        "clearing_up": "0 3 * * 0",
    }
    assert DAILY.execution_timezone == "UTC"


def test_when_runs_begin_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time zone, time of day, and day of the full run."""
    monkeypatch.setenv("SWR_SCHEDULE_TIME_ZONE", "Asia/Shanghai")
    monkeypatch.setenv("SWR_DAILY_AT", "23:05")
    monkeypatch.setenv("SWR_WEEKLY_FULL_AT", "Wednesday 00:30")
    calendar = read_calendar()
    assert calendar.time_zone == "Asia/Shanghai"
    assert calendar.daily_cron == "5 23 * * 0,1,2,4,5,6"
    assert calendar.weekly_cron == "30 0 * * 3"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SWR_SCHEDULE_TIME_ZONE", "Berlin", "must name a time zone such as Europe/Berlin"),
        ("SWR_SCHEDULE_TIME_ZONE", "../etc", "must name a time zone such as Europe/Berlin"),
        ("SWR_DAILY_AT", "24:00", "must be a time such as 03:00"),
        ("SWR_DAILY_AT", "3", "must be a time such as 03:00"),
        ("SWR_WEEKLY_FULL_AT", "03:00", "must be a day and a time such as sunday 03:00"),
        (
            "SWR_OWNERS",
            "team:platform, nobody",
            "must be teams such as team:platform, or addresses of mail",
        ),
        ("SWR_OWNERS", "team:", "must be teams such as team:platform, or addresses of mail"),
        ("SWR_OWNERS", "me@here", "must be teams such as team:platform, or addresses of mail"),
        ("SWR_WEEKLY_FULL_AT", "day 03:00", "must be a day and a time such as sunday 03:00"),
    ],
)
def test_a_wrong_time_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """By the setting's name and what it should look like."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: {told}$"):
        read_calendar()


def tick(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance) -> str | list[Any]:
    """What a schedule answers: why it skips, or the config of its runs."""
    answer = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    return answer.skip_message or [request.run_config for request in answer.run_requests or []]


def test_without_a_registry_no_run_begins(instance: dg.DagsterInstance) -> None:
    """Trying things out starts nothing that must fail; the skip says what to set."""
    told = "There is no registry to read yet: set SWR_REGION, SWR_ENDPOINT or SWR_REGISTRIES."
    assert tick(DAILY, instance) == tick(WEEKLY, instance) == told


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_run_that_has_not_ended_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: dg.DagsterRunStatus
) -> None:
    """Waiting runs do not pile up."""
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    monkeypatch.setenv("SWR_REGION", "cn-north-4")
    assert tick(DAILY, instance) == [{}]
    assert tick(WEEKLY, instance) == [{"ops": {"crawl": {"config": {"full": True}}}}]
    run = dg.DagsterRun(job_name="ingest", run_id="r1", status=status)
    instance.add_run(run)
    told = f"The run r1 has not ended yet ({status.value.lower()}): the next tick starts one."
    assert tick(DAILY, instance) == tick(WEEKLY, instance) == told
    assert tick(CLEARING, instance) == [{}]


def test_namespaces_come_and_go_with_the_registry(
    instance: dg.DagsterInstance, server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As partitions, each change told by name."""
    del server
    assert look(instance) == "Added data, shop."
    later = Registry()
    for name in ("crew", "shop"):
        later.push(name, "tool", "1", manifest(("t", 1)), at=AT)
    with Emulator(later) as other:
        monkeypatch.setenv("SWR_ENDPOINT", other.url)
        assert look(instance) == "Added crew. Retired data."
        assert look(instance) == "No change: 2 namespaces are visible."
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"crew", "shop"}


def test_a_listing_that_failed_retires_nothing(
    instance: dg.DagsterInstance, server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor says why, and no secret."""
    look(instance)
    server.faults = (failing(503),)
    assert "status 503" in look(instance)
    monkeypatch.setenv("SWR_AUTH_TOKEN", "a-secret-that-is-wrong")
    server.faults = ()
    told = look(instance)
    assert told.startswith("The namespaces could not be listed. GET http://127.0.0.1:")
    assert "a-secret" not in told
    monkeypatch.setenv("SWR_PAGE_SIZE", "many")
    assert look(instance).startswith("The namespaces could not be listed. SWR_PAGE_SIZE: ")
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"data", "shop"}


def test_a_registry_that_shows_nothing_any_more_retires_nothing(
    instance: dg.DagsterInstance, server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permission was lost, more likely than everything deleted."""
    del server
    look(instance)
    with Emulator(Registry()) as other:
        monkeypatch.setenv("SWR_ENDPOINT", other.url)
        assert look(instance).startswith("No namespace is visible any more.")
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"data", "shop"}


class Hook:
    """A webhook on this machine: its answers are given, what it is told is kept."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.taken: list[dict[str, Any]] = []
        self.url = ""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A webhook that the settings name; it takes what comes unless told otherwise."""
    hook = Hook([])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.taken.append(json.loads(body))
            self.send_response(hook.answers.pop(0) if hook.answers else 200)
            self.send_header("Location", hook.url)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        hook.url = f"http://127.0.0.1:{server.server_address[1]}/services/a-secret"
        monkeypatch.setenv("SWR_ALERT_WEBHOOK_URL", hook.url)
        yield hook
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answers", "posts", "error"),
    [([], 1, None), ([500, 429], 3, None), ([404], 1, "status 404"), ([302], 1, "status 302")],
    ids=["taken", "taken later", "refused", "redirected"],
)
def test_an_alert_is_posted_to_the_setting_and_nowhere_else(
    hook: Hook, answers: list[int], posts: int, error: str | None
) -> None:
    """Again if that may help; a redirect is not followed; the URL stays secret."""
    hook.answers = answers
    url = read_settings().alert_webhook_url
    assert url is not None
    if error is None:
        post(url, ALERT)
    else:
        with pytest.raises(AlertFailed, match=error) as failure:
            post(url, ALERT)
        assert "a-secret" not in f"{failure.value!r} {read_settings()!r}"
    told = {
        "text": "all of it",
        "job": "ingest",
        "run_id": "r1",
        "error": "what went wrong",
        "will_retry": False,
    }
    assert hook.taken == [told] * posts


def test_a_webhook_that_is_gone_is_told_without_its_url(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither printed at a retry, which libraries do by themselves, nor in what Dagster stores."""
    monkeypatch.setenv("SWR_ALERT_WEBHOOK_URL", "http://127.0.0.1:1/services/a-secret")
    stamina.instrumentation.set_on_retry_hooks(None)  # as in a process that has done nothing yet
    url = read_settings().alert_webhook_url
    assert url is not None
    try:
        post(url, ALERT)
    except AlertFailed:
        stored = serializable_error_info_from_exc_info(sys.exc_info())
    assert "did not take the alert (ConnectionError)" in stored.message
    assert "a-secret" not in f"{stored} {''.join(capfd.readouterr())}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hooks.example.com/a-secret", "must be https"),
        ("ftp://a-secret", "must be a URL"),
        ("https://[a-secret", "is no URL"),
    ],
)
def test_a_webhook_is_https_or_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    """The error names the setting and not its value."""
    monkeypatch.setenv("SWR_ALERT_WEBHOOK_URL", url)
    with pytest.raises(SettingsError, match=f"^SWR_ALERT_WEBHOOK_URL: {told}") as failure:
        read_settings()
    assert "a-secret" not in str(failure.value)


def failed_run(site: Site, instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    """What the sensor is given after a run that failed."""
    with pytest.raises(SwrUnauthenticated):
        site.ingest_on(instance)
    (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    ends = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    event = ends[0].event_log_entry.dagster_event
    assert event is not None
    return dg.build_run_status_sensor_context(
        "run_failures", event, instance, run
    ).for_run_failure()


def test_a_run_that_failed_is_told_with_its_sentence(
    hook: Hook, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Small JSON, to whoever the setting names."""
    with Emulator(small_registry(), token="another") as server:
        site = Site(server, tmp_path / "warehouse")
        context = failed_run(site, instance)
    assert run_failures(context) is None
    (told,) = hook.taken
    run_id = context.dagster_run.run_id
    assert told["error"].startswith(f"GET {server.url}/v2/manage/namespaces: ")
    assert "credentials were refused" in told["error"]
    assert (told["job"], told["run_id"], told["will_retry"]) == ("ingest", run_id, False)
    assert told["text"] == (
        f"Run {run_id} of ingest failed: {told['error']} See the run's page in Dagster."
    )
    assert "emulator-token" not in json.dumps(told)


def test_without_a_webhook_nobody_is_told(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """And the sensor says so."""
    with Emulator(small_registry(), token="another") as server:
        context = failed_run(Site(server, tmp_path / "warehouse"), instance)
    answer = run_failures(context)
    assert isinstance(answer, dg.SkipReason)
    assert answer.skip_message == "SWR_ALERT_WEBHOOK_URL is not set: nobody is alerted."
