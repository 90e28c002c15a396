"""Markdown pages taken apart: code blocks with the comments before them, links, headings, code in sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md", ROOT / "manifests/README.md"]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
_EXIT = re.compile(r"<!--\s*exit:\s*(\d+)\s*-->")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int  # 1-based, of the fence
    exit_code: int  # that its commands end with, from `<!-- exit: 2 -->` before it


@lru_cache
def tokens(name: str) -> tuple[Token, ...]:
    """Parse a page, named relative to the project."""
    return tuple(MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text(encoding="utf-8")))


def blocks(name: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    comment = ""
    for token in tokens(name):
        if token.type == "html_block":
            comment = token.content
        elif token.type == "fence":
            found = _EXIT.search(comment)
            assert token.map is not None
            yield Block(token.info.strip(), token.content, token.map[0] + 1, int(found[1]) if found else 0)
            comment = ""


def inlines(name: str) -> Iterator[Token]:
    """Everything inside paragraphs, headings and tables."""
    for token in tokens(name):
        yield from token.children or ()


def links(name: str) -> Iterator[str]:
    """Where links and images lead."""
    for token in inlines(name):
        target = token.attrs.get("href") or token.attrs.get("src")
        if target:
            yield str(target)


def spans(name: str) -> Iterator[str]:
    """Code in sentences."""
    yield from (token.content for token in inlines(name) if token.type == "code_inline")


def anchors(name: str) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    found = tokens(name)
    return {_slug(found[number + 1].content) for number, token in enumerate(found) if token.type == "heading_open"}


def _slug(heading: str) -> str:
    kept = (one for one in heading.lower() if one in " -_" or unicodedata.category(one)[0] in "LN")
    return "".join(kept).replace(" ", "-")
