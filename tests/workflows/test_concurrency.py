"""Two applies at once: nothing is rendered twice, no record is lost, and both end well."""

from __future__ import annotations

from pathlib import Path

import pytest

from pictify_sync.core.model import Asset
from tests.workflows.test_apply import ABC, EDITED
from tests.workflows.world import CrowdedStore, DyingStore, Killed, ListDesired, World


@pytest.mark.parametrize(("first", "second"), [([], ABC), (ABC, EDITED)], ids=["new", "edit"])
@pytest.mark.parametrize("dies", [False, True], ids=["ends", "dies"])
def test_another_whole_apply_comes_first_at_any_commit(
    tmp_path: Path, first: list[Asset], second: list[Asset], dies: bool
) -> None:
    """At every commit of one apply, another of the same manifests runs first, to its end or to its death."""
    clean = World(tmp_path / "clean")
    clean.apply(first)
    counting = DyingStore(clean.store())
    clean.apply(second, counting)  # type: ignore[arg-type]
    for number in range(1, counting.commits + 1):
        world = World(tmp_path / str(number))
        world.apply(first)

        def other(world: World = world) -> None:
            if dies:
                with pytest.raises(Killed):
                    world.apply(second, DyingStore(world.store(), after=1))  # type: ignore[arg-type]
            else:
                world.apply(second)

        world.apply(second, CrowdedStore(world.store(), number, other))  # type: ignore[arg-type]
        world.apply(second)
        assert world.files() == world.expected(second), number
        assert world.provider.meter == clean.provider.meter, number
        assert world.plan(ListDesired(second), world.store()).is_empty
