"""What expressions are made of: text, parts of values, numbers, and the errors they end in.

Every operation is safe on any value and capped, so that no expression grows without end.
This module must not know rows or manifests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NoReturn

from jinja2 import Undefined

MAX_TEXT = 65_536  # characters of a text made by an expression
_NUMBER_LIMIT = 10**18

Number = int | float


class ExpressionError(Exception):
    """An expression is refused, or cannot be evaluated for a row; the message says why, `hint` what to do.

    `words` are the tokens that it is about, next to each other; `offset` is where in the text, -1 when not known;
    `others` are more of the same text, `asked` the columns that its other parts ask for.
    """

    offset = -1
    others: Sequence[ExpressionError] = ()
    asked: Set[str] = frozenset()

    def __init__(self, message: str, hint: str = "", *, words: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.words = words

    def at(self, offset: int) -> ExpressionError:
        """Set the place in the text."""
        self.offset = offset
        return self

    def beside(self, others: Sequence[ExpressionError], asked: Set[str] = frozenset()) -> ExpressionError:
        """Set what else is to be said of the text."""
        self.others, self.asked = others, asked
        return self


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
    if type(item) is Missing:
        raise MissingColumn(str(item._undefined_name))
    return item


def text(item: Any) -> str:
    """Return the text of a scalar as JSON writes it. Raises ExpressionError for null, lists and mappings."""
    if isinstance(item, str):
        return item
    if item is None:
        raise ExpressionError("a null value inside a text", "use | default('', true)")
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return str(item)
    raise ExpressionError(f"{kind(value(item))} inside a text", "use | join(', ') or pick one value of it")


def joined(*parts: Any) -> str:
    """Put the parts of a text together. Raises ExpressionError when it gets too long."""
    made = "".join([part if type(part) is str else text(part) for part in parts])
    return made if len(made) <= MAX_TEXT else too_long()


def truth(item: Any) -> bool:
    """Pass a truth value on. Raises ExpressionError for anything else."""
    if isinstance(value(item), bool):
        return bool(item)
    raise ExpressionError(f"'where' gives {kind(item)}, not true or false", "compare it, as in {{ status == 'live' }}")


def get(item: Any, key: Any) -> Any:
    """Return the value at a key of a mapping or an index of a list: never an attribute."""
    value(item)
    try:
        if isinstance(item, Mapping) and isinstance(key, str):
            return item[key]
        if isinstance(item, list) and isinstance(key, int):
            return item[key]
    except (KeyError, IndexError):
        return Missing(name=str(key)[:80])
    raise ExpressionError(f"{kind(item)} has no parts that '{str(key)[:80]}' could name")


def add(left: Any, right: Any) -> Number:
    """Add two numbers."""
    return number(operand(left) + operand(right))


def subtract(left: Any, right: Any) -> Number:
    """Subtract a number from another."""
    return number(operand(left) - operand(right))


def divide(left: Any, right: Any) -> Number:
    """Divide a number by another. Raises ExpressionError for zero."""
    if operand(right) == 0:
        raise ExpressionError("division by zero")
    return number(operand(left) / right)


def negative(item: Any) -> Number:
    """Negate a number."""
    return -operand(item)


def capped(made: str) -> str:
    """Pass on a text that is not too long."""
    return made if len(made) <= MAX_TEXT else too_long()


def too_long() -> NoReturn:
    """Refuse a text that gets too long."""
    raise ExpressionError(f"a text of more than {MAX_TEXT:,} characters")


def kind(item: Any) -> str:
    """Name the kind of a value, as in "a list"."""
    kinds = {dict: "a mapping", list: "a list", str: "a text", bool: "a truth value", type(None): "a null value"}
    return kinds.get(type(item), "a number" if isinstance(item, int | float) else "this value")


def operand(item: Any) -> Number:
    """Pass on a number. Raises ExpressionError for anything else."""
    if isinstance(item, bool) or not isinstance(value(item), int | float):
        raise ExpressionError(f"{kind(item)} where a number is needed", "use | int or | float")
    return number(item)


def number(item: Number) -> Number:
    """Pass on a number that is finite and not huge."""
    if not -_NUMBER_LIMIT < item < _NUMBER_LIMIT or not math.isfinite(item):
        raise ExpressionError("a number that is too large")
    return item


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
