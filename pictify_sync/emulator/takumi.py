"""The embedded engine: pytakumi, which opens no file, no socket and runs no script.

It takes the html of a body with stylesheets beside it, pictures as bytes by token, and fonts as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytakumi

from pictify_sync.emulator.encode import encode
from pictify_sync.emulator.failure import RENDER_FAILED, RenderFailed
from pictify_sync.emulator.page import BODY, ROOT
from pictify_sync.emulator.sheets import Drawing

BASE = f"{ROOT},{BODY}{{display:block;width:100%;height:100%;margin:0}}"


class Takumi:
    """One engine with its fonts; `draw` is a pure function of its argument."""

    def __init__(self, fonts: Sequence[tuple[str, Path]]) -> None:
        self._engine = pytakumi.Renderer()
        self._families = list(dict.fromkeys(family for family, _ in fonts))
        for _, path in fonts:
            self._engine.register_font(path.read_bytes())

    def draw(self, drawing: Drawing) -> bytes:
        """Give the file. Raises RenderFailed when the engine refuses."""
        width, height = drawing.size
        png = drawing.format == "png"
        images: Mapping[str, bytes] = {name: one.data for name, one in drawing.pictures.items()}
        try:
            drawn = self._engine.render_html(
                drawing.html,
                width=width,
                height=height,
                format="png" if png else "raw",
                stylesheets=[BASE, *drawing.sheets],
                images=images,
                font_families=self._families,
            )
        except (ValueError, RuntimeError) as error:
            raise RenderFailed(RENDER_FAILED, f"the engine refuses the page: {error}") from None
        return drawn if png else encode(drawn, drawing.size, drawing.format, drawing.quality)
