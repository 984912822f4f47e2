"""Slots in time are handed out evenly, one to each who asks. Time is the test's own."""

import threading
from collections.abc import Callable

import pytest

from pipelines.swr.pacing import Pacer


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
