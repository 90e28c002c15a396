"""Declarations that the embedded engine passes over, in others that mean the same and that it knows.

These are the `font` shorthand, and the "…" at the end of clamped lines. It knows css text and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import tinycss2
from tinycss2.ast import Node

_WORTH = re.compile(r"(?<![\w-])(?:font|(?:-webkit-)?line-clamp)\s*+:", re.I)
_CLAMPS = ("-webkit-line-clamp", "line-clamp")
_SIZES = ("xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "smaller", "larger")
_STYLES = ("italic", "oblique")
_WEIGHTS = ("bold", "bolder", "lighter")


@lru_cache(maxsize=256)
def expanded(declarations: str) -> str:
    """Write every `font` of a block of declarations as longhands, and say that a clamp ends in an ellipsis.

    What is not understood stays.
    """
    if not _WORTH.search(declarations):
        return declarations
    return "".join(_parts(tinycss2.parse_blocks_contents(declarations, skip_comments=True, skip_whitespace=True)))


def _parts(content: Sequence[Node]) -> Iterator[str]:
    ends = any(one.type == "declaration" and one.lower_name == "text-overflow" for one in content)
    for one in content:
        if one.type == "declaration":
            if one.lower_name in _CLAMPS and not ends:
                yield "text-overflow:ellipsis;"
            important = " !important" if one.important else ""
            longhands = _longhands(one.value) if one.lower_name == "font" else {}
            for name, value in (longhands or {one.name: tinycss2.serialize(one.value)}).items():
                yield f"{name}:{value}{important};"
        elif one.type == "qualified-rule":
            inner = tinycss2.parse_blocks_contents(one.content, skip_comments=True, skip_whitespace=True)
            yield f"{tinycss2.serialize(one.prelude)}{{{''.join(_parts(inner))}}}"
        elif one.type == "at-rule":
            yield one.serialize()


def _longhands(value: Sequence[Node]) -> dict[str, str]:
    """Give style, weight, size, line height and families; nothing: the value is none that has them."""
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


def _is_size(word: Node) -> bool:
    if word.type == "ident":
        return word.lower_value in _SIZES
    return word.type in ("dimension", "percentage") or (word.type == "function" and word.lower_name != "var")
