"""What the server wants to know of a template's text before keeping it: the names it uses, why it cannot be taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pictify_sync.errors import Problem, Severity


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, with the vendor's code (Pictify, Errors: html-template compiler)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Root names that the text uses, sorted, and every reason to refuse it."""

    variables: Sequence[str]
    refusals: Sequence[Refusal]


class Facts(Protocol):
    """What an inspection of a template's text gives."""

    @property
    def variables(self) -> Sequence[str]: ...

    @property
    def problems(self) -> Sequence[Problem]: ...


Read = Callable[[str], Reading]


def reader(inspect: Callable[[str], Facts]) -> Read:
    """Make a Read from an inspection: its errors are refusals, its warnings are nobody's business here."""

    def read(html: str) -> Reading:
        facts = inspect(html)
        errors = [one for one in facts.problems if one.severity is Severity.ERROR]
        return Reading(facts.variables, [Refusal(_code(one.message), _text(one)) for one in errors])

    return read


def _code(message: str) -> str:
    return "HELPER_NOT_ALLOWED" if "helper" in message.lower() else "HANDLEBARS_COMPILE_ERROR"


def _text(problem: Problem) -> str:
    """The message with its place in the text."""
    return f"line {problem.line}: {problem.message}" if problem.line else problem.message
