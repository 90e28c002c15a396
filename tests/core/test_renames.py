"""Keys that go and come in one plan: which are named as one picture, in every report, and which are not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import Asset
from pictify_sync.core.renames import NAMED, LikelyRename
from pictify_sync.report.markdown.plan import LEAST, markdown
from pictify_sync.report.terminal.plan import plan_lines
from pictify_sync.report.view import review_of_plan
from pictify_sync.state.planfile.document import read_plan, write_plan
from tests.core.assets import asset
from tests.workflows.world import ListDesired, World


def card(item: str, output: str = "", *, protect: bool = False, **values: str) -> Asset:
    """A picture with these values."""
    made = asset(item, template=values.pop("template", "card"))
    variables = canonical({"v": item, **values})
    spec = made.spec
    return replace(
        made,
        variables=variables,
        fingerprint=fingerprint(spec, variables),
        output=output or made.output,
        protect=protect,
    )


STAYS = [card("x", name="X", price="1"), card("y", name="Y", price="1")]
A = card("a", v="1", name="Ada", price="9")
RENAMED: dict[str, tuple[Asset, Asset]] = {
    "one value": (A, card("b", v="1", name="Ada", price="10")),
    "path": (card("a", "a.png", name="Ada"), card("b", "A.png", name="Bob", price="3")),
    "template": (A, replace(A, key=card("b").key, output="b.png", spec=replace(A.spec, template_revision="r2"))),
    "protected": (card("a", "a.png", protect=True), card("b", "a.png")),
}
APART: dict[str, tuple[Sequence[Asset], Sequence[Asset]]] = {
    "nothing in common": ([card("a", name="Ada", price="9")], [card("b", name="Bob", price="8")]),
    "what others have too": (
        [card("a", name="Ada", price="1")],
        [card("a2", v="a", name="Bob", price="1"), card("a3", v="a", name="Cy", price="1")],
    ),
    "only deleted": ([card("a", "a.png")], []),
    "only created": ([], [card("a", "a.png")]),
}


def planned(tmp_path: Path, first: Sequence[Asset], then: Sequence[Asset]) -> tuple[LikelyRename, ...]:
    """The likely renames of the plan that comes after the first assets."""
    world = World(tmp_path)
    world.apply([*STAYS, *first])
    return world.plan(ListDesired([*STAYS, *then]), world.store()).likely_renames


@pytest.mark.parametrize("case", RENAMED)
def test_a_key_and_something_else_that_changed_is_named(tmp_path: Path, case: str) -> None:
    """One value, the template, or all but the path: the old key and the new one are told."""
    old, new = RENAMED[case]
    new = replace(new, fingerprint=fingerprint(new.spec, new.variables))
    assert planned(tmp_path, [old], [new]) == (LikelyRename(old.key, new.key),)


@pytest.mark.parametrize("case", APART)
def test_pictures_with_little_in_common_are_not_named(tmp_path: Path, case: str) -> None:
    """A guess is told only where nothing else fits as well."""
    first, then = APART[case]
    assert planned(tmp_path, first, then) == ()


def test_every_report_names_a_few_and_counts_the_rest(tmp_path: Path) -> None:
    """With the command for each; a saved plan holds them, and a small page stays as small as it has to be."""
    world = World(tmp_path)
    first = [card(f"old{n}", f"{n}.png", name=f"{n}") for n in range(NAMED + 5)]
    world.apply(first)
    store = world.store()
    plan = world.plan(ListDesired([card(f"new{n}", f"{n}.png", name=f"{n}") for n in range(NAMED + 5)]), store)
    assert (len(plan.likely_renames), plan.more_renames) == (NAMED, 5)
    text = "\n".join(line.text for line in plan_lines(plan, store.variables))
    assert f"{NAMED + 5} likely renames" in text
    assert "pictify-sync state mv m/old0@default m/new0@default" in text
    assert "and 5 more" in text
    review = review_of_plan(plan, store.variables)
    page = markdown(review, {}, LEAST)
    assert "pictify-sync state mv m/old0@default m/new0@default" in page
    assert len(page.encode()) <= LEAST
    file = tmp_path / "plan.json"
    with io.StringIO() as written:
        write_plan(plan, written)
        file.write_text(written.getvalue())
    assert read_plan(file).likely_renames == plan.likely_renames
