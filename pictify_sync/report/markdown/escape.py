"""Untrusted text, made fit for Markdown on GitHub.

It stands in code spans and fences alone: there no sign has a meaning, and GitHub looks there for no names, numbers of
issues, or addresses. Control and bidi characters are expected to be visible already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_RUN = re.compile("`+")
_OURS = re.compile(r"(?:[A-Za-z0-9 ,.;:()'-]|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9]))*")
_LINKED = re.compile(r"www\.|\bGH-|:\w+:", re.IGNORECASE)  # to a site, an issue, a picture of a word


def code(text: str, limit: int = 120) -> str:
    """Return a code span of one line, cut to `limit` characters."""
    shown = clipped(text, limit) or "(empty)"
    fence = "`" * (_longest(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str, limit: int = 120) -> str:
    """Return a code span for a table's cell: a bar in it parts no cells."""
    return code(text, limit).replace("|", "\\|")


def sentence(text: str, limit: int = 300) -> str:
    """Return a sentence as it is when it holds nothing but words, else as code; cut to `limit` characters."""
    shown = clipped(text, limit)
    return shown if _OURS.fullmatch(shown) and not _LINKED.search(shown) else code(shown, limit)


def marked(text: str, limit: int = 120) -> str:
    """Return code inside a block of HTML, where Markdown has no say."""
    return f"<code>{escape(clipped(text, limit))}</code>"


def fenced(lines: Iterable[str], language: str) -> str:
    """Return a block of code that ends where it should, whatever is in it."""
    text = "\n".join(lines)
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def clipped(text: str, limit: int) -> str:
    """Cut text to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _longest(text: str) -> int:
    return max(map(len, _RUN.findall(text)), default=0)
