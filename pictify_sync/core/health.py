"""What `doctor` tells: one check of one thing, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a thing is. Only an error makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"  # not checked, since something before it failed, or nobody needs it


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    subject: str  # settings, manifests, account, clock, dialect, templates, webhooks, inbox, state, output, engine
    place: str  # file, folder, service or provider that was looked at; "" when the subject says it
    health: Health
    message: str  # what was found, without a trailing dot; no secret
    hint: str = ""  # what to do about it; "" when nothing is wrong or the message says it


def healthy(checks: Iterable[Check]) -> bool:
    """Whether no check found an error."""
    return all(check.health is not Health.ERROR for check in checks)
