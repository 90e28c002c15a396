"""White space around Handlebars tags: `~` takes all of it, a block tag or comment alone on its line takes the line.

So does Handlebars 4.7 (Whitespace Control, standalone tags); the parser only notes the marks. Every step is linear in
the text.
"""

from __future__ import annotations

import re

from pydantic_handlebars import _ast_nodes as ast

_REST_OF_LINE = re.compile(r"[ \t]*\r?\n?")

Body = list[ast.Statement]


def settle(body: Body, *, root: bool = False) -> None:
    """Take white space out of the text between tags, in place. `root`: the body is the whole template's."""
    for at, one in enumerate(body):
        if isinstance(one, ast.BlockStatement):
            _settle_block(body, at, one, root=root)
        elif isinstance(one, ast.MustacheStatement | ast.CommentStatement):
            alone = isinstance(one, ast.CommentStatement) and _ends_line(body, at, root) and _line_ends(body, at, root)
            if one.strip.open_standalone or alone:
                _cut_before(body, at, whole=one.strip.open_standalone)
            if one.strip.close_standalone or alone:
                _cut_after(body, at, whole=one.strip.close_standalone)


def _settle_block(body: Body, at: int, block: ast.BlockStatement, *, root: bool) -> None:
    branches, marks = _branches(block)
    for branch in branches:
        settle(branch)
    first, last = branches[0], branches[-1]
    opens_line = _ends_line(body, at, root) and _line_ends(first, -1, root=False)
    second = branches[min(1, len(branches) - 1)]  # of a chain of `else if` too: so Handlebars does
    closes_line = _ends_line(second, len(second), root=False) and _line_ends(body, at, root)
    if block.open_strip.open_standalone or opens_line:
        _cut_before(body, at, whole=block.open_strip.open_standalone)
    if block.open_strip.close_standalone or opens_line:
        _cut_after(first, -1, whole=block.open_strip.close_standalone)
    for mark, before, after in zip(marks, branches, branches[1:], strict=False):
        alone = _ends_line(before, len(before), root=False) and _line_ends(after, -1, root=False)
        if mark.open_standalone or alone:
            _cut_before(before, len(before), whole=mark.open_standalone)
        if mark.close_standalone or alone:
            _cut_after(after, -1, whole=mark.close_standalone)
    if block.close_strip.open_standalone or (closes_line and len(branches) <= 2):
        _cut_before(last, len(last), whole=block.close_strip.open_standalone)
    if block.close_strip.close_standalone or closes_line:
        _cut_after(body, at, whole=block.close_strip.close_standalone)


def _branches(block: ast.BlockStatement) -> tuple[list[Body], list[ast.StripFlags]]:
    """Return the bodies between the tags of a block, and the marks of its `else` tags."""
    bodies, marks = [block.body.body], []
    while block.inverse is not None:
        marks.append(block.inverse_strip)
        link = block.inverse.body[0] if block.inverse.body else None
        if not (isinstance(link, ast.BlockStatement) and link.chained):
            bodies.append(block.inverse.body)
            break
        bodies.append(link.body.body)
        block = link
    if not bodies[0] and len(bodies) > 1:  # {{^if x}}: no text before its else
        return bodies[1:], marks[1:]
    return bodies, marks


def _ends_line(body: Body, at: int, root: bool) -> bool:
    """Return whether only blanks stand between a tag and the start of its line."""
    if at == 0:
        return root
    before = body[at - 1]
    if not isinstance(before, ast.ContentStatement):
        return False
    kept = before.original.rstrip()
    return "\n" in before.original[len(kept) :] or (root and at == 1 and not kept)


def _line_ends(body: Body, at: int, root: bool) -> bool:
    """Return whether only blanks stand between a tag and the end of its line."""
    if at + 1 == len(body):
        return root
    after = body[at + 1]
    if not isinstance(after, ast.ContentStatement):
        return False
    kept = after.original.lstrip()
    return "\n" in after.original[: len(after.original) - len(kept)] or (root and at + 2 == len(body) and not kept)


def _cut_before(body: Body, at: int, *, whole: bool) -> None:
    before = body[at - 1] if at else None
    if isinstance(before, ast.ContentStatement):
        before.value = before.value.rstrip() if whole else before.value.rstrip(" \t")


def _cut_after(body: Body, at: int, *, whole: bool) -> None:
    after = body[at + 1] if at + 1 < len(body) else None
    if isinstance(after, ast.ContentStatement):
        rest = _REST_OF_LINE.match(after.value)
        after.value = after.value.lstrip() if whole or rest is None else after.value[rest.end() :]
