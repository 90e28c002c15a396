"""Text beside an `::after`: the embedded engine loses the text of an element that holds nothing else.

So such a text is put into an inline element of its own. Here is which elements that concerns; no engine, and no files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from tinycss2.ast import Node

TEXT = "page-text"  # stands for no element of the page

_ALONE = re.compile(r"""<([a-zA-Z][\w-]*+)((?:[^<>"']|"[^"]*+"|'[^']*+')*+)>([^<]*+)(?=</)""")
_MARK = re.compile(r"""(?:^|\s)(class|id)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)


def with_after(prelude: Sequence[Node]) -> frozenset[str]:
    """Return the names of elements, and `.class` and `#id`, that a selector gives an `::after` to."""
    marks: set[str] = set()
    compound: set[str] = set()
    before = ""
    for node in prelude:
        if node.type == "ident" and before == ":" and node.lower_value == "after":
            marks |= compound
        elif node.type == "ident" and before != ":":
            compound.add(f".{node.value}" if before == "." else node.lower_value)
        elif node.type == "hash":
            compound.add(f"#{node.value}")
        elif node.type == "whitespace" or (node.type == "literal" and node.value in ">+~,"):
            compound = set()
        before = node.value if node.type == "literal" else ""
    return frozenset(marks)


def wrap_text(html: str, marks: Set[str]) -> str:
    """Put the text of the elements that `marks` name into an element of its own, where they hold nothing else."""
    if not marks:
        return html

    def one(found: re.Match[str]) -> str:
        if not found[3].strip() or not marks & _marks(found[1], found[2]):
            return found[0]
        return f"<{found[1]}{found[2]}><{TEXT}>{found[3]}</{TEXT}>"

    return _ALONE.sub(one, html)


def _marks(name: str, attributes: str) -> set[str]:
    marks = {name.lower()}
    for key, *values in _MARK.findall(attributes):
        sign = "." if key.lower() == "class" else "#"
        marks.update(f"{sign}{word}" for value in values for word in value.split())
    return marks
