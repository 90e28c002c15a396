"""Which variables of a kept set are sensitive, and answers cleaned of their values.

Must not know where values are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from pictify_sync.core.outcomes import BatchRequest, Failed, InDoubt, NotSent, Refused
from pictify_sync.core.reconcile import NotMade, Unresolved
from pictify_sync.redaction import Redactor

MARK = "$sensitive"
FAILED = "FAILED"  # in place of a code that is not shown

_CODE = re.compile(r"[A-Z]{3,20}(_[A-Z]{2,20}){0,5}|[1-5][0-9][0-9]")

Answer = TypeVar("Answer")


def sensitive_names(variables: str) -> frozenset[str]:
    """Return the names of the sensitive ones among canonical variables, in which a digest stands for each."""
    if f'"{MARK}"' not in variables:
        return frozenset()
    values: Mapping[str, object] = json.loads(variables)
    return frozenset(name for name, one in values.items() if isinstance(one, dict) and one.keys() == {MARK})


def values_of(sets: Iterable[Mapping[str, object]], names: Iterable[str]) -> list[object]:
    """Return the values of the named variables."""
    wanted = tuple(names)
    return [one[name] for one in sets for name in wanted if name in one] if wanted else []


def redactor_of(request: BatchRequest) -> Redactor:
    """Return what cleans an answer to a request."""
    return Redactor(values_of(request.variable_sets, request.sensitive))


def cleaned(redactor: Redactor, answer: Answer) -> Answer:
    """Clean what was said of a request or of one picture; what holds no text comes back as it is."""
    if not redactor:
        return answer
    match answer:
        case Refused() | Failed() | NotMade():
            code, message = _code(redactor, answer.code), redactor.clean(answer.message)
            return replace(answer, code=code, message=message)
        case NotSent() | InDoubt():
            return replace(answer, detail=redactor.clean(answer.detail))
        case Unresolved():
            return replace(answer, why=redactor.clean(answer.why))
        case _:
            return answer


def _code(redactor: Redactor, code: str) -> str:
    """Keep a code that looks like one, unless it is a value itself."""
    return code if redactor.clean(code) == code or (not redactor.known and _CODE.fullmatch(code)) else FAILED
