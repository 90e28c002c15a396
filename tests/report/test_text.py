"""Plans in words: golden pages, bounds, and nothing that a terminal would obey."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pictify_sync.core.model import Action, Change, Reason, asset_key
from pictify_sync.core.plan import Plan, Relocation, Summary
from pictify_sync.core.template import LayoutSize, TemplateChange, VariableRule
from pictify_sync.report.terminal.plan import plan_lines
from pictify_sync.report.view import SHOWN
from tests.core.assets import record
from tests.report.plans import (
    HTML,
    batch,
    create,
    every_kind,
    filled,
    plan_of,
    pushed,
    recalling,
    source,
    text_of,
    update,
)

GOLDEN = Path(__file__).parent / "golden"


def forget(_: str) -> None:
    """A state that keeps digests only."""


def templates() -> list[TemplateChange]:
    """One new template, and one whose html, sizes and variables changed."""
    new = source(html=HTML.replace("<p>", "<p class=note>"), width=1280)
    new = replace(new, variables=(*new.variables, VariableRule("email", sensitive=True, default='"secret@x"')))
    new = replace(new, layouts={**new.layouts, "tall": LayoutSize(600, 1200)})
    return [TemplateChange(Action.CREATE, source("badge"), None), TemplateChange(Action.UPDATE, new, pushed(source()))]


def everything() -> str:
    """One change of every kind."""
    changes = every_kind()
    rendered = [change for change in changes if change.renders]
    plan = plan_of(changes, templates=templates(), batches=[batch(*rendered[:3]), batch(*rendered[3:])], partial=True)
    return text_of(plan_lines(plan, recalling(filled("edited", {"title": "A", "note": "same"}))))


def many() -> str:
    """More changes than are shown, in two manifests."""
    news = [create(f"n{number:04}") for number in range(SHOWN + 1234)]
    gone = [
        Change(one.key, Action.DELETE, Reason.NOT_IN_MANIFEST, None, record(one))
        for one in (filled(f"g{number:02}", {}, manifest="cards-2") for number in range(3))
    ]
    return text_of(plan_lines(plan_of([*news, *gone]), forget))


def values() -> str:
    """How values of all sorts are compared."""
    long = "The quick brown fox jumps over the lazy dog. " * 5
    old: dict[str, object] = {
        "count": 1,
        "email": {"$sensitive": "0123456789abcdef"},
        "items": [{"name": "A"}, {"name": "B"}],
        "logo": {"$file": "logo.svg", "sha256": "aa" * 32},
        "long": long + "old end",
        "removed": True,
        "text": "one\ntwo",
        "an odd name": None,
    }
    new: dict[str, object] = {
        "added": {"deep": [1, 2.5, "\u202eevil"]},
        "count": "1",
        "email": {"$sensitive": "fedcba9876543210"},
        "items": [{"name": "A"}, {"name": "C"}],
        "logo": {"$file": "logo.svg", "sha256": "bb" * 32},
        "long": long + "new end",
        "text": "one\nthree",
        "an odd name": 0,
    }
    return text_of(plan_lines(plan_of([update("edited", old, new)]), recalling(filled("edited", old))))


def forgotten() -> str:
    """A state that keeps digests only."""
    return text_of(plan_lines(plan_of([update("edited", {"a": 1}, {"a": 2})]), forget))


def nothing() -> str:
    """Nothing to do, with and without something that is kept against the manifests."""
    kept = [change for change in every_kind() if change.action in {Action.KEEP, Action.BLOCKED}]
    plans = [plan_of(kept[:1]), plan_of(kept), plan_of([]), plan_of([], partial=True)]
    return "".join(text_of(plan_lines(plan, forget)) for plan in plans)


@pytest.mark.parametrize("page", [everything, many, values, forgotten, nothing], ids=lambda page: page.__name__)
def test_golden(page: Callable[[], str]) -> None:
    """The page is word for word as kept; written when it is missing, so delete a file to renew it."""
    file = GOLDEN / f"{page.__name__}.txt"
    found = page()
    if not file.exists():
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Endless:
    """Very many changes, made as they are asked for."""

    number: int

    def __iter__(self) -> Iterator[Change]:
        one = filled("x", {"title": "x"})
        for n in range(self.number):
            yield Change(asset_key("cards", f"k{n:07}", "default"), Action.CREATE, Reason.NEW, one, None)


def endless(number: int) -> Plan:
    """A plan of very many creates."""
    counts = {Action.CREATE: number}
    summary = Summary(counts, {}, {"cards": counts}, 0, number, 1, 0)
    return Plan("", 0, {}, (), (), Endless(number), summary, "h1:0")


def test_a_huge_plan_stays_short_and_streams() -> None:
    """100,000 changes make a page of some 60 lines, in little memory and time."""
    started = time.process_time()
    tracemalloc.start()
    lines = list(plan_lines(endless(100_000), forget))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(lines) < SHOWN + 10
    assert f"and {100_000 - SHOWN:,} more" in lines[-4].text
    assert peak < 1_000_000
    assert time.process_time() - started < 2


def test_reading_stops_after_the_last_change_that_is_shown() -> None:
    """Working out changes costs time, so that none is asked for in vain."""
    read = 0

    class Counted(Endless):
        def __iter__(self) -> Iterator[Change]:
            nonlocal read
            for change in super().__iter__():
                read += 1
                yield change

    list(plan_lines(replace(endless(5000), changes=Counted(5000)), forget))
    assert read == SHOWN


def test_full_shows_every_change() -> None:
    """With --full there is a line for each of them, and no word of more."""
    text = text_of(plan_lines(endless(1000), forget, full=True))
    assert text.count("\n  + ") == 1000
    assert "more" not in text


def test_many_updates_are_compared_by_name_only() -> None:
    """DeepDiff is spent on the first few hundred; the others name the variables that differ."""
    changes = [update(f"k{number:04}", {"a": 1, "b": 2}, {"a": 1, "b": 3}) for number in range(600)]
    text = text_of(plan_lines(plan_of(changes), recalling(filled("x", {"a": 1, "b": 2})), full=True))
    assert text.count("      b: 2 -> 3") == 500
    assert text.count("      variables: b\n") == 100


def test_a_huge_template_is_not_compared() -> None:
    """A comparison is quadratic at its worst, so that thousands of lines are only counted."""
    old, new = source(html="<p>\n" * 5000), source(html="</p>\n" * 5000)
    plan = plan_of([], templates=[TemplateChange(Action.UPDATE, new, pushed(old))])
    assert "5,000 lines -> 5,000 lines, too many to compare" in text_of(plan_lines(plan, forget))


def test_a_template_whose_files_changed_is_said_to_be_one() -> None:
    """Where html, layouts and variables are as recorded, the plan says what else changed instead of nothing."""
    new = replace(source(), html="<style>b{}</style>", digest="other")
    plan = plan_of([], templates=[TemplateChange(Action.UPDATE, new, pushed(source()))])
    words = "a stylesheet, picture or font that its html names changed"
    assert words in text_of(plan_lines(plan, forget))
    plan = plan_of([], templates=[TemplateChange(Action.UPDATE, source(html="<p>"), pushed(source()))])
    assert words not in text_of(plan_lines(plan, forget))


def test_a_move_of_all_pictures_is_not_hidden_by_a_selection() -> None:
    """A part of the project is planned, and all pictures go to the other folder: both are said."""
    part = replace(plan_of([create("a")]), partial=True)
    moving = replace(part, relocation=Relocation("files:output", "files:dist", 3))
    assert "project: nothing outside the selection is touched." in text_of(plan_lines(part, recalling()))
    text = text_of(plan_lines(moving, recalling()))
    assert "project: apart from that move, nothing outside the selection is touched." in text
