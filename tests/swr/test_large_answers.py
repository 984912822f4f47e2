"""Answers have a size, and what is held of them at a time is bounded whatever the concurrency."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from checkout import ROOT
from ingest_site import AT
from rare_faults import altered_records
from watched_registry import small_image
from wrong_answers import TOKEN, answering, bomb, packed, wrong_registry

from pipelines.emulator.messages import Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SwrAnswerTooLarge
from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.json_parts import TooMuch, array_elements, object_members
from pipelines.swr.large_answers import LargeAnswers
from pipelines.swr.paging import PageRequest
from pipelines.swr.transport import Transport

NEWEST = PageRequest(0, 10, newest_first=True)
MB = 2**20
# Reads the registry at an address with a bound on its memory.
_READER = """
import resource, sys
from pathlib import Path
from pipelines.run.ingest import ingest_without_reports
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
url, token, directory, most = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_DATA, (int(most), int(most)))
settings = read_settings(
    endpoint_setting=url, auth_token=token, warehouse_dir=Path(directory),
    requests_per_second=0, concurrency=16,
)
ingest_without_reports(settings, RunRequest("one", full=False, scope=Scope()), NoProgress())
"""


def test_large_answers_wait_for_one_another_and_small_ones_do_not() -> None:
    """One thread has the right to a large one until it gives it back."""
    large = LargeAnswers(10)
    held = 0
    most = 0

    def hold() -> None:
        nonlocal held, most
        large.admit(10)
        large.admit(11)
        large.admit(5000)
        held += 1
        most = max(most, held)
        time.sleep(0.01)
        held -= 1
        large.release()
        large.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: hold(), range(20)))
    assert most == 1
    large.admit(11)
    passing = threading.Thread(target=large.admit, args=(10,))
    passing.start()
    passing.join(5)
    assert not passing.is_alive()


def test_waiting_for_another_large_answer_costs_no_time_of_the_own_one() -> None:
    """It arrives whole though it was left waiting for longer than an answer may take."""
    body = b"[" + b" " * (24 * MB) + b"]"
    with Emulator(Registry(), fault=lambda _: Response(200, {}, body)) as server:
        settings = read_settings(
            endpoint_setting=server.url,
            auth_token="emulator-token",
            timeout_seconds=0.4,
            concurrency=32,
        )
        with Transport(settings) as transport, ThreadPoolExecutor(1) as pool:
            transport._large.admit(100 * MB)
            client = client_from(settings, transport)
            page = pool.submit(client.tag_page, "team", "app", NEWEST)
            time.sleep(2.5)
            transport._large.release()
            assert page.result(10).records == []
        assert len(server.log) == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" + b" " * MB + b"]", {}),
        (bomb(2), {"Content-Encoding": "gzip"}),
    ],
    ids=["plain", "packed"],
)
def test_an_answer_that_is_too_large_fails_at_once(body: bytes, headers: dict[str, str]) -> None:
    """It is not asked for again, and the sentence names the setting."""
    with Emulator(Registry(), fault=lambda _: Response(200, headers, body)) as server:
        settings = read_settings(
            endpoint_setting=server.url, auth_token="emulator-token", max_answer_mb=1
        )
        with Transport(settings) as transport, pytest.raises(SwrAnswerTooLarge) as error:
            client_from(settings, transport).tag_page("team", "app", NEWEST)
        assert len(server.log) == 1
    assert str(error.value) == (
        f"GET {server.url}/v2/manage/namespaces/team/repos/app/tags:"
        " the answer is larger than 1 MB; see SWR_MAX_ANSWER_MB (status 200)"
    )


def test_an_answer_of_the_largest_size_is_read() -> None:
    """To the byte."""
    body = b"[" + b" " * (MB - 2) + b"]"
    with Emulator(Registry(), fault=lambda _: Response(200, {}, body)) as server:
        settings = read_settings(
            endpoint_setting=server.url, auth_token="emulator-token", max_answer_mb=1
        )
        with Transport(settings) as transport:
            assert client_from(settings, transport).tag_page("team", "app", NEWEST).records == []


def test_a_large_page_is_read_whatever_one_of_its_records_is() -> None:
    """No decoder takes the page at once, for half of a surrogate pair."""
    large = b'{"Tag":"v1","manifest":"' + b'{\\"layers\\":[]},' * (5 * MB // 4) + b'"}'
    half = b'{"Tag":"half \\ud83d","id":7}'
    body = b"[%b,%b,%b]" % (large, half, large)
    with Emulator(Registry(), fault=lambda _: Response(200, {}, body)) as server:
        settings = read_settings(endpoint_setting=server.url, auth_token="emulator-token")
        with Transport(settings) as transport:
            page = client_from(settings, transport).tag_page("team", "app", NEWEST)
    assert [record.key for record in page.records] == ["v1", "#7", "v1"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" + b"0," * 100_000 + b"0]", "it has more than 100,000 parts"),
        (b"[" + b"{}," * 1_200_000 + b"{}]", "it has more than 100,000 parts"),
        (b"[" + b"[]," * 1_200_000 + b"x]", "it has more than 100,000 parts"),
        (b"[" * 1_000_001, "it is nested more than 1,000,000 deep"),
        (b"[" * (40 * MB), "it is nested more than 1,000,000 deep"),
    ],
)
def test_a_text_of_too_many_parts_is_refused(body: bytes, why: str) -> None:
    """Before memory is spent on them."""
    with pytest.raises(TooMuch, match=why):
        array_elements(body)


def test_a_hundred_thousand_parts_are_borne() -> None:
    """In an array and in an object, and an array of large objects whatever is in them."""
    assert len(array_elements(b"[" + b"0," * 99_999 + b"0]")) == 100_000
    large = b'{"a":[' + b"0," * 600_000 + b"0]}"
    assert array_elements(b"[%b,%b]" % (large, large)) == [large, large]
    members = b",".join(b'"%d":0' % number for number in range(100_001))
    with pytest.raises(TooMuch, match="more than 100,000 parts"):
        object_members(b"{%b}" % members)


# Records of 100 MB, within the largest answer, by what is large in them; and four of 24 MB.
_HUGE = 100 * MB
_LARGE_RECORDS: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "padded": lambda record: record | {"manifest": str(record["manifest"]).ljust(_HUGE)},
    "parts": lambda record: record | {"manifest": '{"layers":[' + "0," * (_HUGE // 2) + "0]}"},
    "named": lambda record: record | {"Tag": "v" * _HUGE},
    "four": lambda record: record | {"manifest": '{"layers":[' + "0," * (12 * MB) + "0]}"},
}
_FOUND = """
    select repository, status, reason, length(record), count(tag)
    from ingest.crawls
    left join ingest.rejected_records using (namespace, repository)
    left join tags using (namespace, repository)
    group by all
    order by all
"""


def test_large_records_do_not_take_the_memory_of_a_run(tmp_path: Path) -> None:
    """What is too large is set aside with a sentence and its beginning; the rest is read."""
    registry = Registry()
    for name in _LARGE_RECORDS:
        for number in range(4 if name == "four" else 1):
            registry.push("shop", name, f"v{number}", small_image(number), at=AT)

    def enlarge(text: bytes) -> bytes:
        record = json.loads(text)
        repository = record["path"].rpartition("/")[2].partition(":")[0]
        return json.dumps(_LARGE_RECORDS[repository](record)).encode()

    with Emulator(registry, faults=[altered_records(enlarge)]) as server:
        read_within(1024 * MB, server.url, "emulator-token", tmp_path)
    why = "the record is larger than 32 MB"
    with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True) as con:
        assert con.execute(_FOUND).fetchall() == [
            ("four", "complete", None, None, 4),
            ("named", "complete", why, MB, 0),
            ("padded", "complete", why, MB, 0),
            ("parts", "complete", why, MB, 0),
        ]


def read_within(most: int, url: str, token: str, directory: Path) -> None:
    """Read a registry in a process that may have so many bytes of memory."""
    command = [sys.executable, "-W", "ignore", "-c", _READER, url, token, str(directory), str(most)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_bombs_do_not_take_the_memory_of_a_run(tmp_path: Path) -> None:
    """Each costs its repository; eight at once would take twice what the process may."""
    sent = packed(bomb(300))
    names = [f"bomb{number}" for number in range(8)]
    with answering(
        wrong_registry(names),
        lambda request: (lambda _: [sent]) if "wrong" in request.segments[3:4] else None,
    ) as url:
        read_within(1024 * MB, url, TOKEN, tmp_path)
    with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True) as con:
        con.execute("select status, count(*) from ingest.crawls group by all order by all")
        assert con.fetchall() == [("complete", 3), ("failed", 8)]
