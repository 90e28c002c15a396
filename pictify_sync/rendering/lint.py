"""Html and css that the embedded engine does not draw as a browser does, each reported once, with its first place.

The lists hold what was seen by drawing the same page with pytakumi 0.1.5 and with Chromium; `tests/rendering/templates`
draws them again, so an engine that learns something fails a test here. Some css is drawn otherwise only because of the
elements that it is for: which these are is read off the last part of its selector. Nothing here knows files or values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import tinycss2
from tinycss2.ast import Node

from pictify_sync.errors import Problem, Severity
from pictify_sync.rendering.page.css import Css, Declaration, inside
from pictify_sync.rendering.page.inline import Piece
from pictify_sync.rendering.page.markup import Element, Lines, elements

ELSEWHERE = "use engine: chromium"

# Property -> what to write instead ("": nothing). A trailing * stands for the longhands too.
PROPERTIES: Mapping[str, str] = {
    "grid": "write grid-template-rows and grid-template-columns",
    "grid-template": "write grid-template-rows and grid-template-columns",
    "grid-template-areas": "place the items by grid-row and grid-column numbers",
    "word-wrap": "write overflow-wrap",
    "inline-size": "write width",
    "block-size": "write height",
    "min-inline-size": "write min-width",
    "max-inline-size": "write max-width",
    "min-block-size": "write min-height",
    "max-block-size": "write max-height",
    "inset-inline*": "write left and right",
    "border-inline*": "write border-left and border-right",
    "border-block*": "write border-top and border-bottom",
    "border-start-start-radius": "write border-top-left-radius",
    "border-start-end-radius": "write border-top-right-radius",
    "border-end-start-radius": "write border-bottom-left-radius",
    "border-end-end-radius": "write border-bottom-right-radius",
    "zoom": "write transform: scale()",
    "all": "", "border-image*": "", "clip": "write clip-path: inset()", "column-count": "", "column-rule*": "",
    "column-width": "", "columns": "", "container*": "", "font-size-adjust": "", "initial-letter": "",
    "line-break": "", "mask-border*": "", "mask-composite": "", "shape-outside": "", "text-align-last": "",
    "text-box*": "", "text-emphasis*": "", "text-orientation": "", "writing-mode": "", "-webkit-box-reflect": "",
    "-webkit-mask-box-image*": "", "-webkit-mask-composite": "",
}  # fmt: skip

# (property, pattern of its value, what to write instead)
VALUES: Sequence[tuple[str, str, str]] = (
    ("position", "sticky", "write position: absolute"),
    ("display", r"contents|(inline-)?table(-\w+)*|ruby.*", "write display: flex or grid"),
    ("background(-repeat)?", r".*\b(round|space)\b.*", "write background-size and repeat"),
    ("background(-attachment)?", r".*\bfixed\b.*", ""),
    ("background(-position)?", r".*\b(left|right)\s+\S*\d\S*\s+(top|bottom)\s+\S*\d\S*.*", "write two lengths"),
    ("box-shadow", r".*\binset\b.*", "write a background of gradients"),
    ("font-variant(-caps)?", r".*(small|petite|titling|uni).*", "write text-transform: uppercase and a smaller size"),
    ("text-decoration(-style)?", r".*\bwavy\b.*", ""),
    ("vertical-align", r"sub|super|text-top|text-bottom|-?[\d.]+.*", "write position: relative and top in a flex row"),
    ("clip-path|filter|mask(-image)?", r".*url\([\"']?#.*", ""),
    ("width|height|(min|max)-(width|height)", ".*(-webkit-fill-available|stretch)", "write 100%"),
    (".*", "revert|revert-layer", "write the value itself"),
    (
        ".*color|background|border.*|fill|stroke",
        r"(.*\s)?(canvas|canvastext|buttonface|highlight|graytext|linktext)",
        "",
    ),
    ("grid-template-(rows|columns)", r".*\[.*", "place the items by grid-row and grid-column numbers"),
    ("content", r".*(open|close)-quote.*", "write the quotation mark"),
    ("background", r".*\b(border|padding|content)-box\b.*,.*", "draw the border with a box around the box"),
    ("background-(clip|origin)", ".*,.*", "draw the border with a box around the box"),
)

FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("min", "max", "clamp"), "write one length, or two of them in @media"),
    **dict.fromkeys(("abs", "round", "mod", "rem", "sin", "cos", "tan", "pow", "sqrt", "hypot", "exp", "log"), ""),
    **dict.fromkeys(("rotatez", "rotate3d"), "write rotate()"),
    **dict.fromkeys(("translate3d", "translatez"), "write translate()"),
    **dict.fromkeys(("scale3d", "scalez"), "write scale()"),
    **dict.fromkeys(("matrix3d", "perspective", "rotatex", "rotatey"), ""),
    **dict.fromkeys(("image-set", "-webkit-image-set", "cross-fade", "element", "paint"), "write url()"),
    **dict.fromkeys(("counter", "counters"), "number the items in the manifest"),
    "light-dark": "write the first colour",
    "-webkit-linear-gradient": "write linear-gradient()",
    "-webkit-radial-gradient": "write radial-gradient()",
    "-webkit-gradient": "write linear-gradient()",
}
UNITS: Mapping[str, str] = dict.fromkeys(("ch", "ex", "cap", "ic", "rlh"), "write em")
RULES: Mapping[str, str] = {"container": "write @media", "scope": "write the selector out"}
PSEUDO: Mapping[str, str] = {
    ":has": "", ":dir": "", ":checked": "", ":any-link": "write a", ":link": "write a", "::marker": "",
    "::first-letter": "write a span", "::first-line": "", ":first-letter": "write a span", ":first-line": "",
}  # fmt: skip
ELEMENTS: Mapping[str, str] = {
    "hr": "write a div with a border",
    **dict.fromkeys(("button", "input", "meter", "progress", "select", "textarea"), "draw it with a div"),
    **dict.fromkeys(("canvas", "embed", "iframe", "object", "video"), ""),
    **dict.fromkeys(("foreignobject", "ruby"), ""),
    **dict.fromkeys(("sub", "sup"), "write position: relative and top in a flex row"),
}

_NEUTRAL = ("none", "normal", "auto", "initial", "inherit", "unset")

Found = tuple[int, str, str]  # offset in the page, what is lacking, what to write instead


def lint(html: str, pieces: Sequence[Piece]) -> list[Problem]:
    """Return a warning for each thing that the embedded engine lacks, at its first place, sorted by place."""
    lines = Lines(html)
    places_of: dict[str, list[Found]] = {}
    for found in _page(html, pieces):
        places_of.setdefault(found[1], []).append(found)
    problems = []
    for what, places in places_of.items():
        line, column = lines.place(places[0][0])
        more = f" ({len(places)} places)" if len(places) > 1 else ""
        hint = f"{places[0][2]}, or {ELSEWHERE}" if places[0][2] else ELSEWHERE
        message = f"the embedded engine does not know {what}{more}"
        problems.append(Problem("", line, column, message, hint, Severity.WARNING))
    return sorted(problems)


def _page(html: str, pieces: Sequence[Piece]) -> Iterator[Found]:
    page = read_elements(html)
    styles = {piece.span.start: piece.css for piece in pieces if piece.attribute}
    for piece in pieces:
        for offset, what, instead in _sheet(piece.css, page):
            yield piece.span.start + (offset if piece.exact else 0), what, instead
    for element in elements(html):
        if (style := element.attributes.get("style")) and style.start in styles:
            nodes, within = styles[style.start].nodes, in_line(html, element)
            for what, instead in of_style(nodes, element.name, page, within=within):
                yield style.start, what, instead
        if element.name in ELEMENTS:
            yield element.tag.start, f"<{element.name}>", ELEMENTS[element.name]
        if element.name == "table":
            yield element.tag.start, "how wide the cells of a <table> are", "lay it out with display: grid"
        source = element.attributes.get("src") or element.attributes.get("href")
        if source and re.match(r"data:image/avif|[^{]*\.avif$", html[source.start : source.end][:500], re.I):
            yield source.start, "AVIF pictures", "save it as WebP, PNG or JPEG"


def _sheet(css: Css, page: Elements) -> Iterator[Found]:
    for one in css.declarations:
        for what, instead in _declaration(one):
            yield one.offset, what, instead
    for node, offset in css.rules:
        for what, instead in _rule(node, page):
            yield offset, what, instead


def _declaration(one: Declaration) -> Iterator[tuple[str, str]]:
    if one.rule in ("font-face", "page", "property", "counter-style"):
        return
    instead = _property(one.name)
    text = _plain(one.value)
    if instead is not None and (one.name == "all" or text not in _NEUTRAL):
        yield one.name, instead
        return
    if one.important:
        yield "!important, and leaves such a declaration out", "write a more specific selector"
    if not one.name.startswith("--"):
        for name, value, other in VALUES:
            if re.fullmatch(name, one.name) and re.fullmatch(value, text, re.S):
                yield f"{one.name}: {text[:60]}", other
    for what, other in _parts(one.value):
        yield what, other


def _property(name: str) -> str | None:
    if name in PROPERTIES:
        return PROPERTIES[name]
    parts = name.split("-")
    keys = ("-".join(parts[:count]) + "*" for count in range(len(parts), 0, -1))
    return next((PROPERTIES[key] for key in keys if key in PROPERTIES), None)


def _parts(value: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """Look for functions and units."""
    for node in value:
        if node.type == "function":
            if node.lower_name in FUNCTIONS:
                yield f"{node.name}()", FUNCTIONS[node.lower_name]
            yield from _parts(node.arguments)
        elif node.type == "dimension" and node.lower_unit in UNITS:
            yield f"the unit {node.lower_unit}", UNITS[node.lower_unit]
        elif node.type in ("() block", "[] block"):
            yield from _parts(node.content)


def _plain(value: Sequence[Node]) -> str:
    return " ".join(node.serialize() for node in value[:200]).lower()[:1000]


def _rule(node: Node, page: Elements) -> Iterator[tuple[str, str]]:
    if node.type == "at-rule":
        if node.lower_at_keyword in RULES:
            yield f"@{node.lower_at_keyword}", RULES[node.lower_at_keyword]
        return
    selector = "".join(part.serialize() for part in node.prelude).lower()
    for name in re.findall(r"(?<![:\\])::?[a-z-]+", selector):
        if name in PSEUDO:
            yield name, PSEUDO[name]
    if re.search(r":nth-(last-)?child\([^)]*\bof\b", selector):
        yield ":nth-child(... of ...)", ""
    yield from of_rule(node, page)


_INLINE = {"a", "abbr", "b", "cite", "code", "em", "i", "label", "mark", "q", "s", "small", "span", "strong", "u"}
_EFFECTS = ("clip-path", "filter", "mask", "mask-image", "mix-blend-mode", "opacity", "transform")
_PLACES = {"display", "position", "float"}
_LAST = re.compile(r"([\w*-]*)((?:[.#][\w-]+|\[[^\]]*\]|:[\w-]+(?:\([^()]*\))?)*)\s*$")
_SIDES = ("margin", "margin-left", "margin-right", "margin-inline", "margin-inline-start", "margin-inline-end")
_NOUGHT = re.compile(r"auto|[+-]?0(\.0*)?(px|em|rem|%)?")
_TEXT_BEFORE = re.compile(r"(?:[^\s>}]|\{\{\s*\w[^{}]*\}\})\s*\Z")
_NEAR = 200  # characters that are looked at beside an element, or of a selector
_VECTOR = re.compile(r"data:image/svg|[^{]*\.svg\s*$", re.I)

Finding = tuple[str, str]  # what is lacking, what to write instead


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a page."""

    names: Mapping[str, Set[str]]  # by element, `.class` and `#id`: the names of those that have it
    in_lines: Set[str]  # the same marks, of elements with text beside them
    vectors: bool  # an <img> shows an SVG picture
    rems: bool  # a length is given in rem


def read_elements(html: str) -> Elements:
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


def of_rule(rule: Node, page: Elements) -> Iterator[Finding]:
    """Look at a rule with a selector."""
    selector = tinycss2.serialize(rule.prelude).lower()
    declared = _declared(inside(rule))
    if re.fullmatch(r"\s*(html|:root)\s*(,.*)?", selector) and page.rems:
        size = declared.get("font-size", "16px")
        if size not in ("16px", "100%", "1rem", "1em"):
            yield "a rem other than 16px", "write px, or em"
    if "::" not in selector and ":before" not in selector and ":after" not in selector:
        marks = [_mark(one) for one in selector.split(",")]
        names = frozenset().union(*(page.names.get(mark, {mark}) for mark in marks))
        yield from _misplaced(declared, names, page, within=not page.in_lines.isdisjoint(marks))


def of_style(declarations: Sequence[Node], name: str, page: Elements, *, within: bool) -> Iterator[Finding]:
    """Look at the style attribute of an element; `within`: it is part of a line of text."""
    yield from _misplaced(_declared(declarations), {name}, page, within=within)


def _declared(content: Sequence[Node]) -> dict[str, str]:
    return {
        one.lower_name: tinycss2.serialize(one.value).strip().lower() for one in content if one.type == "declaration"
    }


def _mark(selector: str) -> str:
    """Return the element, else the first `.class` or `#id`, of the last part of a selector; "": there is neither."""
    last = _LAST.search(selector[-_NEAR:])
    if last is None:
        return ""
    marks = re.findall(r"[.#][\w-]+", re.sub(r"\[[^\]]*\]|\([^()]*\)", "", last[2]))
    return last[1] if last[1] not in ("", "*") else "".join(marks[:1])


def _misplaced(declared: Mapping[str, str], names: Set[str], page: Elements, *, within: bool) -> Iterator[Finding]:
    if names == {"img"}:
        yield from _on_pictures(declared, page)
    if declared.get("display") == "inline-block":
        yield from _on_inline_blocks(declared)
    if within and names <= _INLINE and not declared.keys() & _PLACES:
        painted = declared.get("background", "") + declared.get("background-image", "")
        if "gradient(" in painted or "url(" in painted:
            yield "a gradient or picture behind text inside a line", "give it display: inline-block"


def _on_pictures(declared: Mapping[str, str], page: Elements) -> Iterator[Finding]:
    if not declared.keys() & _PLACES:
        for name in _EFFECTS:
            if name in declared:
                yield f"{name} on an <img> inside a line of text", "give it a box of its own: display: flex around it"
    if "object-fit" not in declared and not {"width", "height"} <= declared.keys():
        for name in ("max-width", "max-height"):
            if declared.get(name, "none") != "none":
                yield f"{name} on an <img>, and squeezes it", "write width, height and object-fit"
    if page.vectors and declared.get("object-fit") in ("cover", "none"):
        yield (
            f"object-fit: {declared['object-fit']} on an SVG picture",
            "draw it as a background, of that background-size",
        )


def _on_inline_blocks(declared: Mapping[str, str]) -> Iterator[Finding]:
    for name in _SIDES:
        words = declared.get(name, "0").split()
        if "width" not in declared and not all(
            map(_NOUGHT.fullmatch, words[1:2] + words[3:4] if len(words) > 1 else words)
        ):
            yield f"{name} with display: inline-block", "write gap in a flex row around them"
            break
    for name in ("width", "max-width", "min-width"):
        if declared.get(name, "").endswith("%"):
            yield "a width in per cent with display: inline-block", "put them into a flex row"
            break
