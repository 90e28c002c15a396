"""The browser engine: an installed Chrome or Chromium that runs no script and gets nothing but what it is handed.

Every request of the page is answered here: the page itself, its pictures by placeholder, its fonts; anything else is
refused. Should a request get past that, no name resolves and the only proxy is a closed port.
"""

from __future__ import annotations

import contextlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from playwright.sync_api import BrowserContext, Error, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as TooSlow

from pictify_sync.rendering.engines.chromium import browser
from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.fonts import FontFace
from pictify_sync.rendering.page.drawing import Drawing
from pictify_sync.rendering.page.images import ORIGIN

SECONDS = 20.0  # for one page
PAGE = f"{ORIGIN}page"
ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
POLICY = f"default-src 'none'; img-src {ORIGIN} data:; font-src {ORIGIN} data:; style-src 'unsafe-inline'"
DEFAULT_QUALITY = 0.9


class Chromium:
    """One browser with a tab or two, reused. `draw` is a pure function of its argument."""

    whole_pages = True

    def __init__(self, fonts: Sequence[FontFace]) -> None:
        self._installed = {f"{ORIGIN}font/{face.sha256}": face for face in fonts}
        self._base = _base(fonts)
        self._driver: Playwright | None = None
        self._context: BrowserContext | None = None
        self._tabs: dict[bool, _Tab] = {}  # by whether they are transparent

    def draw(self, drawing: Drawing) -> bytes:
        """Return the file. Raises RenderFailed."""
        try:
            tab = self._tab(transparent=drawing.format != "jpeg")
            return tab.draw(_served(drawing, self._base), drawing.size, _shot(drawing))
        except TooSlow:
            self.close()
            raise RenderFailed(Cause.TIMEOUT, f"the page is not ready within {SECONDS:g} seconds") from None
        except Error as error:
            self.close()
            raise RenderFailed(Cause.ENGINE, f"the browser failed: {error.message.splitlines()[0]}") from None

    def close(self) -> None:
        """End the browser; the next `draw` starts another."""
        self._tabs.clear()
        context, self._context = self._context, None
        driver, self._driver = self._driver, None
        if context is not None and context.browser is not None:
            with contextlib.suppress(Error):
                context.browser.close()
        if driver is not None:
            driver.stop()

    def _tab(self, *, transparent: bool) -> _Tab:
        if self._context is None:
            program = browser.find()
            if program is None:
                raise RenderFailed(Cause.ENGINE, "no Chrome or Chromium is installed")
            self._driver = sync_playwright().start()
            sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0  # Chromium refuses to sandbox as root
            started = self._driver.chromium.launch(
                executable_path=program, args=list(ARGUMENTS), chromium_sandbox=sandbox
            )
            self._context = started.new_context(
                java_script_enabled=False, service_workers="block", accept_downloads=False
            )
        if transparent not in self._tabs:
            self._tabs[transparent] = _Tab(self._context, self._installed, transparent=transparent)
        return self._tabs[transparent]


class _Tab:
    """One tab. Transparency is settled when it is opened: changed later, it may come a frame too late."""

    def __init__(self, context: BrowserContext, fonts: Mapping[str, FontFace], *, transparent: bool) -> None:
        self._fonts = fonts  # by URL
        self._served: Mapping[str, tuple[str, bytes]] = {}  # URL -> media type, content
        self._size = (0, 0)
        self._page = context.new_page()
        self._session = context.new_cdp_session(self._page)
        self._session.send("Network.enable")
        self._session.send("Network.setBlockedURLs", {"urls": ["file:*", "ftp:*", "ws:*", "wss:*", "chrome:*"]})
        self._session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
        self._session.on("Fetch.requestPaused", self._answer)
        if transparent:
            clear = {"color": {"r": 0, "g": 0, "b": 0, "a": 0}}
            self._session.send("Emulation.setDefaultBackgroundColorOverride", clear)

    def draw(self, served: Mapping[str, tuple[str, bytes]], size: tuple[int, int], shot: Mapping[str, Any]) -> bytes:
        """Load the page and take its picture."""
        self._served = served
        if self._size != size:
            metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
            self._session.send("Emulation.setDeviceMetricsOverride", metrics)
            self._size = size
        self._page.goto(PAGE, wait_until="load", timeout=SECONDS * 1000)
        self._page.evaluate("document.fonts.ready.then(() => 0)")
        return b64decode(self._session.send("Page.captureScreenshot", dict(shot))["data"])

    def _answer(self, event: Mapping[str, Any]) -> None:
        url, name = event["request"]["url"], event["requestId"]
        face = self._fonts.get(url)
        found = ("font/sfnt", face.path.read_bytes()) if face else self._served.get(url)
        if found is None:
            # An answer without content leaves the page in place, where a failed one would replace it.
            how: dict[str, Any] = {"requestId": name, "responseCode": 204, "responseHeaders": []}
        else:
            headers = {"Content-Type": found[0], "Access-Control-Allow-Origin": "*", "Content-Security-Policy": POLICY}
            headers["Cache-Control"] = "no-store" if url == PAGE else "public, max-age=31536000, immutable"
            listed = [{"name": key, "value": value} for key, value in headers.items()]
            how = {"requestId": name, "responseCode": 200, "responseHeaders": listed}
            how["body"] = b64encode(found[1]).decode()
        with contextlib.suppress(Error):  # the page is gone already
            self._session.send("Fetch.fulfillRequest", how)


def _served(drawing: Drawing, base: str) -> dict[str, tuple[str, bytes]]:
    """Return what the page may ask for: itself, its pictures and its own fonts."""
    served = {name: (one.media, one.data) for name, one in drawing.pictures.items()}
    rules = []
    for font in drawing.fonts:
        served[font.name] = ("font/sfnt", font.data)
        how = {"font-weight": font.weight, "font-style": font.style}
        rules.append(_rule(font.family, font.name, how.items(), font.rest))
    style = "\n".join([base, *rules, *drawing.sheets]).replace("</", "<\\/")
    html = f"<!doctype html><html {drawing.root}><head><meta charset=utf-8><style>{style}</style></head>"
    html += f"<body {drawing.body}>{drawing.inner}</body></html>"
    served[PAGE] = ("text/html; charset=utf-8", html.encode("utf-8", "replace"))
    return served


def _base(fonts: Sequence[FontFace]) -> str:
    rules = []
    for face in fonts:
        how = {"font-weight": str(face.weight or "100 900"), "font-style": face.style}
        rules.append(_rule(face.family, f"{ORIGIN}font/{face.sha256}", how.items(), ""))
    families = ",".join(f'"{name}"' for name in dict.fromkeys(face.family for face in fonts))
    page = "html,body{width:100%;height:100%;margin:0;box-sizing:border-box}"
    return "".join(rules) + page + f"html{{font-family:{families}}}"


def _rule(family: str, url: str, how: Iterable[tuple[str, str]], rest: str) -> str:
    said = "".join(f"{name}:{value};" for name, value in how if value)
    quoted = family.replace("\\", "").replace('"', "").replace("\n", " ")
    return f'@font-face{{font-family:"{quoted}";src:url({url});{said}{rest}}}'


def _shot(drawing: Drawing) -> dict[str, Any]:
    width, height = drawing.size
    shot: dict[str, Any] = {"format": drawing.format, "optimizeForSpeed": True, "captureBeyondViewport": False}
    shot["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    if drawing.format != "png":
        quality = DEFAULT_QUALITY if drawing.quality is None else drawing.quality
        shot["quality"] = max(10, min(100, round(100 * quality)))
    return shot
