"""The expressions of a manifest: Jinja2's syntax, cut down to an allow-list.

A text is parsed by Jinja, then rebuilt node by node from what the allow-list knows; whatever else was written is
refused before any row is read. Attribute access becomes a look-up in the row's data, so no Python attribute is ever
read, and there are no calls, no globals and no loops. The sandbox of Jinja is the second wall behind that one.
This module must not know files, manifests or layouts, nor rows: `programs` runs what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from inspect import Signature, signature
from math import isfinite
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pictify_sync.manifest.expressions.filters import FILTERS, TESTS
from pictify_sync.manifest.expressions.operations import INTERNAL, ExpressionError, Missing
from pictify_sync.manifest.pinpoint import Regions, expressions_in, offset_of, offset_of_column, pieces
from pictify_sync.validation import nearest

MAX_SOURCE = 8_192  # characters of a text that holds expressions
MAX_NODES = 400  # of one text
MAX_DEPTH = 40  # of one text

ROW = "row"  # names the whole row, for columns whose names are no identifiers
_RESERVED = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs"})  # Jinja gives these meanings of its own
_ARITHMETIC: Mapping[type[nodes.BinExpr], str] = {
    nodes.Add: "_add",
    nodes.Sub: "_subtract",
    nodes.Div: "_divide",
}
_WORDS = {  # Jinja's, and what stands in the text
    "end of print statement": "}}",
    "begin of print statement": "{{",
    "end of template": "end of the text",
}
_REFUSED: Mapping[type[nodes.Node], tuple[str, str]] = {  # what is refused, and its sign
    nodes.Call: ("calls are refused", "("),
    nodes.Mul: ("'*' is refused", "*"),
    nodes.Mod: ("'%' is refused", "%"),
    nodes.Pow: ("'**' is refused", "**"),
    nodes.FloorDiv: ("'//' is refused", "//"),
    nodes.Slice: ("slices are refused", ":"),
}


@dataclass(slots=True)
class Expression:
    """A checked text. `names` are columns it cannot do without, `optional` those under `default` or `is defined`."""

    node: nodes.Expr
    text: str  # as it was written
    names: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    whole: bool = False  # takes the row itself, so that any column may be in it


def holds_expressions(text: str) -> bool:
    """Return whether a text is more than itself."""
    return "{{" in text or "{%" in text or "{#" in text


def parse(text: str, known: Mapping[str, nodes.Expr]) -> Expression:
    """Check a text. `known` are names with a meaning of their own, put in place of a column of that name.

    Raises ExpressionError, saying what is refused and why.
    """
    if not holds_expressions(text):
        return Expression(nodes.Const(text), text)
    if len(text) > MAX_SOURCE:
        raise ExpressionError(f"a text with expressions of more than {MAX_SOURCE:,} characters")
    body = _parsed(text)
    checker = _Checker(known)
    parts: list[nodes.Expr] = []
    errors: list[ExpressionError] = []
    number = 0
    for part in [part for output in body for part in checker.parts(output)]:
        try:
            parts.append(checker.rebuild(part, 0))
        except ExpressionError as error:
            errors.append(error.at(offset_of(_regions(text), number, error.words)))
        number += not isinstance(part, nodes.TemplateData)
    if errors:
        raise errors[0].beside(errors[1:], checker.names - checker.optional)
    if len(parts) == 1 and number:
        node: nodes.Expr = internal("_value", parts[0])
    else:
        node = internal("_joined", *parts) if parts else nodes.Const("")
    return Expression(node, text, checker.names - checker.optional, checker.optional, checker.rows > 0)


def column_in(text: str, name: str) -> int:
    """Return where a text with expressions asks for a column; -1 where that cannot be told."""
    return offset_of_column(_regions(text), name)


def _regions(text: str) -> Regions:
    return expressions_in(text, environment().lex(text))


def _parsed(text: str) -> list[nodes.Node]:
    """Parse a text. Raises ExpressionError with the place of each expression that is none."""
    try:
        if "{%" in text and any(kind == "block_begin" for _, kind, _ in environment().lex(text)):
            raise ExpressionError("blocks such as {% if %} are refused", "use {{ … }}").at(text.index("{%"))
        return environment().parse(text).body
    except TemplateError as error:
        first = error
    except (RecursionError, ValueError, MemoryError):
        raise ExpressionError("bad expression: too deep or too long") from None
    found = []
    for start, part in pieces(text):
        try:
            environment().parse(part)
        except TemplateError as error:
            found.append(_bad(error).at(start))
        except (RecursionError, ValueError, MemoryError):
            found.append(ExpressionError("bad expression: too deep or too long").at(start))
    raise found[0].beside(found[1:]) if found else _bad(first)


def _bad(error: TemplateError) -> ExpressionError:
    message = (error.message or "").rstrip(".")
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return ExpressionError(f"bad expression: {message[:1].lower()}{message[1:]}")


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Return Jinja with our filters and tests alone."""
    environment = ImmutableSandboxedEnvironment(undefined=Missing, keep_trailing_newline=True, cache_size=0)
    environment.globals = {}
    environment.filters = {**FILTERS, **INTERNAL}
    environment.tests = {**TESTS}
    return environment


@cache
def _signature(name: str) -> Signature:
    return signature(FILTERS[name])


def internal(name: str, *args: nodes.Expr) -> nodes.Filter:
    """Return the node of an operation of ours."""
    first, rest = (args[0], list(args[1:])) if args else (nodes.Const(""), [])
    return nodes.Filter(first, name, rest, [], None, None)


@dataclass(slots=True)
class _Checker:
    """Rebuilds a parsed expression from the nodes that are allowed, noting the columns on the way."""

    known: Mapping[str, nodes.Expr]
    names: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    rows: int = 0  # times that the row is named other than for one column
    count: int = 0

    def parts(self, output: nodes.Node) -> list[nodes.Expr]:
        if not isinstance(output, nodes.Output):
            raise ExpressionError("blocks are refused", "use {{ … }}")
        return output.nodes

    def rebuild(self, node: nodes.Node, depth: int) -> nodes.Expr:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise ExpressionError("bad expression: too deep or too long")
        build = _BUILDERS.get(type(node))
        if build is None:
            other = f"{type(node).__name__.lower()} is refused in an expression", ""
            reason, sign = _REFUSED.get(type(node), other)
            called = getattr(node, "node", None) if sign == "(" else None
            name = getattr(called, "attr", getattr(called, "name", ""))
            hint = "an expression holds names, comparisons, and | filters"
            raise ExpressionError(reason, hint, words=tuple(filter(None, (name, sign))))
        return build(self, node, depth + 1)

    def _all(self, items: list[Any], depth: int) -> list[nodes.Expr]:
        return [self.rebuild(item, depth) for item in items]

    def _name(self, node: nodes.Name, _: int) -> nodes.Expr:
        if node.name in self.known:
            return self.known[node.name]
        if node.name.startswith("_"):
            raise ExpressionError(f"names that start with '_' are refused: '{node.name[:80]}'", words=(node.name,))
        if node.name in _RESERVED:
            hint = f"write row['{node.name}'] for a column"
            raise ExpressionError(f"'{node.name}' is a reserved name", hint, words=(node.name,))
        if node.name != ROW:
            self.names.add(node.name)
        else:
            self.rows += 1
        return nodes.Name(node.name, "load")

    def _attribute(self, node: nodes.Getattr, depth: int) -> nodes.Expr:
        return self._part(node.node, nodes.Const(node.attr), depth)

    def _index(self, node: nodes.Getitem, depth: int) -> nodes.Expr:
        return self._part(node.node, self.rebuild(node.arg, depth), depth)

    def _part(self, owner: nodes.Expr, key: nodes.Expr, depth: int) -> nodes.Expr:
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            if key.value.startswith("_"):
                message = f"names that start with '_' are refused: '{key.value[:80]}'"
                raise ExpressionError(message, words=(key.value,))
            if isinstance(owner, nodes.Name) and owner.name == ROW and ROW not in self.known:
                self.names.add(key.value)
                self.rows -= 1  # counted when the owner is rebuilt
        return internal("_get", self.rebuild(owner, depth), key)

    def _filtered(self, node: nodes.Filter, depth: int) -> nodes.Expr:
        if node.name not in FILTERS or node.node is None or node.dyn_args or node.dyn_kwargs:
            hint = nearest(node.name, FILTERS) or _closed(FILTERS)
            raise ExpressionError(f"there is no filter '{node.name[:80]}'", hint, words=("|", node.name))
        try:
            _signature(node.name).bind(None, *node.args, **{str(pair.key): None for pair in node.kwargs})
        except TypeError as error:
            message = f"the filter '{node.name}' cannot be used like this: {error}"
            raise ExpressionError(message, words=("|", node.name)) from None
        before = set(self.names)
        owner = self.rebuild(node.node, depth)
        if node.name == "default":
            self._spare(before, node.node)
        keywords = [nodes.Keyword(pair.key, self.rebuild(pair.value, depth)) for pair in node.kwargs]
        return nodes.Filter(owner, node.name, self._all(node.args, depth), keywords, None, None)

    def _tested(self, node: nodes.Test, depth: int) -> nodes.Expr:
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            hint = nearest(node.name, TESTS) or _closed(TESTS)
            raise ExpressionError(f"there is no test '{node.name[:80]}'", hint, words=(node.name,))
        before = set(self.names)
        owner = self.rebuild(node.node, depth)
        if node.name in ("defined", "undefined"):
            self._spare(before, node.node)
        return nodes.Test(owner, node.name, [], [], None, None)

    def _spare(self, before: set[str], node: nodes.Node) -> None:
        """Count the columns that only this node asked for as optional, if it does nothing but look them up."""
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            self.optional |= self.names - before
            self.names &= before

    def _arithmetic(self, node: nodes.BinExpr, depth: int) -> nodes.Expr:
        return internal(_ARITHMETIC[type(node)], self.rebuild(node.left, depth), self.rebuild(node.right, depth))

    def _compare(self, node: nodes.Compare, depth: int) -> nodes.Expr:
        operands = [nodes.Operand(part.op, self.rebuild(part.expr, depth)) for part in node.ops]
        return nodes.Compare(self.rebuild(node.expr, depth), operands)

    def _choice(self, node: nodes.CondExpr, depth: int) -> nodes.Expr:
        other = nodes.Const("") if node.expr2 is None else self.rebuild(node.expr2, depth)
        return nodes.CondExpr(self.rebuild(node.test, depth), self.rebuild(node.expr1, depth), other)

    def _dict(self, node: nodes.Dict, depth: int) -> nodes.Expr:
        pairs = [nodes.Pair(self.rebuild(pair.key, depth), self.rebuild(pair.value, depth)) for pair in node.items]
        if not all(isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str) for pair in pairs):
            raise ExpressionError("the keys of a mapping must be texts")
        return nodes.Dict(pairs)

    def _logic(self, node: nodes.And | nodes.Or, depth: int) -> nodes.Expr:
        return type(node)(self.rebuild(node.left, depth), self.rebuild(node.right, depth))


def _constant(node: nodes.Const) -> nodes.Expr:
    if isinstance(node.value, float) and not isfinite(node.value):
        raise ExpressionError("a number that is too large")
    return nodes.Const(node.value)


def _closed(names: Mapping[str, object]) -> str:
    return f"there are: {', '.join(sorted(names))}"


_BUILDERS: Mapping[type[nodes.Node], Callable[[_Checker, Any, int], nodes.Expr]] = {
    nodes.TemplateData: lambda _checker, node, _depth: nodes.Const(node.data),
    nodes.Const: lambda _checker, node, _depth: _constant(node),
    nodes.Name: _Checker._name,
    nodes.Getattr: _Checker._attribute,
    nodes.Getitem: _Checker._index,
    nodes.Filter: _Checker._filtered,
    nodes.Test: _Checker._tested,
    nodes.Compare: _Checker._compare,
    nodes.CondExpr: _Checker._choice,
    nodes.And: _Checker._logic,
    nodes.Or: _Checker._logic,
    nodes.Not: lambda checker, node, depth: nodes.Not(checker.rebuild(node.node, depth)),
    nodes.Neg: lambda checker, node, depth: internal("_negative", checker.rebuild(node.node, depth)),
    nodes.Concat: lambda checker, node, depth: internal("_joined", *checker._all(node.nodes, depth)),
    nodes.List: lambda checker, node, depth: nodes.List(checker._all(node.items, depth)),
    nodes.Tuple: lambda checker, node, depth: nodes.List(checker._all(node.items, depth)),
    nodes.Dict: _Checker._dict,
    **dict.fromkeys(_ARITHMETIC, _Checker._arithmetic),
}
