"""How the HTML page looks in a real browser: light and dark, on a phone, on paper, with strangers' text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.preview import Preview
from pictify_sync.report.outcome import review_of_records
from tests.report.gallery import picture
from tests.report.plans import filled, recalling
from tests.report.reviews import HOSTILE, hostile_apply, hostile_drift, hostile_plan, hostile_records, many
from tests.report.viewer import Viewer


def test_light_and_dark(viewer: Viewer, pictured: Path) -> None:
    """The page follows the system, and its button overrules it."""
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = viewer.look(pictured, lambda page: page.evaluate(ground))

    def steps(page: Any) -> None:
        assert page.evaluate(ground) != light
        assert page.locator("#theme").get_attribute("aria-pressed") == "true"
        page.click("#theme")
        assert page.evaluate(ground) == light
        page.reload()
        assert page.evaluate(ground) == light

    viewer.look(pictured, steps, dark=True)


pytestmark = pytest.mark.full


@pytest.mark.parametrize("width", [320, 390, 768, 1200, 1900])
def test_nothing_sticks_out(viewer: Viewer, pictured: Path, width: int) -> None:
    """From a phone to a wide screen the page is no wider than its window, in both views."""

    def steps(page: Any) -> None:
        for button in ("#view-list", "#view-grid"):
            page.click(button)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.locator(".change").first.click()
            assert page.locator("#detail").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.keyboard.press("Escape")

    viewer.look(pictured, steps, width=width)


def test_on_a_phone_details_cover_the_list_until_they_are_closed(viewer: Viewer, pictured: Path) -> None:
    """A tap opens, a button closes, and the list is where it was."""

    def steps(page: Any) -> None:
        assert not page.locator("#detail").is_visible()
        page.locator("#change-3").tap()
        assert page.locator("#detail").bounding_box()["width"] == 390
        page.get_by_role("button", name="Close").tap()
        assert not page.locator("#detail").is_visible()

    viewer.look(pictured, steps, width=390)


def test_on_paper_stands_the_whole_list(viewer: Viewer, pictured: Path) -> None:
    """Printing shows all that the filters leave, in order and without the details; afterwards the page is as before."""
    where = "[...document.querySelectorAll('.change')].map(one => one.getBoundingClientRect().top)"

    def steps(page: Any) -> None:
        before = page.locator(".change").count()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".change").count() == 40 > before
        tops = page.evaluate(where)
        assert tops == sorted(set(tops))
        assert not page.locator("#detail").is_visible()
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".change").count() == before
        assert page.locator("#detail").is_visible()

    viewer.look(pictured, steps)


def test_every_picture_says_what_it_is(viewer: Viewer, pictured: Path) -> None:
    """Those of the details have words for who cannot see them; the small ones are passed over."""

    def steps(page: Any) -> None:
        page.fill("#search", "k00008")
        assert page.locator("#stage img").evaluate_all("all => all.map(one => one.alt)") == [
            "Before: k00008@default",
            "After: k00008@default",
        ]
        assert page.locator("img:not([alt])").count() == 0

    viewer.look(pictured, steps)


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) > 1], ids=range(8))
def test_strangers_text_is_text(viewer: Viewer, text: str) -> None:
    """On every kind of page it stands where it belongs, runs nothing, loads nothing and makes no element."""
    records = hostile_records(text)
    reviews = {
        "plan": hostile_plan(text, 3),
        "apply": hostile_apply(text),
        "drift": hostile_drift(text),
        "records": review_of_records(lambda: records, recalling(filled("x", {text: text}))),
    }

    def steps(page: Any) -> None:
        assert page.locator(".change").count() > 0
        for row in page.locator(".change").all():
            row.click()
            page.keyboard.press("Escape")
        assert page.locator("a:not(.skip), iframe, object, embed, form, base, link:not([rel=icon])").count() == 0
        assert page.locator("script:not([type])").count() == 1
        assert page.locator("img").count() == 0

    for name, review in reviews.items():
        file = viewer.write(f"hostile-{name}", review)
        viewer.look(file, steps)


def test_recorded_pictures_are_a_contact_sheet(viewer: Viewer) -> None:
    """Pictures first, those in trouble before the others."""
    records = hostile_records("odd name")
    shown = {record.key: Preview(record.key, None, picture(viewer.folder, "one", "red"), None) for record in records}
    assert len(shown) == 1  # the keys are equal

    def steps(page: Any) -> None:
        assert page.locator("#list").get_attribute("class") == "cards"
        assert page.locator("#change-0 .badge").inner_text() == "failed"
        assert page.locator("#change-3 .badge").inner_text() == "stored"
        assert not page.locator("#detail").is_visible()
        page.locator("#change-3").click()
        assert "Stored picture" in page.locator("#detail").inner_text()

    file = viewer.write("sheet", review_of_records(lambda: records, recalling()), shown)
    viewer.look(file, steps)


def test_a_page_without_changes_says_so(viewer: Viewer) -> None:
    """Nothing is drawn, and nothing fails."""
    file = viewer.write("nothing", many(0))
    viewer.look(file, lambda page: page.get_by_text("There is nothing to do.").wait_for())
