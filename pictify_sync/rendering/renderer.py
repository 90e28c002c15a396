"""A page into a picture: fill the template, take the page apart, resolve its pictures, let an engine draw.

One Renderer lives in each worker. It keeps compiled templates, stylesheets and pictures, so that a second picture of a
template costs little more than the engine. It knows no batches, no HTTP server and no files but fonts.
"""

from __future__ import annotations

import multiprocessing
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from pictify_sync.rendering.engines.pool import Page
from pictify_sync.rendering.engines.takumi.anonymous_text_boxes import wrap_text
from pictify_sync.rendering.engines.takumi.longhands import expand_longhands
from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.fonts import FontFace, find
from pictify_sync.rendering.handlebars.compiler import compile_template
from pictify_sync.rendering.page.document import Face, compile_sheet, split
from pictify_sync.rendering.page.drawing import Drawing, Font
from pictify_sync.rendering.page.images import (
    ImageCache,
    ImageFetcher,
    PageImages,
    RewriteRules,
    decode_data_uri,
    extract_images,
    fetch_nothing,
    in_attributes,
    in_css,
    in_html,
    placeholder,
)

MAX_PIXELS = 50_000_000  # of a page: 200 MB while it is drawn
MAX_MEMORY = 4_000_000_000  # bytes of address space of a worker, threads and fonts included
MAX_HTML = 5_000_000  # characters of a filled page, its pictures not counted

_DATA = re.compile(r"""(?<=["'(])data:[\w.+/;=-]*;base64,[A-Za-z0-9+/=]+(?=["')])""")


class Engine(Protocol):
    """An engine. `whole_pages`: it knows `<html>` and `<body>`."""

    @property
    def whole_pages(self) -> bool: ...

    def draw(self, drawing: Drawing) -> bytes: ...

    def close(self) -> None: ...


class _Template:
    """A compiled template, its own pictures taken out."""

    def __init__(self, html: str, raw_html: tuple[str, ...]) -> None:
        self.known: dict[str, str] = {}

        def out(found: re.Match[str]) -> str:
            name = placeholder(found[0])
            self.known[name] = found[0]
            return name

        text = _DATA.sub(out, html)
        self.fill = compile_template(text, raw_html).render


class Renderer:
    """Makes pictures with one engine and one set of fonts.

    `engine` is `takumi` or `chromium`; `families` are names of installed font families in the order of fallback;
    `fetch` gives the bytes behind an http(s) URL; it must survive pickling, since workers are processes.
    """

    def __init__(self, engine: str, families: Sequence[str], fetch: ImageFetcher = fetch_nothing) -> None:
        if engine == "takumi" and multiprocessing.parent_process() is not None:
            limit_memory()  # a process of its own: whoever asked for it lives on
        self.engine = _engine(engine, find(families))
        self._cache = ImageCache(fetch)
        self._template = lru_cache(maxsize=32)(_Template)

    def render(self, page: Page) -> bytes:
        """Return the picture's file, exactly as wide and high as asked. Raises RenderFailed."""
        if page.width < 1 or page.height < 1 or page.width * page.height > MAX_PIXELS:
            raise RenderFailed(Cause.ENGINE, f"{page.width}x{page.height} pixels, at most {MAX_PIXELS}")
        return self.engine.draw(self.prepared(page))

    def close(self) -> None:
        """End what the engine has started."""
        self.engine.close()

    def prepared(self, page: Page) -> Drawing:
        """Return what the engine is handed. Raises RenderFailed."""
        template = self._template(page.html, page.raw_html)
        known = dict(template.known)
        html = template.fill(extract_images(page.variables, known))
        if len(html) > MAX_HTML:
            raise RenderFailed(Cause.VARIABLE, f"the filled page has {len(html)} characters, at most {MAX_HTML}")
        parts = split(html)
        images = PageImages(self._cache, known)

        def inline(reference: str) -> str:
            picture = images.pictures[images.take(reference)]
            return f"data:{picture.media};base64,{b64encode(picture.data).decode()}"

        whole = self.engine.whole_pages
        how = RewriteRules(images.take, inline, str if whole else expand_longhands)
        styles = [compile_sheet(style, whole_pages=whole) for style in parts.styles]
        sheets = [in_css(one.css, images.take) for one in styles]
        fonts = tuple(font for one in styles for face in one.faces if (font := _font(face, known)))
        root, body = (in_attributes(one, how) for one in (parts.root, parts.body))
        inner = in_html(wrap_text(parts.inner, frozenset().union(*(one.after for one in styles))), how)
        size = (page.width, page.height)
        return Drawing(root, body, inner, sheets, images.pictures, fonts, size, page.format, page.quality)


def limit_memory(most: int = MAX_MEMORY) -> None:
    """Let this process have no more bytes of address space: a page that needs more ends it, not the machine."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = [one for one in (most, soft, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(allowed), hard))


def _font(face: Face, known: Mapping[str, str]) -> Font | None:
    """Return a font that is inside the page; others are left out, as a browser does with one that it cannot get."""
    uri = known.get(face.source, face.source)
    try:
        data = _decode_font(uri) if uri[:5].lower() == "data:" else b""
    except ValueError:
        return None
    return Font(face.family, placeholder(uri), data, face.weight, face.style, face.rest) if data else None


@lru_cache(maxsize=16)
def _decode_font(uri: str) -> bytes:
    return decode_data_uri(uri)


def _engine(name: str, fonts: Sequence[FontFace]) -> Engine:
    match name:
        case "takumi":
            from pictify_sync.rendering.engines.takumi.engine import Takumi  # noqa: PLC0415 - only the engine that is wanted

            return Takumi(fonts)
        case "chromium":
            from pictify_sync.rendering.engines.chromium.engine import Chromium  # noqa: PLC0415

            return Chromium(fonts)
        case _:
            raise ValueError(f"there is no engine {name}")
