"""Pictures that a page names: data: and allowed hosts, else the item fails and says why; never anything else."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from pictify_sync.rendering.engines.pool import Page
from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.page import images as pictures
from tests.rendering.pages.studio import BLUE, FULL, RED, Studio, halves, near, picture, svg, uri

KINDS = [
    ("image/png", picture("PNG")),
    ("image/jpeg", picture("JPEG", quality=100, subsampling=0)),
    ("image/webp", picture("WEBP", lossless=True)),
    ("image/gif", picture("GIF")),
    ("image/svg+xml", svg('<rect width="120" height="80" fill="#00f"/>')),
]
PLACES = [
    f'<img src="{{{{p}}}}" style="{FULL}">',
    f"<img style='{FULL}' src='{{{{p}}}}' alt=''>",
    '<div style="height:80px;background:url({{p}}) 0 0 / 100% 100%"></div>',
    "<div style=\"height:80px;background-image:url('{{p}}')\"></div>",
    "<style>div{height:80px;background:url({{p}}) 0 0 / 100% 100%}</style><div></div>",
    '<style>body{background-image:url("{{p}}")}</style><body></body>',
    '<svg width="120" height="80"><image href="{{p}}" width="120" height="80" preserveAspectRatio="none"/></svg>',
    '<svg width="120" height="80"><image xlink:href="{{p}}" width="120" height="80" preserveAspectRatio="none"/></svg>',
]


@pytest.mark.parametrize("place", PLACES)
def test_pictures_in_every_place(studio: Studio, place: str) -> None:
    """A data: picture is drawn wherever html or css may name one, from a variable as from the template."""
    for media, data in KINDS:
        if media == "image/svg+xml" and "<svg" in place:
            continue
        for html, values in ((place, {"p": uri(data, media)}), (place.replace("{{p}}", uri(data, media)), {})):
            assert studio.middle(html, values) == BLUE, media


@pytest.mark.parametrize(
    "form",
    [
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Crect width='9' "
        "height='9' fill='%2300f'/%3E%3C/svg%3E",
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' "
        "height='9' fill='%2300f'/></svg>",
        "DATA:IMAGE/PNG;BASE64," + uri(picture())[22:],
        "data:text/plain;base64," + uri(picture())[22:],
    ],
)
def test_forms_of_data(studio: Studio, form: str) -> None:
    """Every form of data: URI is read; what counts is the content, not the type it claims."""
    assert studio.middle(f'<style>body{{background:url("{form}")}}</style><body></body>') == BLUE
    assert studio.middle(f'<img src="{form}" style="{FULL}">') == BLUE
    assert studio.middle(f'<img src="{{{{p}}}}" style="{FULL}">', {"p": form}) == BLUE


@pytest.mark.parametrize("html", ['<img src="">', "<img>", '<img src=" ">', "<img src={{p}}>", "<img src='{{p}}'/>"])
def test_an_absent_picture_is_left_out(studio: Studio, html: str) -> None:
    """An optional picture without a value is no error and takes no room."""
    assert studio.middle(f"{html}<div style='height:80px;background:#00f'></div>", {"p": ""}) == BLUE
    assert studio.middle("<div style='height:80px;background:#00f url()'></div>") == BLUE


def test_text_that_looks_like_a_reference_is_text(takumi: Studio) -> None:
    """Only references count: text and other attributes may name anything."""
    takumi.draw("<p title='url' alt='src=http://x'>url(http://x.example/a.png) &lt;img src='http://x'&gt;</p>")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("photo.png", "photo.png"),
        ("/etc/passwd", "/etc/passwd"),
        ("../secret.svg", "../secret.svg"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("//evil.example/a.png", "//evil.example"),
        ("https://evil.example/a.png", "evil.example is not an allowed host"),
        ("http://127.0.0.1/a.png", "127.0.0.1 is not an allowed host"),
        ("https://[::1]/a.png", "not an allowed host"),
        ("https://exa mple/", "https://exa"),
        ("javascript:alert(1)", "javascript:"),
        ("blob:https://x/y", "blob:"),
        ("data:image/png;base64,AAAA", "not a PNG"),
        ("data:image/png;base64,%%%", "data:image/png"),
        ("data:image/png", "without a comma"),
        ("data:text/html,<b>x</b>", "not a PNG"),
        (uri(picture()[:40]), "broken"),
        (uri(halves()[:60]), "data:image/png"),
        (uri(gzip.compress(KINDS[4][1])), "not a PNG"),
        (pictures.placeholder("data:image/png;base64,AAAA"), "picture.invalid"),
    ],
)
def test_other_references_fail_the_item(takumi: Studio, reference: str, says: str) -> None:
    """What cannot be had fails with Cause.IMAGE and names the reference, at most 80 characters of it."""
    for place in PLACES:
        if "url({{p}})" in place and set(" (") & set(reference):
            continue  # not what url() can hold without quotes
        with pytest.raises(RenderFailed) as caught:
            takumi.draw(place, {"p": reference})
        assert caught.value.cause == Cause.IMAGE
        assert says in caught.value.message
        assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("media", "data"),
    [
        ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"><rect'),
        ("image/svg+xml", b"<svg>&nope;</svg>"),
        ("image/gif", picture("GIF")[:-20]),
        ("image/png", picture(size=(300, 300))[:-60]),
    ],
)
def test_a_broken_picture_is_named(takumi: Studio, media: str, data: bytes) -> None:
    """Which of the pictures is broken is told, also when only the engine finds out."""
    bad = uri(data, media)
    with pytest.raises(RenderFailed) as caught:
        takumi.draw(f'<img src="{uri(picture())}"><img src="{{{{bad}}}}">', {"bad": bad})
    assert caught.value.cause == Cause.IMAGE
    assert bad[:80] in caught.value.message
    assert uri(picture())[:80] not in caught.value.message


def test_sizes_are_capped() -> None:
    """Pictures of too many bytes or pixels are refused before they are decoded."""
    bomb = picture("PNG", "#000", (10_000, 6_000))
    with pytest.raises(ValueError, match="pixels"):
        pictures.check_image(bomb)
    with pytest.raises(ValueError, match="bytes"):
        pictures.check_image(b"\x89PNG\r\n\x1a\n" + bytes(pictures.MAX_BYTES))
    with pytest.raises(ValueError, match="larger"):
        pictures.decode_data_uri("data:image/png;base64," + "A" * (2 * pictures.MAX_BYTES + 4))


def test_photos_stand_upright(studio: Studio) -> None:
    """A photo is turned as its camera says."""
    from PIL import Image

    turned = Image.Exif()
    turned[pictures.EXIF_ORIENTATION] = 6  # its first row is the right side
    data = uri(halves(exif=turned), "image/jpeg")
    image = studio.image(f'<img src="{data}" style="{FULL}">')
    assert [near(image.getpixel((60, y))) for y in (10, 70)] == [RED, (255, 255, 255, 255)]


def test_a_second_picture_is_cheap(takumi: Studio) -> None:
    """A photo in a variable is not carried through the template, and what was read is kept."""
    noise = uri(Path(__file__).read_bytes().ljust(1_000_000), "image/png").replace("data:image/png", "data:x/y")
    html = "<p>{{text}}</p>" + f"<style>p{{color:red}} /* {'x' * 10_000} */</style>"
    takumi.draw(html, {"text": "a"})
    begun = time.process_time()
    for _ in range(20):
        takumi.renderer.prepared(Page(html, {"text": "b", "unused": noise}, 10, 10, "png", None))
    assert time.process_time() - begun < 0.5
