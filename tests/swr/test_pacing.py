"""Slots in time are handed out evenly, one to each who asks. Time is the test's own."""

import math
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.pacing import Pacer, SharedSlots
from pipelines.swr.transport import Transport


class Time:
    """A clock that stands still but for sleeps; `late` of them oversleep by so many seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.late: list[float] = []
        self.meanwhile: list[Callable[[], None]] = []

    def clock(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass; who is to ask meanwhile asks first."""
        until = self.now + seconds
        if self.meanwhile:
            self.meanwhile.pop()()
        self.now = max(self.now, until) + (self.late.pop(0) if self.late else 0)


def sent(pacer: Pacer, time: Time, requests: int) -> list[float]:
    """When that many requests are sent, one after the other, in seconds from the beginning."""
    moments = []
    for _ in range(requests):
        pacer.wait()
        moments.append(time.now - 100)
    return moments


@pytest.fixture
def time() -> Time:
    """A time of the test's own."""
    return Time()


@pytest.fixture
def pacer(time: Time) -> Pacer:
    """Sixteen slots a second; binary fractions, so that sums are exact."""
    return Pacer(16, time.clock, time.sleep)


def test_requests_go_evenly_from_the_first_on(pacer: Pacer, time: Time) -> None:
    """No burst at the start."""
    assert sent(pacer, time, 5) == [0, 0.0625, 0.125, 0.1875, 0.25]


def test_less_than_one_a_second(time: Time) -> None:
    """A fraction is a rate like any other."""
    assert sent(Pacer(0.25, time.clock, time.sleep), time, 3) == [0, 4, 8]


def test_a_late_waking_does_not_delay_the_slots_after_it(pacer: Pacer, time: Time) -> None:
    """Slots are where they were: the average keeps to the rate."""
    time.late = [0.125]
    assert sent(pacer, time, 6) == [0, 0.1875, 0.1875, 0.1875, 0.25, 0.3125]


def test_idle_time_is_made_up_for_by_a_fifth_of_a_second_at_most(pacer: Pacer, time: Time) -> None:
    """Slots 0.2, 0.1375, 0.075 and 0.0125 seconds ago, then one every sixteenth."""
    time.now += 50
    moments = sent(pacer, time, 6)
    assert moments[:4] == [50, 50, 50, 50]
    assert moments[4:] == pytest.approx([50.05, 50.1125])


def test_who_slept_through_a_standstill_queues_again(pacer: Pacer, time: Time) -> None:
    """Ten seconds too late: its slot is gone, and so are all but a fifth of a second's."""
    time.late = [10]
    moments = sent(pacer, time, 7)
    assert moments[:5] == [0, 10.0625, 10.0625, 10.0625, 10.0625]
    assert moments[5:] == pytest.approx([10.1125, 10.175])


def test_who_asks_first_goes_first(pacer: Pacer, time: Time) -> None:
    """Another that asks while one sleeps gets the slot after."""
    others: list[float] = []
    time.meanwhile = [lambda: others.extend(sent(pacer, time, 1))]
    pacer.wait()
    pacer.wait()
    assert others == [0.125]
    assert sent(pacer, time, 1) == [0.1875]


def test_no_two_threads_share_a_slot() -> None:
    """Sixteen threads that ask at once, 20 times each: 320 slots, each once."""
    slots: list[float] = []
    begin = threading.Barrier(16)
    pacer = Pacer(16, lambda: 0.0, slots.append)

    def ask() -> None:
        begin.wait()
        for _ in range(20):
            pacer.wait()

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slots) == [number / 16 for number in range(1, 320)]


# Takes slots as fast as it can; an interval is long enough that it lags behind none.
_TAKE = """
import sys, time
from pathlib import Path
from pipelines.swr.pacing import SharedSlots
slots = SharedSlots(Path(sys.argv[1]))
for _ in range(200):
    print(repr(slots.take(time.monotonic(), 0.0625)))
"""


def test_no_two_processes_share_a_slot(tmp_path: Path) -> None:
    """Three take 200 each: every sixteenth of a second one, and none is left out."""
    argv = [sys.executable, "-c", _TAKE, str(tmp_path / "pace")]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    slots = sorted(
        float(line) for process in processes for line in process.communicate()[0].split()
    )
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert slots == pytest.approx([slots[0] + number / 16 for number in range(600)])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "record",
    [b"", b"x", struct.pack("<dd", 0, 1e9), struct.pack("<dd", math.nan, 1e9)],
    ids=["nothing", "too short", "of another start", "no number"],
)
def test_what_another_machine_told_is_not_believed(tmp_path: Path, record: bytes) -> None:
    """Its clock is another one; what is told from now on is."""
    path = tmp_path / "pace"
    path.write_bytes(record)
    now = monotonic()
    assert SharedSlots(path).take(now, 0.5) == now
    assert SharedSlots(path).take(now, 0.5) == now + 0.5


def test_who_has_waited_long_believes_what_others_told(tmp_path: Path) -> None:
    """It asks as of ten seconds ago, as after a standstill; the slot that is taken stays taken."""
    slots = SharedSlots(tmp_path / "pace")
    now = monotonic()
    assert slots.take(now, 0.5) == now
    assert slots.take(now - 10, 0.5) == now + 0.5


def test_where_nothing_can_be_written_slots_are_ones_own(tmp_path: Path) -> None:
    """A file in the place of the directory keeps nobody from reading."""
    (tmp_path / "file").write_text("kept")
    slots = SharedSlots(tmp_path / "file" / "pace")
    assert [slots.take(100, 0.5) for _ in range(3)] == [100, 100.5, 101]
    assert (tmp_path / "file").read_text() == "kept"


def test_clients_of_one_directory_keep_to_one_rate(tmp_path: Path) -> None:
    """Each of two sends a request; the second has the slot after."""
    with Emulator(Registry()) as server:
        given: dict[str, Any] = {
            "endpoint_setting": server.url,
            "auth_token": "emulator-token",
            "warehouse_dir": tmp_path,
            "requests_per_second": 16,
        }
        settings = read_settings(**given)
        slots = []
        for _ in range(2):
            with Transport(settings) as transport:
                client_from(settings, transport).namespaces()
            slots.append(struct.unpack("<dd", (tmp_path / ".requests.pace").read_bytes())[1])
        assert slots[1] - slots[0] >= 1 / 16
        assert len(server.log) == 2
