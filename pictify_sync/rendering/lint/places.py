"""Css that the embedded engine draws otherwise because of the elements it is for, as `lint` tells it.

Which elements a rule is for is read off the last part of its selector. Nothing here knows files or values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import tinycss2
from tinycss2.ast import Node

from pictify_sync.rendering.page.css import inside
from pictify_sync.rendering.page.markup import Element, elements

_INLINE = {"a", "abbr", "b", "cite", "code", "em", "i", "label", "mark", "q", "s", "small", "span", "strong", "u"}
_EFFECTS = ("clip-path", "filter", "mask", "mask-image", "mix-blend-mode", "opacity", "transform")
_PLACES = {"display", "position", "float"}
_LAST = re.compile(r"([\w*-]*)((?:[.#][\w-]+|\[[^\]]*\]|:[\w-]+(?:\([^()]*\))?)*)\s*$")
_SIDES = ("margin", "margin-left", "margin-right", "margin-inline", "margin-inline-start", "margin-inline-end")
_NOUGHT = re.compile(r"auto|[+-]?0(\.0*)?(px|em|rem|%)?")
_TEXT_BEFORE = re.compile(r"(?:[^\s>}]|\{\{\s*\w[^{}]*\}\})\s*\Z")
_NEAR = 200  # characters that are looked at beside an element, or of a selector
_VECTOR = re.compile(r"data:image/svg|[^{]*\.svg\s*$", re.I)

Told = tuple[str, str]  # what is lacking, what to write instead


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a page."""

    names: Mapping[str, Set[str]]  # by element, `.class` and `#id`: the names of those that have it
    in_lines: Set[str]  # the same marks, of elements with text beside them
    vectors: bool  # an <img> shows an SVG picture
    rems: bool  # a length is told in rem


def read(html: str) -> Elements:
    """Look at all elements of a page."""
    names: dict[str, set[str]] = {}
    in_lines: set[str] = set()
    vectors = False
    for one in elements(html):
        marks = [one.name]
        for key, sign in (("class", "."), ("id", "#")):
            if span := one.attributes.get(key):
                marks += [sign + word for word in html[span.start : span.end].lower().split()]
        for mark in marks:
            names.setdefault(mark, set()).add(one.name)
        if in_line(html, one):
            in_lines.update(marks)
        source = one.attributes.get("src") if one.name == "img" else None
        vectors = vectors or bool(source and _VECTOR.match(html[source.start : source.end][:500]))
    return Elements(names, in_lines, vectors, re.search(r"\drem\b", html) is not None)


def in_line(html: str, one: Element) -> bool:
    """Return whether an element is part of a line of text, by what is written beside it."""
    if one.name not in _INLINE:
        return False
    if _TEXT_BEFORE.search(html, max(0, one.tag.start - _NEAR), one.tag.start):
        return True
    end = html.find("</", one.tag.end, one.tag.end + _NEAR)
    return (
        re.compile(rf"</{one.name}\s*>\s*(?=[^\s<{{]|{{{{\s*\w)", re.I).match(html, max(end, one.tag.end)) is not None
    )


def of_rule(rule: Node, page: Elements) -> Iterator[Told]:
    """Look at a rule with a selector."""
    selector = tinycss2.serialize(rule.prelude).lower()
    said = _said(inside(rule))
    if re.fullmatch(r"\s*(html|:root)\s*(,.*)?", selector) and page.rems:
        size = said.get("font-size", "16px")
        if size not in ("16px", "100%", "1rem", "1em"):
            yield "a rem other than 16px", "write px, or em"
    if "::" not in selector and ":before" not in selector and ":after" not in selector:
        marks = [_mark(one) for one in selector.split(",")]
        names = frozenset().union(*(page.names.get(mark, {mark}) for mark in marks))
        yield from _misplaced(said, names, page, within=not page.in_lines.isdisjoint(marks))


def of_style(declarations: Sequence[Node], name: str, page: Elements, *, within: bool) -> Iterator[Told]:
    """Look at the style attribute of an element; `within`: it is part of a line of text."""
    yield from _misplaced(_said(declarations), {name}, page, within=within)


def _said(content: Sequence[Node]) -> dict[str, str]:
    return {
        one.lower_name: tinycss2.serialize(one.value).strip().lower() for one in content if one.type == "declaration"
    }


def _mark(selector: str) -> str:
    """Return the element, else the first `.class` or `#id`, of the last part of a selector; "": neither is said."""
    last = _LAST.search(selector[-_NEAR:])
    if last is None:
        return ""
    marks = re.findall(r"[.#][\w-]+", re.sub(r"\[[^\]]*\]|\([^()]*\)", "", last[2]))
    return last[1] if last[1] not in ("", "*") else "".join(marks[:1])


def _misplaced(said: Mapping[str, str], names: Set[str], page: Elements, *, within: bool) -> Iterator[Told]:
    if names == {"img"}:
        yield from _on_pictures(said, page)
    if said.get("display") == "inline-block":
        yield from _on_inline_blocks(said)
    if within and names <= _INLINE and not said.keys() & _PLACES:
        painted = said.get("background", "") + said.get("background-image", "")
        if "gradient(" in painted or "url(" in painted:
            yield "a gradient or picture behind text inside a line", "give it display: inline-block"


def _on_pictures(said: Mapping[str, str], page: Elements) -> Iterator[Told]:
    if not said.keys() & _PLACES:
        for name in _EFFECTS:
            if name in said:
                yield f"{name} on an <img> inside a line of text", "give it a box of its own: display: flex around it"
    if "object-fit" not in said and not {"width", "height"} <= said.keys():
        for name in ("max-width", "max-height"):
            if said.get(name, "none") != "none":
                yield f"{name} on an <img>, and squeezes it", "write width, height and object-fit"
    if page.vectors and said.get("object-fit") in ("cover", "none"):
        yield f"object-fit: {said['object-fit']} on an SVG picture", "draw it as a background, of that background-size"


def _on_inline_blocks(said: Mapping[str, str]) -> Iterator[Told]:
    for name in _SIDES:
        words = said.get(name, "0").split()
        if "width" not in said and not all(
            map(_NOUGHT.fullmatch, words[1:2] + words[3:4] if len(words) > 1 else words)
        ):
            yield f"{name} with display: inline-block", "write gap in a flex row around them"
            break
    for name in ("width", "max-width", "min-width"):
        if said.get(name, "").endswith("%"):
            yield "a width in per cent with display: inline-block", "put them into a flex row"
            break
