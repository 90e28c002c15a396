"""How long an apply takes beside what the server's limits allow, on a clock that passes only when somebody waits."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.model import Capabilities
from pictify_sync.core.schedule import Progress, poll_after
from tests.workflows.memory import MemoryArtifacts
from tests.workflows.service import START, Asked, Customer, Service, cards

PRO = Capabilities(max_items=100, max_open=3, requests_per_minute=300)
LATENCY = 0.1  # seconds of each request
WINDOW = 60.0  # seconds
ITEMS = 2000


def applied(folder: Path, service: Service, items: int) -> float:
    """Apply so many items, of which each must be rendered and published once; gives the seconds that it took."""
    folder.mkdir(exist_ok=True)
    artifacts = MemoryArtifacts()
    done = Customer(folder, service, artifacts).apply(cards(f"{n:05}" for n in range(items)))
    seconds = service.clock.time - START
    assert (done.stored, done.failed, done.stopped) == (items, (), None)
    assert len(artifacts.files) == items
    assert len(service.meter()) == len(set(service.meter())) == items
    return seconds


def check_pro(folder: Path, seconds: float) -> None:
    """Twenty batches of 100, three at once: within 1.1 times what they must take, and one interval of polls."""
    service = Service(folder / "server", PRO, latency=LATENCY, plan="pro", batch_seconds=seconds)
    try:
        took = applied(folder, service, ITEMS)
    finally:
        service.close()
    waves = ceil(ITEMS / PRO.max_items / 3)
    assert took <= 1.1 * waves * seconds + PRO.poll_seconds, seconds
    assert {line.status for line in service.log} <= {200, 201, 202}


@pytest.mark.parametrize("seconds", [5, pytest.param(30, marks=pytest.mark.full), 120])
def test_three_open_batches_are_kept_busy(tmp_path: Path, seconds: int) -> None:
    """2,000 items at a server with the limits of the plan Pro."""
    check_pro(tmp_path, seconds)


@pytest.mark.full
def test_three_open_batches_are_kept_busy_however_long_a_batch_takes(tmp_path: Path) -> None:
    """Also where the batches end between two polls."""
    for seconds in (0.5, 1, 1.7, 2, 3, 4, 4.9, 5.1, 6, 7, 8.5, 9.9, 12, 17, 23, 33, 47, 61, 89, 121, 300, 900):
        check_pro(tmp_path / str(seconds), seconds)


def check_minutes(log: list[Asked], limit: int) -> None:
    """No minute of the server's log holds more requests than allowed."""
    times = [line.at for line in log]
    for number, at in enumerate(times):
        assert bisect_left(times, at + WINDOW - 1e-6) - number <= limit, at - START


def idle(log: list[Asked], limit: int, until: float) -> float:
    """The longest time up to then in which a request could have been made and was not, in seconds.

    One may leave when the last was answered, and when fewer than the limit were made in the minute before.
    """
    times = [line.at for line in log if line.at <= until]
    allowed = (max(times[n - 1], times[n - limit] + WINDOW if n >= limit else 0.0) for n in range(1, len(times)))
    return max(at - first for at, first in zip(times[1:], allowed, strict=True))


@pytest.mark.parametrize(
    ("max_open", "seconds"),
    [(None, 5), pytest.param(10, 2, marks=pytest.mark.full), pytest.param(None, 90, marks=pytest.mark.full)],
)
def test_the_rate_is_used_up_and_never_exceeded(tmp_path: Path, max_open: int | None, seconds: float) -> None:
    """Where requests are what is scarce, sixty leave in every minute for as long as a batch waits to be sent.

    With ten batches open there is nothing to ask for until one of them can be over, at the start.
    """
    allowed = Capabilities(max_items=10, max_open=max_open, requests_per_minute=60)
    service = Service(tmp_path / "server", allowed, latency=LATENCY, batch_seconds=seconds)
    try:
        took = applied(tmp_path, service, ITEMS // 2)
    finally:
        service.close()
    log = service.log
    check_minutes(log, 60)
    creates = [line.at for line in log if line.path.endswith("/batch-render")]
    assert len(creates) == ITEMS / 2 / 10
    assert idle(log, 60, creates[-1]) <= (2 * LATENCY + 0.01 if max_open is None else seconds / 2)
    assert took <= ceil(len(log) / 60) * WINDOW


@given(st.integers(1, 1000), st.floats(0.1, 300), st.floats(1, 60), st.integers(1, 20), st.sampled_from([None, 60]))
def test_a_poll_comes_in_time(items: int, seconds: float, interval: float, flights: int, rate: int | None) -> None:
    """A batch that goes on evenly is found over within a tenth of its time, or of the interval, or its share of rate.

    While it has shown few items, its end is guessed no better than they tell. No two polls are farther apart than the
    interval, where the share allows it.
    """
    allowed = Capabilities(poll_seconds=interval, requests_per_minute=rate)
    share = 60 * flights / rate if rate else 0.0
    at = moved = 0.0
    done = polls = seen = 0
    while at < seconds:
        seen = done
        wait = poll_after(Progress(items, done, at, at - moved, polls, None), allowed, flights)
        assert interval / 10 <= wait <= max(interval, share)
        at, polls = at + wait, polls + 1
        if done != (now := min(items, int(at / seconds * items))):
            done, moved = now, at
    guess = min(interval, seconds / seen) if seen else 0.0
    assert at - seconds <= max(guess, seconds / 10, interval / 10, share) + 1e-6
