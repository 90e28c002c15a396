"""Settings of the top level that are a provider's now: their former names work for one release, with a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Protocol, cast

from pydantic import BaseModel

from pictify_sync.errors import Problem, Severity
from pictify_sync.yaml_reader import Document
from pictify_sync.yaml_reader import Path as Place

PREFIX = "PICTIFY_SYNC_"
_SOON = "the former name works in this release only"


class ProviderPart(Protocol):
    """What settings must know of a provider."""

    @property
    def settings(self) -> Callable[[], type[BaseModel]]:
        """The model of `providers.<name>`."""
        ...

    @property
    def former(self) -> Mapping[str, str]:
        """Former name at the top level -> field of that model."""
        ...


def former_names(parts: Mapping[str, ProviderPart]) -> Mapping[str, tuple[str, str, str]]:
    """Former name -> path of the field now."""
    return {old: ("providers", name, new) for name, part in parts.items() for old, new in part.former.items()}


def with_new_names(
    document: Document, former: Mapping[str, tuple[str, str, str]], told: list[Problem]
) -> tuple[dict[str, Any], Mapping[Place, Place]]:
    """Put the fields under former names where they belong, and say where they stand.

    Tells of each, and of those that contradict the new one.
    """
    value, stands = deepcopy(cast("dict[str, Any]", document.value)), dict[Place, Place]()
    old_names = [old for old in former if old in value]
    places = document.places([(old,) for old in old_names]) if old_names else {}
    for old in old_names:
        path, spot = former[old], places[(old,)][:2]
        given = value.pop(old)
        name = ".".join(path)
        below = _mapping(value.get(path[0]))
        there = _mapping(below.get(path[1]))
        if path[2] in there and there[path[2]] != given:
            message = f"'{old}' is the former name of '{name}', which has another value"
            told.append(Problem(document.file, *spot, message, f"remove '{old}'"))
            continue
        value[path[0]] = {**below, path[1]: {**there, path[2]: given}}
        if path[2] not in there:
            stands[path] = (old,)
        message = f"'{old}' is '{name}' now: {_SOON}"
        told.append(Problem(document.file, *spot, message, f"write it as {name}", Severity.WARNING))
    return value, stands


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def renamed_variables(
    environ: Mapping[str, str], former: Mapping[str, tuple[str, str, str]], told: list[Problem]
) -> Mapping[str, str]:
    """Give the variables with those under former names under the new ones; tells of each likewise."""
    renamed = dict(environ)
    for old, path in former.items():
        variable, name = f"{PREFIX}{old.upper()}", PREFIX + "__".join(path).upper()
        if variable not in renamed:
            continue
        given = renamed.pop(variable)
        if renamed.setdefault(name, given) != given:
            message = f"{variable} is the former name of {name}, which has another value"
            told.append(Problem("the environment", 0, 0, message, f"unset {variable}"))
            continue
        message = f"{variable} is {name} now: {_SOON}"
        told.append(Problem("the environment", 0, 0, message, f"set {name}", Severity.WARNING))
    return renamed
