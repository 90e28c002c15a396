"""The closed set of filters and tests of the manifest language, each safe on any input.

Texts that a filter makes are capped, so that no chain of filters grows without end. Jinja's own filters are not used:
several of them call methods, take formats with a width, or repeat text.
This module must not know rows or manifests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pictify_sync.manifest.expressions.operations import (
    MAX_TEXT,
    ExpressionError,
    Missing,
    Number,
    capped,
    kind,
    number,
    operand,
    text,
    too_long,
    value,
)


def default_to(item: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Return another value for an absent one, with `true` also for an empty one."""
    return default_value if isinstance(item, Missing) or (boolean and not item) else item


def to_int(item: Any, default: Any = None) -> Any:
    """Return a whole number; the fraction is cut off."""
    return _convert(item, default, lambda it: int(it) if _is_whole(it) else int(float(it)), "whole number", "int(0)")


def to_float(item: Any, default: Any = None) -> Any:
    """Return a number with a fraction."""
    return _convert(item, default, float, "number", "float(0)")


def round_to(item: Any, precision: int = 0) -> Number:
    """Round a number; without digits it becomes whole."""
    places = _count(precision, "round")
    return number(round(operand(item), places) if places else round(operand(item)))


def fixed(item: Any, digits: int = 2) -> str:
    """Write a number with so many digits after the point, 10 at most."""
    return f"{operand(item):.{min(_count(digits, 'fixed'), 10)}f}"


def replace(item: Any, old: Any, new: Any) -> str:
    """Replace every occurrence of a text."""
    source, old, new = text(item), text(old), text(new)
    if not old:
        raise ExpressionError("replace needs a text to look for")
    if len(source) + source.count(old) * (len(new) - len(old)) > MAX_TEXT:
        too_long()
    return source.replace(old, new)


def join(item: Any, by: Any = "") -> str:
    """Join the values of a list."""
    parts, by = [text(part) for part in _list(item)], text(by)
    if sum(map(len, parts)) + len(by) * len(parts) > MAX_TEXT:
        too_long()
    return str(by.join(parts))


def split(item: Any, by: Any = ",") -> list[str]:
    """Split a text into a list; blanks around the parts are cut off."""
    if not text(by):
        raise ExpressionError("split needs a text to split at")
    return [part.strip() for part in text(item).split(text(by))]


def truncate(item: Any, length: int = 255, end: Any = "…") -> str:
    """Shorten a text to so many characters, the ending included."""
    source, ending, length = text(item), text(end), _count(length, "truncate")
    return source if len(source) <= length else (source[: max(0, length - len(ending))].rstrip() + ending)[:length]


def slug(item: Any) -> str:
    """Make a text fit for keys and file names: ASCII letters and digits with hyphens between."""
    plain = unicodedata.normalize("NFKD", text(item).replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def first(item: Any) -> Any:
    """Return the first value of a list, or the first character of a text."""
    return _end(item, 0)


def last(item: Any) -> Any:
    """Return the last value of a list, or the last character of a text."""
    return _end(item, -1)


def length(item: Any) -> int:
    """Count the characters of a text or the values of a list."""
    return len(value(item)) if isinstance(value(item), Mapping) else len(_sequence(item))


def lower(item: Any) -> str:
    """Write a text in small letters."""
    return capped(text(item).lower())


def upper(item: Any) -> str:
    """Write a text in capital letters."""
    return capped(text(item).upper())


def title(item: Any) -> str:
    """Write every word of a text with a capital first letter."""
    return capped(text(item).title())


def trim(item: Any) -> str:
    """Cut off the blanks around a text."""
    return text(item).strip()


def _count(item: Any, name: str) -> int:
    if not isinstance(item, int) or not 0 <= item <= MAX_TEXT:
        raise ExpressionError(f"{name} needs a whole number of 0 or more")
    return item


def _is_whole(item: Any) -> bool:
    return not isinstance(item, str) or re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", item) is not None


def _convert(item: Any, instead: Any, make: Callable[[Any], Any], what: str, hint: str) -> Any:
    try:
        if not isinstance(value(item), str | int | float) or (
            isinstance(item, str) and ("_" in item or len(item) > 80)
        ):
            raise ValueError(item)
        return number(make(item))
    except (ValueError, OverflowError):
        if instead is not None:
            return instead
        shown = f"'{item[:40]}'" if isinstance(item, str) else kind(item)
        raise ExpressionError(f"{shown} is not a {what}", f"use | {hint} to allow it") from None


def _list(item: Any) -> list[Any]:
    if not isinstance(value(item), list):
        raise ExpressionError(f"{kind(item)} where a list is needed")
    return list(item)


def _sequence(item: Any) -> Sequence[Any]:
    return item if isinstance(value(item), list | str) else text(item)


def _end(item: Any, index: int) -> Any:
    items = _sequence(item)
    return items[index] if items else Missing(name="first" if index == 0 else "last")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": default_to,
    "first": first,
    "fixed": fixed,
    "float": to_float,
    "int": to_int,
    "join": join,
    "last": last,
    "length": length,
    "lower": lower,
    "replace": replace,
    "round": round_to,
    "slug": slug,
    "split": split,
    "string": text,
    "title": title,
    "trim": trim,
    "truncate": truncate,
    "upper": upper,
}
TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda item: not isinstance(item, Missing),
    "undefined": lambda item: isinstance(item, Missing),
    "none": lambda item: value(item) is None,
    "string": lambda item: isinstance(value(item), str),
    "number": lambda item: isinstance(value(item), int | float) and not isinstance(item, bool),
    "boolean": lambda item: isinstance(value(item), bool),
    "mapping": lambda item: isinstance(value(item), Mapping),
    "sequence": lambda item: isinstance(value(item), list),
    "even": lambda item: operand(item) % 2 == 0,
    "odd": lambda item: operand(item) % 2 == 1,
}
