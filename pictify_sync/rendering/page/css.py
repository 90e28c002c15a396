"""Css read for where things stand: urls, imports, declarations and the font families they name.

Css of a template may hold Handlebars tags: they are painted over before parsing, letter for letter, so that places stay
true. Nothing here knows html, files or an engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import tinycss2
from tinycss2.ast import Node

from pictify_sync.rendering.page.markup import Lines

PAINT = "\ue000"  # a letter to css, and to nobody else
GENERIC = frozenset((
    "serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "ui-serif", "ui-sans-serif", "ui-monospace",
    "ui-rounded", "emoji", "math", "fangsong", "inherit", "initial", "unset", "revert", "revert-layer", "default",
    "-apple-system", "blinkmacsystemfont",
))  # fmt: skip
_TAG = re.compile(r"\{\{(?:\{[^{}]*+\}|~?!--(?:[^{]|\{(?!\{~?!--))*?--~?|[^{}]*+)\}\}")
_LONG = re.compile(r"data:[\w.+/;=-]{0,100},[A-Za-z0-9+/=%._-]{256,}+")
_URL = re.compile(r"""url\(\s*+(?:"([^"\\]*+)"|'([^'\\]*+)'|([^)"'\\]*+))\s*\)""", re.I)
_STRING = re.compile(r""""([^"\\]*+)"|'([^'\\]*+)'""")
_SIZE = re.compile("(x{0,2}-)?small|medium|(x{0,3}-)?large|smaller|larger")
_NESTING = ("media", "supports", "layer", "container", "scope", "starting-style")
MAX_VARIABLES = 8  # var() inside var()
MAX_DEPTH = 40  # brackets inside brackets
_BRACKET = re.compile(r"""/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|([(){}\[\]])""", re.S)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property, where its name stands, and the rule around it ("" for a style attribute)."""

    name: str  # lower case; custom properties as written
    value: Sequence[Node]  # without white space and comments
    important: bool
    offset: int
    rule: str  # "", "style", "font-face", "page", ...


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that css names: what to replace, and by which kind of text."""

    start: int
    end: int
    name: str
    media: str | None  # of an @import: its conditions; None for a url()


class Css:
    """A stylesheet, or the declarations of a style attribute."""

    def __init__(self, text: str, *, attribute: bool = False) -> None:
        self.text = text
        painted = _TAG.sub(_paint, text) if "{{" in text else text
        self._cuts: list[tuple[int, int]] = []  # (offset in the shorten text, letters left out before it)
        short = _LONG.sub(self._cut, painted) if "data:" in painted else painted
        self._lines = Lines(short, r"\r\n|[\n\r\f]")
        self.nodes: Sequence[Node] = []
        if _too_deep(short):
            pass  # no stylesheet is like that, and reading it would be no use to anybody
        elif attribute:
            self.nodes = tinycss2.parse_blocks_contents(short, skip_comments=True, skip_whitespace=True)
        else:
            self.nodes = tinycss2.parse_stylesheet(short, skip_comments=True, skip_whitespace=True)
        self._short = short

    def _cut(self, found: re.Match[str]) -> str:
        kept = found[0][:64]
        left_out = (self._cuts[-1][1] if self._cuts else 0) + len(found[0]) - len(kept)
        self._cuts.append((found.end() - left_out, left_out))
        return kept

    def offset(self, node: Node) -> int:
        """Where a node starts in the text."""
        return self._true(self._lines.offset(node.source_line, node.source_column))

    def _true(self, short: int) -> int:
        return short + max((left_out for at, left_out in self._cuts if at <= short), default=0)

    @cached_property
    def declarations(self) -> Sequence[Declaration]:
        """Every declaration, in order."""
        return list(self._declarations(self.nodes, ""))

    @cached_property
    def rules(self) -> Sequence[tuple[Node, int]]:
        """Every rule with the place where it starts, in order."""
        return [(node, self.offset(node)) for node in _rules(self.nodes)]

    def _declarations(self, nodes: Sequence[Node], rule: str) -> Iterator[Declaration]:
        for node in nodes:
            if node.type == "declaration":
                value = [one for one in node.value if one.type not in ("whitespace", "comment")]
                name = node.name if node.name.startswith("--") else node.lower_name
                yield Declaration(name, value, node.important, self.offset(node), rule)
            elif node.type in ("qualified-rule", "at-rule") and node.content is not None:
                inner = "style" if node.type == "qualified-rule" else node.lower_at_keyword
                yield from self._declarations(inside(node), rule if inner in _NESTING and rule else inner)

    @cached_property
    def references(self) -> Sequence[Reference]:
        """Every url() and @import, in order."""
        return sorted(self._references(self.nodes), key=lambda one: one.start)

    def _references(self, nodes: Sequence[Node]) -> Iterator[Reference]:
        for node in nodes:
            if node.type == "at-rule" and node.lower_at_keyword == "import":
                yield from self._import(node)
            elif node.type == "url" or (node.type == "function" and node.lower_name == "url"):
                yield from self._url(node)
            else:
                for part in ("prelude", "content", "value", "arguments"):
                    inner = getattr(node, part, None)
                    if isinstance(inner, list):
                        yield from self._references(inner)

    def _url(self, node: Node) -> Iterator[Reference]:
        at = self._lines.offset(node.source_line, node.source_column)
        found = _URL.match(self._short, at)
        if found:
            group = found.lastindex or 3
            yield Reference(self._true(at), self._true(found.end()), found[group].strip(), None)

    def _import(self, node: Node) -> Iterator[Reference]:
        start = self._lines.offset(node.source_line, node.source_column)
        said = [one for one in node.prelude if one.type not in ("whitespace", "comment")]
        if not said or said[0].type not in ("string", "url", "function"):
            return
        at = self._lines.offset(said[0].source_line, said[0].source_column)
        found = (_STRING if said[0].type == "string" else _URL).match(self._short, at)
        if found is None:
            return
        end = self._short.find(";", found.end())
        name = next((group for group in found.groups() if group is not None), "").strip()
        conditions = tinycss2.serialize(node.prelude[node.prelude.index(said[0]) + 1 :]).strip()
        yield Reference(self._true(start), self._true(len(self._short) if end < 0 else end + 1), name, conditions)


def _too_deep(css: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(css):
        if bracket[1]:
            depth += 1 if bracket[1] in "({[" else -1 if depth else 0
            if depth > MAX_DEPTH:
                return True
    return False


def _paint(tag: re.Match[str]) -> str:
    """Letters for a value, blanks for a block tag; line ends stay."""
    shown = " " if tag[0].lstrip("{~")[:1] in "#/^!" or tag[0].strip("{}~ ") == "else" else PAINT
    return re.sub(r"[^\n\r\f]", shown, tag[0])


def inside(node: Node) -> Sequence[Node]:
    """Return the declarations and rules in a rule's braces."""
    content: Sequence[Node] = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
    return content


def _rules(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.type in ("qualified-rule", "at-rule"):
            yield node
            if node.content is not None:
                yield from _rules(inside(node))


def families(sheets: Sequence[Css]) -> list[str]:
    """Return the font families named, in order of appearance, each once, generic ones left out."""
    everything = [one for sheet in sheets for one in sheet.declarations]
    variables = {one.name: one.value for one in everything if one.name.startswith("--")}
    found: dict[str, None] = {}
    for one in everything:
        if one.name in ("font-family", "font") and one.rule != "font-face":
            value = _resolved(one.value, variables, MAX_VARIABLES)
            found.update(dict.fromkeys(_names(_after_size(value) if one.name == "font" else value)))
    return list(found)


def _resolved(value: Sequence[Node], variables: Mapping[str, Sequence[Node]], depth: int) -> list[Node]:
    nodes: list[Node] = []
    for node in value:
        if node.type == "function" and node.lower_name == "var" and depth:
            said = [one for one in node.arguments if one.type not in ("whitespace", "comment")]
            known = variables.get(said[0].value) if said and said[0].type == "ident" else None
            nodes += _resolved(known if known is not None else said[2:], variables, depth - 1)
        else:
            nodes.append(node)
    return nodes


def _after_size(value: Sequence[Node]) -> Sequence[Node]:
    for index, node in enumerate(value):
        if node.type in ("dimension", "percentage") or (node.type == "ident" and _SIZE.fullmatch(node.lower_value)):
            slash = index + 1 < len(value) and value[index + 1] == "/"
            return value[index + (3 if slash else 1) :]
    return ()


def _names(value: Sequence[Node]) -> Iterator[str]:
    words: list[str] = []
    for node in [*value, None]:
        if node is None or node == ",":
            name = " ".join(words)
            if words and name.casefold() not in GENERIC and PAINT not in name:
                yield name
            words = []
        elif node.type == "string":
            words = [node.value]
        elif node.type == "ident":
            words.append(node.value)
