"""The functions of templates: what each gives, and that none fails on a value of the wrong type."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.rendering.handlebars.helpers import FUNCTIONS, TooLong, call
from pictify_sync.rendering.handlebars.values import UnreadableValue, text
from tests.rendering.templates.test_handlebars import JSON

CASES: list[tuple[str, list[Any], Any]] = [
    ("length", ["abc"], 3), ("length", [[1, 2]], 2), ("length", [{"a": 1}], 0), ("length", [None], 0),
    ("isEmpty", [""], True), ("isEmpty", [[]], True), ("isEmpty", ["a"], False),
    ("isNotEmpty", ["a"], True), ("isNotEmpty", [0], False),
    ("isDefined", [""], True), ("isDefined", [None], False), ("isUndefined", [None], True), ("isUndefined", [0], False),
    ("isArray", [[1]], True), ("isArray", ["a"], False), ("isString", ["a"], True), ("isString", [1], False),
    ("isNumber", [1.5], True), ("isNumber", [True], False), ("isBoolean", [False], True), ("isBoolean", [0], False),
    ("isObject", [{}], True), ("isObject", [[]], False), ("isObject", [None], False),
    ("contains", [["a", "b"], "b"], True), ("contains", [[1], True], False), ("contains", ["abc", "b"], False),
    ("first", [[1, 2]], 1), ("first", [[]], ""), ("last", [[1, 2]], 2), ("last", ["x"], ""),
    ("indexOf", [["a", "b"], "b"], 1), ("indexOf", [["a"], "z"], -1), ("indexOf", [None, "z"], -1),
    ("join", [["a", 1, None]], "a, 1, "), ("join", [["a", "b"], "-"], "a-b"), ("join", ["x"], ""),
    ("slice", [[1, 2, 3], 1], [2, 3]), ("slice", [[1, 2, 3], 0, 2], [1, 2]), ("slice", [[1, 2, 3], -1], [3]),
    ("slice", ["abc", 1], []),
    ("lowercase", ["ÅB"], "åb"), ("uppercase", ["straße"], "STRASSE"), ("uppercase", [1.0], "1"),
    ("capitalize", ["end-of-life"], "End-of-life"), ("capitalize", [""], ""),
    ("titleCase", ["the old man"], "The Old Man"),
    ("trim", ["  a b "], "a b"),
    ("truncate", ["abcdef", 3], "abc…"), ("truncate", ["abc", 3], "abc"), ("truncate", ["abcdef", 3, "..."], "abc..."),
    ("truncate", ["x" * 41], "x" * 40 + "…"),
    ("padStart", [5, 3, "0"], "005"), ("padStart", ["abc", 2], "abc"), ("padStart", ["a", 4, "xy"], "xyxa"),
    ("padEnd", ["a", 3], "a  "), ("padEnd", ["a", 4, "xy"], "axyx"), ("padEnd", ["a", 4, ""], "a"),
    ("replace", ["a-b-c", "-", " "], "a b c"), ("replace", ["abc"], "abc"), ("replace", ["ab", "", "-"], "a-b"),
    ("split", ["a,b", ","], ["a", "b"]), ("split", ["ab", ""], ["a", "b"]), ("split", ["ab"], ["ab"]),
    ("startsWith", ["abc", "ab"], True), ("endsWith", ["abc", "ab"], False),
    ("round", [2.5], 3), ("round", [-2.5], -2), ("round", [1.256, 2], 1.26), ("round", ["3.7"], 4),
    ("round", [""], None),
    ("number", [True], "1"), ("number", [" 1.5 "], "1.5"), ("number", [None], ""), ("percent", [""], ""),
    ("floor", [2.9], 2), ("floor", [-2.1], -3), ("ceil", [2.1], 3), ("abs", [-4], 4), ("abs", [None], None),
    ("min", [3, 1, 2], 1), ("max", [3, "10", 2], 10), ("sum", [[1, "2", None]], 3),
    ("sum", [None], None), ("sum", [[]], 0), ("min", [None, "", 3], 3), ("max", [None], None),
    ("average", [[1, 2]], 1.5), ("average", [[]], 0),
    ("currency", [1234.5], "$1,234.50"), ("currency", [1234.5, "EUR"], "€1,234.50"),
    ("currency", [1234.5, "JPY"], "¥1,235"),
    ("currency", [-1, "usd"], "-$1.00"), ("currency", [2, "CHF"], "CHF\xa02.00"), ("currency", [2, "nonsense"], "2"),
    ("currency", [0.005], "$0.01"), ("currency", [None], ""), ("currency", ["", "EUR"], ""),
    ("number", [1234567.8915], "1,234,567.892"), ("number", [10], "10"),
    ("number", [1e21], "1,000,000,000,000,000,000,000"),
    ("percent", [0.256], "26%"), ("percent", [0.256, 1], "25.6%"), ("percent", [25], "25%"),
    ("date", ["2026-04-03"], "Apr 3, 2026"), ("date", ["2026-04-03", "long"], "April 3, 2026"),
    ("date", ["2026-04-03T21:05:09Z", "dddd, D MMMM YYYY [at] h:mm a"], "Friday, 3 April 2026 at 9:05 pm"),
    ("date", ["2026-04-03T23:30:00-02:00", "YYYY-MM-DD HH:mm:ss"], "2026-04-04 01:30:00"),
    ("date", [0, "YYYY"], "1970"), ("date", [None], ""), ("date", [""], ""),
    ("time", ["2026-04-03T21:05:00"], "09:05 PM"), ("time", [""], ""), ("time", ["9:05 pm"], "9:05 pm"),
    ("default", ["", "x"], "x"), ("default", [0, "x"], 0), ("coalesce", [None, "", "b", "c"], "b"),
    ("coalesce", [None], ""),
    ("json", [{"a": [1]}], '{\n  "a": [\n    1\n  ]\n}'), ("json", ["é"], '"é"'),
    ("parseJson", ['{"a": 1}'], {"a": 1}), ("parseJson", ["{"], None), ("parseJson", ["[" * 100_000], None),
    ("parseJson", ["NaN"], None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES)
def test_function(name: str, arguments: list[Any], expected: Any) -> None:
    """A function gives what the documented one gives."""
    assert call(name, arguments) == expected


def test_there_are_45_functions_each_with_a_case() -> None:
    """The list is the documented one, and nothing in it is untested."""
    assert len(FUNCTIONS) == 45
    assert {name for name, _, _ in CASES} == set(FUNCTIONS)


READERS = {
    "round",
    "floor",
    "ceil",
    "abs",
    "min",
    "max",
    "sum",
    "average",
    "currency",
    "number",
    "percent",
    "date",
    "time",
}
BAD = [
    "12,50 €",
    "€12.50",
    "1.234,56",
    "abc",
    "--",
    "NaN",
    "Infinity",
    "1e999",
    math.nan,
    math.inf,
    10**400,
    [],
    {},
    ["x"],
]


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("value", BAD)
def test_what_cannot_be_read_is_an_error_and_never_a_zero(name: str, value: Any) -> None:
    """Of every function that reads a number or a date; the value is named where it is short."""
    if name in ("sum", "average"):
        value = [value]
    with pytest.raises(UnreadableValue, match=r" is not a (number|date|list)"):
        call(name, [value])


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_is_no_money(value: Any) -> None:
    """It is not drawn as one dollar, or as none."""
    with pytest.raises(UnreadableValue, match="is not an amount of money"):
        call("currency", [value, "EUR"])


@pytest.mark.parametrize("value", ["soon", "03/04/2026", "3. April 2026", "2026-13-01", 1e300, True, "1775174400000"])
def test_dates_that_cannot_be_read(value: Any) -> None:
    """They are not shown as they stand, in a picture that is of dates in one form."""
    for name in ("date", "time"):
        with pytest.raises(UnreadableValue, match="is not a date, such as 2026-04-03"):
            call(name, [value])


ODD = st.sampled_from([10**400, 1e300, -1e-300, "1e999", "-5", "0001-01-01T00:00:00+14:00", "9999-12-31", "USD", 99])


@settings(max_examples=300)
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(JSON | ODD, max_size=5))
def test_no_function_fails_on_any_value(name: str, arguments: list[Any]) -> None:
    """Whatever it is given, a function gives something that can be shown, or refuses to make a text too long."""
    try:
        assert isinstance(text(call(name, arguments)), str)
    except TooLong:
        assert name in ("padStart", "padEnd")
    except UnreadableValue:
        assert name in READERS
