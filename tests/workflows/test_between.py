"""What another run does between a plan and its start: while somebody reads the plan, say."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from pictify_sync.core.entries import Recorded, Submitted
from pictify_sync.core.model import Asset, AssetKey
from pictify_sync.core.outcomes import BatchRequest, Submission
from pictify_sync.core.plan import Plan
from pictify_sync.errors import NotApproved
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from tests.core.assets import asset
from tests.workflows.world import DyingStore, FakeClock, Killed, ListDesired, PainterProvider, World

ABCD = [asset(name) for name in "abcd"]


def apply_after(
    world: World,
    assets: Sequence[Asset],
    between: Callable[[], object],
    replan: Callable[[Set[AssetKey]], Plan] | None = None,
) -> ApplySummary:
    """Recover and plan, let something happen, then carry the plan out."""
    desired, store = ListDesired(assets), world.store()
    ports = replace(world.ports(desired, store), run="slow")
    recovered = recover(ports)
    plan = world.plan(desired, store)
    between()
    return carry_out(ports, plan, replan or (lambda _: world.plan(desired, store)), recovered)


def well(done: ApplySummary) -> bool:
    """Whether the command exits with 0."""
    return not (done.failed or done.stopped or done.in_doubt or done.taken)


def test_pictures_that_another_run_finished_are_not_rendered_again(tmp_path: Path) -> None:
    """All of them, or those of a part of the manifests: the rest is made."""
    for number, part in enumerate((ABCD, ABCD[:1], ABCD[1:3])):
        world = World(tmp_path / str(number))
        done = apply_after(world, ABCD, lambda world=world, part=part: world.apply(part))  # type: ignore[misc]
        assert well(done)
        assert done.stored == len(ABCD) - len(part)
        assert set(world.provider.meter.values()) == {1}
        assert world.files() == world.expected(ABCD)


def test_batches_that_another_run_intended_are_seen_through_with_it(tmp_path: Path) -> None:
    """However far it came before it died: no entry is impossible, and nothing is rendered twice."""
    for commits in range(1, 7):
        world = World(tmp_path / str(commits))

        def other(world: World = world, commits: int = commits) -> None:
            with pytest.raises(Killed):
                world.apply(ABCD, DyingStore(world.store(), after=commits))  # type: ignore[arg-type]

        assert well(apply_after(world, ABCD, other)), commits
        assert set(world.provider.meter.values()) == {1}, commits
        assert world.files() == world.expected(ABCD), commits


def test_moves_and_deletes_that_another_run_made_are_not_made_again(tmp_path: Path) -> None:
    """A renamed asset, a swapped path and one that is gone: both runs planned them, one does them."""
    renamed = [asset("a2", value="a"), replace(asset("b"), output="elsewhere/b.png"), asset("c")]
    world = World(tmp_path)
    world.apply(ABCD)
    before = dict(world.provider.meter)
    done = apply_after(world, renamed, lambda: world.apply(renamed))
    assert well(done)
    assert world.files().keys() == {one.output for one in renamed}
    assert sum(world.provider.meter.values()) - sum(before.values()) <= 1  # a2, unless it is a move here
    assert world.plan(ListDesired(renamed), world.store()).is_empty


def test_a_record_that_changed_since_is_not_deleted(tmp_path: Path) -> None:
    """Another run made it anew, or protected it: whoever planned the delete did not see that."""
    world = World(tmp_path)
    world.apply(ABCD)

    def between() -> None:
        store = world.store()
        record = store.record(AssetKey("m/d@default"))
        assert record is not None
        store.commit(store.serial(), [Recorded("settings", (replace(record, protect=True),), (), (), "2026-01-01")])

    apply_after(world, ABCD[:3], between)
    assert ABCD[3].output in world.files()


def test_a_move_that_became_a_render_is_planned_again(tmp_path: Path) -> None:
    """Another run taints what only had to move: the plan has no batch for that, so the next one renders it."""
    moved = [replace(one, output=f"elsewhere/{one.output}") for one in ABCD]
    world = World(tmp_path)
    world.apply(ABCD)

    def between() -> None:
        store = world.store()
        tainted = tuple(replace(one, tainted=True) for one in store.records())[:2]
        store.commit(store.serial(), [Recorded("taint", tainted, (), (), "2026-01-01")])

    done = apply_after(world, moved, between)
    assert well(done), done.failed
    assert (done.stored, done.moved) == (2, 2)
    assert world.files() == world.expected(moved)
    assert world.plan(ListDesired(moved), world.store()).is_empty


def test_new_work_that_nobody_agreed_to_is_not_done(tmp_path: Path) -> None:
    """When what is left needs another plan, and that one holds more, the run stops and says so."""
    world = World(tmp_path)
    world.apply(ABCD)

    def between() -> None:
        world.apply([*ABCD[:3], asset("d", value="another")])

    def refuse(_: Set[AssetKey]) -> Plan:
        raise NotApproved("other work is due now", hint="review the new plan")

    done = apply_after(world, ABCD[:3], between, refuse)
    assert done.stopped is not None
    assert "other work is due now" in done.stopped
    assert ABCD[3].output in world.files()


class Remote(PainterProvider):
    """One service for all runs, which ignores idempotency keys; a run may be killed once its POST has arrived."""

    def __init__(self) -> None:
        super().__init__(honours_idempotency_key=False, max_open=1)
        self.kills = True

    def submit(self, request: BatchRequest) -> Submission:
        accepted = super().submit(replace(request, idempotency_key=str(self.posts)))
        if self.kills:
            raise Killed
        return accepted


class Eventful(FakeClock):
    """Time in which something happens, once somebody has waited for a while."""

    def __init__(self, seconds: float, happening: Callable[[], object]) -> None:
        super().__init__()
        self.at, self.happening = self.time + seconds, happening

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.time >= self.at:
            self.at = inf
            self.happening()


def half_sent(folder: Path) -> World:
    """A world in which another run has intended a batch, and its POST has arrived."""
    world = World(folder, Remote())
    with pytest.raises(Killed):
        world.apply(ABCD)
    assert isinstance(world.provider, Remote)
    world.provider.kills = False
    return world


def test_a_post_that_is_under_way_is_no_doubt(tmp_path: Path) -> None:
    """Another run's batch that was just intended is waited for, and seen through once its id is known."""
    world = half_sent(tmp_path)

    def answered() -> None:
        store = world.store()
        (opened,) = store.open_batches()
        store.commit(store.serial(), [Submitted(opened.intended.attempt, "b0", opened.intended.at)])

    world.clock = Eventful(20, answered)
    done = apply_after(world, ABCD, lambda: None)
    assert well(done)
    assert set(world.provider.meter.values()) == {1}
    assert world.files() == world.expected(ABCD)


def test_a_post_whose_run_is_dead_is_in_doubt_after_two_minutes(tmp_path: Path) -> None:
    """It is not waited for any longer than a POST may take, whatever is done to the clock meanwhile."""
    for jump in (0.0, -86_400.0, 3_600.0):
        world = half_sent(tmp_path / str(jump))

        def jumped(world: World = world, jump: float = jump) -> None:
            world.clock.set_ahead += jump

        world.clock = Eventful(5, jumped)
        begun = world.clock.time
        done = apply_after(world, ABCD, lambda: None)
        assert done.in_doubt == 1
        assert world.clock.time - begun < 150
