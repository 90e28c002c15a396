"""The use case `plan`: manifests and state -> a plan. Opens no socket, runs no user code, needs no secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import translate
from itertools import islice

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.batching import Requirements, as_waiting
from pictify_sync.core.diff import Scope, diff, never, no_artifact
from pictify_sync.core.entries import claimed_keys
from pictify_sync.core.model import Action, AssetKey, Capabilities, Change, Reason, split_key
from pictify_sync.core.paths import Held, PathIndex, as_blocked, find_clashes, held_paths, taken_path
from pictify_sync.core.plan import Plan, Summary
from pictify_sync.core.ports import Desired, StateStore
from pictify_sync.core.renames import LOOKED_AT, NAMED, LikelyRename, RenameFinder
from pictify_sync.core.template import TemplateChange, TemplateRecord, TemplateSource

AskCapabilities = Callable[[str], Capabilities]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which keys a plan may touch, as shell patterns (`country-cards/*@square`)."""

    select: tuple[str, ...] = ()  # empty: all
    exclude: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()  # render these again although nothing changed
    replace_only: frozenset[AssetKey] | None = None  # None: all that match `replace`; else no more than these

    @property
    def is_partial(self) -> bool:
        """Whether some keys are left out."""
        return bool(self.select or self.exclude)


def matcher(patterns: Sequence[str]) -> Callable[[AssetKey], bool]:
    """Give a predicate: does a key match any of the patterns? A bare manifest or item name matches all below it."""
    wide = [form for pattern in patterns for form in (pattern, f"{pattern}/*", f"{pattern}@*")]
    whole = re.compile("|".join(translate(form) for form in wide) or r"(?!)")
    return lambda key: whole.match(key) is not None


def plan_scope(desired: Desired, store: StateStore, choice: Choice) -> Scope:
    """Bind a diff to what is selected and to what the state holds now."""
    chosen, refused = matcher(choice.select), matcher(choice.exclude)

    def selected(key: AssetKey) -> bool:
        return (not choice.select or chosen(key)) and not (choice.exclude and refused(key))

    replaced, among = matcher(choice.replace), choice.replace_only

    def requested(key: AssetKey) -> bool:
        return (among is None or key in among) and replaced(key)

    return Scope(
        manifests=frozenset(desired.manifests),
        whole=desired.whole,
        selected=selected if choice.is_partial else None,
        requested=requested if choice.replace else never,
        in_flight=claimed_keys(store.open_batches()),
        find=store.find if store.count() else no_artifact,
    )


@dataclass(frozen=True, slots=True)
class DiffChanges:
    """The changes of a plan, worked out anew at each iteration, so that none is held in memory."""

    desired: Desired
    store: StateStore
    scope: Scope
    clashes: Mapping[AssetKey, Held] = field(default_factory=dict)  # changes that would take another record's path
    waiting: frozenset[AssetKey] = frozenset()  # fewer than their provider takes in one batch

    def __iter__(self) -> Iterator[Change]:
        changes = diff(self.desired.__iter__, self.store.records, self.scope)
        if not self.clashes and not self.waiting:
            return changes
        return (as_waiting(as_blocked(change, self.clashes), self.waiting) for change in changes)


def path_clashes(changes: Iterable[Change], store: StateStore, wanted: PathIndex) -> Mapping[AssetKey, Held]:
    """Give the changes that would take the path of a record that keeps it; `wanted`: all paths that they take."""
    return find_clashes(lambda: changes, lambda: held_paths(store.records(), store.open_batches()), wanted)


@dataclass(slots=True)
class _Tally:
    """Counts of one pass over the changes."""

    pairs: Counter[tuple[str, Action, Reason]] = field(default_factory=Counter)
    requirements: Requirements = field(default_factory=Requirements)
    recorded: int = 0
    recorded_in: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    fetches: int = 0
    wanted: PathIndex = field(default_factory=PathIndex)
    renames: RenameFinder = field(default_factory=RenameFinder)

    def watch(self, changes: Iterator[Change]) -> Iterator[Change]:
        """Count what passes by."""
        for change in changes:
            self.pairs[(split_key(change.key)[0], change.action, change.reason)] += 1
            before = change.source if change.reason is Reason.RENAMED else change.record
            if before is not None:
                self.recorded += 1
                self.recorded_in[split_key(before.key)[0]] += 1
            self.copies += change.is_copied
            self.fetches += change.is_fetched_again
            self.requirements.add(change)
            path = taken_path(change)
            if path is not None:
                self.wanted.add(path)
            self.renames.add(change)
            yield change

    def summary(self, batches: int) -> Summary:
        actions: Counter[Action] = Counter()
        reasons: Counter[tuple[Action, Reason]] = Counter()
        manifests: dict[str, Counter[Action]] = {}
        for (manifest, action, reason), count in sorted(self.pairs.items()):
            actions[action] += count
            reasons[(action, reason)] += count
            manifests.setdefault(manifest, Counter())[action] += count
        return Summary(
            actions,
            reasons,
            manifests,
            self.recorded,
            self.requirements.pictures,
            batches,
            self.copies,
            self.fetches,
            dict(sorted(self.recorded_in.items())),
        )


def make_plan(desired: Desired, store: StateStore, capabilities: AskCapabilities, choice: Choice) -> Plan:
    """Work out what would change, in one streaming pass; the changes themselves are worked out again when read."""
    with store.pinned():
        return _planned(desired, store, capabilities, choice)


def _planned(desired: Desired, store: StateStore, capabilities: AskCapabilities, choice: Choice) -> Plan:
    serial = store.serial()
    changes = DiffChanges(desired, store, plan_scope(desired, store, choice))
    templates = template_changes(_needed(desired, changes.scope), store.templates())
    tally = _Tally()
    digest = plan_digest(tally.watch(iter(changes)), templates)
    clashes = path_clashes(changes, store, tally.wanted)
    if clashes:
        changes, tally = replace(changes, clashes=clashes), _Tally()
        digest = plan_digest(tally.watch(iter(changes)), templates)
    asked: dict[str, Capabilities] = {}

    def ask(provider: str) -> Capabilities:
        return asked.setdefault(provider, capabilities(provider))

    batched = tally.requirements.batched(ask)
    batches = batched.batches
    if batched.waiting:
        changes, tally = replace(changes, waiting=batched.waiting), _Tally()
        digest = plan_digest(tally.watch(iter(changes)), templates)
    if choice.is_partial:  # a share is one of the whole manifest, not of what is selected of it
        tally.recorded_in = Counter(split_key(record.key)[0] for record in store.records())
    renames = _likely_renames(tally.renames, changes, store)
    return Plan(
        lineage=store.lineage,
        serial=serial,
        capabilities=asked,
        templates=templates,
        batches=batches,
        changes=changes,
        summary=replace(tally.summary(len(batches)), whole=store.count()),
        digest=digest,
        partial=choice.is_partial or not desired.whole,
        likely_renames=renames[:NAMED],
        more_renames=max(0, len(renames) - NAMED),
    )


def _likely_renames(finder: RenameFinder, changes: DiffChanges, store: StateStore) -> tuple[LikelyRename, ...]:
    """Look for keys that go and come; some of the pictures that stay tell what any two have in common."""
    if not finder.is_needed:
        return ()
    stay = (change.asset for change in changes if change.asset is not None and change.record is not None)
    return finder.pairs(store.variables, islice(stay, LOOKED_AT))


def _needed(desired: Desired, scope: Scope) -> Sequence[TemplateSource]:
    """Give the declared templates of what is selected: the rest is not touched."""
    if scope.selected is None:
        return desired.templates
    chosen = {(asset.spec.provider, asset.spec.template) for asset in desired if scope.selected(asset.key)}
    return [source for source in desired.templates if (source.provider, source.name) in chosen]


def template_changes(
    declared: Sequence[TemplateSource], recorded: Sequence[TemplateRecord]
) -> tuple[TemplateChange, ...]:
    """Give the declared templates to push: new, or changed since, here or there; sorted by provider and name."""
    known = {(record.provider, record.name): record for record in recorded}
    changes = []
    for source in sorted(declared, key=lambda source: (source.provider, source.name)):
        record = known.get((source.provider, source.name))
        if record is None:
            changes.append(TemplateChange(Action.CREATE, source, None))
        elif record.digest != source.digest or record.drift:
            changes.append(TemplateChange(Action.UPDATE, source, record))
    return tuple(changes)
