"""The embedded engine called directly: what an apply would cost if there were no state, no batches and no promises.

    python -m benchmarks.bare WORK FOLDER WORKERS

WORK is what `benchmarks.render` wrote. Handlebars, engine, fonts, encoder and number of processes are those of an
apply; each picture is written once, without a sync. Nothing else of the package takes part.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import pytakumi

from pictify_sync.rendering.engines.encode import encode
from pictify_sync.rendering.handlebars.compiler import compile_template


class Shot(NamedTuple):
    """One picture."""

    template: int  # index in `templates`
    variables: str  # JSON
    images: dict[str, str]  # token -> file of a picture that only this page shows
    size: tuple[int, int]
    format: str
    quality: float | None
    output: str


class Worker:
    """Lives once per process: an engine with its fonts, compiled templates."""

    def __init__(self, work: dict[str, Any]) -> None:
        self._engine = pytakumi.Renderer()
        for path in work["fonts"]:
            self._engine.register_font(Path(path).read_bytes())
        self._families = work["families"]
        self._templates = [
            (
                compile_template(one["body"]),
                one["sheets"],
                {name: text.encode() for name, text in one["images"].items()},
            )
            for one in work["templates"]
        ]
        self._read = cache(lambda name: Path(name).read_bytes())

    def draw(self, shot: Shot) -> bytes:
        """Give the file of one picture."""
        template, sheets, images = self._templates[shot.template]
        png = shot.format == "png"
        drawn = self._engine.render_html(
            template.render(json.loads(shot.variables)),
            width=shot.size[0],
            height=shot.size[1],
            format="png" if png else "raw",
            stylesheets=sheets,
            images={**images, **{token: self._read(name) for token, name in shot.images.items()}},
            font_families=self._families,
        )
        return drawn if png else encode(drawn, shot.size, shot.format, shot.quality)


_worker: Worker


def _start(work: dict[str, Any]) -> None:
    global _worker  # noqa: PLW0603 - how a pool's initializer hands something to its calls
    _worker = Worker(work)


def _make(shot: Shot) -> None:
    Path(shot.output).write_bytes(_worker.draw(shot))


def main(work_file: str, folder: str, workers: str) -> None:
    """Make all pictures of the work file."""
    work = json.loads(Path(work_file).read_text())
    shots = [Shot(*one)._replace(output=str(Path(folder, one[-1]))) for one in work.pop("shots")]
    for parent in {Path(shot.output).parent for shot in shots}:
        parent.mkdir(parents=True, exist_ok=True)
    with get_context("fork").Pool(int(workers), _start, (work,)) as pool:
        for _ in pool.imap_unordered(_make, shots, chunksize=4):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
