"""Previews in words: one line per change in the sample, and what is said of all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pictify_sync.core.model import Action, Change
from pictify_sync.core.preview import NOT_IN_SAMPLE, Comparison, PictureFile, Preview
from pictify_sync.report.pages.previews import preview_lines
from pictify_sync.report.words import Tone
from tests.report.plans import create, every_kind, text_of, update

PICTURE = PictureFile("/tmp/a.png", "image/png", 1200, 630)
EDITED = update("a", {"title": "A"}, {"title": "B"})


def shown(change: Change, **more: object) -> tuple[Change, Preview]:
    """A change with its preview: two pictures unless said otherwise."""
    return change, replace(Preview(change.key, PICTURE, PICTURE, None), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (Comparison(0.0, None), "looks as before"),
        (Comparison(0.125, PICTURE), "12.5 % of the pixels differ"),
        (Comparison(0.000001, PICTURE), "below 0.1 % of the pixels differ"),
        (None, "drawn, 1200x630"),
    ],
)
def test_an_update_says_how_much_of_it_changes(comparison: Comparison | None, words: str) -> None:
    """Nothing never reads as something, nor something as nothing."""
    first = text_of(preview_lines([shown(EDITED, comparison=comparison)])).splitlines()[0]
    assert first == f"~ cards/a@default: variables changed; {words}"


def test_another_size_is_said_as_such() -> None:
    """A share of the pixels would mean nothing."""
    small = replace(PICTURE, width=60, height=40)
    text = text_of(preview_lines([shown(EDITED, before=small, comparison=Comparison(1.0, None))]))
    assert "60x40 -> 1200x630" in text
    assert "%" not in text


def test_what_cannot_be_drawn_is_bad_news_and_counted() -> None:
    """Its reason is made fit for a terminal."""
    lines = list(preview_lines([shown(create("a"), before=None, after=None, note="E: \x1b[2J\u202e")]))
    assert lines[0].tone is Tone.BAD
    assert lines[0].text == "+ cards/a@default: new; E: \\x1b[2J\\u202e"
    assert lines[1].text == "Previewed 1 change: 0 pictures to come, 1 cannot be drawn."


def test_every_kind_of_change_has_a_line() -> None:
    """Whatever is known of it; and the rest is counted."""
    changes = [change for change in every_kind() if change.action is not Action.KEEP]
    for more in ({}, {"before": None}, {"after": None}, {"comparison": Comparison(0.5, None)}):
        lines = list(preview_lines(shown(change, **more) for change in changes))
        assert len(lines) == len(changes) + 1
    rest = [shown(change, before=None, after=None, note=NOT_IN_SAMPLE) for change in changes]
    assert text_of(preview_lines(rest)).endswith(f"{len(rest)} other changes are not in the sample (--max-previews).\n")
    assert text_of(preview_lines([])) == "No changes that have a picture.\n"
