"""Draws pages and looks at them."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

from PIL import Image, ImageDraw

from pictify_sync.providers.transport.images import Fetcher
from pictify_sync.rendering.engines.pool import Page
from pictify_sync.rendering.renderer import Renderer

RED, GREEN, BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
SIZE = (120, 80)
FULL = "width:100%;height:100%;display:block"


class Studio:
    """One renderer. Sizes are (width, height)."""

    def __init__(self, engine: str, families: tuple[str, ...] = ("Inter", "Noto Sans")) -> None:
        self.renderer = Renderer(engine, families, Fetcher(()))

    def draw(self, html: str, variables: dict[str, Any] | None = None, **how: Any) -> bytes:
        width, height = how.get("size", SIZE)
        page = Page(html, variables or {}, width, height, how.get("format", "png"), how.get("quality"))
        return self.renderer.render(page)

    def image(self, html: str, variables: dict[str, Any] | None = None, **how: Any) -> Image.Image:
        return Image.open(io.BytesIO(self.draw(html, variables, **how))).convert("RGBA")

    def middle(self, html: str, variables: dict[str, Any] | None = None, **how: Any) -> tuple[int, ...]:
        """The colour in the middle, each channel rounded away from noise of an encoder."""
        image = self.image(html, variables, **how)
        return near(image.getpixel((image.width // 2, image.height // 2)))


def near(pixel: Any) -> tuple[int, ...]:
    """A pixel with values that are nearly none or nearly full made so."""
    return tuple(0 if one < 6 else 255 if one > 249 else one for one in pixel)


def picture(kind: str = "PNG", colour: str = "#00f", size: tuple[int, int] = (12, 8), **how: Any) -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **how)
    return file.getvalue()


def halves(**how: Any) -> bytes:
    """A JPEG of 40x20 pixels: red at the left, white at the right."""
    image = Image.new("RGB", (40, 20), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 19, 19), fill="#f00")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=100, subsampling=0, **how)
    return file.getvalue()


def uri(data: bytes, media: str = "image/png") -> str:
    """A data: URI."""
    return f"data:{media};base64,{b64encode(data).decode()}"


def svg(inside: str, size: tuple[int, int] = SIZE) -> bytes:
    """An SVG picture."""
    head = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {head} width="{size[0]}" height="{size[1]}">{inside}</svg>'.encode()
