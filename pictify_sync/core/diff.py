"""The difference between desired and recorded: one change per key, with an action and a reason.

A merge of two streams sorted by key, so that memory does not grow with their length. Must not know where either
comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from pictify_sync.core.model import (
    UNKNOWN_REVISION,
    Action,
    Asset,
    AssetKey,
    Change,
    DriftKind,
    Fingerprint,
    Reason,
    Record,
    Status,
    key_order,
    split_key,
)

Pair = tuple[Asset | None, Record | None]
_Keyed = TypeVar("_Keyed", Asset, Record)

_DRIFT_REASON = {
    DriftKind.MISSING: Reason.MISSING,
    DriftKind.TAMPERED: Reason.TAMPERED,
    DriftKind.EXPIRED: Reason.EXPIRED,
    DriftKind.TEMPLATE_CHANGED: Reason.TEMPLATE_CHANGED,
}


def never(_: AssetKey) -> bool:
    """Select no key."""
    return False


def no_artifact(_: Fingerprint) -> Record | None:
    """Find no artifact."""
    return None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a diff may look at and touch, beside the two streams."""

    manifests: Collection[str]  # names whose assets are in scope
    whole: bool = False  # True: assets of vanished manifests may be deleted too
    selected: Callable[[AssetKey], bool] | None = None  # None: every key
    requested: Callable[[AssetKey], bool] = never  # render again although nothing changed (--replace)
    in_flight: Collection[AssetKey] = frozenset()  # claimed by open batches
    find: Callable[[Fingerprint], Record | None] = no_artifact  # a published artifact of that fingerprint

    def covers(self, record: Record) -> bool:
        """Whether a record that no manifest asks for may be deleted."""
        return self.whole or split_key(record.key)[0] in self.manifests


def merge(desired: Iterable[Asset], records: Iterable[Record]) -> Iterator[Pair]:
    """Walk two streams sorted by key in step; asserts that each is strictly ascending."""
    left, right = _ascending(desired), _ascending(records)
    asset, record = next(left, None), next(right, None)
    while asset is not None or record is not None:
        if asset is None or (record is not None and key_order(record.key) < key_order(asset.key)):
            yield None, record
            record = next(right, None)
        elif record is None or key_order(asset.key) < key_order(record.key):
            yield asset, None
            asset = next(left, None)
        else:
            yield asset, record
            asset, record = next(left, None), next(right, None)


def _ascending(stream: Iterable[_Keyed]) -> Iterator[_Keyed]:
    last = b""
    for element in stream:
        order = key_order(element.key)
        assert order > last, f"not sorted by key: {element.key}"
        last = order
        yield element


def diff(
    desired: Callable[[], Iterable[Asset]], records: Callable[[], Iterable[Record]], scope: Scope
) -> Iterator[Change]:
    """Yield the changes, sorted by key. Both sources are read up to three times."""
    renames = _renames(desired, records, scope)
    moved = {record.key for record in renames.values()}
    for asset, record in _in_scope(merge(desired(), records()), scope):
        if asset is not None:
            yield _wanted(asset, record, scope, renames.get(asset.key))
        elif record is not None and record.key not in moved:
            yield _unwanted(record, scope)


def _in_scope(pairs: Iterable[Pair], scope: Scope) -> Iterator[Pair]:
    for asset, record in pairs:
        key = asset.key if asset is not None else record.key if record is not None else None
        if key is None or (scope.selected is not None and not scope.selected(key)):
            continue
        if asset is None and record is not None and not scope.covers(record):
            continue
        yield asset, record


def _renames(
    desired: Callable[[], Iterable[Asset]], records: Callable[[], Iterable[Record]], scope: Scope
) -> Mapping[AssetKey, Record]:
    """Pair new keys with vanished ones of equal fingerprint, both in key order."""
    if next(iter(records()), None) is None:
        return {}
    vanished: dict[Fingerprint, list[Record]] = {}
    for asset, record in _in_scope(merge(desired(), records()), scope):
        if asset is None and record is not None and record.fingerprint is not None and _is_sound(record):
            vanished.setdefault(record.fingerprint, []).append(record)
    if not vanished:
        return {}
    renames: dict[AssetKey, Record] = {}
    for asset, record in _in_scope(merge(desired(), records()), scope):
        if asset is not None and record is None and vanished.get(asset.fingerprint):
            renames[asset.key] = vanished[asset.fingerprint].pop(0)
    return renames


def _is_sound(record: Record) -> bool:
    """Whether the published artifact can stand for its fingerprint."""
    intact = record.artifact is not None and record.status is not Status.RENDERED
    return intact and not record.tainted and record.drift is None


def _wanted(asset: Asset, record: Record | None, scope: Scope, renamed_from: Record | None) -> Change:
    if asset.key in scope.in_flight:
        return Change(asset.key, Action.AWAIT, Reason.IN_FLIGHT, asset, record)
    if renamed_from is not None:
        return Change(asset.key, Action.MOVE, Reason.RENAMED, asset, record, renamed_from)
    if scope.requested(asset.key):
        action = Action.CREATE if record is None else Action.UPDATE
        return Change(asset.key, action, Reason.REQUESTED, asset, record)
    if record is None or record.fingerprint is None:
        reason = Reason.NEW if record is None or record.failure is None else Reason.FAILED_BEFORE
        return _sourced(Change(asset.key, Action.CREATE, reason, asset, record), scope)
    return _changed_or_same(asset, record, scope)


def _sourced(change: Change, scope: Scope) -> Change:
    assert change.asset is not None
    source = scope.find(change.asset.fingerprint)
    return change if source is None or source.key == change.key else replace(change, source=source)


def _changed_or_same(asset: Asset, record: Record, scope: Scope) -> Change:
    if record.fingerprint == asset.fingerprint:
        return _same(asset, record, scope)
    return _sourced(Change(asset.key, Action.UPDATE, _difference(asset, record), asset, record), scope)


def _same(asset: Asset, record: Record, scope: Scope) -> Change:
    """Judge an asset whose fingerprint is as recorded: its artifact may not be."""
    key = asset.key
    if record.tainted:
        return Change(key, Action.UPDATE, Reason.TAINTED, asset, record)
    if record.drift is not None:
        return _sourced(Change(key, Action.REPAIR, _DRIFT_REASON[record.drift], asset, record), scope)
    if record.status is Status.RENDERED:
        return Change(key, Action.AWAIT, Reason.IN_FLIGHT, asset, record)
    if record.artifact is None:  # it was rendered once, its URL was never told, and the next attempt failed
        return _sourced(Change(key, Action.CREATE, Reason.FAILED_BEFORE, asset, record), scope)
    if record.artifact.path != asset.output:
        return Change(key, Action.MOVE, Reason.OUTPUT_CHANGED, asset, record, record)
    if asset.protect != record.protect:
        action = Action.PROTECT if asset.protect else Action.UNPROTECT
        return Change(key, action, Reason.PROTECT_CHANGED, asset, record)
    return _kept(asset, record)


def _kept(asset: Asset, record: Record) -> Change:
    """Judge an asset whose artifact is as it should be: the newest attempt may have failed nevertheless."""
    if record.status is not Status.FAILED or record.failure is None:
        return Change(asset.key, Action.KEEP, Reason.UP_TO_DATE, asset, record)
    if record.failure.fingerprint == asset.fingerprint:  # it was rendered again by request
        return Change(asset.key, Action.UPDATE, Reason.FAILED_BEFORE, asset, record)
    return Change(asset.key, Action.KEEP, Reason.TAKEN_BACK, asset, record)


def _difference(asset: Asset, record: Record) -> Reason:
    """Name the part of the fingerprint that differs; the most telling one when several do."""
    if record.failure is not None and record.failure.fingerprint == asset.fingerprint:
        return Reason.FAILED_BEFORE
    new, old = asset.spec, record.spec
    if old is None or (record.fingerprint is not None and record.fingerprint.spec == asset.fingerprint.spec):
        return Reason.VARIABLES_CHANGED
    if new.provider != old.provider:
        return Reason.PROVIDER_CHANGED
    if (new.format, new.options, new.variant) != (old.format, old.options, old.variant):
        return Reason.SPEC_CHANGED
    if (new.template, new.template_revision) != (old.template, old.template_revision):
        return Reason.TEMPLATE_CHANGED
    return Reason.ENGINE_CHANGED if new.engine != old.engine else Reason.VARIABLES_CHANGED


def _unwanted(record: Record, scope: Scope) -> Change:
    if record.key in scope.in_flight:
        return Change(record.key, Action.AWAIT, Reason.IN_FLIGHT, None, record)
    if record.protect:
        return Change(record.key, Action.BLOCKED, Reason.PROTECTED, None, record)
    return Change(record.key, Action.DELETE, Reason.NOT_IN_MANIFEST, None, record)


def learns_revision(asset: Asset) -> bool:
    """Whether the asset's template has never been looked at, so that its revision is not known."""
    return asset.spec.template_revision == UNKNOWN_REVISION
