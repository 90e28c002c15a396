"""Progress: few lines elsewhere, a bar on a terminal."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pytest

from pictify_sync.core.events import (
    AssetFailed,
    AssetStored,
    AssetUnresolved,
    BatchElsewhere,
    BatchSubmitted,
    Event,
    MovesElsewhere,
    Resumed,
    RunStarted,
    Waiting,
)
from pictify_sync.core.model import AssetKey, Group
from pictify_sync.report.terminal.progress import FAILURES_TOLD, BarProgress, PlainProgress
from pictify_sync.report.words import Line

GROUP = Group("local", "card", "png", "{}", "")


@dataclass
class Ticking:
    """A clock that moves a little at every look."""

    step: float
    now: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@dataclass
class Page:
    """What was written."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: Line) -> None:
        self.lines.append(line.text)


def run(pictures: int, *, failing: int = 0) -> list[Event]:
    """The events of an apply."""
    events: list[Event] = [RunStarted(pictures, 1, 0, 0), BatchSubmitted("a1", "b1", GROUP, pictures)]
    keys = [AssetKey(f"m/{number}@default") for number in range(pictures)]
    events += [AssetFailed(key, "E", "broken") for key in keys[:failing]]
    events += [AssetStored(key, "path", rendered=True) for key in keys[failing:]]
    return events


def told(events: list[Event], step: float) -> list[str]:
    """The plain lines of some events."""
    page = Page()
    with PlainProgress(page, Ticking(step)) as sink:
        for event in events:
            sink(event)
    return page.lines


def test_thousands_of_pictures_make_a_line_a_second() -> None:
    """A line for the run, one per batch, at most one per second, and the last count."""
    lines = told(run(5000), step=0.001)
    assert lines[:2] == [
        "To do: render 5,000 pictures in 1 batch.",
        "Batch b1 submitted: 5,000 pictures (template card, png, provider local).",
    ]
    assert lines[-1] == "[5,000/5,000]"
    assert 5 <= len(lines) <= 12


def test_failures_are_told_at_once_but_not_by_the_thousand() -> None:
    """The first ones one by one, the others in the counts."""
    lines = told(run(500, failing=100), step=0)
    assert sum("failed: E: broken" in line for line in lines) == FAILURES_TOLD
    assert lines[-1] == "[500/500], 100 failed"


def test_whoever_waits_for_another_run_is_told_how_long_and_the_remedy() -> None:
    """For its batch or its moves: what to do where that run is dead."""
    lines = told([BatchElsewhere("a1", 3, 649), MovesElsewhere(1, 598)], step=0)
    assert lines[:2] == [
        "Another run is rendering 3 pictures: waiting for it, 10 min 49 s at most. If that run is dead: "
        "pictify-sync resolve a1 --resubmit",
        "Another run is moving 1 file in a folder of its own: waiting for it, 9 min 58 s at most. If that run is dead: "
        "pictify-sync apply there",
    ]


def test_a_picture_whose_url_comes_later_is_one_picture() -> None:
    """Rendered without a URL, then found: counted once."""
    keys = [AssetKey(f"m/{number}@default") for number in range(2)]
    events: list[Event] = [RunStarted(2, 1, 0, 0), *map(AssetUnresolved, keys)]
    events += [AssetStored(key, "path", rendered=False) for key in keys]
    assert told(events, step=0)[-1] == "[2/2]"


def test_a_run_without_work_says_nothing() -> None:
    """No lines about zero pictures, and none about waits too short to notice."""
    assert told([RunStarted(0, 0, 0, 0), Waiting(0.2, "poll")], step=1) == []


def test_counts_go_on_over_rounds_and_resumed_batches() -> None:
    """The total grows when there is more to do than was known, and never falls behind what is done."""
    events = [Resumed("a0", 3), *run(3)[2:], *run(4)]
    lines = told(events, step=2)
    assert lines[-1] == "[7/7]"
    for line in lines:
        if line.startswith("["):
            done, total = line.strip("[]").split("/")
            assert int(done) <= int(total)


def test_a_batch_that_the_run_itself_takes_up_again_is_counted_once() -> None:
    """It was in the total when it was submitted."""
    events = run(4)
    lines = told([*events[:2], Resumed("a1", 4), *events[2:]], 10)
    assert lines[-1] == "[4/4]"


@pytest.mark.parametrize("colour", [True, False])
def test_the_bar_takes_all_events_and_keeps_markup_as_text(*, colour: bool) -> None:
    """Words in brackets are no markup; without colour no colour code is written."""
    stream = io.StringIO()
    with BarProgress(stream, colour=colour) as sink:
        for event in [*run(30, failing=25), AssetFailed(AssetKey("m/x@default"), "[red]E", "[bold]")]:
            sink(event)
    written = stream.getvalue()
    assert "m/0@default failed: E: broken" in written
    assert written.count("failed: E: broken") == FAILURES_TOLD
    assert "\x1b[31m" not in written
