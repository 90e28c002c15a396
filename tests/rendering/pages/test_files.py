"""What comes out is a file of the format, size and quality asked for, the same each time."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys

import pytest
from PIL import Image

from pictify_sync.rendering.engines.encode import encode
from pictify_sync.rendering.failure import RenderFailed
from tests.rendering.pages.studio import GREEN, Studio, picture, uri

CARD = """<style>body { font-family: Inter; font-size: 40px; background: linear-gradient(#fff, #123456) }</style>
<body><b>{{name}}</b> and some words <img src="{{picture}}"></body>"""
VALUES = {"name": "Ünï & <i>", "picture": uri(picture())}


@pytest.mark.parametrize("size", [(1, 1), (37, 211), (640, 360)])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_format_and_size_are_as_asked(studio: Studio, kind: str, size: tuple[int, int]) -> None:
    """The file is of the format asked for, exactly as wide and high, and can be decoded."""
    with Image.open(io.BytesIO(studio.draw(CARD, VALUES, format=kind, size=size))) as image:
        image.load()
        assert (image.format, image.size) == (kind.upper(), size)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_quality_matters(studio: Studio, kind: str) -> None:
    """More quality, more bytes; none is as 0.9; png has none."""
    sizes = [len(studio.draw(CARD, VALUES, format=kind, quality=one, size=(300, 200))) for one in (0.1, 0.5, 0.9)]
    assert sizes[0] < sizes[1] < sizes[2] == len(studio.draw(CARD, VALUES, format=kind, size=(300, 200)))
    assert studio.draw(CARD, VALUES, quality=0.1) == studio.draw(CARD, VALUES)


def test_transparency_is_kept_where_it_can_be(studio: Studio) -> None:
    """A page without a background is transparent; a JPEG of it is on white paper."""
    assert studio.image("<p></p>").getpixel((60, 40)) == (0, 0, 0, 0)
    assert studio.middle("<p></p>", format="webp")[3] == 0
    assert studio.middle("<p></p>", format="jpeg") == (255, 255, 255, 255)
    half = studio.middle("<body style='background: rgba(255, 0, 0, 0.5)'></body>", format="jpeg")
    assert half[0] > 250
    assert 120 < half[1] < 135


def test_encoding_keeps_colours() -> None:
    """Pixels come back from JPEG and WebP as they went in, but for noise."""
    raw = bytes((0, 255, 0, 255)) * 64
    for kind in ("jpeg", "webp"):
        with Image.open(io.BytesIO(encode(raw, (8, 8), kind, 1.0))) as image:
            pixel = image.convert("RGBA").getpixel((4, 4))
        assert all(abs(one - other) < 8 for one, other in zip(pixel, GREEN, strict=True))  # type: ignore[arg-type]


def test_a_page_of_too_many_pixels_is_refused(takumi: Studio) -> None:
    """Sizes are capped before anything is drawn."""
    for size in ((50_000, 50_000), (0, 10), (10, -1)):
        with pytest.raises(RenderFailed):
            takumi.draw("<p>x</p>", size=size)


SCRIPT = """
import hashlib, json, sys
from tests.rendering.pages.studio import Studio
from tests.rendering.pages.test_files import CARD, VALUES
studio = Studio(sys.argv[1])
for kind in ("png", "jpeg", "webp"):
    print(hashlib.sha256(studio.draw(CARD, VALUES, format=kind, size=(300, 200))).hexdigest())
getattr(studio.renderer, "close")()
"""


def test_the_same_bytes_in_every_process(studio: Studio, request: pytest.FixtureRequest) -> None:
    """A second process, and a second time after other pictures, give the same bytes."""
    engine = request.node.callspec.params["studio"]
    said = subprocess.run([sys.executable, "-c", SCRIPT, engine], capture_output=True, text=True, check=True).stdout
    studio.draw("<p>something else</p>", size=(500, 100))
    here = [studio.draw(CARD, VALUES, format=kind, size=(300, 200)) for kind in ("png", "jpeg", "webp")]
    assert said.split() == [hashlib.sha256(one).hexdigest() for one in here]
