"""What the server wants to know of a template's text before keeping it: the names it uses, why it cannot be taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pictify_sync.rendering.handlebars import syntax


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, with the vendor's code (Pictify, Errors: html-template compiler)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Root names that the text uses, sorted, and every reason to refuse it."""

    variables: Sequence[str]
    refusals: Sequence[Refusal]


Read = Callable[[str, Collection[str]], Reading]  # html, variables that may be put in unescaped


def read(html: str, raw_html: Collection[str]) -> Reading:
    """Read Handlebars under the rules of the html engine."""
    tree = syntax.read(html, frozenset(raw_html))
    refusals = [Refusal(one.code, f"line {one.line}: {one.message}") for one in tree.faults if one.code]
    return Reading(tree.names, refusals)
