"""The HTML page in a real browser: filters, pictures, keys, light and dark, thousands of changes, strangers' text.

The browser has a thread of its own: Playwright keeps an event loop running in the thread that it is used in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pictify_sync.core.preview import Comparison, PictureFile, Preview
from pictify_sync.emulator import browser
from pictify_sync.report.html import write_html
from pictify_sync.report.outcome import review_of_records
from pictify_sync.report.review import Review
from tests.report.gallery import picture, previews
from tests.report.plans import filled, recalling
from tests.report.reviews import HOSTILE, everything, hostile_apply, hostile_drift, hostile_plan, hostile_records, many

pytestmark = pytest.mark.full

Steps = Callable[[Any], Any]
CHOSEN = '.change[aria-selected="true"] .name'


class Viewer:
    """A browser in a thread of its own. Every look at a page proves that nothing went wrong and nothing went out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = ThreadPoolExecutor(1)
        self._playwright: Any = None
        self._browser: Any = None
        self._thread.submit(self._start).result()

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=str(browser.find()), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

    def close(self) -> None:
        """End browser and thread."""
        self._thread.submit(self._browser.close).result()
        self._thread.submit(self._playwright.stop).result()
        self._thread.shutdown()

    def write(self, name: str, review: Review, shown: dict[Any, Preview] | None = None) -> Path:
        """Write a page."""
        file = self.folder / f"{name}.html"
        write_html(review, shown or {}, file)
        return file

    def look(self, file: Path, steps: Steps, *, width: int = 1200, dark: bool = False) -> Any:
        """Open the page, do the steps, and give what they give."""
        return self._thread.submit(self._look, file, steps, width, dark).result()

    def _look(self, file: Path, steps: Steps, width: int, dark: bool) -> Any:
        context = self._browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", has_touch=width < 500
        )
        told: list[str] = []
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("dialog", lambda dialog: told.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: told.extend([request.url] * (not ours(request.url, file))))
        try:
            page.goto(file.as_uri())
            return steps(page)
        finally:
            context.close()
            assert told == []


def ours(url: str, file: Path) -> bool:
    """Whether a request stays within the page."""
    return url.startswith("data:") or url.partition("#")[0] == file.as_uri()


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """One browser for all tests of pages."""
    if browser.find() is None:
        pytest.skip("no Chrome or Chromium is installed")
    pytest.importorskip("playwright")
    viewer = Viewer(tmp_path_factory.mktemp("pages"))
    yield viewer
    viewer.close()


@pytest.fixture(scope="module")
def pictured(viewer: Viewer) -> Path:
    """A plan of 40 changes with pictures."""
    review = many(40, manifests=2)
    return viewer.write("pictured", review, previews(viewer.folder, review))


@pytest.fixture(scope="module")
def thousands(viewer: Viewer) -> Path:
    """A plan of 5,000 changes."""
    return viewer.write("thousands", many(5000))


def names(page: Any) -> list[str]:
    """The names of the changes in sight, in order."""
    rows = page.locator(".change").all()
    found = sorted((int(row.get_attribute("aria-posinset")), row.locator(".name").inner_text()) for row in rows)
    return [name for _, name in found]


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
