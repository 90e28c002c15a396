"""What is wrong in bad YAML, where it stands, and what to do about it: from the words and the marks of the parser."""

from __future__ import annotations

import re
from typing import Any

import yaml

UNQUOTED = "put quotes around it: a plain text may not start with '{{'"
SHOWN = 60  # characters of a line that is wrong
_BARE = re.compile(r"(?:[:,-] +|\[ *){[{%]")  # what looks like an expression without quotes around it
_TOP = re.compile(r"""["']?(\w+)""")  # a name of the document itself
_NAME = re.compile(r"""(?:- +)*\{? *["']?[\w.~-]+["']? *:(?= |$)""")
_WITH_VALUES = frozenset({"rows", "variables"})  # what stands there may be sensitive
_QUOTED, _SIMPLE_KEY = "while scanning a quoted scalar", "while scanning a simple key"


def place_of_fault(error: yaml.MarkedYAMLError, last: Any = None) -> Any:
    """Return the mark of the fault itself. What has no end, or no ':', is noticed further down than it stands.

    `last`: the event before it.
    """
    if _ends_in_next(error, last):
        return last.start_mark
    if error.context_mark and (error.context == _SIMPLE_KEY or _has_no_end(error)):
        return error.context_mark
    return error.problem_mark or error.context_mark


def remedy(error: yaml.MarkedYAMLError, text: str, last: Any = None) -> str:
    """Say what to do, where the place and the parser's words leave it open. `text`: "" where it is read but once."""
    if _ends_in_next(error, last):
        return "close the quote that begins here"
    mark, problem, context = error.problem_mark, error.problem or "", error.context or ""
    before, at = (text[: mark.index], text[mark.index :][:1]) if mark else ("", "")
    before = before.rpartition("\n")[2]
    if at == "\t":
        return "indent with blanks, not with tabs"
    if _BARE.search(before):
        return UNQUOTED
    if at and problem.endswith("cannot start any token"):
        return f"put quotes around a text that starts with {at!r}"
    if problem.startswith("mapping values"):
        return f"put quotes around a text with ': ' in it, or correct the indentation{_in(_line(error, text))}"
    if _has_no_end(error):
        return "close the quote that begins here"
    if context == _SIMPLE_KEY:
        return f"write 'name: value'{_in(_line(error, text))}"
    if context.startswith("while parsing a flow") and error.context_mark:
        began, closing = error.context_mark, "]" if "sequence" in context else "}"
        return f"a ',' is missing before this, or the '{closing}' of what begins at {began.line + 1}:{began.column + 1}"
    if context.startswith("while parsing a block") and text:
        line = _line(error, text)
        if not before.strip():
            return f"indent this line like those it belongs to{line and f': {line}'}"
        return f"put quotes around the whole text, or take out what stands from here on{_in(line)}"
    return ""


def _has_no_end(error: yaml.MarkedYAMLError) -> bool:
    return error.context == _QUOTED and "unexpected" in (error.problem or "")


def _ends_in_next(error: yaml.MarkedYAMLError, last: Any) -> bool:
    """Whether a quote without an end was ended by the first one of another text, lines below."""
    if type(last) is not yaml.ScalarEvent or last.style not in ("'", '"'):
        return False
    start, end, fault = last.start_mark, last.end_mark, error.problem_mark
    return bool(start and end and fault and start.line < end.line and fault.index == end.index)


def _in(line: str) -> str:
    return f" in {line}" if line else ""


def _line(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return the line of the fault, in quotes and cut; of rows and values, which may be sensitive, only the name."""
    lines, mark = text.split("\n"), place_of_fault(error)
    found = lines[mark.line].strip() if mark and mark.line < len(lines) else ""
    tops = (top[1] for line in reversed(lines[: mark.line + 1]) if (top := _TOP.match(line))) if found else ()
    if next(iter(tops), "") in _WITH_VALUES and "{{" not in found:
        name = _NAME.match(found)
        found = f"{name[0]} ..." if name else ""
    return repr(found if len(found) <= SHOWN else f"{found[: SHOWN - 3]}...") if found else ""
