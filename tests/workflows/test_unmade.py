"""What an apply did not make is told with its reason; what came right in the end is no failure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_sync.core.events import AssetFailed
from pictify_sync.core.model import Asset, Capabilities, Status
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from tests.core.assets import asset
from tests.workflows.scripted import Scripted
from tests.workflows.service import Customer, cards
from tests.workflows.world import CrowdedStore, ListDesired, PainterProvider, World

HONOURED = Capabilities(max_items=3, requests_per_minute=None, honours_idempotency_key=True)
KEYS = {"m/a@default", "m/b@default", "m/c@default"}


def renders(service: Scripted) -> Counter[str]:
    """How often each value was sent."""
    return Counter(one["v"] for post in service.posts for one in post["variableSets"])


@pytest.mark.parametrize("status", [404, 410])
def test_a_batch_that_is_always_forgotten_is_rendered_once_more_and_told(tmp_path: Path, status: int) -> None:
    """Results that are gone cost one more render, then every picture is a failure with the reason."""
    service = Scripted(HONOURED)
    service.refused = status
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("abc"))
    assert {key for key, _, _ in done.failed} == KEYS
    assert {(code, message) for _, code, message in done.failed} == {
        ("BATCH_LOST", "the provider no longer knows the batch")
    }
    assert set(renders(service).values()) == {2}
    with customer.store() as store:
        records = list(store.records())
        assert {(one.key, one.status, one.failure and one.failure.code) for one in records} == {
            (key, Status.FAILED, "BATCH_LOST") for key in KEYS
        }
    service.refused = 0
    assert customer.apply(cards("abc")).stored == 3
    assert {event.key for event in customer.events if isinstance(event, AssetFailed)} == KEYS


@pytest.mark.parametrize("is_saved", [False, True])
def test_replaced_pictures_whose_batch_is_forgotten_are_failures(tmp_path: Path, is_saved: bool) -> None:
    """The pictures of an earlier apply are still there, but nobody asked for those: with a saved plan, too."""
    service = Scripted(HONOURED)
    customer = Customer(tmp_path, service)
    customer.apply(cards("abc"))
    before = len(service.posts)
    service.refused = 410
    done = customer.apply(cards("abc"), replaces=("*",), is_saved=is_saved)
    assert {(key, code) for key, code, _ in done.failed} == {(key, "BATCH_LOST") for key in KEYS}
    assert done.stored == 0
    assert len(service.posts) - before == (1 if is_saved else 2)


def test_replaced_pictures_of_one_lost_batch_are_made_in_the_same_run(tmp_path: Path) -> None:
    """They alone are rendered once more: those that came well, and those that nobody named, are not."""
    service = Scripted(HONOURED)
    customer = Customer(tmp_path, service)
    customer.apply(cards("abcdefg"))
    before = renders(service)
    service.refused, service.refused_batch = 410, "b4"
    done = customer.apply(cards("abcdefg"), replaces=("m/[a-e]",))
    assert (done.stored, done.failed) == (5, ())
    assert sorted((renders(service) - before).values()) == [1, 1, 2, 2, 2]


def test_a_recovered_batch_that_is_forgotten_counts_as_the_first_render(tmp_path: Path) -> None:
    """An apply that finds the batch of an earlier one gone renders it once more, not twice."""
    service = Scripted(HONOURED)
    customer, desired = Customer(tmp_path, service), cards("abc")
    service.silent_polls = 1_000
    assert customer.apply(desired).stopped
    service.silent_polls, service.refused = 0, 410
    assert len(customer.apply(desired).failed) == 3
    assert set(renders(service).values()) == {2}


def test_a_batch_route_that_is_not_found_fails_every_picture(tmp_path: Path) -> None:
    """A template that is pushed again and again and stays unknown to the route is no success."""
    service = Scripted(HONOURED)
    service.takes, service.created = 404, {"message": "no such route"}
    done = Customer(tmp_path, service).apply(cards("abc"))
    assert {(key, code, message) for key, code, message in done.failed} == {
        (key, "404", "no such route") for key in KEYS
    }
    assert (done.stored, done.billed_max) == (0, 0)
    assert len(service.posts) == 2


def test_what_fails_in_every_round_is_told_once(tmp_path: Path) -> None:
    """A failing picture beside a batch that is lost is tried once more with it, and is one failure."""
    service = Scripted(Capabilities(max_items=2, requests_per_minute=None, honours_idempotency_key=True))

    def fail_first(body: dict[str, Any]) -> None:
        service.refused, service.refused_batch = 410, "b2"
        body["results"][0] = {"index": 0, "success": False, "error": "IMAGE_FETCH_FAILED"}

    service.bend = fail_first
    done = Customer(tmp_path, service).apply(cards("abcd"))
    keys = [key for key, _, _ in done.failed]
    assert len(keys) == len(set(keys)) > 0
    assert max(renders(service).values()) == 2


def test_a_source_that_is_gone_under_a_saved_plan_is_a_failure(tmp_path: Path) -> None:
    """A saved plan is not planned again, so that what it could not move is told."""
    world = World(tmp_path)
    world.apply([asset("a")])
    (tmp_path / "out/m/a.default.png").unlink()
    desired, store = ListDesired([asset("b", value="a")]), world.store()
    done = carry_out(world.ports(desired, store), world.plan(desired, store), lambda _: None)
    assert [(key, code) for key, code, _ in done.failed] == [("m/b@default", "NOT_MADE")]
    assert "was not there" in done.failed[0][2]


def test_failures_of_a_recovered_batch_that_were_made_good_are_none(tmp_path: Path) -> None:
    """The batch of a dead run fails, the same apply renders its pictures: nothing failed."""
    service = Scripted(HONOURED)
    customer, desired = Customer(tmp_path, service), cards("abc")
    service.silent_polls = 1_000
    assert customer.apply(desired).stopped
    service.silent_polls, service.trouble, service.healed_after = 0, httpx.Response(404), 3 * 3
    done = customer.apply(desired)
    assert (done.stored, done.failed, done.stopped, done.in_doubt) == (3, (), None, 0)


@pytest.mark.parametrize("wanted", ["", "b"])
def test_failures_of_a_recovered_batch_that_nobody_wants_any_more_are_none(tmp_path: Path, wanted: str) -> None:
    """What was taken out of the manifests meanwhile did not fail; what is still wanted and fails again is told once."""
    service = Scripted(HONOURED)
    customer = Customer(tmp_path, service)
    service.silent_polls = 1_000
    customer.apply(cards("ab"))
    service.silent_polls, service.trouble = 0, httpx.Response(404)
    done = customer.apply(cards(wanted))
    assert [key for key, _, _ in done.failed] == [f"m/{one}@default" for one in wanted]


def test_what_another_run_has_open_is_waited_for_and_no_failure(tmp_path: Path) -> None:
    """Another apply took the pictures first and is still at it: they are counted as waiting."""
    desired, posted = ListDesired([asset("a"), asset("b")]), []
    world = World(tmp_path)
    other = replace(world.ports(desired, world.store()), stop=lambda: bool(world.provider.posts))

    def go_first() -> None:
        carry_out(other, world.plan(desired, other.store), lambda _: None)
        posted.append(True)

    crowded = CrowdedStore(world.store(), 1, go_first)
    ports = world.ports(desired, crowded, lambda: bool(posted))  # type: ignore[arg-type]
    done = carry_out(ports, world.plan(desired, world.store()), lambda _: None)
    assert (done.waiting, done.failed, world.provider.posts) == (2, (), 1)


def test_what_is_left_when_a_run_stops_is_counted(tmp_path: Path) -> None:
    """A run that is stopped says how much is not made; none of it is called failed."""
    abcd: list[Asset] = [asset(one) for one in "abcd"]
    world = World(tmp_path, PainterProvider(max_open=1))
    desired, store = ListDesired(abcd), world.store()
    ports = world.ports(desired, store, lambda: world.provider.posts >= 1)
    done = carry_out(ports, world.plan(desired, store), lambda _: None, recover(ports))
    assert done.interrupted
    assert (done.left, done.waiting, done.failed) == (2, 2, ())


def test_a_good_apply_leaves_nothing(tmp_path: Path) -> None:
    """Everything made: nothing failed, waits or is left."""
    _, done = World(tmp_path).apply([asset("a"), asset("b")])
    assert done == ApplySummary(stored=2, billed_min=2, billed_max=2)
