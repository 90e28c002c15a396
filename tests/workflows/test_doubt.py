"""Batches in doubt where the provider does not honour idempotency keys: quarantine, the ledger, and a person's word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.journal import DoubtPolicy, DoubtRules
from pictify_sync.core.outcomes import BatchRequest, InDoubt, NotSent, Refused, Submission
from pictify_sync.errors import UsageError
from pictify_sync.state.sqlite.store import SqliteStateStore
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.resolve import Resolution, cancel, resolve
from tests.core.assets import asset
from tests.workflows.world import DyingStore, Killed, ListDesired, PainterProvider, World

ABC = [asset("a"), asset("b"), asset("c"), asset("d")]


class ForgetfulProvider(PainterProvider):
    """Ignores idempotency keys, and answers the next POSTs as told: 'lost' renders, but the answer never comes."""

    def __init__(self, *answers: Submission | str) -> None:
        super().__init__(honours_idempotency_key=False, max_open=1)
        self.answers = list(answers)

    def submit(self, request: BatchRequest) -> Submission:
        answer = self.answers.pop(0) if self.answers else "well"
        if isinstance(answer, str):
            accepted = super().submit(replace(request, idempotency_key=f"{self.posts}"))
            return InDoubt("timed out") if answer == "lost" else accepted
        self.posts += 1
        return answer


def run(world: World, rules: DoubtRules | None = None) -> tuple[ApplySummary, ApplySummary]:
    """Recover, plan and apply with the given rules for doubts."""
    desired, store = ListDesired(ABC), world.store()
    ports = replace(world.ports(desired, store), doubt=rules or DoubtRules())
    recovered = recover(ports)
    return recovered, carry_out(ports, world.plan(desired, store), lambda _: None)


def bill(world: World) -> tuple[int, int, int]:
    """(billed at least, the provider's meter, billed at most)."""
    store = world.store()
    assert isinstance(store, SqliteStateStore)
    ledger = store.ledger()
    return ledger.billed_min, sum(world.provider.meter.values()), ledger.billed_max


def test_a_lost_answer_is_waited_for_then_given_up_with_its_cost(tmp_path: Path) -> None:
    """At most one batch is rendered again, and the ledger holds the meter between its bounds."""
    world = World(tmp_path, ForgetfulProvider("lost"))
    _, first = run(world)
    assert first.in_doubt == 1
    assert first.stopped
    early, _ = run(world)
    assert early.in_doubt == 1
    world.clock.time += 3600
    run(world)
    assert world.files() == world.expected(ABC)
    assert world.plan(ListDesired(ABC), world.store()).is_empty
    least, meter, most = bill(world)
    assert least <= meter <= most
    assert meter == 6


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_around_the_post_costs_at_most_one_batch(tmp_path: Path, side: str) -> None:
    """Every commit of an apply, without an honoured key: the next run after the quarantine converges."""
    counting = World(tmp_path / "count", ForgetfulProvider())
    total = DyingStore(counting.store())
    counting.apply(ABC, total)  # type: ignore[arg-type]
    for number in range(1, total.commits + 1):
        world = World(tmp_path / str(number), ForgetfulProvider())
        with pytest.raises(Killed):
            world.apply(ABC, DyingStore(world.store(), **{side: number}))  # type: ignore[arg-type]
        world.clock.time += 3600
        run(world)
        run(world)
        assert world.files() == world.expected(ABC), number
        least, meter, most = bill(world)
        assert least <= meter <= most, number
        assert meter <= len(ABC) + 2, number


def test_held_batches_wait_for_a_person(tmp_path: Path) -> None:
    """With the policy `hold` nothing is rendered again until somebody says so; adopting costs nothing."""
    world = World(tmp_path, ForgetfulProvider("lost"))
    hold = DoubtRules(DoubtPolicy.HOLD)
    run(world, hold)
    world.clock.time += 1e6
    recovered, _ = run(world, hold)
    assert recovered.in_doubt == 1
    session = Session(world.ports(ListDesired(ABC), world.store()))
    attempt = session.store.open_batches()[0].intended.attempt
    with pytest.raises(UsageError):
        resolve(session, "nonsense", Resolution.RESUBMIT)
    resolve(session, attempt, Resolution.ADOPT, "b0")
    run(world, hold)
    run(world, hold)
    assert world.files() == world.expected(ABC)
    assert set(world.provider.meter.values()) == {1}


def test_a_limit_by_the_day_is_left_to_another_run(tmp_path: Path) -> None:
    """Nobody's runner waits until tomorrow: the run stops with its summary, and nothing is lost."""
    world = World(tmp_path, ForgetfulProvider("well", Refused("429", "daily limit", retry_after=80_000.0)))
    start = world.clock.time
    _, done = run(world)
    assert done.stopped == "the provider takes no more batches for 80,000 s: daily limit"
    assert (done.stored, done.failed) == (2, ())
    assert world.clock.time - start < 3600
    run(world)
    assert world.files() == world.expected(ABC)


def test_refusals_free_the_assets_or_fail_them(tmp_path: Path) -> None:
    """A 429 waits and goes on; quota stops the run with nothing lost; a bad request fails its pictures."""
    slow = World(tmp_path / "slow", ForgetfulProvider(Refused("429", "slow down", retry_after=30.0)))
    start = slow.clock.time
    run(slow)
    assert slow.clock.time - start >= 30
    assert slow.files() == slow.expected(ABC)
    broke = World(tmp_path / "broke", ForgetfulProvider("well", Refused("402", "no credits", stops_run=True)))
    _, done = run(broke)
    assert done.stopped == "the provider takes no more batches (402): no credits"
    assert done.stored == 2
    bad = World(tmp_path / "bad", ForgetfulProvider(Refused("400", "bad variables")))
    _, done = run(bad)
    assert len(done.failed) == 2
    assert done.stored == 2


def test_what_was_never_sent_is_sent_again(tmp_path: Path) -> None:
    """A refused connection costs nothing and doubts nothing."""
    world = World(tmp_path, ForgetfulProvider(NotSent("refused"), NotSent("refused")))
    _, done = run(world)
    assert done.stored == 4
    assert bill(world) == (4, 4, 4)


def test_cancel_asks_for_every_open_batch(tmp_path: Path) -> None:
    """An open batch is cancelled at its provider."""
    world = World(tmp_path)
    with pytest.raises(Killed):
        world.apply(ABC, DyingStore(world.store(), after=2))  # type: ignore[arg-type]
    session = Session(world.ports(ListDesired(ABC), world.store()))
    assert [batch.batch_id for batch in cancel(session, None)] == ["b0"]
