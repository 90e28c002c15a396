"""The bucket: never more requests in a minute than allowed, never a wait that was not needed."""

from __future__ import annotations

import threading
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.providers.transport.rate import (
    LONGEST_TURN,
    WINDOW,
    Rate,
    RateHints,
    Throttled,
    limits_told,
    wait_told,
)
from tests.providers.clock import FakeClock

START = FakeClock().time
latencies = st.sampled_from([0.0, 0.01, 0.4, 3.0, 70.0])
pauses = st.sampled_from([0.0, 0.0, 0.0, 0.5, 7.0, 59.0, 61.0, 200.0])


def run(rate: Rate, clock: FakeClock, plan: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Make requests, each after a pause, answered after a latency; gives (wanted at, sent at, answered at)."""
    times = []
    for pause, latency in plan:
        clock.time += pause
        wanted = clock.time
        with rate.turn():
            sent = clock.time
            clock.time += latency
        times.append((wanted, sent, clock.time))
    return times


@given(st.integers(1, 12), st.lists(st.tuples(pauses, latencies), min_size=1, max_size=60))
def test_never_exceeds_and_never_idles(limit: int, plan: list[tuple[float, float]]) -> None:
    """No minute of the provider holds more than the limit, and whoever waited could not have gone earlier.

    It does not matter where in its latency a request arrived: the minute before a wait was full.
    """
    clock = FakeClock()
    times = run(Rate(clock, limit), clock, plan)
    for number, (wanted, sent, _) in enumerate(times):
        if number >= limit:
            assert sent >= times[number - limit][2] + WINDOW  # the limit-th before was answered a minute ago
        if sent > wanted:
            assert sent == times[number - limit][2] + WINDOW


@pytest.mark.parametrize("limit", [60, 300, 1000])
def test_a_plan_is_used_up(limit: int) -> None:
    """Ten minutes of a plan hold exactly ten times its requests."""
    clock = FakeClock()
    rate = Rate(clock, limit)
    sent = 0
    while clock.time < START + 10 * WINDOW:
        with rate.turn():
            sent += clock.time < START + 10 * WINDOW
    assert sent == 10 * limit


def test_without_a_limit_nothing_waits() -> None:
    """Where no limit is known, requests leave at once."""
    clock = FakeClock()
    run(Rate(clock, None), clock, [(0, 0)] * 5000)
    assert clock.slept == []


def test_told_waits_are_kept() -> None:
    """After a 429 with a time nothing leaves before it, and the first request leaves right then."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    rate.learn(RateHints(refused=True, wait=7.0))
    ((_, sent, _),) = run(rate, clock, [(0, 0)])
    assert sent == START + 7.0


def test_wordless_refusals_back_off() -> None:
    """429 without a time: 1, 2, 4, ... 30 seconds, and from the start again after any other answer."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    waits = []
    for refused in (True, True, True, True, True, True, True, False, True):
        rate.learn(RateHints(refused=refused))
        before = clock.time
        run(rate, clock, [(0, 0)])
        waits.append(clock.time - before)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 0, 1]


def test_too_many_open_batches_stop_no_polls() -> None:
    """A wordless 429 to a create may be about open batches: polls go on, or they would never end."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    rate.learn(RateHints(refused=True, creates=True))
    run(rate, clock, [(0, 0)])
    assert clock.slept == []


def test_long_waits_are_the_callers() -> None:
    """A wait of more than two minutes raises, with nothing sent, and is over when it is over."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    rate.learn(RateHints(refused=True, wait=3600.0))
    with pytest.raises(Throttled) as caught, rate.turn():
        raise AssertionError
    assert caught.value.seconds == 3600
    assert clock.slept == []
    run(rate, clock, [(3600 - LONGEST_TURN, 0)])
    assert clock.time == START + 3600


def test_a_told_limit_is_learned() -> None:
    """X-RateLimit-Limit counts up and down, but never above what the user set, and not where it is about a day."""
    for told, most, reset, expected in [
        (300, None, 60, 300),
        (20, None, 60, 20),
        (300, 60, 60, 60),
        (20, 60, 60, 20),
        (1000, None, 80_000, 60),
        (300, None, None, 300),
    ]:
        rate = Rate(FakeClock(), 60, most=most)
        rate.learn(RateHints(limit=told, reset=None if reset is None else START + reset))
        assert rate.limit == expected


def test_others_use_the_account_too() -> None:
    """When fewer requests are left than we think, only those are made until the reset."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    with rate.turn():
        rate.learn(RateHints(remaining=3, reset=START + 40))
    times = run(rate, clock, [(0, 0)] * 5)
    assert [sent - START for _, sent, _ in times] == [0, 0, 0, 40, 40]


def test_nothing_left_waits_for_the_reset() -> None:
    """A 429 with nothing remaining and no Retry-After waits until the reset."""
    clock = FakeClock()
    rate = Rate(clock, 60)
    rate.learn(RateHints(refused=True, remaining=0, reset=START + 33))
    assert run(rate, clock, [(0, 0)])[0][1] == START + 33


def test_a_lower_limit_is_guessed_and_forgotten() -> None:
    """A wordless 429 after 20 requests in a minute means about 20; the guess grows back to the plan's limit.

    One about creating says nothing of it: too many batches may be open.
    """
    clock = FakeClock()
    rate = Rate(clock, 60)
    run(rate, clock, [(0, 0)] * 20)
    with rate.turn():
        rate.learn(RateHints(refused=True, creates=True))
    assert rate.limit == 60
    clock.time += 1
    with rate.turn():
        rate.learn(RateHints(refused=True))
    assert rate.limit == 21
    run(rate, clock, [(0.5, 0)] * 2000)
    assert rate.limit == 60


class Server:
    """A bucket on the other side, as the documentation may mean it: refuses what exceeds."""

    def __init__(self, clock: FakeClock, limit: int, *, fixed: bool) -> None:
        self.clock, self.limit, self.fixed = clock, limit, fixed
        self.taken: list[float] = []
        self.refused = 0

    def ask(self) -> RateHints:
        now = self.clock.time
        since = now - now % 60 if self.fixed else now - 60
        used = sum(one > since or (self.fixed and one == since) for one in self.taken)
        if used >= self.limit:
            self.refused += 1
            return RateHints(refused=True)
        self.taken.append(now)
        return RateHints()


@given(st.integers(1, 30), st.booleans(), st.lists(st.floats(0, 3), min_size=30, max_size=120))
def test_no_server_of_that_limit_refuses(limit: int, fixed: bool, gaps: list[float]) -> None:
    """Whether a server counts sliding or calendar minutes, it never has to refuse."""
    clock = FakeClock()
    rate, server = Rate(clock, limit), Server(clock, limit, fixed=fixed)
    for gap in gaps:
        clock.time += gap
        with rate.turn():
            rate.learn(server.ask())
    assert server.refused == 0


def test_a_clock_set_back_does_not_stop_it() -> None:
    """When the machine's clock jumps back by a day, tokens return within a minute all the same."""
    clock = FakeClock()
    rate = Rate(clock, 2)
    run(rate, clock, [(0, 0)] * 2)
    clock.set_ahead -= 86_400
    before = clock.time
    run(rate, clock, [(0, 0)])
    assert clock.time - before <= WINDOW


def test_threads_share_a_bucket() -> None:
    """Many threads together make no more requests than allowed."""
    clock = FakeClock()
    rate = Rate(clock, 50)
    gone = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal gone
        for _ in range(5):
            with rate.turn(), lock:
                gone += 1

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gone == 50
    assert clock.slept == []


def test_headers_are_read_in_every_form() -> None:
    """Reset in unix seconds, milliseconds or seconds from now; nonsense is nothing."""
    named = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{int(START) + 20}"}
    assert limits_told(named, START) == (60, 0, START + 20)
    assert limits_told({"x-ratelimit-reset": f"{int(START) + 20}000"}, START)[2] == START + 20
    assert limits_told({"x-ratelimit-reset": "20"}, START)[2] == START + 20
    assert limits_told({"x-ratelimit-limit": "many", "x-ratelimit-reset": "-5"}, START) == (None, None, None)


@given(st.text(), st.floats(), st.text())
def test_any_header_is_survived(text: str, number: float, date: str) -> None:
    """Whatever stands in a header or a body, a wait is nothing or between 0 and a day."""
    for headers, body in [
        ({"retry-after": text}, None),
        ({"retry-after": date}, None),
        ({}, {"retryAfter": number}),
        ({}, {"retry_after": text}),
        ({"retry-after": formatdate(1e9)}, None),
    ]:
        told = wait_told(headers, body, START)
        assert told is None or 0 <= told <= 86_400
    limits_told({"x-ratelimit-limit": text, "x-ratelimit-remaining": date, "x-ratelimit-reset": str(number)}, START)
