"""How soon a person can work with the HTML page of a plan: 50 changes beside 5,000.

    python -m benchmarks.report [--runs 7] [--changes 50,5000]

Each page is opened in a fresh tab of headless Chromium, in turns. "Usable" is the time from opening the file until a
search typed on the keyboard has narrowed the list to the one change that was looked for; "next" is one press of `j` in
the whole list until the change and its details are drawn. Medians. Needs the extra [chromium] and a browser.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import (
    Action,
    Artifact,
    Asset,
    Change,
    Origin,
    Reason,
    Record,
    RenderSpec,
    Status,
    asset_key,
)
from pictify_sync.core.plan import Plan, Summary
from pictify_sync.rendering.engines.chromium import browser
from pictify_sync.report.pages.html import write_html
from pictify_sync.report.view import review_of_plan

SPEC = RenderSpec("local", "card", "r1", "default", "webp", '{"quality":0.85}', "takumi 1")
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(slots=True)
class Figures:
    """What was measured of one page; seconds."""

    size: int  # bytes
    written: float
    usable: list[float] = field(default_factory=list)
    following: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="of each page")
    parser.add_argument(
        "--changes", default="50,5000", help="changes of each page, the first being what others are held against"
    )
    arguments = parser.parse_args()
    numbers = [int(word) for word in arguments.changes.split(",")]
    with TemporaryDirectory() as folder:
        files = {number: Path(folder, f"{number}.html") for number in numbers}
        found = {number: write(number, file) for number, file in files.items()}
        look(files, found, arguments.runs)
    least = found[numbers[0]]
    print(f"{'changes':>8} {'page MB':>8} {'written s':>10} {'usable s':>9} {'ratio':>6} {'next ms':>8} {'ratio':>6}")
    for number, one in found.items():
        usable, following = statistics.median(one.usable), statistics.median(one.following)
        ratios = usable / statistics.median(least.usable), following / statistics.median(least.following)
        print(
            f"{number:>8,} {one.size / 1e6:>8.2f} {one.written:>10.2f} {usable:>9.2f} {ratios[0]:>5.1f}x "
            f"{following * 1000:>8.0f} {ratios[1]:>5.1f}x"
        )


def write(number: int, file: Path) -> Figures:
    """Write the page of a plan with so many changes, two of three of them updates of three of eight variables."""
    known: dict[str, str] = {}
    changes = tuple(made(number, known))
    counts = {action: sum(one.action is action for one in changes) for action in (Action.CREATE, Action.UPDATE)}
    summary = Summary(counts, {}, {"cards": counts}, counts[Action.UPDATE], number, -(-number // 100), 0)
    plan = Plan("lineage", 1, {}, (), (), changes, summary, "h1:0123456789abcdef")
    start = time.perf_counter()
    write_html(review_of_plan(plan, known.get), {}, file)
    return Figures(file.stat().st_size, time.perf_counter() - start)


def made(number: int, known: dict[str, str]) -> Iterator[Change]:
    """Give so many changes; the recorded variables go to `known`, by their digest."""
    for n in range(number):
        old = {f"name_{at}": f"The value number {at} of the item {n}" for at in range(8)}
        new = old | {f"name_{at}": f"Another value, {at}, of the item {n}" for at in range(3)}
        wanted, held = asset(n, new), asset(n, old)
        if n % 3 == 0:
            yield Change(wanted.key, Action.CREATE, Reason.NEW, wanted, None)
            continue
        known[held.fingerprint.variables] = held.variables
        record = Record(
            held.key, Status.STORED, held.fingerprint, SPEC, Artifact(held.output, "0" * 64, 9), held.output
        )
        yield Change(wanted.key, Action.UPDATE, Reason.VARIABLES_CHANGED, wanted, record)


def asset(number: int, values: dict[str, str]) -> Asset:
    """A desired picture."""
    key, text = asset_key("cards", f"item-{number:05}", "default"), canonical(values)
    return Asset(
        key, SPEC, text, fingerprint(SPEC, text), f"cards/item-{number:05}.webp", Origin("cards.csv", number + 2)
    )


def look(files: dict[int, Path], found: dict[int, Figures], runs: int) -> None:
    """Open each page in turns."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(browser.find()), args=["--no-sandbox"])
        for _ in range(runs):
            for number, file in files.items():
                page = started.new_page(viewport={"width": 1400, "height": 900})
                used(page, file, (number, found[number]))
                page.close()
        started.close()


def used(page: Any, file: Path, about: tuple[int, Figures]) -> None:
    """Search, then go on by one."""
    number, figures = about
    start = time.perf_counter()
    page.goto(file.as_uri(), wait_until="commit")
    page.wait_for_selector(".change")
    page.keyboard.press("/")
    page.keyboard.type(f"item-{number - 1:05}")
    page.wait_for_function("document.querySelectorAll('.change').length === 1")
    page.evaluate(DRAWN)
    figures.usable.append(time.perf_counter() - start)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.evaluate(DRAWN)
    start = time.perf_counter()
    page.keyboard.press("j")
    page.evaluate(DRAWN)
    figures.following.append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
