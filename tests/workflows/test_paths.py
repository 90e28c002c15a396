"""A path belongs to one record: whatever is edited, selected, saved or fails, nobody's picture is lost unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.core.entries import Recorded
from pictify_sync.core.events import FileSpared
from pictify_sync.core.model import Action, Asset, DriftKind, Reason, Record, Status
from pictify_sync.core.paths import folded, meet
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import StalePlan, UsageError
from pictify_sync.workflows.apply.approval import refuse_stale
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.edit_state import StateEdits
from pictify_sync.workflows.plan import Choice
from pictify_sync.workflows.refresh import Observation, refresh
from tests.core.assets import asset
from tests.workflows.world import CrowdedStore, DyingStore, Killed, ListDesired, World

OUTPUTS = ["p.png", "q.png", "r.png", "P.png", "p.png/in.png", "é.png", "É.png"]


def at(item: str, output: str, value: str = "", *, protect: bool = False) -> Asset:
    """An asset of the manifest m, or of n for items after `m`."""
    made = asset(item, manifest="m" if item < "m" else "n", value=value or item)
    return replace(made, output=output, protect=protect)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty project."""
    return World(tmp_path)


@contextmanager
def opened(world: World) -> Iterator[StateStore]:
    """The state of a world."""
    store = world.store()
    try:
        yield store
    finally:
        store.close()


def part(world: World, assets: Sequence[Asset], names: Sequence[str], store: StateStore) -> ApplySummary:
    """Apply the manifests of these names alone, as where paths are given."""
    desired = ListDesired([one for one in assets if one.key.partition("/")[0] in names])
    desired.manifests, desired.whole = tuple(names), False
    ports = world.ports(desired, store)
    return carry_out(ports, world.plan(desired, store), lambda _: world.plan(desired, store))


def save(world: World, assets: Sequence[Asset], store: StateStore) -> tuple[Plan, ListDesired]:
    """A plan as it is read back from a file: it says what it said, whatever the state is by then."""
    desired = ListDesired(assets)
    plan = world.plan(desired, store)
    return replace(plan, changes=tuple(plan.changes)), desired


def carry_out_saved(world: World, saved: tuple[Plan, ListDesired], store: StateStore) -> ApplySummary | None:
    """Apply a saved plan; None where it is refused as stale."""
    plan, desired = saved
    try:
        refuse_stale(plan, store)
    except StalePlan:
        return None
    ports = world.ports(desired, store)
    recover(ports)
    return carry_out(ports, plan, lambda _: None)


def check(world: World, store: StateStore) -> None:
    """What is recorded as published lies there, with its own bytes, unless it is known not to."""
    files = world.files()
    for record in store.records():
        if record.artifact is None or record.drift is not None:
            continue
        found = files.get(record.artifact.path)
        assert found is not None, f"{record.key}: {record.artifact.path} is gone"
        assert sha256(found).hexdigest() == record.artifact.sha256, f"{record.key}: {record.artifact.path} is another's"


def check_losses(world: World, store: StateStore, before: Sequence[Record]) -> None:
    """A picture that is still recorded is somewhere: at its path, or beside it with another name."""
    there = {sha256(content).hexdigest() for content in world.files().values()}
    for old in before:
        now = store.record(old.key)
        if old.artifact is None or old.drift is not None or now is None or now.artifact is None:
            continue
        if now.artifact.sha256 == old.artifact.sha256:
            assert old.artifact.sha256 in there, f"the picture of {old.key} is nowhere"


def reasons(plan: Plan) -> dict[str, tuple[Action, Reason]]:
    """What a plan does, by key."""
    return {change.key: (change.action, change.reason) for change in plan.changes}


KEPT_BY: dict[str, tuple[Sequence[Asset], Sequence[Asset], Choice | None]] = {
    "protected": ([at("b", "p.png", protect=True)], [at("d", "p.png")], None),
    "unselected": ([at("a", "p.png"), at("b", "q.png")], [at("a", "q.png"), at("b", "p.png")], Choice(("m/a",))),
    "excluded": ([at("b", "p.png")], [at("d", "p.png")], Choice(exclude=("m/b",))),
    "case": ([at("b", "P.png", protect=True)], [at("d", "p.png")], None),
    "form": ([at("b", "É.png", protect=True)], [at("d", "é.png")], None),
    "folder": ([at("b", "p.png", protect=True)], [at("d", "p.png/in.png")], None),
    "below": ([at("b", "p.png/in.png", protect=True)], [at("d", "p.png")], None),
    "copied": (
        [at("b", "p.png", protect=True), at("c", "q.png", "x")],
        [at("c", "q.png", "x"), at("d", "p.png", "x")],
        None,
    ),
    "renamed": ([at("b", "p.png", protect=True), at("c", "q.png", "x")], [at("d", "p.png", "x")], None),
}


@pytest.mark.parametrize("case", KEPT_BY)
def test_a_path_that_another_keeps_blocks_the_picture_alone(world: World, case: str) -> None:
    """The plan names both, the rest goes on, nothing is overwritten, and apply says what was not made."""
    first, then, choice = KEPT_BY[case]
    then = [*then, at("z", "z.png")] if choice is None or choice.exclude else then
    with opened(world) as store:
        world.apply(first, store)
        before = world.files()
        plan = world.plan(ListDesired(then), store, choice)
        blocked = [change for change in plan.changes if change.reason is Reason.PATH_TAKEN]
        assert [change.holder for change in blocked] == ["m/b@default"]
        assert not plan.is_empty
        renders = world.provider.meter.total()
        _, done = world.apply(then, store, choice)
        assert [(key, code) for key, code, _ in done.failed] == [(blocked[0].key, "PATH_TAKEN")]
        assert "m/b@default" in done.failed[0][2]
        assert before.items() <= world.files().items()
        assert world.provider.meter.total() - renders == sum(one.key.startswith("n/") for one in then)
        check(world, store)


def test_given_paths_do_not_take_what_other_manifests_own(world: World) -> None:
    """A manifest that is applied alone leaves the files of the others; the whole project gets both right."""
    with opened(world) as store:
        world.apply([at("a", "p.png"), at("z", "q.png")], store)
        then = [at("a", "r.png"), at("z", "p.png")]
        before = world.files()
        done = part(world, then, ["n"], store)
        assert [key for key, _, _ in done.failed] == ["n/z@default"]
        assert world.files() == before
        world.apply(then, store)
        assert world.files() == world.expected(then)


def test_a_blocked_chain_is_blocked_as_a_whole(world: World) -> None:
    """Who would take the path of one that cannot leave waits too; who takes a free one does not."""
    with opened(world) as store:
        world.apply([at("a", "p.png", protect=True), at("b", "q.png"), at("c", "r.png")], store)
        then = [at("b", "p.png"), at("c", "q.png"), at("d", "r.png"), at("e", "e.png")]
        found = reasons(world.plan(ListDesired(then), store))
        stuck = (Action.BLOCKED, Reason.PATH_TAKEN)
        assert [found[f"m/{name}@default"] for name in "bcd"] == [stuck] * 3
        assert found["m/e@default"] == (Action.CREATE, Reason.NEW)


@pytest.mark.parametrize("failing", ["", "a2", "b2", "c2"])
def test_changed_pictures_swap_their_paths(world: World, failing: str) -> None:
    """Rows that change value and path together: whichever fails keeps its old picture, under its new path."""
    with opened(world) as store:
        first = [at("a", "p.png", "a1"), at("b", "q.png", "b1"), at("c", "r.png", "c1")]
        world.apply(first, store)
        before = world.files()
        then = [at("a", "q.png", "a2"), at("b", "r.png", "b2"), at("c", "p.png", "c2")]
        world.provider.failing = {failing: "RENDER_ERROR"} if failing else {}
        world.apply(then, store)
        check(world, store)
        expected = world.expected(then)
        for old, new in zip(first, then, strict=True):
            failed = failing and failing in new.variables
            assert world.files()[new.output] == (before[old.output] if failed else expected[new.output])
        world.provider.failing = {}
        world.apply(then, store)
        assert world.files() == expected


@pytest.mark.parametrize(("old", "new"), [("p.png", "p.png/in.png"), ("p.png/in.png", "p.png")])
@pytest.mark.parametrize("change", ["move", "update", "replace"])
def test_a_file_becomes_a_folder_and_back(world: World, old: str, new: str, change: str) -> None:
    """What stands in the way as a file, or in a folder, goes first."""
    with opened(world) as store:
        world.apply([at("a", old, "1")], store)
        then = [at("b" if change == "replace" else "a", new, "1" if change == "move" else "2")]
        _, done = world.apply(then, store)
        assert not done.failed
        assert world.files() == world.expected(then)


def test_a_delete_makes_room_before_its_path_is_taken(world: World) -> None:
    """Nothing is set aside, and the picture that was to go is gone."""
    with opened(world) as store:
        world.apply([at("a", "p.png"), at("b", "q.png")], store)
        then = [at("c", "p.png"), at("b", "q.png")]
        _, done = world.apply(then, store)
        assert (done.removed, done.stored) == (1, 1)
        assert world.files() == world.expected(then)
        assert not any(isinstance(event, FileSpared) for event in world.events)


def test_a_saved_plan_leaves_out_what_was_given_away_since(world: World) -> None:
    """Its other pictures are made, and nothing is billed for the one that has no place."""
    with opened(world) as store:
        world.apply([at("a", "p.png")], store)
        saved = save(world, [at("a", "p.png"), at("c", "P2.png"), at("d", "q.png"), at("e", "e.png")], store)
        world.apply([at("a", "p.png"), at("k", "q.png"), at("l", "p2.png")], store)
        posted = world.provider.meter.total()
        done = carry_out_saved(world, saved, store)
        assert done is not None
        assert [(key, code) for key, code, _ in done.failed] == [
            ("m/c@default", "PATH_TAKEN"),
            ("m/d@default", "PATH_TAKEN"),
        ]
        assert world.provider.meter.total() == posted + 1
        check(world, store)


def racing(world: World, then: Sequence[Asset], at_commit: int, other: Callable[[], object]) -> ApplySummary:
    """Apply while another run goes first, just before one of the commits."""
    with opened(world) as store:
        desired = ListDesired(then)
        plan = world.plan(desired, store)
        ports = world.ports(desired, CrowdedStore(store, at_commit, other))  # type: ignore[arg-type]
        return carry_out(ports, plan, lambda _: None)


@pytest.mark.parametrize("at_commit", range(1, 5))
@pytest.mark.parametrize("output", ["p.png", "P.png"])
def test_a_race_for_a_path_loses_no_picture(world: World, at_commit: int, output: str) -> None:
    """Two runs make different pictures of one path: one is left out, or set aside and known to be missing."""

    def other() -> None:
        with opened(world) as second:
            part(world, [at("z", output)], ["n"], second)

    with opened(world) as store:
        world.apply([at("a", "q.png")], store)
    racing(world, [at("a", "q.png"), at("b", "p.png")], at_commit, other)
    with opened(world) as store:
        check(world, store)
        both = {record.key: record for record in store.records() if record.key != "m/a@default"}
        made = [one for one in both.values() if one.artifact is not None]
        there = {sha256(content).hexdigest() for content in world.files().values()}
        assert {one.artifact.sha256 for one in made if one.artifact} <= there
        assert (
            len([one for one in made if one.drift is None and folded(one.output) == "p.png"]) == 1 or output == "P.png"
        )


def with_open_batch(world: World, first: Sequence[Asset]) -> None:
    """A run that dies after its first batch was taken by the provider."""
    with opened(world) as store, pytest.raises(Killed):
        world.apply(first, DyingStore(store, after=2))  # type: ignore[arg-type]


def test_the_path_of_an_open_batch_is_taken_by_nobody(world: World) -> None:
    """Its picture may come at any time, so another one waits for it."""
    with_open_batch(world, [at("a", "p.png")])
    with opened(world) as store:
        assert store.open_batches()
        found = reasons(world.plan(ListDesired([at("a", "p.png"), at("z", "P.png")]), store))
        assert found["m/a@default"] == (Action.AWAIT, Reason.IN_FLIGHT)
        assert found["n/z@default"] == (Action.BLOCKED, Reason.PATH_TAKEN)


def test_a_batch_that_ends_late_sets_aside_what_lies_at_its_path(world: World) -> None:
    """A record that was given the path meanwhile has its file under another name, and the next plan repairs it."""
    with_open_batch(world, [at("a", "p.png")])
    elsewhere = World(world.folder / "elsewhere", world.provider)
    taker = at("z", "p.png")
    with opened(elsewhere) as other:
        elsewhere.apply([taker], other)
        theirs = other.record(taker.key)
        assert theirs is not None
    (world.folder / "out").mkdir(exist_ok=True)
    mine = elsewhere.files()["p.png"]
    (world.folder / "out/p.png").write_bytes(mine)
    with opened(world) as store:
        store.commit(store.serial(), [Recorded("import", (theirs,), (), (), "2026-01-01T00:00:00Z")])
        recover(world.ports(ListDesired([]), store))
        assert world.files() == {"p.png": world.expected([at("a", "p.png")])["p.png"], "p.png.kept": mine}
        lost = store.record(taker.key)
        assert lost is not None
        assert lost.drift is DriftKind.TAMPERED
        assert FileSpared("p.png", "p.png.kept") in world.events
        then = [at("a", "q.png"), taker]
        world.apply(then, store)
        assert world.expected(then).items() <= world.files().items()
        check(world, store)


@pytest.mark.parametrize("output", ["q.png", "Q.png"])
def test_the_path_of_a_picture_whose_url_is_awaited_is_kept_for_it(world: World, output: str) -> None:
    """It is rendered and paid, and published there as soon as its URL is known."""
    with opened(world) as store:
        world.apply([at("a", "p.png")], store)
        made = store.record(at("a", "p.png").key)
        assert made is not None
        awaited = replace(made, status=Status.RENDERED, artifact=None, output="q.png")
        store.commit(store.serial(), [Recorded("import", (awaited,), (), (), "2026-01-01T00:00:00Z")])
        found = reasons(world.plan(ListDesired([at("a", "q.png"), at("z", output)]), store))
        assert found["n/z@default"] == (Action.BLOCKED, Reason.PATH_TAKEN)


@dataclass
class Story:
    """One project that is edited, and what was saved on the way."""

    world: World
    store: StateStore
    assets: list[Asset] = field(default_factory=list)
    saved: tuple[Plan, ListDesired] | None = None


items = st.sampled_from(["a", "b", "c", "n", "o"])
row = st.tuples(items, st.sampled_from(OUTPUTS), st.sampled_from(["1", "2", "bad"]), st.booleans())
tables = st.lists(row, max_size=5, unique_by=lambda one: one[0])
runs = st.sampled_from(["whole", "whole", "select", "n", "m", "save", "late", "fail"])


def fitting(table: Sequence[tuple[str, str, str, bool]]) -> list[Asset]:
    """The rows that a project may have together: their output paths are apart."""
    found: list[Asset] = []
    for item, output, value, protect in table:
        if not any(meet(folded(output), folded(one.output)) for one in found):
            found.append(at(item, output, f"{item}{value}", protect=protect))
    return found


def run(story: Story, kind: str) -> None:
    """One command of some user."""
    world, store = story.world, story.store
    world.provider.failing = {f"{item}bad": "RENDER_ERROR" for item in "abcno"} if kind == "fail" else {}
    match kind:
        case "select":
            world.apply(story.assets, store, Choice(("m/a", "n/n")))
        case "m" | "n":
            part(world, story.assets, [kind], store)
        case "save":
            story.saved = save(world, story.assets, store)
        case "late" if story.saved is not None:
            carry_out_saved(world, story.saved, store)
        case _:
            world.apply(story.assets, store)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(tables, runs), min_size=2, max_size=6))
def test_whatever_happens_every_record_has_its_own_picture(steps: list[tuple[list, str]]) -> None:  # type: ignore[type-arg]
    """Random edits, parts, failures and late plans: no picture is lost, and in the end all is as it is asked for."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        with opened(world) as store:
            story = Story(world, store)
            for table, kind in steps:
                story.assets = fitting(table)
                before = list(store.records())
                run(story, kind)
                check(world, store)
                check_losses(world, store, before)
            world.provider.failing = {}
            final = [replace(one, protect=False) for one in story.assets]
            for _ in range(3):
                world.apply(final, store)
            check(world, store)
            free = all(not record.protect for record in store.records())
            if free:
                assert world.expected(final).items() <= world.files().items()
                assert world.plan(ListDesired(final), store).is_empty
            assert all(record.drift in (None, DriftKind.MISSING, DriftKind.TAMPERED) for record in store.records())


@pytest.mark.parametrize(
    "after",
    [
        [at("a", "q.png"), at("b", "p.png")],
        [at("c", "r.png", "a"), at("b", "q.png")],
        [at("a", "r.png"), at("b", "q.png")],
    ],
    ids=["swapped", "renamed", "moved"],
)
def test_an_interrupted_move_is_no_drift_and_is_not_edited(world: World, after: list[Asset]) -> None:
    """The files are where they go, and the records do not say so yet: nobody takes that for a loss, or for free."""
    world.apply([at("a", "p.png"), at("b", "q.png")])
    with opened(world) as store:
        dying = DyingStore(store, before=2)
        with pytest.raises(Killed):
            part(world, after, ["m"], dying)  # type: ignore[arg-type]
        assert store.pending_moves() is not None
        session = Session(world.ports(ListDesired(after), store))
        assert not refresh(session, Observation()).assets
        mending = StateEdits(session)
        for act in (
            lambda: mending.rename("m/a@default", "m/z@default"),
            lambda: mending.forget(["m/a"]),
            lambda: mending.taint(["m/a"], tainted=True),
        ):
            with pytest.raises(UsageError, match="m/a@default is in a move that is not finished"):
                act()
    world.apply(after)
    with opened(world) as store:
        check(world, store)
        assert [record.output for record in store.records()] == [
            one.output for one in sorted(after, key=lambda one: one.key)
        ]
    assert world.files() == world.expected(after)
