"""All pictures to another folder: a kill at any point loses none, and the next run ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.entries import Bound, ProjectIdentity
from pictify_sync.core.model import DriftKind
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.relocate import Removal, relocate
from tests.artifacts.dying import Dying, Killed, tree
from tests.core.assets import asset
from tests.workflows.world import ListDesired, World

BLOG = ProjectIdentity("", ".", "manifests", place="files:out")
ASSETS = [asset("a"), asset("b"), replace(asset("c"), output="c.png")]


def ended(world: World, new: FileArtifacts) -> tuple[int, int]:
    """Relocate to a folder; gives how many files went, and how many are lost."""
    store = world.store()
    session = Session(world.ports(ListDesired(ASSETS), store))
    removal = Removal([FileArtifacts(world.folder / "out")], new, nested=False, held=lambda _: True)
    return relocate(session, replace(BLOG, place="files:new"), removal)


@pytest.mark.parametrize("life", range(0, 40, 3))
def test_a_killed_removal_is_finished_by_the_next(tmp_path: Path, life: int) -> None:
    """Every picture is in one of both places at any time, and the state names the new one last."""
    world = World(tmp_path)
    world.apply(ASSETS)
    before = world.files()
    store = world.store()
    store.commit(store.serial(), [Bound(BLOG, "2026-01-01T00:00:00Z")])
    try:
        ended(world, FileArtifacts(tmp_path / "new", ops=Dying(life)))
    except Killed:
        found = world.store().project()
        assert found is not None
        assert found.place == "files:out"
    there = {path: (tmp_path / "new" / path) for path in before}
    for path, content in before.items():
        assert world.files().get(path, content if not there[path].exists() else there[path].read_bytes()) == content
        assert path in world.files() or there[path].exists()
    ended(world, FileArtifacts(tmp_path / "new"))
    assert tree(tmp_path / "new") == before
    assert world.files() == {}
    found = world.store().project()
    assert found is not None
    assert found.place == "files:new"


def test_a_file_that_is_at_neither_place_is_drift_at_once(tmp_path: Path) -> None:
    """And one with other bytes is left where it is."""
    world = World(tmp_path)
    world.apply(ASSETS)
    (tmp_path / "out/m/a.default.png").unlink()
    (tmp_path / "out/c.png").write_bytes(b"mine")
    assert ended(world, FileArtifacts(tmp_path / "new")) == (1, 2)
    drifts = {str(record.key): record.drift for record in world.store().records()}
    assert drifts["m/a@default"] is DriftKind.MISSING
    assert drifts["m/b@default"] is None
    assert drifts["m/c@default"] is not None
    assert (tmp_path / "out/c.png").read_bytes() == b"mine"
