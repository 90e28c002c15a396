"""Where html and css name a picture: attributes of elements, and url() in styles. It knows no bytes and no engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape, unescape

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
