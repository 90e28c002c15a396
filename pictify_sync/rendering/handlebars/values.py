"""Values of JSON as templates see them (text as JavaScript writes it, numbers, true or false) and as they write them.

Money, numbers, dates and times are written as in en-US and in UTC on every machine; what is missing draws nothing. What
cannot be read is an error with the value, never a zero. This module must not know which function reads it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MAX_SHOWN = 40  # characters of a value in an error

# Symbols of en-US (Unicode CLDR); other currencies show their code. Those in _WHOLE have no cents (ISO 4217).
_SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CNY": "CN¥", "KRW": "₩", "BRL": "R$", "CAD": "CA$",
    "AUD": "A$", "MXN": "MX$", "NZD": "NZ$", "HKD": "HK$", "ILS": "₪", "VND": "₫", "TWD": "NT$", "PHP": "₱",
    "XAF": "FCFA", "XCD": "EC$",
}  # fmt: skip
_WHOLE = frozenset(
    ("JPY", "KRW", "VND", "XAF", "XOF", "XPF", "CLP", "ISK", "UGX", "RWF", "PYG", "KMF", "GNF", "DJF", "BIF")
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"\s*\d{1,2}[:.]\d{2}([:.]\d{2})?\s*([ap]\.?m\.?)?\s*", re.I | re.A)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE_PART = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|A|a")
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


def round_number(value: Any, decimals: Any = 0) -> float | None:
    """Round a number, halves upwards."""
    if missing(value):
        return None
    places = max(-15, min(15, whole(decimals, 0)))
    read, factor = number(value), 10.0**places
    return math.floor(read * factor + 0.5) / factor if abs(read) < 1e15 else read


def floor(value: Any) -> int | None:
    """Return the next whole number downwards."""
    return None if missing(value) else math.floor(number(value))


def ceil(value: Any) -> int | None:
    """Return the next whole number upwards."""
    return None if missing(value) else math.ceil(number(value))


def absolute(value: Any) -> float | None:
    """Return a number without its sign."""
    return None if missing(value) else abs(number(value))


def least(*values: Any) -> float | None:
    """Return the smallest of the numbers that there are."""
    read = [number(value) for value in values if not missing(value)]
    return None if values and not read else min(read, default=math.inf)


def most(*values: Any) -> float | None:
    """Return the largest of the numbers that there are."""
    read = [number(value) for value in values if not missing(value)]
    return None if values and not read else max(read, default=-math.inf)


def _numbers(value: Any) -> list[float]:
    """Read the numbers of a list; those that are missing are left out. Raises UnreadableValue."""
    if not isinstance(value, list):
        raise UnreadableValue(value, "a list of numbers")
    return [number(one) for one in value if not missing(one)]


def total(value: Any) -> float | None:
    """Add the numbers of a list."""
    return None if missing(value) else sum(_numbers(value))


def average(value: Any) -> float | None:
    """Return the mean of a list, what is missing in it counted as 0."""
    if missing(value):
        return None
    return sum(_numbers(value)) / len(value) if value != [] else 0


def _grouped(value: Any, places: tuple[int, int]) -> str:
    """Write a number with commas and between so many decimals, halves away from zero."""
    exact = Decimal(repr(number(value)))
    before, _, cents = f"{_rounded(exact, places[1]):,f}".partition(".")
    cents = cents.rstrip("0").ljust(places[0], "0")
    return f"{before}.{cents}" if cents else before


def _rounded(exact: Decimal, places: int) -> Decimal:
    """Round halves away from zero; numbers that have no such places stay."""
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if exact.adjusted() < 12 else exact


def grouped(value: Any, *_: Any) -> str:
    """Write a number with commas and at most three decimals."""
    return "" if missing(value) else _grouped(value, (0, 3))


def currency(value: Any, code: Any = "USD", *_: Any) -> str:
    """Write an amount of money with its symbol."""
    if missing(value):
        return ""
    if isinstance(value, bool):
        raise UnreadableValue(value, "an amount of money, such as 1234.5")
    number(value)
    if not isinstance(code, str) or not re.fullmatch("[A-Za-z]{3}", code):
        return text(value)
    code = code.upper()
    decimals = 0 if code in _WHOLE else 2
    shown = _grouped(value, (decimals, decimals))
    sign = "-" if shown.startswith("-") else ""
    return f"{sign}{_SYMBOLS.get(code, code + chr(0xA0))}{shown.removeprefix('-')}"


def percent(value: Any, decimals: Any = 0) -> str:
    """Write a share as a percentage."""
    if missing(value):
        return ""
    read = number(value)
    places = max(0, min(15, whole(decimals, 0)))
    scaled = Decimal(repr(read)) * (100 if read < 1 else 1)
    return f"{_rounded(scaled, places):f}%"


def _moment(value: Any) -> datetime:
    """Read a date: ISO 8601, or milliseconds since 1970. Without a zone it is UTC. Raises UnreadableValue."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
        moment = datetime.fromisoformat(text(value).strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UnreadableValue(value, "a date, such as 2026-04-03") from None


def date(value: Any, form: Any = "short") -> str:
    """Write a date in a form of its own, or in one made of YYYY, MMM and so on."""
    if missing(value):
        return ""
    moment = _moment(value)
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


def time(value: Any, *_: Any) -> str:
    """Write the time of a date; a time alone is shown as it stands."""
    return text(value) if isinstance(value, str) and _CLOCK.fullmatch(value) else date(value, "hh:mm A")
