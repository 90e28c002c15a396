"""Css that the embedded engine lacks."""

from __future__ import annotations

from collections.abc import Sequence

from pictify_sync.emulator.inline import Piece
from pictify_sync.emulator.markup import Lines
from pictify_sync.errors import Problem


def lint(pieces: Sequence[Piece], lines: Lines) -> list[Problem]:
    """Give a warning for each property, value or rule that the embedded engine does not know."""
    return []
