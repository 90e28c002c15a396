"""What of a plan's work was approved: a render that became a copy meanwhile is less, and everything else is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pictify_sync.core.approval import exceeding, plan_digest, rendered_digest
from pictify_sync.core.model import Action, Change, Reason
from tests.core.assets import asset, record

WANTED = asset("a")
RENDER = Change(WANTED.key, Action.CREATE, Reason.NEW, WANTED, None)


def copied(change: Change, item: str = "b") -> Change:
    """The same change, met by another asset's picture."""
    return replace(change, source=record(asset(item)))


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.REPAIR])
def test_a_copy_in_the_place_of_an_approved_render_goes_through(action: Action) -> None:
    """Whichever picture is copied, by a saved plan and by the digest."""
    render = replace(RENDER, action=action)
    copy = copied(render)
    assert exceeding([copy], (), [([render], ())]) == ()
    assert exceeding([copied(render, "c")], (), [([copy], ())]) == ()
    assert rendered_digest([copy], ()) == plan_digest([render], ())


def test_more_than_what_was_approved_does_not() -> None:
    """A render for a copy, another picture, another action and another file."""
    other = asset("a", value="other")
    more = [
        (RENDER, copied(RENDER)),
        (copied(replace(RENDER, asset=other)), RENDER),
        (replace(RENDER, action=Action.REPAIR), RENDER),
        (replace(copied(RENDER), action=Action.MOVE), RENDER),
    ]
    for change, approved in more:
        assert len(exceeding([change], (), [([approved], ())])) == 1
        assert rendered_digest([change], ()) != plan_digest([approved], ())
