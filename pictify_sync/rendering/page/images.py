"""The pictures that a page names: found in html and css, replaced by placeholders, and read, or the page fails.

An engine is given bytes and never a place to read from. `data:` counts, http(s) only for hosts that are allowed, and
nothing else does. Nothing here knows an engine or Handlebars.
"""

from __future__ import annotations

import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from html import escape, unescape
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from pictify_sync.rendering.failure import Cause, RenderFailed, of_the_machine

MAX_BYTES = 20_000_000  # of one picture
MAX_PIXELS = 50_000_000  # of one picture: 200 MB decode_data_uri
ORIGIN = "https://picture.invalid/"  # placeholders look like URLs, so that they pass through html and css unharmed
SHOWN = 80  # characters of a reference in a message
EXIF_ORIENTATION = 0x0112
_ROOT = re.compile(rb"<svg\b[^<]*", re.I)
_ANY_SHAPE = re.compile(rb"""preserveAspectRatio\s*=\s*["']\s*none""")


class ImageFetcher(Protocol):
    """Return the bytes of an http(s) URL, or raises OSError or ValueError with the reason."""

    def __call__(self, url: str, /) -> bytes: ...


def fetch_nothing(url: str, /) -> bytes:
    """Refuse every URL: a page brings its pictures along."""
    raise ValueError(f"{url.split('?', maxsplit=1)[0]} is not fetched here")


@dataclass(frozen=True, slots=True)
class Picture:
    """A checked picture."""

    data: bytes
    media: str  # image/png, image/jpeg, image/gif, image/webp or image/svg+xml
    name: str = ""  # its reference, as a message may show it
    keeps_shape: bool = False  # an SVG picture that fits itself into any box


def placeholder(reference: str) -> str:
    """Return the URL that stands for a reference: the same in every process."""
    return ORIGIN + blake2b(reference.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def shorten(reference: str) -> str:
    """Return a reference as a message may show it."""
    return reference if len(reference) <= SHOWN else f"{reference[:SHOWN]}..."


class PageImages:
    """The pictures of one page: references go in, placeholders come out; `pictures` goes to the engine."""

    def __init__(self, cache: ImageCache, known: Mapping[str, str]) -> None:
        self._cache = cache
        self._known = known  # placeholder -> reference, of what was taken out before
        self.pictures: dict[str, Picture] = {}  # by placeholder

    def take(self, reference: str) -> str:
        """Return the placeholder of a reference's picture. Raises RenderFailed when there is none."""
        stripped = reference.strip()
        name = stripped if stripped in self._known else placeholder(stripped)
        if name not in self.pictures:
            self.pictures[name] = self._cache.get(name, self._known.get(name, stripped))
        return name


class ImageCache:
    """Pictures of one process, kept while there is room."""

    def __init__(self, fetch: ImageFetcher, room: int = 128_000_000) -> None:
        self._fetch = fetch
        self._room = room  # bytes
        self._kept: dict[str, Picture] = {}
        self._bytes = 0

    def get(self, name: str, reference: str) -> Picture:
        """Return the picture of a reference, whose placeholder is `name`."""
        kept = self._kept.get(name)
        if kept is None:
            kept = replace(self._read(reference), name=shorten(reference))
            self._keep(name, kept)
        return kept

    def _keep(self, name: str, picture: Picture) -> None:
        self._bytes += len(picture.data)
        self._kept[name] = picture
        while self._bytes > self._room and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._bytes -= len(self._kept.pop(oldest).data)

    def _read(self, reference: str) -> Picture:
        scheme = reference[:8].lower()
        try:
            if scheme.startswith("data:"):
                return check_image(decode_data_uri(reference))
            if scheme.startswith(("http:", "https:")):
                return check_image(self._fetch(reference))
            if ":" not in reference[:SHOWN]:
                raise ValueError("no such picture: a file is named by its path from the manifest or template")
            raise ValueError("only data: and http(s) pictures of allowed hosts can be used")
        except (ValueError, OSError) as error:
            if of_the_machine(error):
                raise
            raise RenderFailed(Cause.IMAGE, f"{shorten(reference)}: {error}") from None


def decode_data_uri(uri: str) -> bytes:
    """Return the bytes of a `data:` URI. Raises ValueError."""
    head, comma, body = uri[5:].partition(",")
    if not comma:
        raise ValueError("a data: URI without a comma")
    if len(body) > 2 * MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    raw = unquote_to_bytes(body) if "%" in body or not head.lower().endswith(";base64") else body.encode("ascii")
    return b64decode(raw, validate=b"\n" not in raw and b" " not in raw) if head.lower().endswith(";base64") else raw


def check_image(data: bytes) -> Picture:
    """Find out what a picture is, by its content, and hold it to the limits. Raises ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"{len(data)} bytes, at most {MAX_BYTES}")
    media = media_type(data)
    if media == "image/svg+xml":
        root = _ROOT.search(data[:4096])
        fits = root is not None and b"viewBox" in root[0] and not _ANY_SHAPE.search(root[0])
        return Picture(data, media, keeps_shape=fits)
    return Picture(_upright(data), media)


def media_type(data: bytes) -> str:
    """Return the media type of a picture that engines can draw. Raises ValueError."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if b"<svg" in data[:4096].lower():
        return "image/svg+xml"
    raise ValueError("not a PNG, JPEG, GIF, WebP or SVG picture")


def _upright(data: bytes) -> bytes:
    """Check the size of pixels, and turn a photo as its camera says: engines differ in doing so."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - a page without pictures does without

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width}x{height} pixels, at most {MAX_PIXELS}")
            if image.format != "JPEG" or image.getexif().get(EXIF_ORIENTATION, 1) == 1:
                return data
            file = io.BytesIO()
            ImageOps.exif_transpose(image).save(file, "JPEG", quality=95, icc_profile=image.info.get("icc_profile"))
            return file.getvalue()
    except UnidentifiedImageError:  # its words name an object in memory
        raise ValueError("a broken picture: it cannot be decoded") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"a broken picture: {error}") from None


def broken_images(pictures: Iterable[Picture]) -> str:
    """Name the pictures that an engine may have stumbled over: those that cannot be decoded, and every SVG picture."""
    from PIL import Image  # noqa: PLC0415 - a page without pictures does without

    names = []
    for one in pictures:
        try:
            if one.media != "image/svg+xml":
                with Image.open(io.BytesIO(one.data)) as image:
                    image.load()
                continue
        except (OSError, SyntaxError, ValueError):
            pass
        names.append(one.name)
    return ", ".join(names)


def extract_images(value: Any, known: dict[str, str]) -> Any:
    """Replace `data:` pictures among the variables by placeholders, so that templates are filled with short text."""
    match value:
        case str():
            if value[:11].lower() != "data:image/":
                return value
            name = placeholder(value)
            known[name] = value
            return name
        case list() | tuple():
            return [extract_images(one, known) for one in value]
        case dict():
            return {key: extract_images(one, known) for key, one in value.items()}
        case _:
            return value


Take = Callable[[str], str]  # a reference -> what to write instead

_TAG = re.compile(r"<([a-zA-Z][\w:-]*)")
_ATTRIBUTES = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?""")
_URL = re.compile(r"""\burl\(\s*+(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|([^)"']*+))\s*\)""", re.I | re.S)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|\n|(.))", re.I | re.S)
NAMED = "data-picture"  # an attribute of an <img>: its src is none that selectors of every engine can look at
_PICTURES = {"img": "src", "image": "href", "use": "href", "feimage": "href", "input": "src"}
_VECTOR = ("image", "use", "feimage")
_PAINTS = ("fill", "stroke", "filter", "mask", "clip-path", "marker-start", "marker-mid", "marker-end", "cursor")
# Attributes that may need to be rewritten.
_WORTH = re.compile(r"url\(|gradient\(|(?<![\w-])(?:font|flex)\s*+:|line-clamp\s*+:", re.I)


@dataclass(frozen=True, slots=True)
class RewriteRules:
    """What to write instead."""

    picture: Take  # for a reference in css or of an element
    vector: Take  # for one of an element inside inline SVG
    style: Callable[[str], str]  # for the declarations of a style attribute


def in_css(css: str, take: Take) -> str:
    """Replace what every url() names; fragments stay."""
    if "url(" not in css and "URL(" not in css:
        return css

    def one(found: re.Match[str]) -> str:
        reference = _ESCAPE.sub(_plain, found[1] or found[2] or found[3] or "").strip()
        if reference.startswith("#"):
            return found[0]
        return f"url({take(reference)})" if reference else "none"

    return _URL.sub(one, css)


def _plain(escaped: re.Match[str]) -> str:
    if escaped[1]:
        code = int(escaped[1], 16)
        return chr(code) if 0 < code < 0x11_0000 else "\ufffd"
    return escaped[2] or ""


def in_attributes(written: str, how: RewriteRules) -> str:
    """Rewrite the styles among an element's attributes."""
    return _element("", written, how) or "" if _WORTH.search(written) else written


def in_html(html: str, how: RewriteRules) -> str:
    """Rewrite every picture that elements or their styles name; an `<img>` without one is dropped."""
    return "".join(_parts(html, how))


def _parts(html: str, how: RewriteRules) -> Iterator[str]:
    done = at = 0
    while found := _TAG.search(html, at):
        attributes = _ATTRIBUTES.match(html, found.end())
        if attributes is None:  # a tag that never ends: no browser shows it
            break
        at = attributes.end()
        name, written = found[1].lower(), attributes[0][:-1]
        if name in _PICTURES or _WORTH.search(written):
            changed = _element(name, written, how)
            yield html[done : found.start()]
            if changed is not None:
                yield f"<{found[1]}{changed}>"
            done = at
    yield html[done:]


def _element(name: str, written: str, how: RewriteRules) -> str | None:
    """Return the attributes rewritten; None: the element shows nothing."""
    parts: list[str] = []
    shown = name not in ("img", "image")
    wanted = _PICTURES.get(name)
    take = how.vector if name in _VECTOR else how.picture
    for spelt, quoted in _ATTRIBUTE.findall(written):
        key, lower = spelt, spelt.lower().removeprefix("xlink:")
        value = unescape(quoted[1:-1] if quoted[:1] in ("'", '"') else quoted)
        if lower == wanted and not value.startswith("#"):
            if not value.strip():
                continue
            key, value, shown = lower, take(value), True
            if name == "img":
                parts.append(f'{NAMED}="{value}"')
        elif lower in ("srcset", "sizes", "loading"):
            continue
        elif lower == "style":
            value = in_css(how.style(value), how.picture)
        elif lower in _PAINTS:
            value = in_css(value, how.picture)
        parts.append(f'{key}="{escape(value)}"' if quoted else key)
    if not shown:
        return None
    return " " + " ".join(parts) + (" /" if written.rstrip().endswith("/") else "")
