"""One line of output and what it is about, so that a terminal may colour it and a file need not."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """What a line is about. How that looks is the terminal's business."""

    PLAIN = "plain"
    HEAD = "head"
    FAINT = "faint"
    ADD = "add"
    ALTER = "alter"
    MOVE = "move"
    REMOVE = "remove"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Line(NamedTuple):
    """Text without a line end, already safe to show."""

    text: str
    tone: Tone = Tone.PLAIN


BLANK = Line("")
