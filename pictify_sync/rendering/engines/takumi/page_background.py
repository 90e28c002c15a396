"""The background of a body smaller than its page, for an engine of fragments: a browser paints it on all of the page.

It adds rules that a page's own rules outrank, and none for a stylesheet that leaves the body as large as the page. It
knows css whose selectors are those of `page`, and no engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import tinycss2
from tinycss2.ast import Node

_SIDES = ("", "-top", "-right", "-bottom", "-left")
_BOX = ("width", "height", "max-width", "max-height", "display", *(f"margin{side}" for side in _SIDES))
_FULL = ("100%", "100vw", "100vh", "0", "0px", "auto", "none", "block", "flex", "grid")
_CLEAR = ("transparent", "currentcolor", "text")  # what two layers of would not look like one
_SPACE = re.compile(r"\s*>\s*|\s+")


def page_background(css: str, root: str, body: str) -> str:
    """Return rules that paint the root like the body; `root` and `body` are the names of the two elements.

    The margin of a body collapses with that of what comes first in it.
    """
    if body not in css:
        return ""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    plain = (body, f"{root} {body}")
    said = list(_said(rules, plain))
    collapsing = f":where({body}){{display:block}}\n" if any(map(_indents, said)) else ""
    return collapsing + ("".join(_painted(rules, plain, root)) if any(map(_shrinks, said)) else "")


def style_background(declarations: str, root: str) -> str:
    """Return the rule for a body with a style attribute."""
    return _rule(_declarations(declarations), root)


def _painted(rules: Sequence[Node], plain: Sequence[str], root: str) -> Iterator[str]:
    for rule in rules:
        if _is_body(rule, plain):
            yield _rule(_declarations(rule.content), root)
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports") and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            painted = "".join(_painted(inner, plain, root))
            if painted:
                yield f"@{rule.lower_at_keyword}{tinycss2.serialize(rule.prelude)}{{{painted}}}\n"


def _rule(content: Sequence[Node], root: str) -> str:
    papers = [one for one in content if one.lower_name.startswith("background") and not _see_through(one.value)]
    said = ";".join(f"{one.name}:{tinycss2.serialize(one.value)}" for one in papers)
    return f":where({root}){{{said}}}\n" if said else ""


def _said(rules: Sequence[Node], plain: Sequence[str]) -> Iterator[Node]:
    """Return the declarations for the body."""
    for rule in rules:
        if _is_body(rule, plain):
            yield from _declarations(rule.content)
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports") and rule.content is not None:
            yield from _said(tinycss2.parse_rule_list(rule.content, skip_comments=True), plain)


def _is_body(rule: Node, plain: Sequence[str]) -> bool:
    if rule.type != "qualified-rule":
        return False
    return any(_SPACE.sub(" ", one.strip()) in plain for one in tinycss2.serialize(rule.prelude).split(","))


def _declarations(content: str | Sequence[Node]) -> list[Node]:
    found = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return [one for one in found if one.type == "declaration"]


def _shrinks(one: Node) -> bool:
    return one.lower_name in _BOX and any(word not in _FULL for word in tinycss2.serialize(one.value).lower().split())


def _indents(one: Node) -> bool:
    return one.lower_name in ("margin", "margin-top") and tinycss2.serialize(one.value).split()[:1] not in (
        ["0"],
        ["0px"],
    )


def _see_through(value: Sequence[Node]) -> bool:
    """Return whether a background may let something behind it shine through."""
    for node in value:
        if node.type == "hash":
            clear = len(node.value) in (4, 8)
        elif node.type == "function" and node.lower_name != "url":
            numbers = sum(one.type in ("number", "percentage", "dimension") for one in node.arguments)
            colour = not node.lower_name.endswith("gradient") and node.lower_name != "var"
            clear = (colour and numbers > 3) or _see_through(node.arguments)
        else:
            clear = node.type in ("url", "function") or (node.type == "ident" and node.lower_value in _CLEAR)
        if clear:
            return True
    return False
