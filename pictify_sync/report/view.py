"""One view of a plan, a run or an observation: what terminal, Markdown and HTML show, and not how it looks.

Words, grouping, order and how much is shown are decided here. A `PlanView` streams: it keeps nothing of a change that
was shown, and reads no further than the last one to be shown. A `Review` holds what a page shows, with the counts of
all. All texts but keys are safe to show: control and bidi characters are visible, sensitive values hidden. This module
must not know Markdown, HTML or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from pictify_sync.core.fingerprint import options_of
from pictify_sync.core.model import Action, AssetKey, Change, Reason, RenderSpec, Status, split_key
from pictify_sync.core.plan import Plan
from pictify_sync.core.sample import shares
from pictify_sync.report.differ import changed_names, differences, shown_values
from pictify_sync.report.safe import for_shell, quoted, safe
from pictify_sync.report.templates import TemplateView, template_view
from pictify_sync.report.words import (
    COUNTED,
    PROTECTIONS,
    REASONS,
    REMEDIES,
    STATUSES,
    Line,
    Tone,
    batches,
    count,
    listing,
    pictures,
    postponed,
    providers,
)

LISTED = 10_000  # changes on a page, spread over its manifests
REFUSED = "An apply will refuse this plan"
SHOWN = 50  # changes per manifest and action on a terminal

Recall = Callable[[str], str | None]  # digest of variables -> canonical JSON, None when only the digest is kept


@dataclass(frozen=True, slots=True)
class Caps:
    """How much is shown; None: all of it."""

    changes: int | None = None  # of the whole plan, spread over its manifests
    per_action: int | None = None  # of a manifest, of each action
    values: int = 12  # of a change
    width: int = 60  # characters of a value
    compared: int = 500  # updates compared value by value; of the others only the variables that differ are named
    renames: int = 50  # likely renames
    diff: int | None = None  # lines of a template's html that differ
    new_values: bool = False  # whether the values of new pictures are shown


TERMINAL = Caps(per_action=SHOWN, diff=40)
FULL = Caps()
PAGE = Caps(changes=LISTED, values=24, width=400, compared=5_000, renames=5, new_values=True)


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

    def __str__(self) -> str:
        return f"{self.name}: " + " -> ".join(filter(None, (self.old, self.new)))


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
class ChangeView:
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
    sentence: str = ""  # of a plan: reason, detail and what happens to the file, on one line


@dataclass(frozen=True, slots=True)
class ManifestView:
    """The counts of one manifest."""

    name: str
    counts: tuple[Count, ...]
    kept: int = 0  # assets that stay as they are
    hidden: tuple[Count, ...] = ()  # changes beyond the cap of their action

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
    manifests: tuple[ManifestView, ...]  # those with any change, sorted
    changes: tuple[ChangeView, ...]
    templates: tuple[TemplateView, ...] = ()
    digest: str = ""  # of the plan; "" when it is none
    warning: bool = False  # whether the headline is bad news

    @property
    def total(self) -> int:
        """All changes, listed or not."""
        return sum(one.number for one in self.counts)


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as it is shown; `recall` finds recorded variables."""

    plan: Plan
    recall: Recall
    caps: Caps

    @property
    def manifests(self) -> Iterator[ManifestView]:
        """Those with any change, sorted."""
        for name, actions in sorted(self.plan.summary.manifests.items()):
            counts = _counts(actions)
            if counts:
                most = self.caps.per_action
                left = [one._replace(number=one.number - most) for one in counts if most and one.number > most]
                yield ManifestView(safe(name), counts, actions.get(Action.KEEP, 0), tuple(left))

    @property
    def listed(self) -> int:
        """Number of changes that are shown."""
        return sum(self._room().values())

    def changes(self) -> Iterator[ChangeView]:
        """Yield the changes that are shown, in key order; read no further than the last of them."""
        room, seen = self._room(), Counter[tuple[str, Action]]()
        left, deep = sum(room.values()), self.caps.compared
        for change in self.plan.changes if left else ():
            name = split_key(change.key)[0]
            if change.action is Action.KEEP or not room.get(name):
                continue
            seen[name, change.action] += 1
            if self.caps.per_action is not None and seen[name, change.action] > self.caps.per_action:
                continue
            deep -= change.action is Action.UPDATE
            yield _change_view(change, self.recall, self.caps, deep=deep >= 0)
            room[name] -= 1
            left -= 1
            if not left:
                return

    def templates(self) -> Iterator[TemplateView]:
        """Yield the templates that would be pushed."""
        return (template_view(change, self.caps.diff) for change in self.plan.templates)

    def headline(self) -> Line:
        """Return the counts of the whole plan, or that there is nothing to do."""
        plan, templates = self.plan, Counter(change.action for change in self.plan.templates)
        kept = plan.summary.actions.get(Action.KEEP, 0)
        if plan.is_empty and not any(plan.summary.actions.values()):
            scope = "selected or in the given paths" if plan.partial else "desired or recorded"
            return Line(f"No changes: nothing is {scope}.", Tone.WARN)
        if plan.is_empty:
            subject = f"All {pictures(kept)} are" if kept != 1 else "The 1 picture is"
            return Line(f"No changes. {subject} as the manifests ask." if kept else "No changes.", Tone.GOOD)
        if not templates and not plan.summary.actions:
            return Line("Plan: nothing but the place of the pictures.", Tone.HEAD)
        parts = [f"{count(templates[action], 'template')} {COUNTED[action]}" for action in Action if templates[action]]
        parts += [_tally(plan.summary.actions)] if plan.summary.actions else []
        return Line(f"Plan: {'; '.join(parts)}.", Tone.HEAD)

    def remarks(self) -> Iterator[Line]:
        """Explain why it would be refused, what it costs, what it leaves out, and what may be meant otherwise."""
        plan = self.plan
        if plan.is_empty:
            blocked = plan.summary.actions.get(Action.BLOCKED, 0)
            if blocked:
                yield Line(f"{pictures(blocked)} no longer in a manifest but protected: kept.", Tone.WARN)
            return
        for one in plan.refusals:
            yield Line(f"{REFUSED}: {safe(one.message)}.", Tone.BAD)
        if plan.refusals:
            yield Line(f"Hint: {'; '.join(dict.fromkeys(one.hint for one in plan.refusals))}.")
        yield from (Line(text, Tone.MOVE) for text in _relocated(plan))
        yield from map(Line, _cost(plan))
        if plan.partial:  # a move to another folder is always one of all pictures
            rest = "apart from that move, " if plan.relocation is not None else ""
            text = f"This is a part of the project: {rest}nothing outside the selection is touched."
            yield Line(text, Tone.WARN)
        yield from (Line(text, Tone.WARN) for text in _renamed(plan, self.caps.renames))

    def _room(self) -> dict[str, int]:
        """How many changes of each manifest are shown."""
        most = self.caps.per_action
        room = {
            name: sum(one.number if most is None else min(one.number, most) for one in _counts(actions))
            for name, actions in self.plan.summary.manifests.items()
        }
        return room if self.caps.changes is None else shares(room, self.caps.changes)


def review_of_plan(plan: Plan, recall: Recall) -> Review:
    """Review a plan; `recall` finds recorded variables."""
    view, summary = PlanView(plan, recall, PAGE), plan.summary
    renders = f"{'up to ' if summary.fetches else ''}{summary.renders:,}"
    unchanged = f"{summary.actions.get(Action.KEEP, 0):,}"
    return Review(
        kind=Kind.PLAN,
        title="Plan",
        headline=view.headline().text,
        remarks=tuple(line.text.strip() for line in view.remarks()),
        facts=(Fact("Renders", renders), Fact("Batches", f"{summary.batches:,}"), Fact("Unchanged", unchanged)),
        counts=_counts(summary.actions),
        manifests=tuple(view.manifests),
        changes=tuple(view.changes()),
        templates=tuple(view.templates()),
        digest=safe(plan.digest),
        warning=bool(plan.refusals),
    )


def spec_values(spec: RenderSpec) -> dict[str, object]:
    """Return the parts of a spec under the names that manifests and reports have for them."""
    return {
        "provider": spec.provider,
        "template": spec.template,
        "template_revision": spec.template_revision,
        "layout": spec.variant,
        "format": spec.format,
        **options_of(spec.options),
        "engine": spec.engine,
    }


def spec_parts(old: RenderSpec, new: RenderSpec) -> Iterator[tuple[str, object, object]]:
    """Yield (name, old, new) of the parts of two specs that differ."""
    before, after = spec_values(old), spec_values(new)
    for name in before | after:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def word(value: object) -> str:
    """Return one part of a spec as it is shown."""
    return "none" if value is None or value == "" else safe(str(value))


def particular(change: Change) -> str:
    """Return what the provider, or another record, has to do with a change; "" when its reason says it all."""
    record, source = change.record, change.source
    if change.reason is Reason.FAILED_BEFORE and record and record.failure:
        return f"{safe(record.failure.code)}: {quoted(record.failure.message)}"
    if change.action is Action.AWAIT and record and record.status is Status.RENDERED:
        return STATUSES[record.status]
    if change.holder:
        return f"{safe(change.asset.output) if change.asset else 'its path'} belongs to {safe(change.holder)}"
    if source and source.key != change.key:
        verb = "renamed" if change.reason is Reason.RENAMED else "copied"
        return f"{verb} from {safe(source.key.removeprefix(change.key.partition('/')[0] + '/'))}"
    return ""


def _change_view(change: Change, recall: Recall, caps: Caps, *, deep: bool) -> ChangeView:
    asset, record, source = change.asset, change.record, change.source
    manifest, _, name = change.key.partition("/")
    values = list(_values(change, recall, caps, deep=deep))
    spec = asset.spec if asset else record.spec if record else None
    held = source if change.action is Action.MOVE and source and source.artifact else record
    was = held.artifact.path if held and held.artifact else ""
    path = asset.output if asset else record.output if record else ""
    origin = asset.origin if asset else None
    seen = ChangeView(
        key=change.key,
        manifest=safe(manifest),
        name=safe(name),
        action=str(change.action),
        reason=REASONS[change.reason],
        detail=particular(change),
        renders=change.renders,
        place=f"{safe(origin.file)}:{origin.line}" if origin and origin.line else safe(origin.file) if origin else "",
        path=safe(was if change.action is Action.DELETE and was else path),
        was=safe(was) if asset and was != path else "",
        template=safe(spec.template) if spec else "",
        values=tuple(values[: caps.values]),
        more=max(0, len(values) - caps.values),
    )
    return replace(seen, sentence="; ".join(_sentence(change, seen, has_file=bool(was))))


def _sentence(change: Change, seen: ChangeView, *, has_file: bool) -> Iterator[str]:
    """Yield the reason, then what happens to the file."""
    asset = change.asset
    if change.holder and asset:
        yield f"not made: its output path {seen.detail}, which this run leaves where it is"
        return
    if change.reason is Reason.FAILED_BEFORE and seen.detail:
        yield f"{seen.reason} ({seen.detail})"
    elif change.reason is Reason.RENAMED and seen.detail:
        yield f"{seen.detail}, no render"
    elif change.action is Action.AWAIT and seen.detail:
        yield seen.detail
    elif change.reason is not Reason.PROTECT_CHANGED:
        yield seen.reason
    if change.protection is not None:
        yield PROTECTIONS[change.protection]
    moved = f"{seen.was} -> {seen.path}" if seen.was else ""
    if change.action is Action.MOVE:
        yield from filter(None, [moved])
    elif change.action is Action.DELETE:
        yield f"removes {seen.path}" if has_file else "it has no file"
    elif change.action is Action.BLOCKED:
        yield "kept"
    elif asset and change.action not in {Action.AWAIT, Action.PROTECT, Action.UNPROTECT}:
        if change.source and change.reason is not Reason.FAILED_BEFORE:
            yield f"{seen.detail or 'copied from ' + seen.name}, no render"
        yield moved or seen.path


def _values(change: Change, recall: Recall, caps: Caps, *, deep: bool) -> Iterator[Value]:
    """Yield what differs; of a new asset all that it has, if that is wanted."""
    asset, record = change.asset, change.record
    if change.protection is not None and caps.new_values:
        yield Value("protect", *(("false", "true") if change.protection else ("true", "false")))
    if asset and record and record.spec and record.fingerprint:
        for name, old, new in spec_parts(record.spec, asset.spec):
            if name != "template_revision":  # left to whoever can show the template
                yield Value(name, word(old), word(new))
        if record.fingerprint.variables != asset.fingerprint.variables:
            yield from _variables(recall(record.fingerprint.variables), asset.variables, caps.width, deep=deep)
    elif caps.new_values and asset and change.reason in {Reason.NEW, Reason.FAILED_BEFORE}:
        yield from (Value(name, "", value) for name, value in shown_values(asset.variables, width=caps.width))


def _variables(old: str | None, new: str, width: int, *, deep: bool) -> Iterator[Value]:
    if old is None:
        yield Value("variables", "", "differ; the recorded values are not kept, only their digest")
    elif deep:
        yield from (Value(one.path, one.old, one.new) for one in differences(old, new, width=width))
    else:
        yield Value("variables", "", ", ".join(changed_names(old, new)))


def _counts(actions: Mapping[Action, int]) -> tuple[Count, ...]:
    """Count what is not kept as it is."""
    acting = (action for action in Action if action is not Action.KEEP and actions.get(action))
    return tuple(Count(str(action), COUNTED[action], actions[action]) for action in acting)


def _tally(actions: Mapping[Action, int]) -> str:
    """Return `12 to create, 3 to update, 234 unchanged`, in the order of the actions."""
    return ", ".join(f"{actions[action]:,} {COUNTED[action]}" for action in Action if actions.get(action))


def _relocated(plan: Plan) -> Iterator[str]:
    """State that the pictures go to another folder."""
    if plan.relocation is not None:
        old, new = (safe(one.removeprefix("files:")) for one in (plan.relocation.old, plan.relocation.new))
        others = [f"{safe(one.removeprefix('files:'))}/" for one in plan.relocation.also]
        if others:
            olds = " and ".join([*([] if old == new else [f"{old}/"]), *others])
            yield f"Finishes a move that was interrupted: brings what is in {olds} to {new}/. Renders none."
            return
        yield f"Moves {pictures(plan.relocation.pictures)} from {old}/ to {new}/, as the settings say. Renders none."


def _cost(plan: Plan) -> Iterator[str]:
    """Describe what would be rendered, by whom, and what would not."""
    summary = plan.summary
    if summary.renders:
        names = providers(plan.batches)
        by = f" (provider {safe(listing(names))})" if names else ""
        most = "up to " if summary.fetches else ""
        yield f"Renders {most}{pictures(summary.renders)} in {most}{batches(summary.batches)}{by}."
    if summary.fetches:
        yield f"Fetches {pictures(summary.fetches)} again, and renders of these only what the provider no longer keeps."
    moves = summary.actions.get(Action.MOVE, 0)
    free = [f"{number:,} {word}" for number, word in ((summary.copies, "copied"), (moves, "moved")) if number]
    if free:
        yield f"Without a render: {listing(free)}."
    if summary.taken_back:
        yield f"Clears {count(summary.taken_back, 'failure')}: what failed is no longer asked for."
    if not summary.renders and (summary.pending or summary.taken_back):
        yield "Renders nothing."
    if summary.stuck:
        yield f"Cannot make {pictures(summary.stuck)}: each output path belongs to another picture that stays there."
        yield f"What to do: {REMEDIES['PATH_TAKEN']}."
    if few := summary.reasons.get((Action.AWAIT, Reason.BELOW_MINIMUM), 0):
        yield f"{postponed(few)}."
    if awaited := summary.actions.get(Action.AWAIT, 0) - few:
        yield f"Goes on with {pictures(awaited)} of batches that are still open."


def _renamed(plan: Plan, most: int) -> Iterator[str]:
    """Name keys that go and come and are probably one, with what to do if they are."""
    if not plan.likely_renames:
        return
    number = len(plan.likely_renames) + plan.more_renames
    yield f"{count(number, 'likely rename')}: one key is new, one is gone, and the pictures have much in common."
    yield "If it is one picture, keep its record: run this before apply, or give the old key back."
    for one in plan.likely_renames[:most]:
        yield f"  pictify-sync state mv {for_shell(one.old)} {for_shell(one.new)}"
    if number > min(most, len(plan.likely_renames)):
        yield f"  and {number - min(most, len(plan.likely_renames)):,} more"
