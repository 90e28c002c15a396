"""What went wrong, as `file:line:column: error: message; hint` or as an error with its hint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pictify_sync.errors import Conflict, InputError, NotApproved, PictifySyncError, Problem, Severity, StalePlan
from pictify_sync.report.safe import safe
from pictify_sync.report.words import Line, Tone, count

LISTED = 20  # keys or exceeding changes that an error lists


def problem_lines(problems: Sequence[Problem]) -> Iterator[Line]:
    """One line per problem, sorted by place, then the counts; nothing when there is none."""
    for problem in sorted(problems):
        yield Line(problem_text(problem), Tone.BAD if problem.severity is Severity.ERROR else Tone.WARN)
    if problems:
        yield Line(tally(problems), Tone.HEAD)


def problem_text(problem: Problem) -> str:
    """Return a problem on one line; line and column are left out when the whole file or line is meant."""
    place = [safe(problem.file)] if problem.file else []
    place += [str(number) for number in (problem.line, problem.column) if number]
    hint = f"; {problem.hint}" if problem.hint else ""
    return safe(f"{':'.join(place)}: " if place else "") + f"{problem.severity}: " + safe(problem.message + hint)


def tally(problems: Sequence[Problem]) -> str:
    """Return `3 errors, 1 warning in 2 files`."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    files = len({problem.file for problem in problems if problem.file})
    parts = [count(number, word) for number, word in ((errors, "error"), (len(problems) - errors, "warning")) if number]
    return ", ".join(parts) + (f" in {count(files, 'file')}" if files else "")


def error_lines(error: PictifySyncError) -> Iterator[Line]:
    """Describe what happened, which things it concerns, and what to do."""
    if isinstance(error, InputError):
        yield from problem_lines(error.problems)
        return
    first, *others = error.message.splitlines() or [type(error).__name__]
    yield Line(f"Error: {safe(first)}", Tone.BAD)
    yield from (Line(f"  {safe(text)}") for text in [*others, *_concerned(error)])
    if error.hint:
        yield Line(f"Hint: {safe(error.hint)}")


def _concerned(error: PictifySyncError) -> list[str]:
    """List the keys or changes that an error is about, capped."""
    match error:
        case StalePlan():
            named = error.keys
        case NotApproved():
            named = tuple(map(_in_words, error.exceeding))
        case Conflict():
            return ["Another run works on the same state; nothing of this one was lost."]
        case _:
            return []
    more = [f"and {len(named) - LISTED:,} more"] if len(named) > LISTED else []
    return [*named[:LISTED], *more]


def _in_words(work: str) -> str:
    """Return `update country-cards/ad@default` for a line of `core.approval.work_of`; any other text stays as it is."""
    try:
        match json.loads(work):
            case ["asset", str(action), str(key), *_]:
                return f"{action} {key}"
            case ["protect", str(key), bool(protects)]:
                return f"{'protect' if protects else 'unprotect'} {key}"
            case ["template", str(action), str(provider), str(name), *_]:
                return f"{action} template {name} (provider {provider})"
            case _:
                return work
    except ValueError:
        pass
    return work
