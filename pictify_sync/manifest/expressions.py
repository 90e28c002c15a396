"""The expressions of a manifest: Jinja2's syntax, cut down to an allow-list, compiled into one call per row.

A text is parsed by Jinja, then rebuilt node by node from what the allow-list knows; whatever else was written is
refused before any row is read. Attribute access becomes a look-up in the row's data, so no Python attribute is ever
read, and there are no calls, no globals and no loops. The sandbox of Jinja is the second wall behind that one.
This module must not know files, manifests or layouts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from inspect import Signature, signature
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pictify_sync.manifest.filters import FILTERS, TESTS
from pictify_sync.manifest.operations import INTERNAL, ExpressionError, Missing
from pictify_sync.validation import nearest

MAX_SOURCE = 8_192  # characters of a text that holds expressions
MAX_NODES = 400  # of one text
MAX_DEPTH = 40  # of one text

_RESULT = "_result"
_ROW = "row"  # names the whole row, for columns whose names are no identifiers
_RESERVED = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs"})  # Jinja gives these meanings of its own
_ARITHMETIC: Mapping[type[nodes.BinExpr], str] = {
    nodes.Add: "_add",
    nodes.Sub: "_subtract",
    nodes.Div: "_divide",
}
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls are refused",
    nodes.Mul: "'*' is refused",
    nodes.Mod: "'%' is refused",
    nodes.Pow: "'**' is refused",
    nodes.FloorDiv: "'//' is refused",
    nodes.Slice: "slices are refused",
}


@dataclass(slots=True)
class Expression:
    """A checked text. `names` are columns it cannot do without, `optional` those under `default` or `is defined`."""

    node: nodes.Expr
    names: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)


Program = Callable[[dict[str, Any]], Any]


def holds_expressions(text: str) -> bool:
    """Tell whether a text is more than itself."""
    return "{{" in text or "{%" in text or "{#" in text


def parse(text: str, known: Mapping[str, nodes.Expr]) -> Expression:
    """Check a text. `known` are names with a meaning of their own, put in place of a column of that name.

    Raises ExpressionError, saying what is refused and why.
    """
    if not holds_expressions(text):
        return Expression(nodes.Const(text))
    if len(text) > MAX_SOURCE:
        raise ExpressionError(f"a text with expressions of more than {MAX_SOURCE:,} characters")
    try:
        if "{%" in text and any(kind == "block_begin" for _, kind, _ in _environment().lex(text)):
            raise ExpressionError("blocks such as {% if %} are refused", "use {{ … }}")
        body = _environment().parse(text).body
    except TemplateError as error:
        raise ExpressionError(f"bad expression: {error.message}") from None
    except (RecursionError, ValueError, MemoryError):
        raise ExpressionError("bad expression: too deep or too long") from None
    checker = _Checker(known)
    parts = [part for output in body for part in checker.parts(output)]
    if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData):
        node: nodes.Expr = _filter("_value", checker.rebuild(parts[0], 0))
    else:
        node = _filter("_joined", *(checker.rebuild(part, 0) for part in parts)) if parts else nodes.Const("")
    return Expression(node, checker.names - checker.optional, checker.optional)


def compiled(node: nodes.Expr) -> Program:
    """Compile one node (most often a tuple of many) into a function of a row."""
    environment = _environment()
    body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), node)]
    tree = nodes.Template(body)
    for part in tree.find_all(nodes.Node):
        part.lineno = 1
    tree.lineno = 1
    tree.set_environment(environment)
    try:
        template = environment.from_string(tree)
    except (RecursionError, SyntaxError, MemoryError, TemplateError):
        raise ExpressionError("the expressions are too deep or too long") from None
    render, new_context = template.root_render_func, template.new_context
    whole = any(name.name == _ROW for name in tree.find_all(nodes.Name))

    def run(row: dict[str, Any]) -> Any:
        context = new_context({_ROW: row, **row} if whole else row, shared=True)
        for _ in render(context):
            pass
        return context.vars[_RESULT]

    return run


def literal(value: Any) -> nodes.Expr:
    """Give the node of a value that is no expression."""
    return nodes.Const(value)


def text(node: nodes.Expr) -> nodes.Expr:
    """Give the node whose value is always a text."""
    name = node.name if isinstance(node, nodes.Filter) else ""
    inner = node.node if isinstance(node, nodes.Filter) and name == "_value" else None
    return node if name == "_joined" else _filter("_joined", inner or node)


def both(*expressions: nodes.Expr) -> nodes.Expr:
    """Give the node of several values at once."""
    return nodes.Tuple(list(expressions), "load")


def mapping(pairs: Mapping[str, nodes.Expr]) -> nodes.Expr:
    """Give the node of a mapping."""
    return nodes.Dict([nodes.Pair(nodes.Const(name), node) for name, node in pairs.items()])


def listing(items: list[nodes.Expr]) -> nodes.Expr:
    """Give the node of a list."""
    return nodes.List(items)


def when(test: nodes.Expr, node: nodes.Expr) -> nodes.Expr:
    """Give the node that is None unless the test is true."""
    return nodes.CondExpr(_filter("_truth", test), node, nodes.Const(None))


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=Missing, keep_trailing_newline=True, cache_size=0)
    environment.globals = {}
    environment.filters = {**FILTERS, **INTERNAL}
    environment.tests = {**TESTS}
    return environment


@cache
def _signature(name: str) -> Signature:
    return signature(FILTERS[name])


def _filter(name: str, *args: nodes.Expr) -> nodes.Filter:
    first, rest = (args[0], list(args[1:])) if args else (nodes.Const(""), [])
    return nodes.Filter(first, name, rest, [], None, None)


@dataclass(slots=True)
class _Checker:
    """Rebuilds a parsed expression from the nodes that are allowed, noting the columns on the way."""

    known: Mapping[str, nodes.Expr]
    names: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
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
            reason = _REFUSED.get(type(node), f"{type(node).__name__.lower()} is refused in an expression")
            raise ExpressionError(reason, "an expression holds names, comparisons, and | filters")
        return build(self, node, depth + 1)

    def _all(self, items: list[Any], depth: int) -> list[nodes.Expr]:
        return [self.rebuild(item, depth) for item in items]

    def _name(self, node: nodes.Name, _: int) -> nodes.Expr:
        if node.name in self.known:
            return self.known[node.name]
        if node.name.startswith("_"):
            raise ExpressionError(f"names that start with '_' are refused: '{node.name[:80]}'")
        if node.name in _RESERVED:
            raise ExpressionError(f"'{node.name}' is a reserved name", f"write row['{node.name}'] for a column")
        if node.name != _ROW:
            self.names.add(node.name)
        return nodes.Name(node.name, "load")

    def _attribute(self, node: nodes.Getattr, depth: int) -> nodes.Expr:
        return self._part(node.node, nodes.Const(node.attr), depth)

    def _index(self, node: nodes.Getitem, depth: int) -> nodes.Expr:
        return self._part(node.node, self.rebuild(node.arg, depth), depth)

    def _part(self, owner: nodes.Expr, key: nodes.Expr, depth: int) -> nodes.Expr:
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            if key.value.startswith("_"):
                raise ExpressionError(f"names that start with '_' are refused: '{key.value[:80]}'")
            if isinstance(owner, nodes.Name) and owner.name == _ROW and _ROW not in self.known:
                self.names.add(key.value)
        return _filter("_get", self.rebuild(owner, depth), key)

    def _filtered(self, node: nodes.Filter, depth: int) -> nodes.Expr:
        if node.name not in FILTERS or node.node is None or node.dyn_args or node.dyn_kwargs:
            raise ExpressionError(
                f"there is no filter '{node.name[:80]}'", nearest(node.name, FILTERS) or _closed(FILTERS)
            )
        try:
            _signature(node.name).bind(None, *node.args, **{str(pair.key): None for pair in node.kwargs})
        except TypeError as error:
            raise ExpressionError(f"the filter '{node.name}' cannot be used so: {error}") from None
        before = set(self.names)
        owner = self.rebuild(node.node, depth)
        if node.name == "default":
            self._spare(before, node.node)
        keywords = [nodes.Keyword(pair.key, self.rebuild(pair.value, depth)) for pair in node.kwargs]
        return nodes.Filter(owner, node.name, self._all(node.args, depth), keywords, None, None)

    def _tested(self, node: nodes.Test, depth: int) -> nodes.Expr:
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise ExpressionError(f"there is no test '{node.name[:80]}'", nearest(node.name, TESTS) or _closed(TESTS))
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
        return _filter(_ARITHMETIC[type(node)], self.rebuild(node.left, depth), self.rebuild(node.right, depth))

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


def _closed(names: Mapping[str, object]) -> str:
    return f"there are: {', '.join(sorted(names))}"


_BUILDERS: Mapping[type[nodes.Node], Callable[[_Checker, Any, int], nodes.Expr]] = {
    nodes.TemplateData: lambda _checker, node, _depth: nodes.Const(node.data),
    nodes.Const: lambda _checker, node, _depth: nodes.Const(node.value),
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
    nodes.Neg: lambda checker, node, depth: _filter("_negative", checker.rebuild(node.node, depth)),
    nodes.Concat: lambda checker, node, depth: _filter("_joined", *checker._all(node.nodes, depth)),
    nodes.List: lambda checker, node, depth: nodes.List(checker._all(node.items, depth)),
    nodes.Tuple: lambda checker, node, depth: nodes.List(checker._all(node.items, depth)),
    nodes.Dict: _Checker._dict,
    **dict.fromkeys(_ARITHMETIC, _Checker._arithmetic),
}
