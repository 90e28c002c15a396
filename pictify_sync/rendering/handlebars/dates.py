"""Dates and times, written as in en-US and in UTC on every machine; what is missing draws nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pictify_sync.rendering.handlebars.values import UnreadableValue, missing, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"\s*\d{1,2}[:.]\d{2}([:.]\d{2})?\s*([ap]\.?m\.?)?\s*", re.I | re.A)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE_PART = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|A|a")


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
