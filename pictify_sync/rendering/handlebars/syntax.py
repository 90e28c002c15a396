"""Handlebars text read into a tree with places, and what the tree tells without values: names used, faults.

The grammar is that of `pydantic_handlebars` (its parser, not its renderer). This module adds places to paths, and
takes plain text in one stride instead of letter by letter, since a template may hold whole fonts as data: URIs.
It must not know values, nor how they are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic_handlebars import HandlebarsParseError
from pydantic_handlebars import _ast_nodes as ast
from pydantic_handlebars._parser import _Parser
from pydantic_handlebars._tokenizer import TokenType, _make_delimiters, _TemplateTokenizer

from pictify_sync.nearest import closest
from pictify_sync.rendering.failure import Cause
from pictify_sync.rendering.handlebars.helpers import FUNCTIONS
from pictify_sync.rendering.handlebars.whitespace import settle

BLOCKS = ("each", "if", "unless", "with")  # Pictify, skill "html-templates": allowed Handlebars syntax
MAX_DEPTH = 50  # blocks and calls inside each other

_PLACE = re.compile(r" at line \d+(, column \d+)?$")
_COMPUTING = (
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "and",
    "or",
    "not",
    "add",
    "subtract",
    "multiply",
    "divide",
    "lookup",
)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with a template: a 1-based place, its cause, what it is, how to fix it."""

    line: int
    column: int
    cause: Cause | None  # None: a mere warning
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A template read. With faults that have a cause it cannot be rendered."""

    program: ast.Program
    names: Sequence[str]  # root names used, sorted
    faults: Sequence[Fault]  # by place


@dataclass(slots=True)
class LocatedPath(ast.PathExpression):
    """A path that knows where it stands (1-based)."""

    line: int = 0
    column: int = 0


@lru_cache(maxsize=8)
def read(source: str, raw_html: frozenset[str] | None = frozenset()) -> Tree:
    """Read a template. `raw_html` names the variables that may be put in without escaping; None: do not ask."""
    try:
        tokens = _Tokenizer(source, _make_delimiters("{{", "}}")).tokenize()
        program = _LocatingParser(tokens, source).parse()
    except HandlebarsParseError as error:
        return Tree(ast.Program([]), (), (_parse_fault(error),))
    except (RecursionError, ValueError) as error:  # chains of `else if` without end, numbers of 5,000 digits
        deep = "blocks are nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        return Tree(ast.Program([]), (), (Fault(0, 0, Cause.SYNTAX, deep),))
    settle(program.body, root=True)
    walk = _Walk(raw_html)
    walk.program(program, _Scope("", None, {}))
    return Tree(program, tuple(sorted(walk.names)), tuple(sorted(walk.faults)))


def _parse_fault(error: HandlebarsParseError) -> Fault:
    message = _PLACE.sub("", str(error))
    hint = ""
    if message.startswith("Expected CLOSE"):
        message, hint = "this Handlebars tag is not closed, or holds what Handlebars does not know", "write {{name}}"
    elif "INVERSE" in message:
        message = "{{else}} outside of a block, or a second one in it"
    elif message.startswith("Expected "):
        message = "bad Handlebars: a name, a value or a call was expected here"
    elif message.startswith("Partials"):
        message, hint = "partials are not supported", "write their text into this template"
    return Fault(error.line or 0, error.column or 0, Cause.SYNTAX, message[:1].lower() + message[1:], hint)


class _Tokenizer(_TemplateTokenizer):
    """The library's, except that text without tags costs nothing."""

    def _advance(self, count: int = 1) -> str:
        text = self._source[self._pos : self._pos + count]
        lines = text.count("\n")
        self._line += lines
        self._column = len(text) - text.rfind("\n") if lines else self._column + len(text)
        self._pos += count
        return text

    def _read_content(self) -> None:
        found = self._source.find("{{", self._pos)
        end = len(self._source) if found < 0 else found
        while found >= 0 and end > self._pos and self._source[end - 1] == "\\":
            end -= 1
        if end == self._pos:
            super()._read_content()  # backslashes before a tag: the grammar's own business
            return
        line, column = self._line, self._column
        self._emit(TokenType.CONTENT, self._advance(end - self._pos), line, column)


class _LocatingParser(_Parser):
    """The library's, with places, a limit to nesting, and the start of a block that is never closed."""

    _depth = 0

    def _parse_path(self) -> ast.PathExpression:
        start, token, path = self._pos, self._current(), super()._parse_path()
        for one in self._tokens[start : self._pos]:
            if one.type is TokenType.NUMBER:  # the library takes it, Handlebars does not
                message = f"Write [{one.value}] instead of {one.value} in {path.original}"
                raise HandlebarsParseError(message, line=one.line, column=one.column)
        return LocatedPath(path.parts, path.original, path.depth, path.is_this, path.data, token.line, token.column)

    def _parse_raw_block(self) -> ast.RawBlock:
        token, block = self._current(), super()._parse_raw_block()
        block.path = LocatedPath(block.path.parts, block.path.original, line=token.line, column=token.column)
        return block

    def _parse_block(self) -> ast.BlockStatement:
        token = self._deeper()
        try:
            return super()._parse_block()
        except HandlebarsParseError as error:
            if str(error).startswith("Unclosed block"):
                raise HandlebarsParseError("This block is never closed", line=token[0], column=token[1]) from None
            raise
        finally:
            self._depth -= 1

    def _parse_subexpression(self) -> ast.SubExpression:
        self._deeper()
        try:
            return super()._parse_subexpression()
        finally:
            self._depth -= 1

    def _deeper(self) -> tuple[int, int]:
        token = self._current()
        if self._depth == MAX_DEPTH:
            raise HandlebarsParseError("Nested too deeply", line=token.line, column=token.column)
        self._depth += 1
        return token.line, token.column


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names are looked up: `origin` is the root variable that the context comes from, "" for the root itself."""

    origin: str | None  # None: from no variable
    parent: _Scope | None  # what `../` means
    bound: Mapping[str, str | None]  # block parameters -> the root variable they come from


@dataclass(slots=True)
class _Walk:
    raw_html: frozenset[str] | None
    names: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def program(self, program: ast.Program | None, scope: _Scope) -> None:
        for statement in program.body if program else ():
            match statement:
                case ast.MustacheStatement():
                    self._mustache(statement, scope)
                case ast.BlockStatement():
                    self._block(statement, scope)
                case ast.RawBlock(path=path):
                    self._fault(path, Cause.HELPER, f"the block helper '{path.original}' is not allowed")
                case _:
                    pass  # text and comments name nothing

    def _mustache(self, statement: ast.MustacheStatement, scope: _Scope) -> None:
        path = statement.path
        origins = self._values([*statement.params, *statement.hash_pairs.values()], scope)
        if isinstance(path, ast.PathExpression) and (statement.params or statement.hash_pairs):
            self._function(path)
        else:
            origins |= self._values([path], scope)
            if isinstance(path, ast.PathExpression):
                self._clash(path)
        if not statement.escaped and self.raw_html is not None:
            for origin in sorted(origins - self.raw_html):
                place = path.path if isinstance(path, ast.SubExpression) else path
                what = f"'{origin}' is not allowed to hold raw html" if origin else "this value may not be raw html"
                self._fault(place, Cause.RAW_HTML, what, "write two braces on each side instead of three")

    def _block(self, block: ast.BlockStatement, scope: _Scope) -> None:
        path, name = block.path, getattr(block.path, "original", "")
        origins = self._values([*block.params, *block.hash_pairs.values()], scope)
        inner = scope
        if name not in BLOCKS:
            hint = f"the blocks are {', '.join('#' + one for one in BLOCKS)}"
            self._fault(path, Cause.HELPER, f"the block helper '#{name}' is not allowed", hint)
        elif len(block.params) != 1:
            self._fault(path, Cause.SYNTAX, f"#{name} takes one value, not {len(block.params)}")
        elif name in ("each", "with"):
            origin = next(iter(origins)) if len(origins) == 1 else None
            bound = {**scope.bound, **dict.fromkeys(block.block_params, origin)}
            inner = _Scope(origin or None if name == "each" else origin, scope, bound)
        self.program(block.body, inner)
        self.program(block.inverse, scope)

    def _values(self, expressions: Iterable[ast.Expression], scope: _Scope) -> set[str]:
        """Note what the expressions use and return the root variables ("" for anything but one) they are made of."""
        found: set[str] = set()
        for expression in expressions:
            match expression:
                case ast.PathExpression():
                    origin = _origin(expression, scope)
                    found.add(origin or "")
                    if origin:
                        self.names.add(origin)
                case ast.SubExpression(path=path, params=params, hash_pairs=pairs):
                    self._function(path)
                    found |= self._values([*params, *pairs.values()], scope)
                case _:
                    pass  # a literal
        return found

    def _function(self, path: ast.PathExpression) -> None:
        name = path.original
        if name in FUNCTIONS:
            return
        near = closest(name, FUNCTIONS)
        hint = (
            f"did you mean '{near[0]}'?" if near else f"the helpers are {', '.join(sorted(FUNCTIONS, key=str.lower))}"
        )
        if name in _COMPUTING:
            hint = "compute it in the manifest and pass the result as a variable"
        elif name in BLOCKS:
            hint = f"write {{{{#{name} ...}}}}"
        self._fault(path, Cause.HELPER, f"the helper '{name}' is not allowed", hint)

    def _clash(self, path: ast.PathExpression) -> None:
        if path.original in FUNCTIONS:
            what = f"'{path.original}' is also a function of Handlebars templates, which the provider may call here"
            self._fault(path, None, what, f"rename the variable, or write {{{{this.{path.original}}}}}")

    def _fault(self, path: ast.Expression, cause: Cause | None, message: str, hint: str = "") -> None:
        line, column = (path.line, path.column) if isinstance(path, LocatedPath) else (0, 0)
        self.faults.append(Fault(line, column, cause, message, hint))


def _origin(path: ast.PathExpression, scope: _Scope) -> str | None:
    """Return the root variable that a path reads: "" for the root itself, None for none."""
    if path.data:
        return (path.parts[1] if len(path.parts) > 1 else "") if path.parts[:1] == ["root"] else None
    if not path.depth and not path.is_this and path.parts[0] in scope.bound:
        return scope.bound[path.parts[0]]
    frame: _Scope | None = scope
    for _ in range(path.depth):
        frame = frame.parent if frame else None
    if frame is None or frame.origin != "":
        return frame.origin if frame else None
    return path.parts[0] if path.parts else ""
