"""Answers that contradict themselves: asked for again, told, and never taken for another batch's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.events import BatchOdd
from pictify_sync.core.model import Capabilities
from pictify_sync.core.outcomes import Accepted, BatchRequest, InDoubt, Submission
from pictify_sync.workflows.apply.driver import MAX_RECHECKS
from tests.workflows.scripted import Scripted
from tests.workflows.service import Customer, cards

ALLOWED = Capabilities(max_items=3)
Bend = Callable[[dict[str, Any]], object]


def repeated(body: dict[str, Any]) -> None:
    """Tell of index 0 once more, with another picture."""
    picture = {**body["results"][0]["results"][0], "url": "http://service.invalid/files/other.png"}
    body["results"].append({**body["results"][0], "results": [picture]})


@pytest.mark.parametrize(
    ("bend", "detail"),
    [
        (lambda body: body.update(totalItems=7), "it counts 7 items, 3 were sent"),
        (lambda body: body.update(totalItems=-3), "totalItems is -3"),
        (lambda body: body.update(failedItems=1), "3 completed and 1 failed are not 3"),
        (lambda body: body.update(completedItems=2, failedItems=1), "it counts 2 as completed, and its results 3"),
        (repeated, "its results have index 0 twice, with different outcomes"),
    ],
)
def test_what_does_not_add_up_is_asked_for_again_and_told(tmp_path: Path, bend: Bend, detail: str) -> None:
    """Three more polls; then each picture counts as it is told, and the run says what was odd."""
    service = Scripted(ALLOWED)
    service.bend = bend
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert (done.stored, len(service.posts), service.polls) == (3, 1, 1 + MAX_RECHECKS)
    assert [event for event in customer.events if isinstance(event, BatchOdd)] == [BatchOdd("b1", detail)]


def test_counts_that_lag_are_waited_for(tmp_path: Path) -> None:
    """They add up at the second poll: nothing is odd."""
    service = Scripted(ALLOWED)
    service.bend = lambda body: body.update(completedItems=1) if service.polls < 2 else None
    customer = Customer(tmp_path, service)
    assert customer.apply(cards("abc")).stored == 3
    assert service.polls == 2
    assert not any(isinstance(event, BatchOdd) for event in customer.events)


def test_the_results_of_another_batch_are_not_taken(tmp_path: Path) -> None:
    """No picture of it is stored; the batch stays open, and is asked for by the next apply."""
    service = Scripted(ALLOWED)
    service.bend = lambda body: body.update(batchId="b9")
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert done.stored == 0
    assert done.stopped is not None
    assert "about b9" in done.stopped
    service.bend = lambda body: None
    assert customer.apply(cards("abc")).stored == 3
    assert len(service.posts) == 1


def test_pictures_nobody_tells_of_may_have_been_billed(tmp_path: Path) -> None:
    """The ledger says so: at least those that were told, at most all."""
    service = Scripted(ALLOWED)
    service.bend = lambda body: body.update(results=body["results"][:1], totalItems=None, completedItems=None)
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert (done.stored, done.billed_min, done.billed_max) == (1, 1, 3)
    with customer.store() as store:
        assert (store.ledger().billed_min, store.ledger().billed_max) == (1, 3)


def test_a_batch_that_failed_as_a_whole_says_why(tmp_path: Path) -> None:
    """Its reason is that of every picture it does not tell of, and it is not asked for again."""
    service = Scripted(ALLOWED)
    whole = {"status": "failed", "completedItems": 0, "failedItems": 3, "results": []}
    service.bend = lambda body: body.update(whole, error="TEMPLATE_GONE: the template was deleted")
    done = Customer(tmp_path, service).apply(cards("abc"))
    assert {failure[1:] for failure in done.failed} == {("TEMPLATE_GONE", "the template was deleted")}
    assert (done.billed_max, service.polls) == (0, 1)


@pytest.mark.parametrize(
    ("answer", "submission"),
    [
        ({"batchId": 17}, Accepted("17")),
        ({"data": {"batchId": "b"}}, Accepted("b")),
        ({"batchId": "b" * 5_000}, InDoubt("status 202 with a batch id that no URL can name")),
        ({"batchId": ".."}, InDoubt("status 202 with a batch id that no URL can name")),
        ({"batchId": "a\nb"}, InDoubt("status 202 with a batch id that no URL can name")),
        ({"batchId": ""}, InDoubt("status 202 without a batch id")),
        ({"batchId": True}, InDoubt("status 202 without a batch id")),
    ],
)
def test_ids_of_odd_kinds(answer: dict[str, Any], submission: Submission) -> None:
    """A number is an id too; what cannot be asked for is none."""
    service = Scripted(ALLOWED)
    service.created = answer
    asset = next(iter(cards("a")))
    request = BatchRequest("T1", ({"v": "a"},), ("default",), asset.spec.format, "{}", "k")
    assert service.provider.submit(request) == submission
