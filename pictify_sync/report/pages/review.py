"""One plan, run or observation as it is reviewed: what every page about it shows, and not how it looks.

All texts but keys are safe to show already: control and bidi characters are visible, sensitive values hidden. At most
`LISTED` changes are kept, spread over the manifests; the counts are always those of all. This module must not know
Markdown, HTML or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pictify_sync.core.model import Action, AssetKey, Change, Reason, split_key
from pictify_sync.core.plan import Plan
from pictify_sync.core.sample import shares
from pictify_sync.report.differ import changed_names, differences, shown_values
from pictify_sync.report.safe import safe
from pictify_sync.report.terminal.change import Recall, particular, spec_parts
from pictify_sync.report.terminal.lines import Line, Tone
from pictify_sync.report.terminal.plan import REFUSED, cost, headline, nothing, partial, relocated, renamed
from pictify_sync.report.terminal.templates import changed_facts, html_diff
from pictify_sync.report.words import COUNTED, REASONS

LISTED = 10_000  # changes kept one by one
VALUES = 24  # values kept per change
RENAMES = 5  # likely renames named
WIDTH = 400  # characters kept of a value
DETAILED = 5_000  # updates compared value by value; of the others only the names of the variables are kept


class Kind(StrEnum):
    """What is reviewed."""

    PLAN = "plan"
    APPLY = "apply"
    DRIFT = "drift"
    RECORDS = "records"


class Value(NamedTuple):
    """A variable, or a part of the spec, with "" where there is nothing to show."""

    name: str
    old: str
    new: str


class Count(NamedTuple):
    """How many changes have an action."""

    action: str  # one word: create, ... of a plan; stored, failed, ... of a run; missing, ... of drift
    label: str  # `to create`
    number: int


class Fact(NamedTuple):
    """One figure about the whole."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ReviewedChange:
    """One asset."""

    key: AssetKey  # as it is: what previews are found by
    manifest: str
    name: str  # the key without its manifest
    action: str  # as in Count
    reason: str  # in words of ours
    detail: str = ""  # what the provider, or the record, says about it
    remedy: str = ""  # what to do about it, in words of ours
    renders: bool = False  # whether a picture is asked for
    place: str = ""  # `file:line` of the row; "" when not declared
    path: str = ""  # of the file, below the output folder
    was: str = ""  # the path or the key that it comes from
    template: str = ""
    values: tuple[Value, ...] = ()
    more: int = 0  # values that are not kept


@dataclass(frozen=True, slots=True)
class ReviewedTemplate:
    """A template that would be pushed."""

    name: str
    action: str
    facts: tuple[str, ...]
    diff: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ReviewedManifest:
    """The counts of one manifest."""

    name: str
    counts: tuple[Count, ...]

    @property
    def total(self) -> int:
        """Its changes, listed or not."""
        return sum(one.number for one in self.counts)


@dataclass(frozen=True, slots=True)
class Review:
    """Everything a page shows."""

    kind: Kind
    title: str
    headline: str  # one sentence
    remarks: tuple[str, ...]  # sentences: what it costs, what was left out
    facts: tuple[Fact, ...]
    counts: tuple[Count, ...]  # in the order of importance
    manifests: tuple[ReviewedManifest, ...]  # those with any change, sorted
    changes: tuple[ReviewedChange, ...]
    templates: tuple[ReviewedTemplate, ...] = ()
    digest: str = ""  # of the plan; "" when it is none
    warning: bool = False  # whether the headline is bad news

    @property
    def total(self) -> int:
        """All changes, listed or not."""
        return sum(one.number for one in self.counts)


def review_of_plan(plan: Plan, recall: Recall) -> Review:
    """Review a plan; `recall` finds recorded variables."""
    manifests = tuple(
        ReviewedManifest(safe(name), _counts(counts))
        for name, counts in sorted(plan.summary.manifests.items())
        if _counts(counts)
    )
    said = [line.text for line in nothing(plan)] if plan.is_empty else [headline(plan), *cost(plan)]
    kept = plan.summary.actions.get(Action.KEEP, 0)
    most = "up to " if plan.summary.fetches else ""
    facts = (Fact("Renders", f"{most}{plan.summary.renders:,}"), Fact("Batches", f"{plan.summary.batches:,}"))
    return Review(
        kind=Kind.PLAN,
        title="Plan",
        headline=said[0],
        remarks=(
            *_refused(plan),
            *relocated(plan),
            *(text.strip() for text in renamed(plan, shown=RENAMES)),
            *said[1:],
            *([] if plan.is_empty else partial(plan)),
        ),
        facts=(*facts, Fact("Unchanged", f"{kept:,}")),
        counts=_counts(plan.summary.actions),
        manifests=manifests,
        changes=tuple(_changes(plan, recall)),
        templates=tuple(_templates(plan)),
        digest=safe(plan.digest),
        warning=bool(plan.refusals),
    )


def _refused(plan: Plan) -> Iterator[str]:
    """Say why an apply would refuse the plan, and how to allow it: one sentence each."""
    for one in plan.refusals:
        yield f"{REFUSED}: {safe(one.message)}."
    for hint in dict.fromkeys(one.hint for one in plan.refusals):
        yield f"{hint[0].upper()}{hint[1:]}."


def _acts(action: Action) -> bool:
    return action is not Action.KEEP


def _counts(actions: Mapping[Action, int]) -> tuple[Count, ...]:
    """Count what is not kept as it is."""
    return tuple(
        Count(str(action), COUNTED[action], actions[action]) for action in filter(_acts, Action) if actions.get(action)
    )


def _changes(plan: Plan, recall: Recall) -> Iterator[ReviewedChange]:
    """Give as many changes of each manifest as there is room for, in key order; reads no further than needed."""
    wanted = {
        name: sum(number for action, number in counts.items() if _acts(action))
        for name, counts in plan.summary.manifests.items()
    }
    room = shares(wanted, LISTED)
    left, deep = sum(room.values()), DETAILED
    for change in plan.changes if left else ():
        name = split_key(change.key)[0]
        if not _acts(change.action) or not room.get(name):
            continue
        deep -= change.action is Action.UPDATE
        yield _reviewed(change, recall, deep=deep >= 0)
        room[name] -= 1
        left -= 1
        if not left:
            return


def _reviewed(change: Change, recall: Recall, *, deep: bool) -> ReviewedChange:
    asset, record, source = change.asset, change.record, change.source
    manifest, _, name = change.key.partition("/")
    values = list(_values(change, recall, deep=deep))
    spec = asset.spec if asset else record.spec if record else None
    held = source or record
    was = held.artifact.path if held and held.artifact else ""
    path = asset.output if asset else record.output if record else ""
    origin = asset.origin if asset else None
    return ReviewedChange(
        key=change.key,
        manifest=safe(manifest),
        name=safe(name),
        action=str(change.action),
        reason=REASONS[change.reason],
        detail=particular(change),
        renders=change.renders,
        place=f"{safe(origin.file)}:{origin.line}" if origin and origin.line else safe(origin.file) if origin else "",
        path=safe(was if change.action is Action.DELETE and was else path),
        was=safe(was) if asset and was != path and (change.action is Action.MOVE or source is None) else "",
        template=safe(spec.template) if spec else "",
        values=tuple(values[:VALUES]),
        more=max(0, len(values) - VALUES),
    )


def _values(change: Change, recall: Recall, *, deep: bool) -> Iterator[Value]:
    """Give what differs; of a new asset all that it has."""
    asset, record = change.asset, change.record
    if change.protection is not None:
        yield Value("protect", *(("false", "true") if change.protection else ("true", "false")))
    if asset and record and record.spec and record.fingerprint:
        for name, old, new in spec_parts(record.spec, asset.spec):
            if name != "template_revision":
                yield Value(name, _word(old), _word(new))
        if record.fingerprint.variables != asset.fingerprint.variables:
            yield from _variables(recall(record.fingerprint.variables), asset.variables, deep=deep)
    elif asset and change.reason in {Reason.NEW, Reason.FAILED_BEFORE}:
        yield from (Value(name, "", value) for name, value in shown_values(asset.variables, width=WIDTH))


def _variables(old: str | None, new: str, *, deep: bool) -> Iterator[Value]:
    if old is None:
        yield Value("variables", "only their digest is kept", "differ")
    elif deep:
        yield from (Value(one.path, one.old, one.new) for one in differences(old, new, width=WIDTH))
    else:
        yield from (Value(name, "differs", "") for name in changed_names(old, new))


def _word(value: object) -> str:
    return safe(str(value)) if value not in {None, ""} else "none"


def _quiet_head(diff: Iterable[Line]) -> Iterator[Line]:
    """Take the colour from the names of the two sides, which are no lines that came or went."""
    for number, (text, tone) in enumerate(diff):
        yield Line(text, Tone.FAINT if number < 2 else tone)


def _templates(plan: Plan) -> Iterable[ReviewedTemplate]:
    for change in plan.templates:
        yield ReviewedTemplate(
            name=safe(change.source.name),
            action=str(change.action),
            facts=tuple(changed_facts(change)),
            diff=tuple(_quiet_head(html_diff(change))),
        )
