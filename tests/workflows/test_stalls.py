"""Batches that do not end, and batches that may not be asked for: cancelled or left, told, and finished later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.events import BatchLost
from pictify_sync.core.journal import certain_at
from pictify_sync.core.model import Capabilities
from tests.workflows.scripted import Scripted
from tests.workflows.service import START, Customer, cards

STALL_SECONDS, ITEM_SECONDS = 1800.0, 60.0  # unless capabilities say otherwise
DAY = 86_400.0
ALLOWED = Capabilities(max_items=3, requests_per_minute=None)


def stalls(service: Scripted, body: dict[str, Any], told: int = 1) -> None:
    """The first batch tells of some pictures and goes no further; when cancelled it ends."""
    if body["batchId"] == "b1":
        word = "cancelled" if service.cancelled else "processing"
        body.update(status=word, results=body["results"][:told], completedItems=told)


@pytest.mark.parametrize("cancels", [200, 500, 403])
def test_a_stalled_batch_is_cancelled_and_its_rest_is_made_in_the_same_apply(tmp_path: Path, cancels: int) -> None:
    """What it made is kept; a cancel that is answered badly is a request all the same."""
    service = Scripted(ALLOWED)
    service.cancels = cancels
    service.bend = lambda body: stalls(service, body)
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert (done.stored, done.failed, done.stopped) == (3, (), None)
    assert service.cancelled == ["b1"]
    assert [len(post["variableSets"]) for post in service.posts] == [3, 2]
    assert STALL_SECONDS <= service.clock.time - START < STALL_SECONDS + 60


def test_a_batch_that_creeps_is_cancelled_at_its_deadline(tmp_path: Path) -> None:
    """An item now and then is no reason to wait for ever; the deadline grows with the items."""
    service = Scripted(Capabilities(max_items=100, requests_per_minute=None))

    def creep(body: dict[str, Any]) -> None:
        stalls(service, body, told=int((service.clock.time - START) / (STALL_SECONDS * 0.9)))

    service.bend = creep
    done = Customer(tmp_path, service).apply(cards(map(str, range(10, 30))))
    assert (done.stored, done.stopped, service.cancelled) == (20, None, ["b1"])
    deadline = STALL_SECONDS + 20 * ITEM_SECONDS
    assert deadline <= service.clock.time - START < deadline + 60


def test_a_batch_that_ends_at_no_price_is_left_open(tmp_path: Path) -> None:
    """The run says so and ends; nothing is sent again."""
    service = Scripted(ALLOWED)
    service.bend = lambda body: body.update(status="somewhat")
    done = Customer(tmp_path, service).apply(cards("abc"))
    assert done.stopped is not None
    assert "does not end although it was cancelled" in done.stopped
    assert len(service.posts) == 1


SLOW = Capabilities(
    max_items=3,
    requests_per_minute=None,
    poll_seconds=900.0,
    stall_seconds=2 * DAY,
    item_seconds=DAY,
    turnaround_seconds=3 * DAY,
)


def waits(service: Scripted, body: dict[str, Any], seconds: float) -> None:
    """A batch tells nothing at all until so many seconds are over."""
    if service.clock.time - START < seconds:
        body.update(status="pending", results=[], completedItems=0)


def test_a_slow_batch_is_waited_for_as_long_as_its_provider_may_take(tmp_path: Path) -> None:
    """It shows nothing for a day, and is neither cancelled nor given up nor asked for again and again."""
    service = Scripted(SLOW)
    service.bend = lambda body: waits(service, body, DAY)
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert (done.stored, done.failed, done.stopped) == (3, (), None)
    assert (service.cancelled, len(service.posts)) == ([], 1)
    assert DAY <= service.clock.time - START <= DAY + SLOW.poll_seconds
    assert service.polls < 200
    assert not [event for event in customer.events if isinstance(event, BatchLost)]


def test_a_slow_batch_of_a_run_that_was_stopped_is_taken_up_by_the_next(tmp_path: Path) -> None:
    """A day later it is still the same batch, sent and billed once."""
    service = Scripted(SLOW)
    service.bend = lambda body: waits(service, body, DAY)
    customer, desired = Customer(tmp_path, service), cards("abc")
    customer.stop = lambda: service.clock.time - START > DAY / 2
    first = customer.apply(desired)
    assert (first.interrupted, first.stored, first.waiting) == (True, 0, 3)
    customer.stop = lambda: False
    assert customer.apply(desired).stored == 3
    assert (service.cancelled, len(service.posts)) == ([], 1)


def test_a_slow_batch_is_cancelled_once_its_time_is_over(tmp_path: Path) -> None:
    """What its provider promised decides, not what others do."""
    service = Scripted(SLOW)
    service.bend = lambda body: stalls(service, body, told=int((service.clock.time - START) / DAY))
    done = Customer(tmp_path, service).apply(cards("abcd"))
    assert (done.stored, done.stopped, service.cancelled) == (4, None, ["b1"])
    assert 2 * DAY <= service.clock.time - START < 4 * DAY


@pytest.mark.parametrize("status", [401, 402, 403, 422])
def test_a_batch_that_may_not_be_asked_for_is_left_open(tmp_path: Path, status: int) -> None:
    """The run ends as one that was stopped, with its summary; the next one finishes the batch."""
    service = Scripted(ALLOWED)
    customer, desired = Customer(tmp_path, service), cards("abc")
    service.refused = status
    done = customer.apply(desired)
    assert done.stopped is not None
    assert "not yours" in done.stopped
    service.refused = 0
    assert customer.apply(desired).stored == 3
    assert len(service.posts) == 1


def test_a_batch_that_is_not_known_right_after_it_was_taken_is_not_sent_again(tmp_path: Path) -> None:
    """No apply sends it again while it may only be late; once that is over it is given up, told, and made anew."""
    service = Scripted(ALLOWED)
    customer, desired = Customer(tmp_path, service), cards("abc")
    service.refused = 404
    for _ in range(2):
        done = customer.apply(desired)
        assert "does not know batch b1" in (done.stopped or "")
        assert len(service.posts) == 1
    service.clock.time = certain_at(START, ALLOWED, customer.doubt) + 60
    service.refused_batch = "b1"
    done = customer.apply(desired)
    assert (done.stored, done.stopped, len(service.posts)) == (3, None, 2)
    assert (done.billed_min, done.billed_max) == (3, 6)
    assert [event.pictures for event in customer.events if isinstance(event, BatchLost)] == [3]
