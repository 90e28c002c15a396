"""The closed set of filters and tests of the manifest language, each safe on any input.

Texts that a filter makes are capped, so that no chain of filters grows without end. Jinja's own filters are not used:
several of them call methods, take formats with a width, or repeat text.
This module must not know rows or manifests.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from jinja2 import Undefined

MAX_TEXT = 65_536  # characters of a text made by an expression
_NUMBER_LIMIT = 10**18

Number = int | float


class ExpressionError(Exception):
    """An expression cannot be evaluated for a row; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class MissingColumn(ExpressionError):
    """An expression uses a name that the row does not have. `name` is it, `names` are those it has."""

    def __init__(self, name: str, names: Sequence[str] = ()) -> None:
        super().__init__(f"no column '{name}'")
        self.name = name
        self.names = names


class Missing(Undefined):
    """An absent name: any use of it but `default` and `is defined` raises MissingColumn."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingColumn(str(self._undefined_name))

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __getitem__ = __call__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _fail_with_undefined_error
    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __contains__ = _fail_with_undefined_error
    __hash__ = None  # type: ignore[assignment]


def value(item: Any) -> Any:
    """Pass a value on; raise for an absent one."""
    if isinstance(item, Missing):
        raise MissingColumn(str(item._undefined_name))
    return item


def text(item: Any) -> str:
    """Give the text of a scalar as JSON writes it. Raises ExpressionError for null, lists and mappings."""
    if isinstance(item, str):
        return item
    if item is None:
        raise ExpressionError("a null value inside a text", "use | default('', true)")
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return str(item)
    raise ExpressionError(f"{_kind(value(item))} inside a text", "use | join(', ') or pick one value of it")


def joined(*parts: Any) -> str:
    """Put the parts of a text together. Raises ExpressionError when it gets too long."""
    return _capped("".join([part if type(part) is str else text(part) for part in parts]))


def truth(item: Any) -> bool:
    """Pass a truth value on. Raises ExpressionError for anything else."""
    if isinstance(value(item), bool):
        return bool(item)
    raise ExpressionError(f"'where' gives {_kind(item)}, not true or false", "compare it, as in {{ status == 'live' }}")


def get(item: Any, key: Any) -> Any:
    """Give the value at a key of a mapping or an index of a list: never an attribute."""
    value(item)
    try:
        if isinstance(item, Mapping) and isinstance(key, str):
            return item[key]
        if isinstance(item, list) and isinstance(key, int):
            return item[key]
    except (KeyError, IndexError):
        return Missing(name=str(key)[:80])
    raise ExpressionError(f"{_kind(item)} has no parts that '{str(key)[:80]}' could name")


def add(left: Any, right: Any) -> Number:
    """Add two numbers."""
    return _number(_operand(left) + _operand(right))


def subtract(left: Any, right: Any) -> Number:
    """Subtract a number from another."""
    return _number(_operand(left) - _operand(right))


def divide(left: Any, right: Any) -> Number:
    """Divide a number by another. Raises ExpressionError for zero."""
    if _operand(right) == 0:
        raise ExpressionError("division by zero")
    return _number(_operand(left) / right)


def negative(item: Any) -> Number:
    """Negate a number."""
    return -_operand(item)


def default_to(item: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Give another value for an absent one, with `true` also for an empty one."""
    return default_value if isinstance(item, Missing) or (boolean and not item) else item


def to_int(item: Any, default: Any = None) -> Any:
    """Give a whole number; the fraction is cut off."""
    return _convert(item, default, lambda it: int(it) if _is_whole(it) else int(float(it)), "whole number", "int(0)")


def to_float(item: Any, default: Any = None) -> Any:
    """Give a number with a fraction."""
    return _convert(item, default, float, "number", "float(0)")


def round_to(item: Any, precision: int = 0) -> Number:
    """Round a number; without digits it becomes whole."""
    places = _count(precision, "round")
    return _number(round(_operand(item), places) if places else round(_operand(item)))


def fixed(item: Any, digits: int = 2) -> str:
    """Write a number with so many digits after the point, 10 at most."""
    return f"{_operand(item):.{min(_count(digits, 'fixed'), 10)}f}"


def replace(item: Any, old: Any, new: Any) -> str:
    """Replace every occurrence of a text."""
    source, old, new = text(item), text(old), text(new)
    if not old:
        raise ExpressionError("replace needs a text to look for")
    if len(source) + source.count(old) * (len(new) - len(old)) > MAX_TEXT:
        _too_long()
    return source.replace(old, new)


def join(item: Any, by: Any = "") -> str:
    """Join the values of a list."""
    parts, by = [text(part) for part in _list(item)], text(by)
    if sum(map(len, parts)) + len(by) * len(parts) > MAX_TEXT:
        _too_long()
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
    """Give the first value of a list, or the first character of a text."""
    return _end(item, 0)


def last(item: Any) -> Any:
    """Give the last value of a list, or the last character of a text."""
    return _end(item, -1)


def length(item: Any) -> int:
    """Count the characters of a text or the values of a list."""
    return len(value(item)) if isinstance(value(item), Mapping) else len(_sequence(item))


def _cased(method: Callable[[str], str]) -> Callable[[Any], str]:
    def apply(item: Any) -> str:
        return _capped(method(text(item)))

    return apply


def _capped(made: str) -> str:
    return made if len(made) <= MAX_TEXT else _too_long()


def _too_long() -> NoReturn:
    raise ExpressionError(f"a text of more than {MAX_TEXT:,} characters")


def _kind(item: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "a text", bool: "a truth value", type(None): "a null value"}
    return kinds.get(type(item), "a number" if isinstance(item, int | float) else "this value")


def _operand(item: Any) -> Number:
    if isinstance(item, bool) or not isinstance(value(item), int | float):
        raise ExpressionError(f"{_kind(item)} where a number is needed", "use | int or | float")
    return _number(item)


def _number(item: Number) -> Number:
    if not -_NUMBER_LIMIT < item < _NUMBER_LIMIT or not math.isfinite(item):
        raise ExpressionError("a number that is too large")
    return item


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
        return _number(make(item))
    except (ValueError, OverflowError):
        if instead is not None:
            return instead
        shown = f"'{item[:40]}'" if isinstance(item, str) else _kind(item)
        raise ExpressionError(f"{shown} is not a {what}", f"use | {hint} to allow it") from None


def _list(item: Any) -> list[Any]:
    if not isinstance(value(item), list):
        raise ExpressionError(f"{_kind(item)} where a list is needed")
    return list(item)


def _sequence(item: Any) -> Sequence[Any]:
    return item if isinstance(value(item), list | str) else text(item)


def _end(item: Any, index: int) -> Any:
    items = _sequence(item)
    return items[index] if items else Missing(name="first" if index == 0 else "last")


INTERNAL: Mapping[str, Callable[..., Any]] = {
    "_value": value,
    "_joined": joined,
    "_truth": truth,
    "_get": get,
    "_add": add,
    "_subtract": subtract,
    "_divide": divide,
    "_negative": negative,
}
FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": default_to,
    "first": first,
    "fixed": fixed,
    "float": to_float,
    "int": to_int,
    "join": join,
    "last": last,
    "length": length,
    "lower": _cased(str.lower),
    "replace": replace,
    "round": round_to,
    "slug": slug,
    "split": split,
    "string": text,
    "title": _cased(str.title),
    "trim": _cased(str.strip),
    "truncate": truncate,
    "upper": _cased(str.upper),
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
    "even": lambda item: _operand(item) % 2 == 0,
    "odd": lambda item: _operand(item) % 2 == 1,
}
