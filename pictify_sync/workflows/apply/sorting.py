"""The changes of a plan by what has to be done for them, now that other runs may have changed the state since.

Also what is done without a render: `protect` as desired, failures that were taken back, deletes that are agreed to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pictify_sync.core.entries import Entry, Recorded
from pictify_sync.core.model import Action, Asset, AssetKey, Change, Reason, Record, Status, split_key
from pictify_sync.core.paths import PathIndex, taken_path
from pictify_sync.core.plan import Plan
from pictify_sync.workflows.apply.clear_path import why_taken
from pictify_sync.workflows.apply.moves import remove
from pictify_sync.workflows.apply.outcome import Tally, is_wanted
from pictify_sync.workflows.apply.prepare import is_recorded
from pictify_sync.workflows.apply.session import Session


@dataclass(slots=True)
class Work:
    """The changes of a plan by what has to be done for them."""

    carried: list[Change] = field(default_factory=list)
    refetched: list[Change] = field(default_factory=list)  # perhaps; else they are rendered
    untold: bool = False  # True: the URL of some picture was not told
    deleted: list[Change] = field(default_factory=list)
    leaving: list[Change] = field(default_factory=list)  # deletes and updates whose present paths others take
    blocked: dict[AssetKey, str] = field(default_factory=dict)  # why a picture cannot be published
    settled: list[Change] = field(default_factory=list)  # kept, but recorded otherwise than it is now
    kept: int = 0
    left: int = 0  # changes that another run came before, and did otherwise
    postponed: set[AssetKey] = field(default_factory=set)  # fewer than their provider takes in one batch
    wanted: dict[AssetKey, bool] = field(default_factory=dict)  # pictures to end with -> whether without a render


def sort_out(session: Session, plan: Plan, made: Set[AssetKey], *, is_current: bool) -> Work:
    """Sort out what is to be done, without what other runs came before; batches are narrowed by themselves.

    `made`: what this apply made already, and does not count as kept. `is_current`: nothing was written since the plan.
    """
    batched = None if is_current else _batched(plan)
    work, wanted, going = Work(), PathIndex(), []
    for change in plan.changes:
        if is_wanted(change):
            work.wanted[change.key] = change.source is not None
            work.postponed |= {change.key} if change.reason is Reason.BELOW_MINIMUM else set()
        is_left = change.renders and batched is not None and change.key not in batched  # the plan needed no render
        if is_left or _is_overtaken(session, change):
            work.left += (is_left or not change.renders) and not _is_done(session, change)
            continue
        if (path := taken_path(change)) is not None:
            wanted.add(path)
            going += [change] if change.source is None and change.record and change.record.artifact else []
        if change.asset is not None and change.holder is not None:
            work.blocked[change.key] = why_taken(change.asset.output, change.holder)
        _add(work, change, made)
    work.leaving = [change for change in (*going, *work.deleted) if _is_in_the_way(change, wanted)]
    leaving = {change.key for change in work.leaving}
    work.deleted = [change for change in work.deleted if change.key not in leaving]
    return work


def _add(work: Work, change: Change, made: Set[AssetKey]) -> None:
    """Add a change to what has to be done."""
    if change.source is not None:
        work.carried.append(change)
    elif change.is_fetched_again:
        work.refetched.append(change)
    elif change.action is Action.DELETE:
        work.deleted.append(change)
    elif change.action is Action.AWAIT:
        work.untold |= change.record is not None and change.record.status is Status.RENDERED
        work.settled += [change] if change.protection is not None else []
    elif change.action in (Action.PROTECT, Action.UNPROTECT):
        work.settled.append(change)
    elif change.action is Action.KEEP:
        work.kept += change.key not in made and change.reason is not Reason.TAKEN_BACK
        if change.asset and change.record and settled(change.record, change.asset) != change.record:
            work.settled.append(change)


def _batched(plan: Plan) -> Set[AssetKey]:
    """Return what the plan's batches render: its changes are worked out by the state as it is now, these were not."""
    return {key for batch in plan.batches for item in batch.items for keys in item.keys for key in keys}


def _is_in_the_way(change: Change, wanted: PathIndex) -> bool:
    """Whether the file that a change leaves lies where another change publishes."""
    artifact = None if change.record is None else change.record.artifact
    return artifact is not None and wanted.meets(artifact.path)


def _is_overtaken(session: Session, change: Change) -> bool:
    """Whether another run has changed, since the plan, what a change is about."""
    if change.action in (Action.AWAIT, Action.BLOCKED):
        return False
    moved = change.source.key if change.source is not None and change.action is Action.MOVE else change.key
    return session.is_taken(change.key) or session.is_taken(moved)


def _is_done(session: Session, change: Change) -> bool:
    """Whether it is by now as the change wants it, or somebody is at it."""
    record, asset = session.store.record(change.key), change.asset
    if asset is None:
        return record is None
    if session.is_claimed(change.key):
        return True
    return is_recorded(record, asset) and record is not None and settled(record, asset) == record


def settled(record: Record, asset: Asset) -> Record:
    """Give the record of a kept asset as it should be: `protect` as desired, and no failure of what was taken back."""
    made = record.artifact is not None and record.fingerprint == asset.fingerprint
    if made and record.status is Status.FAILED and record.failure and record.failure.fingerprint != asset.fingerprint:
        record = replace(record, status=Status.STORED, failure=None)
    return replace(record, protect=asset.protect)


class Settlement(NamedTuple):
    """How many pictures were recorded otherwise, without a render."""

    protected: int
    unprotected: int
    cleared: int  # of a failure


def settle_kept(session: Session, changes: Sequence[Change]) -> Settlement:
    """Record what needs no render; gives what was recorded."""
    turned: Counter[bool] = Counter()
    cleared = 0

    def build() -> Sequence[Entry]:
        nonlocal cleared
        turned.clear()
        cleared = 0
        puts: list[Record] = []
        for change in changes:
            if session.is_taken(change.key):
                continue
            record, asset = session.store.record(change.key), change.asset
            if record is not None and asset is not None and (after := settled(record, asset)) != record:
                puts.append(after)
                turned[after.protect] += after.protect != record.protect
                cleared += after.failure is None and record.failure is not None
        return (Recorded("settings", tuple(puts), (), (), session.now()),) if puts else ()

    if changes:
        session.commit(build)
    return Settlement(turned[True], turned[False], cleared)


def path_of(change: Change) -> str | None:
    """Return the path of the file that a delete removes, if there is one."""
    return change.record.artifact.path if change.record and change.record.artifact else None


def remove_agreed(session: Session, tally: Tally, deleted: Sequence[Change]) -> int:
    """Delete what is agreed to, or nothing."""
    return remove(session, deleted) if is_agreed(tally, deleted) else 0


def is_agreed(tally: Tally, deleted: Sequence[Change]) -> bool:
    """Delete no more than the first plan did: manifests or state may have changed since, and nobody looked at that."""
    now = Counter(split_key(change.key)[0] for change in deleted)
    if any(number > tally.agreed.get(name, {}).get(Action.DELETE, 0) for name, number in now.items()):
        tally.stopped = (
            "manifests or state changed, so that more would be deleted than was planned; nothing was deleted"
        )
        return False
    return True
