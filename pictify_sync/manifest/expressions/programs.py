"""Checked expressions put together and compiled into one call per row.

This module must not know the syntax of expressions, nor manifests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateError, nodes

from pictify_sync.manifest.expressions.language import ROW, environment, internal
from pictify_sync.manifest.expressions.operations import ExpressionError

_RESULT = "_result"

Program = Callable[[dict[str, Any]], Any]


def compiled(node: nodes.Expr) -> Program:
    """Compile one node (most often a tuple of many) into a function of a row."""
    jinja = environment()
    body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), node)]
    tree = nodes.Template(body)
    for part in tree.find_all(nodes.Node):
        part.lineno = 1
    tree.lineno = 1
    tree.set_environment(jinja)
    try:
        template = jinja.from_string(tree)
    except (RecursionError, SyntaxError, MemoryError, TemplateError):
        raise ExpressionError("the expressions are too deep or too long") from None
    render, new_context = template.root_render_func, template.new_context
    whole = any(name.name == ROW for name in tree.find_all(nodes.Name))

    def run(row: dict[str, Any]) -> Any:
        context = new_context({ROW: row, **row} if whole else row, shared=True)
        for _ in render(context):
            pass
        return context.vars[_RESULT]

    return run


def literal(value: Any) -> nodes.Expr:
    """Return the node of a value that is no expression."""
    return nodes.Const(value)


def text(node: nodes.Expr) -> nodes.Expr:
    """Return the node whose value is always a text."""
    name = node.name if isinstance(node, nodes.Filter) else ""
    inner = node.node if isinstance(node, nodes.Filter) and name == "_value" else None
    return node if name == "_joined" else internal("_joined", inner or node)


def both(*expressions: nodes.Expr) -> nodes.Expr:
    """Return the node of several values at once."""
    return nodes.Tuple(list(expressions), "load")


def mapping(pairs: Mapping[str, nodes.Expr]) -> nodes.Expr:
    """Return the node of a mapping."""
    return nodes.Dict([nodes.Pair(nodes.Const(name), node) for name, node in pairs.items()])


def listing(items: list[nodes.Expr]) -> nodes.Expr:
    """Return the node of a list."""
    return nodes.List(items)


def when(test: nodes.Expr, node: nodes.Expr) -> nodes.Expr:
    """Return the node that is None unless the test is true."""
    return nodes.CondExpr(internal("_truth", test), node, nodes.Const(None))
