"""Hostile pages: no connection is made, no file is read, no script runs, nothing is shown that was not handed over."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from pictify_sync.rendering.failure import RenderFailed
from pictify_sync.rendering.page.drawing import Drawing
from tests.rendering.pages.studio import SIZE, Studio, near, picture, svg, uri

CANARY = (255, 0, 254)


class Listener:
    """Counts connections on a loopback port."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A port that nobody may come to."""
    made = Listener()
    yield made
    made.close()


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that nobody may show."""
    path = tmp_path_factory.mktemp("canary") / "canary.png"
    path.write_bytes(picture("PNG", "#ff00fe", (200, 200)))
    return path


def _places(place: str) -> Iterator[str]:
    """Every way to name a place that came to mind. PLACE is replaced."""
    for html in (
        '<img src="PLACE" width=120 height=80>',
        '<img srcset="PLACE 1x" width=120 height=80>',
        '<picture><source srcset="PLACE"><img width=120 height=80></picture>',
        "<img src=PLACE onerror=\"fetch('PLACE')\" onload=\"fetch('PLACE')\">",
        '<input type=image src="PLACE" style="width:120px;height:80px">',
        '<body background="PLACE"></body>',
        '<body style="background:url(PLACE)"></body>',
        '<style>body{background:url("PLACE")}</style><body></body>',
        '<style>body{background:u\\72l("PLACE")}</style><body></body>',
        '<style>body{background:image-set("PLACE" 1x)}</style><body></body>',
        "<style>body{background:-webkit-image-set(url(PLACE) 1x)}</style><body></body>",
        "<style>body{--x:url(PLACE);background:var(--x)}</style><body></body>",
        "<style>p::before{content:url(PLACE)}</style><p>x</p>",
        "<style>ul{list-style-image:url(PLACE)}</style><ul><li>x</ul>",
        "<style>p{mask-image:url(PLACE);border-image:url(PLACE) 1;cursor:url(PLACE),auto}</style><p>x</p>",
        '<style>@import "PLACE";</style><p>x</p>',
        "<style>@import url(PLACE);</style><p>x</p>",
        "<style>@font-face{font-family:a;src:url(PLACE)} p{font-family:a}</style><p>x</p>",
        '<link rel=stylesheet href="PLACE"><p>x</p>',
        '<link rel=preload as=image href="PLACE"><link rel=prefetch href="PLACE"><link rel=icon href="PLACE">',
        '<link rel=dns-prefetch href="PLACE"><link rel=preconnect href="PLACE"><link rel=manifest href="PLACE">',
        '<meta http-equiv=refresh content="0;url=PLACE"><p>x</p>',
        '<body><meta http-equiv=refresh content="0;url=PLACE"><p>x</p></body>',
        '<base href="PLACE"><img src="a.png">',
        '<iframe src="PLACE" width=120 height=80></iframe>',
        "<iframe srcdoc=\"<img src=PLACE width=120 height=80><script>fetch('PLACE')</script>\"></iframe>",
        '<object data="PLACE" width=120 height=80></object><embed src="PLACE" width=120 height=80>',
        '<video src="PLACE" poster="PLACE" autoplay></video><audio src="PLACE" autoplay></audio>',
        '<script src="PLACE"></script><script>fetch("PLACE"); new Image().src = "PLACE"</script>',
        '<script>new WebSocket("ws" + "PLACE".slice(4)); navigator.sendBeacon("PLACE"); location = "PLACE"</script>',
        '<script type=module>import "PLACE"</script>',
        '<svg width=120 height=80><image href="PLACE" width=120 height=80 /></svg>',
        '<svg width=120 height=80><image xlink:href="PLACE" width=120 height=80 /></svg>',
        '<svg width=120 height=80><use href="PLACE#a" /></svg>',
        '<svg width=120 height=80><filter id=f><feImage href="PLACE"/></filter><rect filter="url(#f)" /></svg>',
        '<svg width=120 height=80><rect fill="url(PLACE#x)" width=120 height=80 /></svg>',
        '<svg width=120 height=80><style>@import "PLACE"; rect{fill:url(PLACE)}</style><rect width=9 height=9 /></svg>',
        '<svg width=120 height=80><foreignObject width=120 height=80><img src="PLACE"></foreignObject></svg>',
        '<svg width=120 height=80><script>fetch("PLACE")</script><a href="PLACE"><rect width=9 height=9 /></a></svg>',
        '<?xml-stylesheet href="PLACE"?><!DOCTYPE svg [<!ENTITY x SYSTEM "PLACE">]><svg><text>&x;</text></svg>',
        '<form action="PLACE"><input type=submit autofocus></form><a ping="PLACE" href="PLACE">x</a>',
        '<math><mtext href="PLACE">x</mtext></math><portal src="PLACE"></portal><applet code="PLACE"></applet>',
    ):
        yield html.replace("PLACE", place)
    for inside in (
        '<image href="PLACE" width="120" height="80"/>',
        '<image xlink:href="PLACE" width="120" height="80"/>',
        '<use href="PLACE#x"/>',
        '<style>@import "PLACE"; rect { fill: url(PLACE) }</style><rect width="120" height="80"/>',
        '<filter id="f"><feImage href="PLACE"/></filter><rect filter="url(#f)" width="120" height="80"/>',
        '<script>fetch("PLACE")</script>',
        '<foreignObject width="9" height="9"><img xmlns="http://www.w3.org/1999/xhtml" src="PLACE"/></foreignObject>',
    ):
        data = svg(inside.replace("PLACE", place))
        yield f'<img src="{uri(data, "image/svg+xml")}">'
        yield f'<div style="height:80px;background:url({uri(data, "image/svg+xml")})"></div>'
        entity = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{place}">]>'.encode()
        yield f'<img src="{uri(entity + data.replace(b"</svg>", b"<text>&x;</text></svg>"), "image/svg+xml")}">'


def _everything(studio: Studio, place: str) -> Iterator[tuple[str, bytes]]:
    """Draw every page through the renderer, and once more by its engine alone, as if references were not checked."""
    for html in _places(place):
        for way in (studio.draw, partial(_raw, studio)):
            with contextlib.suppress(RenderFailed):
                yield html, way(html)


def _raw(studio: Studio, html: str) -> bytes:
    style = re.search("<style>(.*?)</style>", html)
    sheets = [style[1]] if style else []
    return studio.renderer.engine.draw(Drawing("", "", html, sheets, {}, (), SIZE, "png", None))


def test_no_connection_is_made(studio: Studio, listener: Listener) -> None:
    """Whatever a page names on the network, nobody is called."""
    for host in (f"127.0.0.1:{listener.port}", f"localhost:{listener.port}"):
        assert sum(1 for _ in _everything(studio, f"http://{host}/x")) > 50
    assert listener.connections == 0


def test_no_file_is_read(studio: Studio, canary: Path) -> None:
    """Whatever a page names on the disk, it is not shown."""
    relative = "../" * 12 + str(canary).lstrip("/")
    for place in (canary.as_uri(), str(canary), relative, f"file:{canary}", f"FILE://localhost{canary}"):
        for html, drawn in _everything(studio, place):
            with Image.open(io.BytesIO(drawn)) as image:
                apart = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, CANARY))
            assert (0, 0, 0) not in {near(one)[:3] for _, one in apart.getcolors(1 << 20) or []}, html


def test_no_script_runs(studio: Studio) -> None:
    """Scripts change nothing, wherever they stand."""
    red = "document.documentElement.style.background='#f00'"
    for html in (
        f"<script>{red}</script>",
        f'<img src="" onerror="{red}"><body onload="{red}"></body>',
        f'<svg onload="{red}"><script>{red}</script></svg>',
        f'<iframe srcdoc="<script>parent.{red}</script>"></iframe>',
        f'<input autofocus onfocus="{red}"><details open ontoggle="{red}">x</details>',
        f'<a href="javascript:{red}">x</a><meta http-equiv=refresh content="0;url=javascript:{red}">',
    ):
        for drawn in (studio.draw(html), _raw(studio, html.replace('src=""', f'src="{uri(picture())}"'))):
            with Image.open(io.BytesIO(drawn)) as image:
                assert image.convert("RGBA").getpixel((119, 79)) == (0, 0, 0, 0), html


def test_hostile_text_ends(takumi: Studio) -> None:
    """Deep, wide and broken markup gives a picture or a failure, never a crash."""
    for html in ("<div>" * 2_000, "<b" * 5_000, "<svg>" * 1_000, "<p>" + "x" * 20_000, "\0<p>\ud7ff", "&#xD800;" * 9):
        with contextlib.suppress(RenderFailed):
            takumi.draw(html)
