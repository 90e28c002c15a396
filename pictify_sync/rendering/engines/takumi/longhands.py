"""Declarations that the embedded engine passes over, in others that mean the same and that it knows.

These are the `font` shorthand, `flex: none`, the "…" at the end of clamped lines, backgrounds that end with their box,
and pseudo-elements without a text. It knows css text and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache

import tinycss2
from tinycss2.ast import Node

_WORTH = re.compile(
    r"(?<![\w-])(?:(?:font|content|(?:-webkit-)?line-clamp)\s*+:|flex\s*+:\s*+none)|url\(|gradient\(", re.I
)
_CLAMPS = ("-webkit-line-clamp", "line-clamp")
_PAPERS = ("background", "background-image")
_CLIPS = ("background-clip", "-webkit-background-clip")
_EMPTY = ("''", '""')
_SIZES = ("xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "smaller", "larger")
_STYLES = ("italic", "oblique")
_WEIGHTS = ("bold", "bolder", "lighter")


@lru_cache(maxsize=256)
def expand_longhands(declarations: str) -> str:
    """Write every `font` of a block of declarations as longhands, and say what a browser takes for granted.

    What is not understood stays.
    """
    if not _WORTH.search(declarations):
        return declarations
    return "".join(_parts(tinycss2.parse_blocks_contents(declarations, skip_comments=True, skip_whitespace=True)))


def _parts(content: Sequence[Node]) -> Iterator[str]:
    said = {one.lower_name for one in content if one.type == "declaration"}
    for one in content:
        if one.type == "declaration":
            important = " !important" if one.important else ""
            for name, value in _meant(one, said).items():
                yield f"{name}:{value}{important};"
        elif one.type == "qualified-rule":
            inner = tinycss2.parse_blocks_contents(one.content, skip_comments=True, skip_whitespace=True)
            yield f"{tinycss2.serialize(one.prelude)}{{{''.join(_parts(inner))}}}"
        elif one.type == "at-rule":
            yield one.serialize()


def _meant(one: Node, said: Set[str]) -> dict[str, str]:
    """Return what to write for a declaration; `said` are the names of its block."""
    name, written = one.lower_name, tinycss2.serialize(one.value)
    if name in _CLAMPS and "text-overflow" not in said:
        return {"text-overflow": "ellipsis", one.name: written}
    if name in _PAPERS and _spills(one.value, sized="background-size" in said) and said.isdisjoint(_CLIPS):
        return {one.name: written, "background-clip": "padding-box"}
    if name == "flex" and written.strip().lower() == "none":
        return {one.name: "0 0 auto"}
    if name == "content" and written.strip() in _EMPTY:
        return {one.name: "' '"}  # else there is no box
    return (_longhands(one.value) if name == "font" else {}) or {one.name: written}


def _longhands(value: Sequence[Node]) -> dict[str, str]:
    """Return style, weight, size, line height and families; nothing: the value is none that has them."""
    words = [one for one in value if one.type != "whitespace"]
    said = {"font-style": "normal", "font-weight": "normal"}
    place = next((place for place, word in enumerate(words) if _is_size(word)), None)
    if place is None:
        return {}
    for word in words[:place]:
        if word.type == "ident" and word.lower_value in _STYLES:
            said["font-style"] = word.lower_value
        elif word.type == "number" or (word.type == "ident" and word.lower_value in _WEIGHTS):
            said["font-weight"] = word.serialize()
        elif word.type != "ident":
            return {}
    said["font-size"], said["line-height"], rest = words[place].serialize(), "normal", words[place + 1 :]
    if len(rest) > 1 and rest[0].type == "literal" and rest[0].value == "/":
        said["line-height"], rest = rest[1].serialize(), rest[2:]
    said["font-family"] = " ".join(one.serialize() for one in rest)
    return said if rest else {}


def _spills(value: Sequence[Node], *, sized: bool) -> bool:
    """Return whether a background may go on beside its box: a picture, or a gradient with a size of its own."""
    if any(one.type == "ident" and one.lower_value.endswith("-box") for one in value):
        return False
    names = [one.lower_name if one.type == "function" else one.type for one in value]
    sized = sized or any(one == "/" for one in value)
    return any(name == "url" or (sized and name.endswith("gradient")) for name in names)


def _is_size(word: Node) -> bool:
    if word.type == "ident":
        return word.lower_value in _SIZES
    return word.type in ("dimension", "percentage") or (word.type == "function" and word.lower_name != "var")
