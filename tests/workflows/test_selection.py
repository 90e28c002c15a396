"""What a selection leaves alone."""

from __future__ import annotations

from pathlib import Path

from pictify_sync.workflows.plan import Choice
from tests.core.assets import asset
from tests.report.plans import source
from tests.workflows.world import ListDesired, World


def test_templates_that_no_selected_asset_uses_are_not_pushed(tmp_path: Path) -> None:
    """Nothing outside the selection is touched, a template of others neither."""
    world = World(tmp_path)
    assets = [asset("a", template="card"), asset("b", template="poster")]
    desired = ListDesired(assets, [source("card"), source("poster")])
    whole = world.plan(desired, world.store())
    part = world.plan(desired, world.store(), Choice(select=("m/b",)))
    assert [change.source.name for change in whole.templates] == ["card", "poster"]
    assert [change.source.name for change in part.templates] == ["poster"]
