"""Documents against models: every problem of a document at once, each with its place, and the nearest right name.

This module must not know what the models mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pictify_sync.errors import Problem
from pictify_sync.yaml_reader import Document, Path

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_TOLD = 100  # problems of one document
MAX_SALVAGES = 5  # rounds of leaving out
M = TypeVar("M", bound="BaseModel")

_THEIRS = r"^(Input|Value error,|String|List|Dictionary) ?| or instance of \w+| after validation"
_WORDS = {
    "a valid dictionary": "a mapping",
    "a valid string": "a text",
    "a valid integer": "a whole number",
    "a valid boolean": "true or false",
    "a valid": "a",
}


def nearest(word: str, names: Iterable[str]) -> str:
    """Give the hint "did you mean 'x'?" for the name most like a word, "" when none is."""
    from pictify_sync.nearest import hint  # noqa: PLC0415 - only a mistake needs it

    return hint(word, names)


def validate(model: type[M], document: Document, context: Mapping[str, Any] | None = None) -> M | list[Problem]:
    """Check a document against a model; every problem has the place of the field it is about.

    `context` is what validators of the model may ask for.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as error:
        entries = error.errors(include_url=False)
        found = [(tuple(_real(document.value, entry["loc"])), entry) for entry in entries[:MAX_TOLD]]
        places = document.places([path for path, _ in found])
        problems = [_problem(model, document.file, entry, (path, places[path])) for path, entry in found]
        if len(entries) > MAX_TOLD:
            problems.append(Problem(document.file, 0, 0, f"and {len(entries) - MAX_TOLD:,} more problems of fields"))
        return sorted(problems)


def salvaged(
    model: type[M], document: Document, instead: Mapping[str, object], context: Mapping[str, Any] | None = None
) -> tuple[M, frozenset[str]] | None:
    """Leave out what is wrong, so that the rest can be checked too; None when too little is left.

    A missing field is filled from `instead`; the names of those come back, too. Only for finding more problems: what
    comes back is not what the document says.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    value: Any = deepcopy(document.value)
    filled: set[str] = set()
    for _ in range(MAX_SALVAGES):
        try:
            return model.model_validate(value, context=context), frozenset(filled)
        except ValidationError as error:
            paths = {tuple(_real(value, entry["loc"])) for entry in error.errors(include_url=False)}
        for path in sorted(paths, key=lambda path: [(isinstance(part, str), str(part)) for part in path], reverse=True):
            if path and _leave_out(value, path):
                continue
            if len(path) != 1 or path[0] not in instead:
                return None
            value[path[0]] = instead[str(path[0])]
            filled.add(str(path[0]))
    return None


def _leave_out(value: Any, path: Path) -> bool:
    """Remove what lies at a path; False when nothing does."""
    for part in path[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    try:
        del value[path[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _problem(model: type[BaseModel], file: str, entry: Any, at: tuple[Path, tuple[int, int, int, int]]) -> Problem:
    (path, place), kind = at, entry["type"]
    name = ".".join(map(str, path)) or "the file"
    if kind == "extra_forbidden":
        allowed = _fields(model, entry["loc"][:-1])
        hint = nearest(str(path[-1]), allowed) or f"there are: {', '.join(allowed)}"
        return Problem(file, *place[:2], f"unknown field '{name}'", hint)
    if kind == "missing":
        return Problem(file, *place[:2], f"the field '{name}' is missing", "add it")
    message = re.sub(_THEIRS, "", entry["msg"])
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    got = entry["input"]
    shown = f", not {got!r}"[:80] if isinstance(got, str | int | float) and not kind.startswith("value_") else ""
    choices = re.findall(r"'([^']*)'", message) if kind == "literal_error" else ()
    return Problem(file, *place[2:], f"'{name}' {message}{shown}", nearest(str(got), choices))


def _real(value: object, loc: Path) -> Iterator[str | int]:
    """Leave out of a path what names a branch of the model, not a part of the document."""
    for number, part in enumerate(loc):
        if (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int)):
            value = value[part]  # type: ignore[index]
        elif number < len(loc) - 1 or part == "[key]":
            continue
        yield part


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """Name the fields allowed at a path of nested models."""
    known: Any = model
    for part in path:
        if part in (fields := getattr(known, "model_fields", {})):
            known = fields[part].annotation
        known = next((arg for arg in reversed(get_args(known)) if hasattr(arg, "model_fields")), known)
    return list(getattr(known, "model_fields", {}))
