"""A headless browser with one page open, as a reader sees it.

The browser has a thread of its own: Playwright keeps an event loop running in the thread that it is used in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pictify_sync.core.preview import Preview
from pictify_sync.rendering.engines.chromium import browser
from pictify_sync.report.pages.html import write_html
from pictify_sync.report.view import Review

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


def names(page: Any) -> list[str]:
    """The names of the changes in sight, in order."""
    rows = page.locator(".change").all()
    found = sorted((int(row.get_attribute("aria-posinset")), row.locator(".name").inner_text()) for row in rows)
    return [name for _, name in found]
