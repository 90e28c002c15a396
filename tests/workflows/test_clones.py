"""Runs of several clones on one state, each clone with an embedded server and files of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.core.entries import Abandoned, Intended, OpenBatch, Settled
from pictify_sync.core.events import BatchElsewhere, BatchTaken, MovesElsewhere, Waiting
from pictify_sync.core.model import Asset, Status
from pictify_sync.core.outcomes import Accepted, BatchReport, BatchRequest, BatchStatus, Submission
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import UsageError
from pictify_sync.workflows.apply.other_runs import confirm
from pictify_sync.workflows.apply.outcome import ApplySummary, Tally
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.resolve import Resolution, cancel, resolve
from tests.core.assets import asset, record
from tests.workflows.test_between import Eventful
from tests.workflows.world import CrowdedStore, DyingStore, FakeClock, Killed, ListDesired, PainterProvider, World

ABCD = [asset(name) for name in "abcd"]
LEASE = 660.0  # seconds: the longest time of an item, and ten minutes


class OwnServer(PainterProvider):
    """One of many: it knows only what it took itself."""

    def __init__(self, instance: str, clock: FakeClock) -> None:
        super().__init__()
        self.instance, self.clock = instance, clock
        self.asked: list[tuple[str, float]] = []  # batch, and when

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        self.asked.append((batch_id, self.clock.time))
        name = batch_id.removeprefix(self.instance)
        return super().poll(name, items, layouts) if name != batch_id else BatchReport(BatchStatus.EXPIRED, {})

    def submit(self, request: BatchRequest) -> Submission:
        accepted = super().submit(request)
        assert isinstance(accepted, Accepted)
        return Accepted(f"{self.instance}{accepted.batch_id}")


class Clones:
    """Some clones that share a state and a clock, as runs on machines would."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.servers = [OwnServer(f"s{n}-", self.clock) for n in range(count)]
        self.worlds = [World(folder / f"clone{n}", server) for n, server in enumerate(self.servers)]
        for number, world in enumerate(self.worlds):
            world.clock = self.clock
            world.name_attempts(f"{number}")

    def store(self) -> StateStore:
        return self.worlds[0].store()

    def apply(self, number: int, store: StateStore | None = None, assets: Sequence[Asset] = ABCD) -> ApplySummary:
        """Recover, plan and carry out in one clone, as the command does; gives what is told."""
        world, desired, store = self.worlds[number], ListDesired(assets), store or self.store()
        ports = replace(world.ports(desired, store), run=f"run{next(world.runs)} of {number}")
        recovered = recover(ports)
        return carry_out(ports, world.plan(desired, store), lambda _: world.plan(desired, store), recovered)

    def rendered(self) -> int:
        return sum(sum(world.provider.meter.values()) for world in self.worlds)

    def check(self, assets: Sequence[Asset] = ABCD) -> None:
        """The ledger holds what was rendered, and nothing is lost: one apply later all is made, once and for all."""
        ledger = self.store().ledger()
        assert ledger.billed_min <= self.rendered() <= ledger.billed_max + ledger.open_pictures
        assert well(self.apply(0, assets=assets))
        ledger, store = self.store().ledger(), self.store()
        assert ledger.open == 0
        assert ledger.billed_min <= self.rendered() <= ledger.billed_max
        records = {record.key: record for record in store.records()}
        assert records.keys() == {one.key for one in assets}
        assert all(records[one.key].status is Status.STORED for one in assets)
        assert all(records[one.key].fingerprint == one.fingerprint for one in assets)
        assert self.worlds[0].plan(ListDesired(assets), store).is_empty


def well(done: ApplySummary) -> bool:
    """Whether the command exits with 0."""
    return not (done.failed or done.stopped or done.in_doubt or done.taken or done.interrupted)


def made(store: StateStore, assets: Sequence[Asset] = ABCD) -> bool:
    """Whether every picture is recorded as published."""
    found = [store.record(one.key) for one in assets]
    return all(one is not None and one.status is Status.STORED for one in found)


def commits(folder: Path) -> int:
    """Of one apply that is alone."""
    clones = Clones(folder)
    store = DyingStore(clones.store())
    clones.apply(0, store)  # type: ignore[arg-type]
    return store.commits


def test_a_batch_of_another_server_is_left_alone_until_its_lease_ends(tmp_path: Path) -> None:
    """Another clone neither asks for it, sends it nor gives it up; then it makes the pictures anew, within the bill."""
    clones = Clones(tmp_path)
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=3))  # type: ignore[arg-type]
    left = {one.intended.attempt for one in clones.store().open_batches()}
    assert left
    begun = clones.clock.time
    done = clones.apply(1)
    assert well(done)
    assert clones.clock.time - begun >= LEASE
    assert all(at - begun >= LEASE for name, at in clones.servers[1].asked if name.startswith("s0-"))
    assert any(isinstance(event, BatchElsewhere) for event in clones.worlds[1].events)
    assert not any(isinstance(event, Waiting) for event in clones.worlds[1].events)  # that would be for the provider
    sent = [one for _, _, one in clones.store().entries() if isinstance(one, Intended)]
    assert {one.instance for one in sent if one.attempt in left} == {"s0-"}
    clones.check()


class Forgetful(OwnServer):
    """It forgets the first batch that it took, and notes when it was sent each."""

    def __init__(self, instance: str, clock: FakeClock) -> None:
        super().__init__(instance, clock)
        self.sent: list[float] = []

    def submit(self, request: BatchRequest) -> Submission:
        self.sent.append(self.clock.time)
        return super().submit(request)

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        report = super().poll(batch_id, items, layouts)
        return report if len(self.sent) > 1 else BatchReport(BatchStatus.EXPIRED, {})


def test_a_run_makes_its_own_pictures_before_it_waits_for_a_dead_one(tmp_path: Path) -> None:
    """What it lost of its own is not sent again a whole lease later."""
    clones = Clones(tmp_path)
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=1))  # type: ignore[arg-type]
    server = Forgetful("s1-", clones.clock)
    clones.servers[1] = clones.worlds[1].provider = server
    begun = clones.clock.time
    assert well(clones.apply(1))
    assert [at - begun < LEASE for at in server.sent] == [True, True, False]
    assert made(clones.store())


def test_the_same_server_goes_on_at_once(tmp_path: Path) -> None:
    """What a run of the same folder left open is finished without a wait, and without a second render."""
    clones = Clones(tmp_path)
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=3))  # type: ignore[arg-type]
    begun = clones.clock.time
    assert well(clones.apply(0))
    assert clones.clock.time - begun < 60
    assert clones.rendered() == len(ABCD)
    clones.check()


def test_a_run_whose_batch_was_given_up_says_so(tmp_path: Path) -> None:
    """It was away for longer than the lease: what it made by then counts only as far as it is recorded."""
    seen = 0
    for number in range(2, commits(tmp_path / "alone") + 1):
        clones = Clones(tmp_path / str(number))
        told = clones.apply(0, CrowdedStore(clones.store(), number, partial(clones.apply, 1)))  # type: ignore[arg-type]
        taken = any(isinstance(event, BatchTaken) for event in clones.worlds[0].events)
        assert bool(told.taken) == taken
        seen += taken
        assert made(clones.store()), number
        recorded = [record for record in clones.store().records() if record.attempt and record.attempt.startswith("0")]
        assert told.stored == len(recorded), number
        clones.check()
    assert seen


def test_outcomes_that_did_not_get_to_the_ref_are_not_counted(tmp_path: Path) -> None:
    """A settle that the place which runs share did not take was not done: stored counts it only once it is recorded."""
    clones = Clones(tmp_path)
    store = clones.store()
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(store, after=2))  # type: ignore[arg-type]
    session = Session(clones.worlds[0].ports(ListDesired(ABCD), store))
    (opened,) = store.open_batches()[:1]
    puts = tuple(record(one) for one in ABCD if one.key in {claim.key for claim in opened.intended.claims})
    late = Settled(opened.intended.attempt, "completed", puts, (), len(puts), len(puts), opened.intended.at)
    tally = Tally(stored=len(puts), billed_min=len(puts), billed_max=len(puts))
    session.dropped.append(late)
    session.closed[late.attempt] = Settled(late.attempt, "completed", puts, (), len(puts), len(puts), late.at)
    confirm(session, tally)
    assert (tally.stored, tally.billed_min, tally.billed_max, tally.taken) == (0, 0, 0, set())
    session.dropped.append(late)
    session.closed[late.attempt] = Abandoned(late.attempt, "its lease was over", 0, len(puts), late.at)
    store.commit(store.serial(), [session.closed[late.attempt]])
    session.touched.update(put.key for put in puts[:1])
    tally = Tally(stored=len(puts), billed_min=len(puts), billed_max=len(puts))
    confirm(session, tally)
    assert (tally.stored, tally.billed_max, tally.taken) == (len(puts) - 1, 0, {late.attempt})
    assert tally.freed


class Overtaken:
    """A real store; another run comes in just before its open batches are read for the nth time."""

    def __init__(self, store: StateStore, at: int, other: Callable[[], object]) -> None:
        self._store, self._at, self._other = store, at, other
        self.reads = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def open_batches(self) -> tuple[OpenBatch, ...]:
        self.reads += 1
        if self.reads == self._at:
            self._other()
        return self._store.open_batches()


def test_another_run_of_the_same_folder_may_settle_first_at_any_moment(tmp_path: Path) -> None:
    """Between what a run has folded in and what it reads, too: that is no batch that was given up."""
    for number in range(1, 25):
        clones = Clones(tmp_path / str(number))
        store = Overtaken(clones.store(), number, partial(clones.apply, 0))
        assert well(clones.apply(0, store)), number  # type: ignore[arg-type]
        assert clones.rendered() == len(ABCD), number
        clones.check()


def test_a_clock_that_is_set_back_does_not_make_the_wait_longer(tmp_path: Path) -> None:
    """A lease that began in the future, by what is recorded, lasts no longer than any other."""
    clones = Clones(tmp_path)
    clock = clones.clock
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=3))  # type: ignore[arg-type]
    clock.set_ahead -= 86_400
    begun = clock.time
    assert well(clones.apply(1))
    assert clock.time - begun < LEASE + 60
    clones.check()


def test_only_its_own_server_cancels_a_batch(tmp_path: Path) -> None:
    """Cancelling it by name elsewhere is an error; a person may give it up without waiting for the lease."""
    clones = Clones(tmp_path)
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=4))  # type: ignore[arg-type]
    store = clones.store()
    session = Session(clones.worlds[1].ports(ListDesired(ABCD), store))
    opened = next(one for one in store.open_batches() if one.batch_id)
    with pytest.raises(UsageError, match="another folder"):
        cancel(session, opened.intended.attempt)
    assert cancel(session, None) == ()
    for one in store.open_batches():
        resolve(session, one.intended.attempt, Resolution.RESUBMIT)
    begun = clones.clock.time
    assert well(clones.apply(1))
    assert clones.clock.time - begun < 60
    clones.check()


def run_at(clones: Clones, plan: Sequence[tuple[int, int, bool]]) -> None:
    """Let each run of the plan (clone, commit at which the next one goes first, whether it dies there) have its way."""
    (clone, at, dies), *others = plan
    told: list[ApplySummary] = []

    def other() -> None:
        if others:
            run_at(clones, others)
        if dies:
            raise Killed

    store = CrowdedStore(clones.store(), at, other)
    try:
        told.append(clones.apply(clone, store))  # type: ignore[arg-type]
    except Killed:
        return
    assert not well(told[0]) or told[0].waiting or made(clones.store())


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.booleans()), min_size=2, max_size=3))
def test_the_laws_of_the_ledger_hold_whatever_the_schedule(plan: list[tuple[int, int, bool]]) -> None:
    """Two or three runs, of one clone or several, that pause and die: nothing is lost, and the bill is right.

    Whoever ends well has all pictures made, or says how many wait in a batch that another run intended last.
    """
    with TemporaryDirectory() as folder:
        clones = Clones(Path(folder), 3)
        run_at(clones, plan)
        clones.check()


def moving(folder: Path) -> tuple[Clones, list[Asset]]:
    """Two clones with folders of their own: the first has intended to move all its pictures, and has not begun."""
    clones = Clones(folder)
    for number, world in enumerate(clones.worlds):
        world.place = f"place{number}"
    clones.apply(0)
    moved = [replace(one, output=f"moved/{one.output}") for one in ABCD]
    with pytest.raises(Killed):
        clones.apply(0, DyingStore(clones.store(), after=1), moved)  # type: ignore[arg-type]
    return clones, moved


def test_moves_in_the_folder_of_another_clone_are_waited_for(tmp_path: Path) -> None:
    """It is at them: nothing is missing, nothing is rendered again, and both end well."""
    clones, moved = moving(tmp_path)
    told: list[ApplySummary] = []

    def finished() -> None:
        told.append(clones.apply(0, assets=moved))

    clones.clock = Eventful(20, finished)
    clones.worlds[0].clock = clones.worlds[1].clock = clones.clock
    assert well(clones.apply(1, assets=moved))
    assert well(told[0])
    assert told[0].moved == len(ABCD)
    waits = [one for one in clones.worlds[1].events if isinstance(one, MovesElsewhere)]
    assert [one.files for one in waits] == [len(ABCD)]
    assert clones.rendered() == len(ABCD)
    assert clones.worlds[0].files() == clones.worlds[0].expected(moved)
    assert clones.worlds[1].files() == {}


def test_moves_of_a_dead_clone_are_recorded_after_a_lease(tmp_path: Path) -> None:
    """What was never here is not missing, whatever was done to the clock; its own folder does not wait."""
    for jump in (0.0, -86_400.0):
        clones, moved = moving(tmp_path / str(jump))
        clones.clock.set_ahead += jump
        begun = clones.clock.time
        assert well(clones.apply(1, assets=moved))
        assert 590 <= clones.clock.time - begun <= 660
        assert clones.worlds[1].files() == {}  # nor fetched again
        assert clones.rendered() == len(ABCD)
        assert {(one.output, one.drift) for one in clones.store().records()} == {(one.output, None) for one in moved}
    clones, moved = moving(tmp_path / "own")
    begun = clones.clock.time
    assert well(clones.apply(0, assets=moved))
    assert clones.clock.time - begun < 60
    assert clones.worlds[0].files() == clones.worlds[0].expected(moved)


def test_a_stop_ends_the_wait_for_moves_of_another_clone(tmp_path: Path) -> None:
    """They stay pending, and nothing of them is done here."""
    clones, moved = moving(tmp_path)
    store = clones.store()
    pending = store.pending_moves()
    ports = clones.worlds[1].ports(ListDesired(moved), store, lambda: True)
    assert recover(ports).interrupted
    plan = clones.worlds[1].plan(ListDesired(moved), store)
    assert carry_out(ports, plan, lambda _: plan).interrupted
    assert store.pending_moves() == pending is not None
