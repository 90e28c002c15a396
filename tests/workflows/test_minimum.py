"""A provider that takes no batch of few items: what is left waits, is told as such, and is rendered with what comes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pictify_sync.core.model import Action, AssetKey, Capabilities, Reason, Status
from pictify_sync.errors import StalePlan
from tests.workflows.scripted import Scripted
from tests.workflows.service import Customer, card, cards
from tests.workflows.world import ListDesired

ALLOWED = Capabilities(min_items=3, max_items=5, max_open=None, requests_per_minute=None)


def sizes(service: Scripted) -> list[int]:
    """Items of the batches that were sent."""
    return [len(post["variableSets"]) for post in service.posts]


def test_no_batch_is_smaller_than_the_least(tmp_path: Path) -> None:
    """The last one takes from the others."""
    service = Scripted(ALLOWED)
    assert Customer(tmp_path, service).apply(cards("abcdefg")).stored == 7
    assert sorted(sizes(service)) == [3, 4]


def test_few_pictures_wait_until_there_are_more(tmp_path: Path) -> None:
    """Nothing is sent and nothing failed; with one more all are rendered in one batch."""
    service = Scripted(ALLOWED)
    customer, desired = Customer(tmp_path, service), cards("ab")
    with customer.store() as store:
        plan = customer.plan(desired, store)
        assert [(one.action, one.reason) for one in plan.changes] == [(Action.AWAIT, Reason.BELOW_MINIMUM)] * 2
        assert (plan.batches, plan.summary.renders, plan.is_empty) == ((), 0, False)
    done = customer.apply(desired)
    assert (done.stored, done.postponed, done.failed, done.waiting, done.stopped) == (0, 2, (), 0, None)
    assert not service.posts
    done = customer.apply(cards("abc"))
    assert (done.stored, done.postponed, sizes(service)) == (3, 0, [3])


def test_few_failures_wait_for_company(tmp_path: Path) -> None:
    """They stay recorded as failed, and are rendered with the next ones."""
    service = Scripted(ALLOWED)

    def fail(body: dict[str, Any]) -> None:
        if body["batchId"] == "b1":
            body["results"][0] = {"index": 0, "success": False, "error": "no"}
            body.update(status="partial", failedItems=1)

    service.bend = fail
    customer = Customer(tmp_path, service)
    assert len(customer.apply(cards("abc")).failed) == 1
    done = customer.apply(cards("abc"))
    assert (done.postponed, done.failed, sizes(service)) == (1, (), [3])
    with customer.store() as store:
        assert [one.key for one in store.records() if one.status is Status.FAILED] == ["m/a@default"]
    assert customer.apply(cards("abcde")).stored == 3
    assert sizes(service) == [3, 3]


class Refusing(ListDesired):
    """Manifests one of whose pictures changed since the plan."""

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        if key == "m/a@default":
            raise StalePlan("its picture changed", keys=(key,), hint="plan again")
        return super().payload(key, variables)


def test_a_batch_that_became_too_small_is_not_sent(tmp_path: Path) -> None:
    """What is left of it waits; what was left out failed."""
    service = Scripted(ALLOWED)
    desired = Refusing(list(cards("abc")), cards("a").templates)
    done = Customer(tmp_path, service).apply(desired)
    assert ([key for key, _, _ in done.failed], done.postponed, sizes(service)) == (["m/a@default"], 2, [])
    assert card("a").key == "m/a@default"
