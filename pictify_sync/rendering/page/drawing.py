"""What an engine draws: a page whose pictures are placeholders, with all that it needs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pictify_sync.rendering.page.images import Picture


@dataclass(frozen=True, slots=True)
class Font:
    """A font that a page brings along."""

    family: str
    name: str  # placeholder of its content
    data: bytes = field(repr=False, compare=False)
    weight: str = ""  # as in css: 400, bold, 100 900; "" when not said
    style: str = ""
    rest: str = ""  # other descriptors of its @font-face rule


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture to draw, free of outside references."""

    root: str  # attributes of <html>
    body: str  # attributes of <body>
    inner: str  # html inside <body>
    sheets: Sequence[str]  # css, in order; for engines of fragments, with the selectors of `page`
    pictures: Mapping[str, Picture]  # by the placeholder that stands in html or css
    fonts: tuple[Font, ...]
    size: tuple[int, int]  # width, height in pixels
    format: str  # png, jpeg or webp
    quality: float | None  # 0.1 to 1; None: the format's default
