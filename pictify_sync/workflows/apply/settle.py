"""What an apply does to records without a render: `protect` as desired, failures that were taken back, deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pictify_sync.core.entries import Entry, Recorded
from pictify_sync.core.model import Action, Asset, Change, Record, Status, split_key
from pictify_sync.workflows.apply.attempts import Tally
from pictify_sync.workflows.apply.moves import remove
from pictify_sync.workflows.apply.session import Session


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
