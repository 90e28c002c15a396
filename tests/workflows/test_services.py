"""A provider that is moved to another service: what the first one holds is that one's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pictify_sync.core.entries import Abandoned, Settled
from pictify_sync.core.model import Action
from pictify_sync.core.outcomes import Accepted, BatchReport, BatchRequest, Submission
from pictify_sync.errors import UsageError
from pictify_sync.report.terminal.records import Census, StatusFacts, status_lines
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.resolve import Resolution, cancel, resolve
from tests.core.assets import asset
from tests.workflows.world import ListDesired, PainterProvider, World

WANTED = [asset(name) for name in "abc"]


class EmbeddedPainter(PainterProvider):
    """One that works in the process, on a folder of its own."""

    instance = "here"


class Silent(PainterProvider):
    """A service that must not be asked for anything that it did not take."""

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        raise AssertionError("polled for a batch of another service")

    def cancel(self, batch_id: str) -> None:
        raise AssertionError("asked to cancel a batch of another service")


class Other(PainterProvider):
    """An account whose batches have ids of its own."""

    def submit(self, request: BatchRequest) -> Submission:
        accepted = super().submit(request)
        assert isinstance(accepted, Accepted)
        return Accepted(f"other-{accepted.batch_id}")

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        return super().poll(batch_id.removeprefix("other-"), items, layouts)


MOVES = {
    "another account": ("https://one.test", PainterProvider, "https://two.test"),
    "embedded, then an account": ("", EmbeddedPainter, "https://two.test"),
    "an account, then embedded": ("https://one.test", PainterProvider, ""),
}


@pytest.mark.parametrize("case", MOVES)
def test_what_another_service_holds_is_left_alone(tmp_path: Path, case: str) -> None:
    """It is neither polled, settled, cancelled nor given up, and is told in status; back there it is seen through."""
    first, kind, second = MOVES[case]
    world, desired = World(tmp_path, kind(max_open=1, max_items=10)), ListDesired(WANTED)
    world.service, store = first, world.store()
    ports = world.ports(desired, store)
    carry_out(replace(ports, stop=partial(bool, world.provider.meter)), world.plan(desired, store), lambda _: None)
    (opened,) = store.open_batches()
    assert opened.intended.service == first
    there, world.provider, world.service = world.provider, Silent(), second
    world.clock.time += 10 * 86_400
    ports, before = world.ports(desired, store), store.serial()
    assert recover(ports).stored == 0
    plan = world.plan(desired, store)
    assert set(plan.summary.actions) == {Action.AWAIT}
    assert carry_out(ports, plan, lambda _: None).stored == 0
    assert not [entry for _, _, entry in store.entries(before) if isinstance(entry, Settled | Abandoned)]
    with pytest.raises(UsageError, match="is being rendered"):
        cancel(Session(ports), opened.intended.attempt)
    facts = StatusFacts(store.lineage, 1, store.ledger(), services={opened.intended.batch.group.provider: second})
    (line,) = (one.text for one in status_lines(Census(), store.open_batches(), facts) if "Open batch" in one.text)
    assert f"it is at {first or 'an embedded server'}, and the provider is {second or 'embedded'} now" in line
    world.provider, world.service = there, first
    assert recover(world.ports(desired, store)).stored == 3


def test_a_person_may_give_it_up(tmp_path: Path) -> None:
    """After that the service in use renders it."""
    world, desired = World(tmp_path, PainterProvider(max_open=1, max_items=10)), ListDesired(WANTED)
    world.service, store = "https://one.test", world.store()
    ports = world.ports(desired, store)
    carry_out(replace(ports, stop=partial(bool, world.provider.meter)), world.plan(desired, store), lambda _: None)
    (opened,) = store.open_batches()
    world.provider, world.service = Other(), "https://two.test"
    ports = world.ports(desired, store)
    resolve(Session(ports), opened.intended.attempt, Resolution.RESUBMIT)
    assert carry_out(ports, world.plan(desired, store), lambda _: None).stored == 3
