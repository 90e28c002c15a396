"""Values of JSON as templates see them: as text as JavaScript writes it, as a number, as true or false.

What cannot be read is an error with the value, never a zero. This module must not know which function reads it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MAX_SHOWN = 40  # characters of a value in an error

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.I | re.A)


class UnreadableValue(ValueError):
    """A value is there, and is not what a function wants."""

    def __init__(self, value: Any, wanted: str) -> None:
        is_short = isinstance(value, str | int | float) and len(text(value)) <= MAX_SHOWN and text(value).isprintable()
        kind = (
            "a list" if isinstance(value, list | tuple) else "a mapping" if isinstance(value, Mapping) else "its value"
        )
        shown = f"'{text(value)}'" if is_short else ""  # as it is, so that a sensitive value is found in it
        super().__init__(f"{shown if is_short else kind} is not {wanted}")


def text(value: Any) -> str:
    """Write a value as JavaScript does."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, list | tuple):
        return ",".join(map(text, value))
    return "" if value is None else "[object Object]" if isinstance(value, Mapping) else str(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if 1e-6 <= abs(value) < 1e-4:
        return format(Decimal(repr(value)), "f")
    return repr(value).replace("e-0", "e-")


def falsy(value: Any) -> bool:
    """Return whether `#if` takes the other branch: undefined, null, false, 0, NaN, "" and []."""
    return value is None or value in ("", 0) or value == [] or value != value  # noqa: PLR0124 - NaN


def missing(value: Any) -> bool:
    """Return whether there is no value: undefined, null or an empty text."""
    return value is None or value == ""


def number(value: Any) -> float:
    """Read a number. Raises UnreadableValue for anything else; what is missing is none either."""
    read = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if not isinstance(read, int | float) or not -1e308 < read < 1e308:  # no other is finite, NaN least of all
        raise UnreadableValue(value, "a number, such as 1234.5")
    return read + 0


def whole(value: Any, default: int) -> int:
    """Read a length or a number of places that a template gives; what is none counts as 0."""
    try:
        return default if value is None else int(number(value))
    except UnreadableValue:
        return 0
