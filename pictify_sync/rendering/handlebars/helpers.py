"""The 45 functions that Handlebars templates may call, by name, and how values become text.

Names: Pictify, skill "html-templates", "Safelisted helpers". What they do: Pictify, Expressions, and the dashboard's
preview. Values are what JSON can hold. A function gets its arguments and gives a value. It raises `UnreadableValue` for
a number or a date that it cannot read, and may raise `TooLong`; any other value of a wrong type counts as none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pictify_sync.rendering.handlebars import values
from pictify_sync.rendering.handlebars.values import falsy, missing, text, whole

MAX_TEXT = 1_000_000  # characters that a function may make out of shorter ones

Function = Callable[..., Any]


class TooLong(ValueError):
    """A function was asked for more text than is good."""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(length: int) -> None:
    if length > MAX_TEXT:
        raise TooLong(f"more than {MAX_TEXT} characters")


def _pad(value: Any, length: Any, fill: Any) -> str:
    lacking = whole(length, 0) - len(text(value))
    fill = " " if fill is None else text(fill)
    _short(lacking)
    return (fill * (lacking // len(fill) + 1))[:lacking] if fill and lacking > 0 else ""


def _replace(value: Any, old: Any = None, new: Any = None) -> str:
    full, find, put = text(value), text(old), text(new)
    if old is None:
        return full
    _short((full.count(find) if find else len(full)) * (len(put) - len(find)))
    return full.replace(find, put) if find else put.join(full)


def _join(value: Any, separator: Any = ", ", *_: Any) -> str:
    items, between = [text(item) for item in _list(value)], text(separator)
    _short(len(between) * len(items))
    return between.join(items)


def _split(value: Any, separator: Any = None, *_: Any) -> list[str]:
    if separator is None:
        return [text(value)]
    return text(value).split(text(separator)) if text(separator) else list(text(value))


def _slice(value: Any, start: Any = None, end: Any = None) -> list[Any]:
    return _list(value)[whole(start, 0) : None if end is None else whole(end, 0)]


def _truncate(value: Any, length: Any = 40, suffix: Any = "…", *_: Any) -> str:
    full, kept = text(value), max(0, whole(length, 40))
    return full[:kept] + text(suffix) if len(full) > kept else full


def _title(value: Any) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"\s+", text(value)))


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not missing(value)), "")


def _parse_json(value: Any) -> Any:
    try:
        return json.loads(text(value), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> None:
    raise ValueError(name)


def _position(value: Any, wanted: Any = None) -> int:
    same = (index for index, item in enumerate(_list(value)) if type(item) is type(wanted) and item == wanted)
    return next(same, -1)


FUNCTIONS: Mapping[str, Function] = {
    "length": lambda value: len(value) if isinstance(value, str | list) else 0,
    "isEmpty": falsy,
    "isNotEmpty": lambda value: not falsy(value),
    "isDefined": lambda value: value is not None,
    "isUndefined": lambda value: value is None,
    "isArray": lambda value: isinstance(value, list),
    "isString": lambda value: isinstance(value, str),
    "isNumber": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "isBoolean": lambda value: isinstance(value, bool),
    "isObject": lambda value: isinstance(value, Mapping),
    "contains": lambda value, wanted=None: _position(value, wanted) >= 0,
    "first": lambda value: next(iter(_list(value)), ""),
    "last": lambda value: next(reversed(_list(value)), ""),
    "indexOf": _position,
    "join": _join,
    "slice": _slice,
    "lowercase": lambda value: text(value).lower(),
    "uppercase": lambda value: text(value).upper(),
    "capitalize": lambda value: text(value)[:1].upper() + text(value)[1:],
    "titleCase": _title,
    "trim": lambda value: text(value).strip(),
    "truncate": _truncate,
    "padStart": lambda value, length=None, fill=None: _pad(value, length, fill) + text(value),
    "padEnd": lambda value, length=None, fill=None: text(value) + _pad(value, length, fill),
    "replace": _replace,
    "split": _split,
    "startsWith": lambda value, part=None: text(value).startswith(text(part)),
    "endsWith": lambda value, part=None: text(value).endswith(text(part)),
    "round": values.round_number,
    "floor": values.floor,
    "ceil": values.ceil,
    "abs": values.absolute,
    "min": values.least,
    "max": values.most,
    "sum": values.total,
    "average": values.average,
    "currency": values.currency,
    "number": values.grouped,
    "percent": values.percent,
    "date": values.date,
    "time": values.time,
    "default": lambda value, other=None: other if missing(value) else value,
    "coalesce": _coalesce,
    "json": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    "parseJson": _parse_json,
}


def call(name: str, arguments: Sequence[Any]) -> Any:
    """Call a function of the list; arguments beyond what it takes are ignored, as in JavaScript."""
    function = FUNCTIONS[name]
    return function(*arguments[: _TAKES[name]]) if arguments else function(None)


def _takes(function: Function) -> int:
    code = function.__code__
    return 1_000_000 if code.co_flags & 4 else code.co_argcount  # 4: *args


_TAKES = {name: _takes(function) for name, function in FUNCTIONS.items()}
