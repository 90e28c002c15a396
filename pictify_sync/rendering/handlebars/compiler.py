"""Handlebars templates filled with values, as Pictify's html engine does.

A template is compiled once into closures, since it is filled for every picture. What it may do is bounded: functions
of the safelist, a number of turns, and the length of what comes out. Values are those of JSON; nothing else is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_handlebars import _ast_nodes as ast

from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.handlebars.helpers import call
from pictify_sync.rendering.handlebars.syntax import Fault, LocatedPath, read
from pictify_sync.rendering.handlebars.values import UnreadableValue, falsy, text

MAX_TEMPLATE = 500_000  # bytes of html that Pictify takes (413 above)
MAX_TURNS = 10_000  # of all #each together, per picture
MAX_GROWTH = 20_000_000  # characters that values may add to a template

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)


class TemplateFailed(RenderFailed):
    """A template that cannot be compiled, or not be filled with these values."""


class _Frame:
    """What names mean in one place. `parent` is what `../` means; `data` are `@index` and the like."""

    __slots__ = ("bound", "context", "data", "parent", "root")

    def __init__(self, context: Any, parent: _Frame | None, data: Mapping[str, Any] | None, bound: Mapping[str, Any]):
        self.context = context
        self.parent = parent
        self.root: Any = parent.root if parent else context
        self.data = data
        self.bound = bound


class _Output:
    """The text so far, and what may still come."""

    __slots__ = ("parts", "room", "turns")

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self.room = room
        self.turns = 0

    def put(self, piece: str) -> None:
        self.room -= len(piece)
        if self.room < 0:
            raise TemplateFailed(Cause.EXPRESSION, f"the page grows by more than {MAX_GROWTH} characters")
        self.parts.append(piece)

    def turn(self) -> None:
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise TemplateFailed(Cause.LOOP, f"#each repeats more than {MAX_TURNS} times")


Emit = Callable[[_Frame, _Output], None]
Value = Callable[[_Frame], Any]


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to be filled, any number of times, from any thread."""

    names: Sequence[str]  # root names used, sorted
    warnings: Sequence[Fault]
    _emit: Emit
    _room: int

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the page. Raises TemplateFailed."""
        output = _Output(self._room)
        try:
            self._emit(_Frame(variables, None, None, {}), output)
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise TemplateFailed(Cause.EXPRESSION, f"a value cannot be shown: {error}") from None
        return "".join(output.parts)


def compile_template(html: str, raw_html: Collection[str] = ()) -> CompiledTemplate:
    """Compile a template. `raw_html` names the variables that may be put in without escaping.

    Raises TemplateFailed with the first of its faults.
    """
    tree = read(html, frozenset(raw_html))
    for fault in tree.faults:
        if fault.cause:
            raise TemplateFailed(fault.cause, f"line {fault.line}, column {fault.column}: {fault.message}")
    try:
        emit = _program(tree.program, frozenset())
    except RecursionError:
        raise TemplateFailed(Cause.SYNTAX, "blocks are nested too deeply") from None
    return CompiledTemplate(tree.names, tree.faults, emit, len(html) + MAX_GROWTH)


def _program(program: ast.Program | None, bound: frozenset[str]) -> Emit:
    compiled = [_statement(one, bound) for one in (program.body if program else ())]
    steps = [step for step in compiled if step is not None]

    def emit(frame: _Frame, output: _Output) -> None:
        for step in steps:
            step(frame, output)

    return emit


def _statement(statement: ast.Statement, bound: frozenset[str]) -> Emit | None:
    match statement:
        case ast.ContentStatement(value=value):
            return _constant(value) if value else None
        case ast.MustacheStatement():
            return _mustache(statement, bound)
        case ast.BlockStatement():
            return _block(statement, bound)
        case _:
            return None


def _constant(value: str) -> Emit:
    def emit(_: _Frame, output: _Output) -> None:
        output.put(value)

    return emit


def _mustache(statement: ast.MustacheStatement, bound: frozenset[str]) -> Emit:
    path = statement.path
    if isinstance(path, ast.PathExpression) and (statement.params or statement.hash_pairs):
        value = _call(path, statement.params, bound)
    else:
        value = _value(path, bound)
    if not statement.escaped:
        return lambda frame, output: output.put(text(value(frame)))

    def emit(frame: _Frame, output: _Output) -> None:
        output.put(text(value(frame)).translate(_ESCAPES))

    return emit


def _block(block: ast.BlockStatement, bound: frozenset[str]) -> Emit:
    name = getattr(block.path, "original", "")
    value = _value(block.params[0], bound)
    inner = bound | set(block.block_params) if name in ("each", "with") else bound
    body, other = _program(block.body, inner), _program(block.inverse, bound)
    match name:
        case "each":
            return _each(value, block.block_params, body, other)
        case "with":
            return _with(value, block.block_params, body, other)
        case "unless":
            body, other = other, body
        case _:
            pass
    zero = _value(block.hash_pairs["includeZero"], bound) if "includeZero" in block.hash_pairs else None

    def emit(frame: _Frame, output: _Output) -> None:
        found = value(frame)
        lacking = falsy(found) and not (zero is not None and _is_zero(found) and not falsy(zero(frame)))
        (other if lacking else body)(frame, output)

    return emit


def _with(value: Value, names: Sequence[str], body: Emit, other: Emit) -> Emit:
    def emit(frame: _Frame, output: _Output) -> None:
        found = value(frame)
        if falsy(found) and not _is_zero(found):
            other(frame, output)
        else:
            bound = {**frame.bound, names[0]: found} if names else frame.bound
            body(_Frame(found, frame, None, bound), output)

    return emit


def _each(value: Value, names: Sequence[str], body: Emit, other: Emit) -> Emit:
    def emit(frame: _Frame, output: _Output) -> None:
        found = value(frame)
        keys: Sequence[Any] = ()
        if isinstance(found, Mapping):
            keys = list(found)
        elif isinstance(found, list | tuple):
            keys = range(len(found))
        if not keys:
            other(frame, output)
        last = len(keys) - 1
        for index, key in enumerate(keys):
            output.turn()
            item = found[key]
            data = {"index": index, "key": key, "first": index == 0, "last": index == last}
            bound = {**frame.bound, **dict(zip(names, (item, key), strict=False))} if names else frame.bound
            body(_Frame(item, frame, data, bound), output)

    return emit


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _value(expression: ast.Expression, bound: frozenset[str]) -> Value:
    match expression:
        case ast.PathExpression():
            return _path(expression, bound)
        case ast.SubExpression(path=path, params=params):
            return _call(path, params, bound)
        case ast.NullLiteral() | ast.UndefinedLiteral():
            return lambda _: None
        case _:
            literal = expression.value
            return lambda _: literal


def _call(path: ast.PathExpression, params: Sequence[ast.Expression], bound: frozenset[str]) -> Value:
    name, values = path.original, [_value(one, bound) for one in params]
    where = f"line {path.line}: " if isinstance(path, LocatedPath) else ""
    subject = ", ".join(one.original for one in params if isinstance(one, ast.PathExpression)) or "a value"

    def value(frame: _Frame) -> Any:
        arguments = [one(frame) for one in values]
        try:
            return call(name, arguments)
        except UnreadableValue as error:
            raise TemplateFailed(Cause.EXPRESSION, f"{where}{name} of {subject}: {error}") from None
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise TemplateFailed(Cause.EXPRESSION, f"{where}{name}: {error}") from None

    return value


def _path(path: ast.PathExpression, bound: frozenset[str]) -> Value:
    start, parts = _start(path, bound)
    if not parts:
        return start
    if len(parts) == 1:
        name = parts[0]
        return lambda frame: _member(start(frame), name)

    def value(frame: _Frame) -> Any:
        found = start(frame)
        for part in parts:
            found = _member(found, part)
        return found

    return value


def _start(path: ast.PathExpression, bound: frozenset[str]) -> tuple[Value, Sequence[str]]:
    """Return where a path begins, and the names that follow."""
    depth, parts = path.depth, path.parts
    if path.data and parts[:1] == ["root"]:
        return (lambda frame: frame.root), parts[1:]
    if path.data:
        return (lambda frame: _data(frame, depth)), parts
    if not depth and not path.is_this and parts and parts[0] in bound:
        return (lambda frame: frame.bound), parts
    if not depth:
        return (lambda frame: frame.context), parts

    def above(frame: _Frame) -> Any:
        found: _Frame | None = frame
        for _ in range(depth):
            found = found.parent if found else None
        return found.context if found else None

    return above, parts


def _data(frame: _Frame | None, depth: int) -> Mapping[str, Any] | None:
    while frame is not None:
        if frame.data is not None:
            if depth == 0:
                return frame.data
            depth -= 1
        frame = frame.parent
    return None


def _member(value: Any, name: str) -> Any:
    """Return what a name means in a JSON value; None when nothing."""
    if isinstance(value, Mapping):
        return value.get(name)
    if name == "length" and isinstance(value, str | list | tuple):
        return len(value)
    if isinstance(value, list | tuple | str) and name.isdecimal() and len(name) < 10:
        return value[int(name)] if int(name) < len(value) else None
    return None
