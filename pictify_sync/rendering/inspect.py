"""What reading a template tells before anything is rendered: its variables, fonts, files and problems.

This is all that `validate` and `plan` use of the emulator: it opens no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pictify_sync.errors import Problem, Severity
from pictify_sync.rendering import fonts
from pictify_sync.rendering.handlebars.syntax import read
from pictify_sync.rendering.lint import lint
from pictify_sync.rendering.page import css
from pictify_sync.rendering.page.inline import files, inline, pieces


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template's html says. Problems have no file yet."""

    variables: Sequence[str]  # root names, sorted
    families: Sequence[str]  # of fonts, in order of appearance, generic ones left out
    files: Sequence[str]  # local files named, in order of appearance
    problems: Sequence[Problem]  # by place


class Inspector:
    """Reads templates and fonts."""

    def inspect(self, html: str, raw_html: Collection[str] | None = ()) -> Facts:
        """Read a template. `raw_html`: variables that may be put in without escaping; None: any."""
        tree = read(html, None if raw_html is None else frozenset(raw_html))
        problems = [
            Problem("", one.line, one.column, one.message, one.hint, Severity.ERROR if one.cause else Severity.WARNING)
            for one in tree.faults
        ]
        styles = list(pieces(html))
        families = css.families([one.css for one in styles])
        return Facts(tree.names, families, files(html), sorted([*problems, *lint(html, styles)]))

    def inline(self, html: str, read: Callable[[str], bytes | None]) -> str:
        """Put the local files that html and its css name into it; a file that `read` has not stays as named."""
        return inline(html, read)

    def missing_glyphs(self, text: str, families: Sequence[str]) -> str:
        """Characters of the text that none of the fonts can draw, sorted, each once."""
        return fonts.missing_glyphs(text, families)
