"""Plain scalars under the YAML 1.2 core schema, and numbers that remember how they were written.

`3.10`, `01234` and `+49` are numbers, and shown as text they are 3.1, 1234 and 49: whoever shows one can tell.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_HUGE = 10**308
_EXACT = 2**53  # whole numbers beyond are not exact in JavaScript, in which services are written


class WrittenInt(int):
    """A whole number that is shown otherwise than it was written."""

    written: str
    spot: tuple[int, int]  # line and column


class WrittenFloat(float):
    """A number that is shown otherwise than it was written."""

    written: str
    spot: tuple[int, int]  # line and column


Written = WrittenInt | WrittenFloat


def read_scalar(text: str) -> object:
    """Return the value of a plain scalar. Raises ValueError for a number with too many digits."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "0123456789.+-":
        return text
    if _INT.match(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.match(text):
        return float(text)
    return float(text.replace(".", "")) if _SPECIAL.match(text) else text


def read_written(text: str, spot: tuple[int, int]) -> object:
    """Return the value of a plain scalar at a place; a number that is shown otherwise knows both."""
    value = read_scalar(text)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not isfinite(value))
    ):
        return value
    if shown(value) == text:
        return value
    kept = WrittenInt(value) if isinstance(value, int) else WrittenFloat(value)
    kept.written, kept.spot = text, spot
    return kept


def shown(value: float) -> str:
    """Return a number as templates show it."""
    if isinstance(value, int) and abs(value) <= _EXACT:
        return str(value)
    if abs(value) >= _HUGE:
        return "Infinity"
    value = float(value) + 0.0  # no minus before zero
    if abs(value) < 1e21 and value.is_integer():  # as JavaScript does
        return format(Decimal(repr(value)), "f").partition(".")[0]
    return repr(value)
