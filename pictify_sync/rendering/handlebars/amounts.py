"""Money, numbers and percentages, written as in en-US on every machine; what is missing draws nothing."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pictify_sync.rendering.handlebars.values import UnreadableValue, missing, number, text, whole

# Symbols of en-US (Unicode CLDR); other currencies show their code. Those in _WHOLE have no cents (ISO 4217).
_SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CNY": "CN¥", "KRW": "₩", "BRL": "R$", "CAD": "CA$",
    "AUD": "A$", "MXN": "MX$", "NZD": "NZ$", "HKD": "HK$", "ILS": "₪", "VND": "₫", "TWD": "NT$", "PHP": "₱",
    "XAF": "FCFA", "XCD": "EC$",
}  # fmt: skip
_WHOLE = frozenset(
    ("JPY", "KRW", "VND", "XAF", "XOF", "XPF", "CLP", "ISK", "UGX", "RWF", "PYG", "KMF", "GNF", "DJF", "BIF")
)


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
