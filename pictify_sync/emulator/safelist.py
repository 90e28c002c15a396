"""The 45 functions that Handlebars templates may call, by name, and how values become text.

Names: Pictify, skill "html-templates", "Safelisted helpers". What they do: Pictify, Expressions, and the dashboard's
preview. Values are what JSON can hold. A function gets its arguments and gives a value; it never raises for a value of
the wrong type, but may raise `TooLong`. Numbers and dates are written as in en-US, dates in UTC, on every machine.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MAX_TEXT = 1_000_000  # characters that a function may make out of shorter ones

Function = Callable[..., Any]
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.I | re.A)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Symbols of en-US (Unicode CLDR); other currencies show their code. Those in _WHOLE have no cents (ISO 4217).
_SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CNY": "CN¥", "KRW": "₩", "BRL": "R$", "CAD": "CA$",
    "AUD": "A$", "MXN": "MX$", "NZD": "NZ$", "HKD": "HK$", "ILS": "₪", "VND": "₫", "TWD": "NT$", "PHP": "₱",
    "XAF": "FCFA", "XCD": "EC$",
}  # fmt: skip
_WHOLE = frozenset(
    ("JPY", "KRW", "VND", "XAF", "XOF", "XPF", "CLP", "ISK", "UGX", "RWF", "PYG", "KMF", "GNF", "DJF", "BIF")
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE_PART = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|A|a")


class TooLong(ValueError):
    """A function was asked for more text than is good."""


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
    """Tell whether `#if` takes the other branch: undefined, null, false, 0, NaN, "" and []."""
    return value is None or value in ("", 0) or value == [] or value != value  # noqa: PLR0124 - NaN


def _number(value: Any) -> float:
    """Read a number; anything else counts as 0."""
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else 0
    if not isinstance(value, int | float) or not -1e308 < value < 1e308:  # no other is finite, NaN least of all
        return 0
    return value + 0


def _whole(value: Any, default: int) -> int:
    return default if value is None else int(_number(value))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(length: int) -> None:
    if length > MAX_TEXT:
        raise TooLong(f"more than {MAX_TEXT} characters")


def _round(value: Any, decimals: Any = 0) -> float:
    places = max(-15, min(15, _whole(decimals, 0)))
    number, factor = _number(value), 10.0**places
    return math.floor(number * factor + 0.5) / factor if abs(number) < 1e15 else number


def _grouped(value: Any, least: int, most: int) -> str:
    """Write a number with commas and between `least` and `most` decimals, halves away from zero."""
    exact = Decimal(repr(_number(value)))
    whole, _, cents = f"{_rounded(exact, most):,f}".partition(".")
    cents = cents.rstrip("0").ljust(least, "0")
    return f"{whole}.{cents}" if cents else whole


def _rounded(exact: Decimal, places: int) -> Decimal:
    """Round halves away from zero; numbers that have no such places stay."""
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if exact.adjusted() < 12 else exact


def _currency(value: Any, code: Any = "USD", *_: Any) -> str:
    if not isinstance(code, str) or not re.fullmatch("[A-Za-z]{3}", code):
        return text(value)
    code = code.upper()
    decimals = 0 if code in _WHOLE else 2
    shown = _grouped(value, decimals, decimals)
    sign = "-" if shown.startswith("-") else ""
    return f"{sign}{_SYMBOLS.get(code, code + chr(0xA0))}{shown.removeprefix('-')}"


def _percent(value: Any, decimals: Any = 0) -> str:
    number = _number(value)
    places = max(0, min(15, _whole(decimals, 0)))
    scaled = Decimal(repr(number)) * (100 if number < 1 else 1)
    return f"{_rounded(scaled, places):f}%"


def _moment(value: Any) -> datetime | None:
    """Read a date: ISO 8601, or milliseconds since 1970. Without a zone it is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
        moment = datetime.fromisoformat(text(value).strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _date(value: Any, form: Any = "short") -> str:
    moment = _moment(value)
    if moment is None:
        return text(value)
    named = {"": "MMM D, YYYY", "short": "MMM D, YYYY", "long": "MMMM D, YYYY", "iso": "YYYY-MM-DD"}
    form = named.get(text(form), text(form))
    return _DATE_PART.sub(lambda part: _date_part(moment, part), form)


def _date_part(at: datetime, part: re.Match[str]) -> str:
    if part[1] is not None:
        return part[1]
    hour = at.hour % 12 or 12
    half = "PM" if at.hour > 11 else "AM"
    known: dict[str, object] = {
        "YYYY": f"{at.year:04}", "YY": f"{at.year % 100:02}",
        "dddd": _DAYS[at.weekday()], "ddd": _DAYS[at.weekday()][:3],
        "MMMM": _MONTHS[at.month - 1], "MMM": _MONTHS[at.month - 1][:3], "MM": f"{at.month:02}", "M": at.month,
        "DD": f"{at.day:02}", "D": at.day, "HH": f"{at.hour:02}", "H": at.hour, "hh": f"{hour:02}", "h": hour,
        "mm": f"{at.minute:02}", "m": at.minute, "ss": f"{at.second:02}", "s": at.second, "A": half, "a": half.lower(),
    }  # fmt: skip
    return str(known[part[0]])


def _time(value: Any, *_: Any) -> str:
    return _date(value, "hh:mm A")


def _pad(value: Any, length: Any, fill: Any) -> str:
    missing = _whole(length, 0) - len(text(value))
    fill = " " if fill is None else text(fill)
    _short(missing)
    return (fill * (missing // len(fill) + 1))[:missing] if fill and missing > 0 else ""


def _replace(value: Any, old: Any = None, new: Any = None) -> str:
    whole, find, put = text(value), text(old), text(new)
    if old is None:
        return whole
    _short((whole.count(find) if find else len(whole)) * (len(put) - len(find)))
    return whole.replace(find, put) if find else put.join(whole)


def _join(value: Any, separator: Any = ", ", *_: Any) -> str:
    items, between = [text(item) for item in _list(value)], text(separator)
    _short(len(between) * len(items))
    return between.join(items)


def _split(value: Any, separator: Any = None, *_: Any) -> list[str]:
    if separator is None:
        return [text(value)]
    return text(value).split(text(separator)) if text(separator) else list(text(value))


def _slice(value: Any, start: Any = None, end: Any = None) -> list[Any]:
    return _list(value)[_whole(start, 0) : None if end is None else _whole(end, 0)]


def _truncate(value: Any, length: Any = 40, suffix: Any = "…", *_: Any) -> str:
    whole, kept = text(value), max(0, _whole(length, 40))
    return whole[:kept] + text(suffix) if len(whole) > kept else whole


def _title(value: Any) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"\s+", text(value)))


def _missing(value: Any) -> bool:
    return value is None or value == ""


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not _missing(value)), "")


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


def _sum(value: Any) -> float:
    return sum(map(_number, _list(value)))


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
    "round": _round,
    "floor": lambda value: math.floor(_number(value)),
    "ceil": lambda value: math.ceil(_number(value)),
    "abs": lambda value: abs(_number(value)),
    "min": lambda *values: min(map(_number, values), default=math.inf),
    "max": lambda *values: max(map(_number, values), default=-math.inf),
    "sum": _sum,
    "average": lambda value: _sum(value) / len(value) if _list(value) else 0,
    "currency": _currency,
    "number": lambda value, *_: _grouped(value, 0, 3),
    "percent": _percent,
    "date": _date,
    "time": _time,
    "default": lambda value, other=None: other if _missing(value) else value,
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
