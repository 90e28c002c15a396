"""The HTML page in a real browser: filters, pictures, keys, light and dark, thousands of changes, strangers' text.

The browser has a thread of its own: Playwright keeps an event loop running in the thread that it is used in.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pictify_sync.core.preview import Comparison, PictureFile, Preview
from tests.report.gallery import picture
from tests.report.reviews import everything, many
from tests.report.viewer import CHOSEN, Viewer, names

pytestmark = pytest.mark.full


def test_filters_narrow_the_list(viewer: Viewer, pictured: Path) -> None:
    """By manifest, by action, by reason and by words, one within the other; what is left is counted."""

    def steps(page: Any) -> None:
        assert page.locator("#count").inner_text() == ""
        page.select_option("#manifest", index=1)
        assert page.locator("#count").inner_text() == "20 of 40"
        page.get_by_role("button", name="to update").click()
        counted = int(page.locator("#count").inner_text().split()[0])
        assert 0 < counted < 20
        assert set(page.locator(".badge").all_inner_texts()) == {"update"}
        page.fill("#search", "k00004")
        assert names(page) == ["k00004@default"]
        page.fill("#search", "nowhere to be found")
        assert page.get_by_text("Nothing matches.").is_visible()
        page.fill("#search", "")
        page.get_by_role("button", name="to update").click()
        page.select_option("#reason", label="new (14)")
        assert set(page.locator(".badge").all_inner_texts()) == {"create"}
        page.select_option("#reason", label="All reasons")
        assert page.locator("#count").inner_text() == "20 of 40"
        page.select_option("#manifest", label="All 2 manifests")
        assert page.locator("#count").inner_text() == ""
        assert not page.get_by_text("Nothing matches.").is_visible()

    viewer.look(pictured, steps)


def test_values_and_their_difference_are_shown(viewer: Viewer, pictured: Path) -> None:
    """Old and new stand side by side, and only what differs is marked."""

    def steps(page: Any) -> None:
        page.fill("#search", "k00007")
        row = page.locator("#detail tr", has_text="count")
        assert row.locator("td").all_inner_texts() == ["count", "7", "-7"]
        assert row.locator("del").count() == 0
        assert row.locator("ins").inner_text() == "-"
        assert "cards.yaml:12" in page.locator("#detail").inner_text()

    viewer.look(pictured, steps)


def test_pictures_are_compared_in_three_ways(viewer: Viewer, pictured: Path) -> None:
    """Side by side, with a slider that a mouse and the keyboard move, and as the pixels that differ."""

    def steps(page: Any) -> None:
        page.fill("#search", "k00008")
        assert page.locator("#stage img").count() == 2
        assert page.evaluate("[...document.querySelectorAll('#stage img')].every(one => one.naturalWidth === 240)")
        assert "of the pixels changed" in page.locator("#detail").inner_text()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Slider").click()
        frame = page.locator(".slider")
        box = frame.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
        place = "parseFloat(getComputedStyle(document.querySelector('.slider')).getPropertyValue('--at'))"
        assert 15 < page.evaluate(place) < 35
        page.locator(".slider input").focus()
        page.keyboard.press("End")
        assert page.evaluate(place) == 100
        page.get_by_role("button", name="Difference").click()
        assert page.locator("#stage img").count() == 1

    viewer.look(pictured, steps)


def test_behind_a_transparent_picture_stands_no_other(viewer: Viewer) -> None:
    """The slider's right half shows the picture after alone, where it is transparent too; black and white are seen."""
    review = many(2)
    change = review.changes[1]
    old = picture(viewer.folder, "old", "red")
    clear = viewer.folder / "clear.png"
    Image.new("RGBA", (240, 126)).save(clear)
    new = PictureFile(str(clear), "image/png", 240, 126)
    shown = {change.key: Preview(change.key, old, new, Comparison(1.0, None))}

    def steps(page: Any) -> Any:
        page.locator("#change-1").click()
        page.get_by_role("button", name="Slider").click()
        page.wait_for_function("[...document.querySelectorAll('.slider img')].every(one => one.complete)")
        with Image.open(BytesIO(page.locator(".slider").screenshot())) as image:
            return [image.convert("RGB").getpixel((image.width * part // 8, image.height * 3 // 4)) for part in (1, 7)]

    for dark in (False, True):
        left, right = viewer.look(viewer.write("clear", review, shown), steps, dark=dark)
        assert left == (255, 0, 0)
        assert min(right) >= 100  # grey or nearly white
        assert max(right) - min(right) < 30


def test_equal_and_unlike_pictures_are_told(viewer: Viewer, pictured: Path) -> None:
    """A change that nobody would see is marked so, and one of another size too; the order can go by what changed."""

    def steps(page: Any) -> None:
        page.fill("#search", "k00010")
        assert "looks equal" in page.locator(".change").first.inner_text()
        assert "no pixel differs visibly" in page.locator("#detail").inner_text()
        page.fill("#search", "k00002")
        assert "other size" in page.locator(".change").first.inner_text()
        assert "240x126 and 120x120" in page.locator("#detail").inner_text()
        page.fill("#search", "")
        page.select_option("#order", "most")
        assert "other size" in page.locator("#change-0").inner_text()
        page.select_option("#order", "least")
        assert "looks equal" in page.locator("#change-0").inner_text()

    viewer.look(pictured, steps)


def test_everything_is_done_by_keyboard(viewer: Viewer, pictured: Path) -> None:
    """Search, go on, open, compare and go back without a mouse; the focus is always somewhere that shows it."""

    def steps(page: Any) -> None:
        page.keyboard.press("/")
        page.keyboard.type("cards-0000")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "list"
        first = page.locator(CHOSEN).inner_text()
        page.keyboard.press("j")
        page.keyboard.press("ArrowDown")
        assert page.locator(CHOSEN).inner_text() != first
        assert page.locator("#detail h2").inner_text().endswith(page.locator(CHOSEN).inner_text())
        page.keyboard.press("k")
        page.keyboard.press("ArrowUp")
        assert page.locator(CHOSEN).inner_text() == first
        active = page.locator("#list").get_attribute("aria-activedescendant")
        assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
        page.keyboard.press("End")
        assert page.locator(CHOSEN).is_visible()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "detail"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "list"
        page.fill("#search", "k00008")
        page.keyboard.press("Enter")
        page.keyboard.press("2")
        assert page.locator(".slider").count() == 1
        page.keyboard.press("3")
        assert page.locator(".slider").count() == 0
        page.keyboard.press("/")
        page.keyboard.press("Escape")
        assert page.locator("#search").input_value() == ""

    viewer.look(pictured, steps)


def test_what_is_filtered_away_is_not_acted_upon(viewer: Viewer, pictured: Path) -> None:
    """The chosen change is gone from the list: no key compares its pictures, and nothing says that it is chosen."""

    def steps(page: Any) -> None:
        page.click("#view-grid")
        page.locator(".change", has_text="k00004").click()
        page.fill("#search", "k00008")
        page.locator("#list").focus()
        page.keyboard.press("2")
        assert page.locator("#list").get_attribute("aria-activedescendant") is None
        assert not page.locator("#detail").is_visible()

    viewer.look(pictured, steps)


def test_thousands_of_changes_are_as_quick_as_a_few(viewer: Viewer, thousands: Path) -> None:
    """Only what is in sight is part of the page; the last change is one key away, and a search finds the one."""

    def steps(page: Any) -> None:
        assert page.locator(".change").count() < 60
        page.locator("#list").focus()
        page.keyboard.press("End")
        assert page.locator(CHOSEN).inner_text() == "k04997@default"
        assert page.locator(CHOSEN).is_visible()
        assert page.locator(".change").count() < 60
        page.mouse.wheel(0, -100_000)
        page.wait_for_timeout(100)
        assert 5 < len(names(page)) < 60
        page.fill("#search", "k02500 y")
        assert names(page) == ["k02500@default"]

    viewer.look(thousands, steps)


@pytest.mark.parametrize("width", [390, 1200])
def test_a_name_in_the_address_opens_that_change(viewer: Viewer, thousands: Path, width: int) -> None:
    """So that a comment can point at it, on a phone too; another address opens another one."""

    def steps(page: Any) -> None:
        page.goto(thousands.as_uri() + "#cards-0003%2Fk04420%40default")
        page.reload()
        assert page.locator("#detail h2").inner_text().endswith("k04420@default")
        assert page.locator("#detail").is_visible()
        assert page.locator(CHOSEN).is_visible()
        page.evaluate("location.hash = 'cards-0001%2Fk00001%40default'")
        page.locator("#detail h2", has_text="k00001@default").wait_for()

    viewer.look(thousands, steps, width=width)


def test_a_search_says_that_not_everything_is_listed(viewer: Viewer) -> None:
    """What is not found may be among those that are only counted."""

    def steps(page: Any) -> None:
        assert page.locator("#count").inner_text() == "10,000 of 10,030 listed"
        page.fill("#search", "nowhere to be found")
        assert page.get_by_text("Nothing matches among the 10,000 of 10,030 that are listed.").is_visible()

    viewer.look(viewer.write("part", many(10_030)), steps)


def test_every_kind_of_change_opens(viewer: Viewer) -> None:
    """One change of every action and reason, and two templates with their diff."""

    def steps(page: Any) -> None:
        for summary in page.locator("summary").all():
            summary.click()
        assert page.get_by_text("+<p class=note>{{note}}</p>").is_visible()
        gone, new = (page.locator(f".templates [data-tone={tone}]").bounding_box() for tone in ("remove", "add"))
        assert new["y"] - gone["y"] == pytest.approx(gone["height"], abs=1)  # no blank lines between
        for number in range(11):
            page.locator(f"#change-{number}").click()
            assert page.locator("#detail h2").is_visible()

    viewer.look(viewer.write("everything", everything()), steps)
