"""A plan as a value: what would change, what it would cost, and the digest that names the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pictify_sync.core.model import Action, Batch, Capabilities, Change, Reason
from pictify_sync.core.renames import LikelyRename
from pictify_sync.core.template import TemplateChange

PLAN_FORMAT = 2  # minor additions keep it (before 2 specs had no options); a reader refuses a larger one


class Changes(Protocol):
    """All changes of a plan, sorted by key; may be iterated many times."""

    def __iter__(self) -> Iterator[Change]: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a plan."""

    actions: Mapping[Action, int]  # KEEP included; absent: 0
    reasons: Mapping[tuple[Action, Reason], int]
    manifests: Mapping[str, Mapping[Action, int]]
    recorded: int  # records in scope before
    renders: int  # pictures the provider will make: equal inputs count once
    batches: int
    copies: int  # creates and updates met by an existing artifact
    fetches: int = 0  # repairs that render only what the provider no longer keeps
    recorded_in: Mapping[str, int] = field(default_factory=dict)  # records by manifest before, selected or not
    whole: int = 0  # records in the whole state before

    @property
    def pending(self) -> int:
        """Changes that an apply would act on."""
        idle = (Action.KEEP, Action.BLOCKED, Action.AWAIT)
        return sum(n for action, n in self.actions.items() if action not in idle)

    @property
    def stuck(self) -> int:
        """Pictures that cannot be published, since another's file lies at their path."""
        return self.reasons.get((Action.BLOCKED, Reason.PATH_TAKEN), 0)

    @property
    def taken_back(self) -> int:
        """Pictures recorded as failed that are as they should be: what failed is no longer asked for."""
        return self.reasons.get((Action.KEEP, Reason.TAKEN_BACK), 0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the guard would have a plan approved before it is carried out."""

    rule: str  # the setting, as guard.max_delete_percent
    message: str  # what is over it
    hint: str  # how to allow it
    found: float
    limit: float


@dataclass(frozen=True, slots=True)
class Relocation:
    """The settings name another folder for the pictures."""

    old: str  # as `wiring/place.py` names them
    new: str
    pictures: int  # recorded in the old one
    also: tuple[str, ...] = ()  # where an earlier move that was not finished left some


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between manifests and state, ready to be shown, saved or applied."""

    lineage: str  # "" when there is no state yet
    serial: int
    capabilities: Mapping[str, Capabilities]  # by provider, as the batches were made for
    templates: tuple[TemplateChange, ...]
    batches: tuple[Batch, ...]
    changes: Changes
    summary: Summary
    digest: str  # of the work alone: no serial, no times, no origins
    partial: bool = False  # True: a selection or a part of the root
    refusals: tuple[Refusal, ...] = ()  # what the guard says of it, where it was asked; no part of the digest

    likely_renames: tuple[LikelyRename, ...] = ()  # a few of them, for people; no part of the digest
    more_renames: int = 0  # likely renames that are not given
    relocation: Relocation | None = None  # follows from the settings: no part of the digest

    @property
    def is_empty(self) -> bool:
        """Whether an apply would do nothing, and leave nothing undone that is asked for."""
        summary = self.summary
        asked = summary.pending or summary.stuck or summary.taken_back or summary.actions.get(Action.AWAIT)
        return not (self.relocation or self.templates or asked)
