"""Apply in a small world: what is rendered, carried and removed, and that every kill is survived."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pictify_sync.core.model import Action, Asset, Change, DriftKind, ProviderFacts, Reason, Status
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.plan import Choice
from tests.core.assets import asset, record
from tests.workflows.world import DyingStore, Killed, ListDesired, PainterProvider, World

ABC = [asset("a"), asset("b"), asset("c", value="b"), asset("d"), asset("d", layout="square"), asset("e")]
EDITED = [
    asset("b"),
    asset("c", value="new"),
    replace(asset("d"), output="m/e.default.png"),  # d and e swap their paths
    replace(asset("e"), output="m/d.default.png"),
    asset("renamed", value="a"),
    asset("f"),
    asset("f", layout="square"),
]


def test_first_apply_renders_each_input_once(tmp_path: Path) -> None:
    """Equal inputs share one render, and every path holds its own picture."""
    world = World(tmp_path)
    _, summary = world.apply(ABC)
    assert world.files() == world.expected(ABC)
    assert set(world.provider.meter.values()) == {1}
    assert len(world.provider.meter) == 5
    assert summary.stored == 6
    assert summary.billed_min == summary.billed_max == 5


def test_second_apply_does_nothing(tmp_path: Path) -> None:
    """No request that creates work, and an empty plan."""
    world = World(tmp_path)
    world.apply(ABC)
    posts = world.provider.posts
    _, summary = world.apply(ABC)
    assert world.provider.posts == posts
    assert summary.kept == 6
    assert world.plan(ListDesired(ABC), world.store()).is_empty


def test_edits_render_only_what_is_new(tmp_path: Path) -> None:
    """A rename, a swap of paths and a delete render nothing; a changed value and new items do."""
    world = World(tmp_path)
    world.apply(ABC)
    before = sum(world.provider.meter.values())
    _, summary = world.apply(EDITED)
    assert world.files() == world.expected(EDITED)
    assert sum(world.provider.meter.values()) - before == 3
    assert (summary.stored, summary.moved, summary.removed) == (3, 3, 1)


def test_replace_renders_again(tmp_path: Path) -> None:
    """A requested key is rendered although nothing changed."""
    world = World(tmp_path)
    world.apply(ABC)
    _, summary = world.apply(ABC, choice=Choice(replace=("m/d@*",)))
    assert summary.stored == 2


def test_failed_items_are_recorded_and_retried(tmp_path: Path) -> None:
    """The provider's reason is kept, others are stored, and the next apply asks for the failed ones only."""
    world = World(tmp_path)
    world.provider.failing["b"] = "IMAGE_FETCH_FAILED"
    _, summary = world.apply(ABC)
    assert [(key, code) for key, code, _ in summary.failed] == [
        ("m/b@default", "IMAGE_FETCH_FAILED"),
        ("m/c@default", "IMAGE_FETCH_FAILED"),
    ]
    assert summary.stored == 4
    plan = world.plan(ListDesired(ABC), world.store())
    assert {change.reason for change in plan.changes if change.action is Action.CREATE} == {Reason.FAILED_BEFORE}
    world.provider.failing.clear()
    _, summary = world.apply(ABC)
    assert (summary.stored, summary.failed) == (2, ())
    assert world.files() == world.expected(ABC)


def test_an_edit_that_failed_and_is_taken_back_is_no_failure(tmp_path: Path) -> None:
    """The published picture is what is desired again: nothing is rendered, and nothing counts as failed any more."""
    world = World(tmp_path)
    world.apply(ABC)
    world.provider.failing["new"] = "IMAGE_FETCH_FAILED"
    edited = [asset("a", value="new"), *ABC[1:]]
    _, summary = world.apply(edited)
    assert [key for key, *_ in summary.failed] == ["m/a@default"]
    before = sum(world.provider.meter.values())
    assert not world.plan(ListDesired(ABC), world.store()).is_empty  # there is something to record
    _, summary = world.apply(ABC)
    assert (summary.cleared, summary.stored, sum(world.provider.meter.values())) == (1, 0, before)
    assert world.plan(ListDesired(ABC), world.store()).is_empty
    assert {record.status for record in world.store().records()} == {Status.STORED}
    assert not any(record.failure for record in world.store().records())


def test_bad_downloads_are_never_published(tmp_path: Path) -> None:
    """Bytes that are not the picture fail their asset and leave no file."""
    world = World(tmp_path)
    world.provider.broken_downloads.add('fake:[{"v": "a"}, "default"]')
    _, summary = world.apply(ABC)
    assert [key for key, *_ in summary.failed] == ["m/a@default"]
    assert "m/a.default.png" not in world.files()


def test_a_vanished_source_is_rendered_instead(tmp_path: Path) -> None:
    """A move whose file is gone becomes a repair in the same apply."""
    world = World(tmp_path)
    world.apply(ABC)
    (tmp_path / "out/m/a.default.png").unlink()
    world.apply(EDITED)
    assert world.files() == world.expected(EDITED)


def test_a_later_plan_of_an_apply_deletes_nothing_that_the_first_did_not(tmp_path: Path) -> None:
    """Manifests that are cut off while an apply runs lose no picture; the run says why it stopped."""
    world = World(tmp_path)
    world.apply(ABC)
    (tmp_path / "out/m/a.default.png").unlink()  # its move makes a second plan
    store = world.store()
    moved = [replace(ABC[0], output="m/elsewhere.png"), *ABC[1:]]
    ports = world.ports(ListDesired(moved), store)
    cut = ListDesired(moved[:1])
    summary = carry_out(ports, world.plan(ListDesired(moved), store), lambda _: world.plan(cut, store))
    assert summary.removed == 0
    assert "nothing was deleted" in str(summary.stopped)
    assert world.files().keys() >= {one.output for one in ABC[1:]}


def test_stopping_submits_nothing_more_and_the_next_apply_goes_on(tmp_path: Path) -> None:
    """After Ctrl-C open batches stay recorded; the next apply finishes them without a second render."""
    world = World(tmp_path, PainterProvider(max_open=1))
    desired = ListDesired(ABC)
    store = world.store()
    ports = replace(world.ports(desired, store), stop=lambda: world.provider.posts >= 1)
    summary = carry_out(ports, world.plan(desired, store), lambda _: None)
    assert summary.interrupted
    assert world.provider.posts == 1
    world.apply(ABC)
    assert world.files() == world.expected(ABC)
    assert set(world.provider.meter.values()) == {1}


def commits_of(tmp_path: Path, first: list[Asset], second: list[Asset]) -> int:
    """How many commits the second apply makes."""
    world = World(tmp_path)
    world.apply(first)
    store = DyingStore(world.store())
    world.apply(second, store)  # type: ignore[arg-type]
    return store.commits


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("first", "second"), [([], ABC), (ABC, EDITED), (EDITED, ABC)], ids=["new", "edit", "back"])
def test_killed_at_every_commit_the_next_apply_converges(
    tmp_path: Path, first: list[Asset], second: list[Asset], side: str
) -> None:
    """Dying before or after any commit costs no render, no file and no record."""
    total = commits_of(tmp_path / "count", first, second)
    clean = World(tmp_path / "clean")
    clean.apply(first)
    clean.apply(second)
    for number in range(1, total + 1):
        world = World(tmp_path / f"{side}{number}")
        world.apply(first)
        with pytest.raises(Killed):
            world.apply(second, DyingStore(world.store(), **{side: number}))  # type: ignore[arg-type]
        world.apply(second)
        assert world.files() == world.expected(second), f"killed {side} commit {number}"
        assert world.provider.meter == clean.provider.meter, f"killed {side} commit {number}"
        assert world.plan(ListDesired(second), world.store()).is_empty


def test_what_a_resumed_run_makes_is_counted_once(tmp_path: Path) -> None:
    """Pictures that were stored by the recovery are not among the unchanged ones as well."""
    world = World(tmp_path, PainterProvider(max_open=1, max_items=10))
    desired, store = ListDesired(ABC), world.store()
    ports = replace(world.ports(desired, store), stop=lambda: world.provider.posts >= 1)
    cut = carry_out(ports, world.plan(desired, store), lambda _: None)
    assert (cut.stored, cut.waiting > 0) == (0, True)
    ports = world.ports(desired, store)
    recovered = recover(ports)
    done = carry_out(ports, world.plan(desired, store), lambda _: None, recovered)
    assert (done.stored, done.kept) == (6, 0)


def test_an_interrupted_recovery_says_what_is_open(tmp_path: Path) -> None:
    """Pictures of open batches are counted, and whether anybody goes on with them."""
    for embedded in (True, False):
        provider = PainterProvider(max_open=1, max_items=10)
        world = World(tmp_path / str(embedded), provider)
        world.facts = ProviderFacts(embedded=embedded)
        desired, store = ListDesired(ABC), world.store()
        ports = world.ports(desired, store)
        carry_out(replace(ports, stop=partial(bool, provider.meter)), world.plan(desired, store), lambda _: None)
        done = recover(replace(ports, stop=lambda: True))
        assert (done.waiting > 0, done.embedded, done.interrupted) == (True, embedded, True)


def test_renders_of_a_provider_that_bills_nothing_are_not_billed(tmp_path: Path) -> None:
    """They are counted apart."""
    world = World(tmp_path)
    world.facts = ProviderFacts(billed=False)
    _, done = world.apply(ABC)
    assert (done.billed_min, done.billed_max, done.unbilled) == (0, 0, 5)


def test_a_file_that_was_edited_is_left_and_stays_recorded_until_it_is_gone(tmp_path: Path) -> None:
    """It is not among the removed ones, and every apply tries again."""
    world = World(tmp_path)
    world.apply(ABC)
    file = tmp_path / "out/m/a.default.png"
    before = file.read_bytes()
    file.write_bytes(b"edited")
    _, done = world.apply(ABC[2:])
    assert (done.removed, done.left_alone) == (1, frozenset({"m/a.default.png"}))
    assert [one.path for one in world.store().obsolete()] == ["m/a.default.png"]
    again, _ = world.apply(ABC[2:])
    assert again.left_alone == {"m/a.default.png"}
    assert file.read_bytes() == b"edited"
    file.write_bytes(before)
    world.apply(ABC[2:])
    assert (file.exists(), world.store().obsolete()) == (False, ())


def test_a_repair_that_only_fetches_is_not_planned_as_a_render() -> None:
    """What may be fetched again is counted apart."""
    a = asset("a")
    lost = record(a, drift=DriftKind.MISSING, url="https://cdn.test/a.png")
    change = Change(a.key, Action.REPAIR, Reason.MISSING, a, lost)
    assert change.is_fetched_again
    assert not replace(change, record=replace(lost, url=None)).is_fetched_again
