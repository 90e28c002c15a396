"""Lines that a runner of GitHub Actions acts upon: how ours are written, and how other text is kept from being one.

The runner (actions/runner, ActionCommand.cs) reads `::name key=value::text` at the start of a line, blanks before it
ignored, and `##[name key=value]text` anywhere in a line; a line ends at a line feed or a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from posixpath import join, normpath

from pictify_sync.errors import Problem, Severity

SHOWN = 10  # annotations of a kind that GitHub shows of one step

_FIRST = re.compile(r"(?:^|(?<=[\r\n]))([^!-~\r\n]*):(?=[^ -~\r\n]*:)")
_ANYWHERE = re.compile(r"(#[^ -~\r\n]*)#(?=[^ -~\r\n]*\[)")


def workflow_command(name: str, text: str, **properties: str | int) -> str:
    """Return the line of one command; nothing in its values can end it or start another."""
    pairs = ",".join(f"{key}={_escaped(str(value), ':', ',')}" for key, value in properties.items())
    return f"::{name} {pairs}::{_escaped(text)}" if pairs else f"::{name}::{_escaped(text)}"


def problem_commands(problems: Sequence[Problem], folder: str = "", shown: Callable[[str], str] = str) -> Iterator[str]:
    """Yield a command per problem, errors first, as many as are shown.

    `folder` is the working one, from the repository; `shown` makes a message safe to show.
    """
    for severity in (Severity.ERROR, Severity.WARNING):
        for problem in [one for one in sorted(problems) if one.severity is severity][:SHOWN]:
            place: dict[str, str | int] = {}
            if problem.file:
                place["file"] = normpath(join(folder, problem.file))
            place |= {name: number for name, number in (("line", problem.line), ("col", problem.column)) if number}
            text = problem.message + (f"; {problem.hint}" if problem.hint else "")
            yield workflow_command(severity.value, shown(text), **place, title="pictify-sync")


def disarmed(text: str) -> str:
    r"""Return text that no runner takes for a command: what would make it one is shown as `\u003a` or `\u0023`.

    In a JSON document that changes no value. Characters that a comparison may skip as invisible count as none.
    """
    if "##" not in text and "::" not in text and text.isascii():
        return text
    text = _FIRST.sub(r"\1\\u003a", text)
    return _ANYWHERE.sub(r"\1\\u0023", text)


def _escaped(text: str, *more: str) -> str:
    for char in ("%", "\r", "\n", *more):
        text = text.replace(char, f"%{ord(char):02X}")
    return text
