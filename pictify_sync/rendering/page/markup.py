"""Where elements, attributes and styles stand in the text of a page that may hold Handlebars tags.

Offsets are into the text as it is, so that what is edited leaves every other byte alone. Comments, scripts and
Handlebars comments hold no elements. All work is linear. It knows no css and no files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_NEXT = re.compile(r"<!--|\{\{~?!--|\{\{~?!|<([a-zA-Z][\w:-]*)")
_ENDS = {"<!--": "-->", "{{!--": "--", "{{!": "}}"}
_ATTRIBUTES = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""")
_RAW_TEXT = ("style", "script", "textarea", "title", "noscript", "template", "iframe")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the page."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Element:
    """One start tag."""

    name: str  # lower case
    tag: Span
    attributes: Mapping[str, Span]  # where values stand, without quotes, by lower-case name; the first one counts
    text: Span | None  # of style, script and the like
    end: int  # behind the end tag of a raw text element, else behind the start tag


def elements(html: str) -> Iterator[Element]:
    """Return the start tags in order."""
    at = 0
    while found := _NEXT.search(html, at):
        if found[1] is None:
            mark = _ENDS[found[0].replace("~", "")]
            end = html.find(mark, found.end())
            if end < 0:
                return
            at = end + len(mark)
            continue
        written = _ATTRIBUTES.match(html, found.end())
        if written is None:
            return  # a tag that never ends: no browser shows it
        element = _element(html, found, written)
        yield element
        at = element.end


def _element(html: str, found: re.Match[str], written: re.Match[str]) -> Element:
    name = found[1].lower()
    attributes: dict[str, Span] = {}
    for one in _ATTRIBUTE.finditer(html, found.end(), written.end() - 1):
        group = one.lastindex or 1
        if group > 1:
            attributes.setdefault(one[1].lower(), Span(one.start(group), one.end(group)))
        else:
            attributes.setdefault(one[1].lower(), Span(one.end(), one.end()))
    tag = Span(found.start(), written.end())
    if name not in _RAW_TEXT:
        return Element(name, tag, attributes, None, tag.end)
    closing = re.compile(rf"</{name}(?=[\s/>])", re.I).search(html, tag.end)
    text = Span(tag.end, closing.start() if closing else len(html))
    end = html.find(">", text.end) + 1
    return Element(name, tag, attributes, text, end or len(html))


@dataclass(frozen=True)
class Lines:
    """Turns offsets into lines and columns (1-based) and back, with the newlines of a language."""

    text: str
    newline: str = r"\n"

    @cached_property
    def _starts(self) -> Sequence[int]:
        return [0, *(one.end() for one in re.finditer(self.newline, self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Offset of a line and column."""
        return self._starts[line - 1] + column - 1
