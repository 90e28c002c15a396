"""From the text of a whole page to what an engine takes: the body's html and stylesheets, `html` and `body` included.

Engines of fragments know no `<html>`, `<body>` or `<style>`: the two elements become `page-root` and `page-body`, and
selectors follow. Nothing here knows an engine, fonts or where pictures come from. All work is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

import tinycss2
from tinycss2.ast import Node

from pictify_sync.rendering.engines.takumi.anonymous_text_boxes import with_after
from pictify_sync.rendering.engines.takumi.longhands import expand_longhands
from pictify_sync.rendering.engines.takumi.page_background import page_background, style_background

ROOT, BODY = "page-root", "page-body"
ROOT_CLASS = "page-is-root"  # stands for :root, with the same specificity

_OPAQUE = re.compile(r"<(!--|(?:script|style|title|template|noscript|/?svg)\b)", re.I)
_ATTRIBUTES = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+""")
_MEDIA = re.compile(r"""\bmedia\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.I)
_HEAD_ONLY = re.compile(r"<!doctype[^<>]*>|</?(?:html|head|body|meta|link|base)\b[^<>]*>", re.I)
_CLASS = re.compile(r"""(^|\s)class\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_STYLE = re.compile(r"""(?:^|\s)style\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
_TAGS = {"html": ROOT, "body": BODY}
_NESTING = ("media", "supports", "layer", "container")
_TAKEN = ("font-family", "src", "font-weight", "font-style")
_SCREEN = {  # media features that engines of fragments do not know, and what holds for a picture
    "prefers-color-scheme": "light",
    "prefers-reduced-motion": "no-preference",
    "prefers-contrast": "no-preference",
    "hover": "hover",
    "pointer": "fine",
    "scripting": "none",
}
_ALWAYS, _NEVER = "(min-width:0px)", "(min-width:1000000px)"


@dataclass(frozen=True, slots=True)
class PageParts:
    """A page taken apart. Comments, scripts and what cannot be seen are gone."""

    styles: Sequence[str]  # text of the <style> elements, in order
    root: str  # attributes of <html>, as written
    body: str  # attributes of <body>, as written
    inner: str  # html inside <body>


def wrap_page(root: str, body: str, inner: str) -> str:
    """Put the body's html inside elements that stand for `html` and `body`; `root` and `body` are attributes."""
    return f"<{ROOT} {_with_class(root)}><{BODY} {body}>{inner}</{BODY}></{ROOT}>"


@lru_cache(maxsize=64)
def body_style_background(body: str) -> str:
    """Return what the style among the body's attributes says of the whole page, as a stylesheet."""
    found = _STYLE.search(body)
    style = next(filter(None, found.groups()), "") if found else ""
    return style_background(unescape(style), ROOT) if "background" in style else ""


def split(html: str) -> PageParts:
    """Take a page apart; a text without `<body>` is all body."""
    styles: list[str] = []
    text = "".join(_visible(html, styles))
    root, body = _open_tag(text, "html"), _open_tag(text, "body")
    if body is None:
        return PageParts(styles, root[0] if root else "", "", _HEAD_ONLY.sub("", text))
    end = text.lower().rfind("</body", body[1])
    return PageParts(styles, root[0] if root else "", body[0], text[body[1] : end if end >= 0 else len(text)])


def _visible(html: str, styles: list[str]) -> Iterator[str]:
    """Return the text without opaque elements; the text of styles goes to `styles`, but for those of inline SVG."""
    at = inside = 0
    while found := _OPAQUE.search(html, at):
        yield html[at : found.start()]
        name = found[1].lower()
        if name.endswith("svg"):
            inside = max(0, inside + (1 if name == "svg" else -1))
            yield found[0]
            at = found.end()
            continue
        if name == "!--":
            at = _behind(html, "-->", found.end())
            continue
        opened = _ATTRIBUTES.match(html, found.end())
        begin = (opened.end() if opened else found.end()) + 1
        closing = re.compile(rf"</{name}\s*>", re.I).search(html, begin)
        end, at = (closing.start(), closing.end()) if closing else (len(html), len(html))
        if name == "style" and inside:
            yield html[found.start() : at]
        elif name == "style" and begin <= end:
            media = _MEDIA.search(html[found.end() : begin])
            query = next(filter(None, media.groups()), "") if media else ""
            styles.append(f"@media {query} {{{html[begin:end]}}}" if query else html[begin:end])
    yield html[at:]


def _behind(text: str, mark: str, at: int) -> int:
    end = text.find(mark, at)
    return len(text) if end < 0 else end + len(mark)


def _open_tag(text: str, name: str) -> tuple[str, int] | None:
    """Return the attributes of the first such tag and the place after it."""
    found = re.compile(rf"<{name}(?=[\s/>])", re.I).search(text)
    if not found:
        return None
    attributes = _ATTRIBUTES.match(text, found.end())
    assert attributes is not None  # it matches the empty text too
    return attributes[0].strip().rstrip("/"), attributes.end() + 1


def _with_class(attributes: str) -> str:
    found = _CLASS.search(attributes)
    if not found:
        return f'class="{ROOT_CLASS}" {attributes}'
    names = found[2] or found[3] or found[4] or ""
    return f'{attributes[: found.start()]} class="{ROOT_CLASS} {names}"{attributes[found.end() :]}'


@dataclass(frozen=True, slots=True)
class Sheet:
    """A stylesheet as an engine takes it."""

    css: str
    faces: Sequence[Face]  # its @font-face rules
    after: frozenset[str]  # what its selectors give an ::after to


@dataclass(frozen=True, slots=True)
class Face:
    """One @font-face rule."""

    family: str
    source: str  # the first url()
    weight: str  # as written; "" when absent
    style: str
    rest: str  # its other descriptors, as css


@lru_cache(maxsize=64)
def compile_sheet(css: str, *, whole_pages: bool) -> Sheet:
    """Drop @import and take the @font-face rules out; without `whole_pages`, rewrite the selectors too."""
    faces: list[Face] = []
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    text = "".join(_rules(rules, faces, whole_pages=whole_pages))
    if whole_pages:
        return Sheet(text, tuple(faces), frozenset())
    return Sheet(text + page_background(text, ROOT, BODY), tuple(faces), frozenset().union(*map(_after, rules)))


def _after(rule: Node) -> frozenset[str]:
    """Return what a rule gives an ::after to, those inside @media and the like included."""
    if rule.type == "qualified-rule":
        return with_after(rule.prelude) if "content" in tinycss2.serialize(rule.content) else frozenset()
    if rule.type == "at-rule" and rule.content is not None and rule.lower_at_keyword in _NESTING:
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        return frozenset().union(*map(_after, inner))
    return frozenset()


def _rules(rules: Sequence[Node], faces: list[Face], *, whole_pages: bool) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            prelude, content = tinycss2.serialize(rule.prelude), tinycss2.serialize(rule.content)
            if not whole_pages:
                prelude, content = _selector(rule.prelude), expand_longhands(content)
            yield f"{prelude}{{{content}}}\n"
        elif rule.type == "at-rule":
            yield from _at_rule(rule, faces, whole_pages=whole_pages)


def _at_rule(rule: Node, faces: list[Face], *, whole_pages: bool) -> Iterator[str]:
    name = rule.lower_at_keyword
    if name == "font-face" and rule.content is not None:
        face = _face(rule.content)
        if face:
            faces.append(face)
    elif name in _NESTING and rule.content is not None:
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        prelude = tinycss2.serialize(rule.prelude) if whole_pages else _query(rule.prelude)
        yield f"@{name}{prelude}{{{''.join(_rules(inner, faces, whole_pages=whole_pages))}}}\n"
    elif name not in ("import", "charset", "namespace"):
        yield f"{rule.serialize()}\n"


def _query(prelude: Sequence[Node]) -> str:
    """Serialize a media query with the features answered that say nothing of a size."""
    parts: list[str] = []
    for node in prelude:
        words = [one for one in node.content if one.type != "whitespace"] if node.type == "() block" else []
        holds = _SCREEN.get(words[0].lower_value) if words and words[0].type == "ident" else None
        if holds is None:
            parts.append(f"({_query(node.content)})" if node.type == "() block" else node.serialize())
        else:
            same = len(words) == 1 or (words[-1].type == "ident" and words[-1].lower_value == holds)
            parts.append(_ALWAYS if same else _NEVER)
    return "".join(parts)


def _selector(prelude: Sequence[Node]) -> str:
    """Serialize a selector with `html`, `body` and `:root` replaced; names after `.`, `#` or `:` stay."""
    parts: list[str] = []
    before: Node | None = None
    for node in prelude:
        if node.type == "ident" and node.lower_value in _TAGS and not _is(before, ".") and not _is(before, ":"):
            parts.append(_TAGS[node.lower_value])
        elif node.type == "ident" and node.lower_value == "root" and _is(before, ":"):
            parts[-1] = f".{ROOT_CLASS}"
        elif node.type == "function" and _is(before, ":"):
            parts.append(f"{node.name}({_selector(node.arguments)})")
        else:
            parts.append(node.serialize())
        before = node
    return "".join(parts)


def _is(node: Node | None, value: str) -> bool:
    return node is not None and node.type == "literal" and node.value == value


def _face(content: Sequence[Node]) -> Face | None:
    said: dict[str, list[Node]] = {}
    for one in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type == "declaration":
            keep = one.lower_name not in _TAKEN
            said[one.lower_name] = [node for node in one.value if keep or node.type != "whitespace"]
    family = " ".join(node.value for node in said.get("font-family", []) if node.type in ("string", "ident"))
    sources = [node.value for node in said.get("src", []) if node.type == "url"]
    sources += [
        node.arguments[0].value
        for node in said.get("src", [])
        if node.type == "function" and node.lower_name == "url" and node.arguments
    ]
    if not family or not sources:
        return None
    weight, style = (
        " ".join(node.serialize() for node in said.get(name, ())) for name in ("font-weight", "font-style")
    )
    rest = "".join(f"{name}:{tinycss2.serialize(value)};" for name, value in said.items() if name not in _TAKEN)
    return Face(family, sources[0], weight, style, rest)
