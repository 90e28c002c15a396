"""Local files that a template names, put into its text: stylesheets as <style>, pictures and fonts as data: URIs.

What names the web, a variable or a place in the page stays; so does every byte around an edit. Files come through a
function: this module opens none. Doing it twice changes nothing more.
"""

from __future__ import annotations

import posixpath
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import unquote

from pictify_sync.rendering.page.css import PAINT, Css
from pictify_sync.rendering.page.markup import Element, Span, elements

Read = Callable[[str], bytes | None]  # a relative name -> the file's bytes; None: there is none

MAX_SIZE = 64_000_000  # characters put into one template
MAX_SHEETS, MAX_IMPORTS = 200, 16  # stylesheets in one template, and inside each other

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|\?|$", re.I)
_CANDIDATE = re.compile(r"[^\s,]\S*[^\s,]|[^\s,]")
_MEDIA = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "avif": "image/avif", "svg": "image/svg+xml", "bmp": "image/bmp", "ico": "image/x-icon", "woff": "font/woff",
    "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf", "ttc": "font/collection", "css": "text/css",
}  # fmt: skip
_PICTURES = {
    "img": ("src", "srcset"), "source": ("src", "srcset"), "input": ("src",), "video": ("poster",),
    "image": ("href", "xlink:href"), "use": ("href", "xlink:href"), "feimage": ("href", "xlink:href"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Css of a page: where it stands, and whether it is a style attribute."""

    span: Span
    css: Css
    attribute: bool
    exact: bool  # False: it was written with &entities;, so that offsets inside are not the page's


def pieces(html: str) -> Iterator[Piece]:
    """Return the css of a page, in order."""
    for element in elements(html):
        if element.name == "style" and element.text:
            text = html[element.text.start : element.text.end]
            yield Piece(element.text, Css(text), attribute=False, exact=True)
        elif span := element.attributes.get("style"):
            yield _attribute(html, span)


def _attribute(html: str, span: Span) -> Piece:
    written = html[span.start : span.end]
    return Piece(span, Css(unescape(written), attribute=True), attribute=True, exact="&" not in written)


def files(html: str) -> list[str]:
    """Return the local files that html and css name, in order of appearance, each once."""
    named: dict[str, None] = {}

    def read(name: str) -> None:
        named[name] = None

    inline(html, read)
    return list(named)


def inline(html: str, read: Read) -> str:
    """Put local files into the page. A file that `read` does not have stays as it is named."""
    return _Page(read).html(html)


def local(name: str) -> bool:
    """Return whether a reference names a file beside the page."""
    return not (_ELSEWHERE.match(name) or "{{" in name or PAINT in name)


@dataclass(slots=True)
class _Page:
    read: Read
    room: int = MAX_SIZE
    sheets: int = MAX_SHEETS  # that may still come
    opened: list[str] = field(default_factory=list)  # stylesheets that are being put in, outermost first

    def html(self, text: str) -> str:
        edits = [edit for element in elements(text) for edit in self._element(text, element)]
        return _edited(text, edits)

    def _element(self, html: str, element: Element) -> Iterator[tuple[Span, str]]:
        def value(name: str) -> str:
            span = element.attributes.get(name)
            return unescape(html[span.start : span.end]).strip() if span else ""

        if element.name == "link" and "stylesheet" in value("rel").lower().split():
            sheet = self._sheet(value("href"), "") if local(value("href")) else None
            if sheet is not None:
                media = f' media="{escape(value("media"))}"' if value("media") else ""
                yield element.tag, f"<style{media}>{sheet.replace('</', '<' + chr(92) + '/')}</style>"
            return
        if element.name == "style" and element.text:
            yield element.text, self._css(Css(html[element.text.start : element.text.end]), "")
        for name in _PICTURES.get(element.name, ()):
            if span := element.attributes.get(name):
                yield span, self._picture(html[span.start : span.end], name)
        if span := element.attributes.get("style"):
            written = html[span.start : span.end]
            plain = unescape(written)
            changed = self._css(Css(plain, attribute=True), "")
            if changed != plain:
                quote = html[span.start - 1]
                yield span, changed if quote not in changed and "&" not in written else escape(changed)

    def _picture(self, written: str, attribute: str) -> str:
        plain = unescape(written)
        if attribute != "srcset":
            return written if not local(plain.strip()) else (self._data(plain.strip(), "") or written)
        if "{{" in plain or "data:" in plain:
            return written
        changed = _CANDIDATE.sub(lambda one: (local(one[0]) and self._candidate(plain, one)) or one[0], plain)
        return written if changed == plain else changed

    def _candidate(self, plain: str, one: re.Match[str]) -> str | None:
        """Only the first word of a candidate is a name; the second is a width or a density."""
        before = plain[: one.start()].rstrip()
        return self._data(one[0], "") if not before or before.endswith(",") else None

    def _css(self, css: Css, folder: str) -> str:
        edits = []
        for one in css.references:
            if not local(one.name):
                continue
            if one.media is None:
                edits.append((Span(one.start, one.end), self._url(one.name, folder, css.text[one.start : one.end])))
                continue
            sheet = self._sheet(one.name, folder)
            if sheet is not None:
                edits.append((Span(one.start, one.end), f"@media {one.media}{{{sheet}}}" if one.media else sheet))
        return _edited(css.text, edits)

    def _url(self, name: str, folder: str, written: str) -> str:
        data = self._data(name, folder)
        if data:
            return f"url({data})"
        return f'url("{posixpath.normpath(posixpath.join(folder, name))}")' if folder else written

    def _sheet(self, name: str, folder: str) -> str | None:
        """Return the css of a file, its own references resolved; "" for one that is being put in already."""
        path = _path(name, folder)
        if path in self.opened:
            return ""
        self.sheets -= 1
        content = self.read(path) if len(self.opened) < MAX_IMPORTS and self.sheets >= 0 else None
        if content is None or not self._fits(len(content)):
            return None
        self.opened.append(path)
        css = self._css(Css(content.decode("utf-8-sig", "replace")), posixpath.dirname(path))
        self.opened.pop()
        return css

    def _data(self, name: str, folder: str) -> str | None:
        path = _path(name, folder)
        content = self.read(path)
        if content is None or not self._fits(len(content) * 4 // 3):
            return None
        _, mark, fragment = name.partition("#")
        ending = path.rpartition(".")[2].lower()
        media = _MEDIA.get(ending) or ("image/svg+xml" if b"<svg" in content[:1000] else "application/octet-stream")
        return f"data:{media};base64,{b64encode(content).decode()}{mark}{fragment}"

    def _fits(self, size: int) -> bool:
        self.room -= size
        return self.room >= 0


def _path(name: str, folder: str) -> str:
    """Return the file that a reference means: without query and fragment, relative to the page."""
    path = unquote(re.split(r"[?#]", name, maxsplit=1)[0])
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path


def _edited(text: str, edits: Sequence[tuple[Span, str]]) -> str:
    parts: list[str] = []
    done = 0
    for span, new in edits:
        parts += (text[done : span.start], new)
        done = span.end
    return "".join([*parts, text[done:]])
