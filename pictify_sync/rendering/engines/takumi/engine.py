"""The embedded engine: pytakumi, which opens no file, no socket and runs no script.

It takes the html of a body with stylesheets beside it, pictures as bytes by placeholder, and fonts as bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import pytakumi

from pictify_sync.rendering.engines.encode import encode
from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.fonts import FontFace
from pictify_sync.rendering.page.document import BODY, ROOT, body_style_background, wrap_page
from pictify_sync.rendering.page.drawing import Drawing, Font
from pictify_sync.rendering.page.images import NAMED, Picture, broken_images

# The engine defaults to border-box, a browser to content-box; the page itself is to fill its picture, padding and all,
# wherever the margin of what comes first in it would move it.
BASE = (
    "*,*::before,*::after{box-sizing:content-box}[hidden]{display:none}"
    f"{ROOT},{BODY}{{width:100%;height:100%;margin:0;box-sizing:border-box}}"
    f":where({ROOT}){{display:block}}:where({BODY}){{display:flow-root}}"
)

_OF_PICTURES = ("decoding the image data", "parsing an SVG image")  # in what the engine says of a broken picture


class Takumi:
    """One engine with its fonts; `draw` is a pure function of its argument."""

    whole_pages = False

    def __init__(self, fonts: Sequence[FontFace]) -> None:
        self._families = list(dict.fromkeys(face.family for face in fonts))
        self._paths = list(dict.fromkeys(face.path for face in fonts))
        self._engine = lru_cache(maxsize=4)(self._make)  # by the fonts of a page's own

    def _make(self, own: tuple[Font, ...]) -> pytakumi.Renderer:
        engine = pytakumi.Renderer()
        for path in self._paths:
            engine.register_font(path.read_bytes())
        for one in own:
            weight = {"normal": 400.0, "bold": 700.0}.get(one.weight.lower())
            if one.weight.isdecimal():
                weight = float(one.weight)
            with contextlib.suppress(ValueError, RuntimeError):  # as in a browser: the next family is taken
                engine.register_font(one.data, name=one.family, weight=weight, style=one.style or None)
        return engine

    def draw(self, drawing: Drawing) -> bytes:
        """Return the file. Raises RenderFailed when the engine refuses."""
        width, height = drawing.size
        png = drawing.format == "png"
        images: Mapping[str, bytes] = {name: one.data for name, one in drawing.pictures.items()}
        try:
            drawn = self._engine(drawing.fonts).render_html(
                wrap_page(drawing.root, drawing.body, drawing.inner),
                width=width,
                height=height,
                format="png" if png else "raw",
                stylesheets=[BASE + _in_shape(drawing.pictures), *drawing.sheets, body_style_background(drawing.body)],
                images=images,
                font_families=self._families,
            )
        except (ValueError, RuntimeError) as error:
            if any(words in str(error) for words in _OF_PICTURES):
                raise RenderFailed(Cause.IMAGE, f"{broken_images(drawing.pictures.values())}: {error}") from None
            raise RenderFailed(Cause.ENGINE, f"the engine refuses the page: {error}") from None
        return drawn if png else encode(drawn, drawing.size, drawing.format, drawing.quality)

    def close(self) -> None:
        """Nothing runs that could be ended."""


def _in_shape(pictures: Mapping[str, Picture]) -> str:
    """Return the stylesheet that keeps SVG pictures from being stretched, as the engine does and a browser does not."""
    return "".join(
        f":where(img[{NAMED}='{name}']){{object-fit:contain}}" for name, one in pictures.items() if one.keeps_shape
    )
