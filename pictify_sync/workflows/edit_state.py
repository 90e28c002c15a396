"""The use cases `taint`, `untaint`, `state rm` and `state mv`: records changed by hand, each as a log entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pictify_sync.core.entries import Entry, Recorded, claimed_keys
from pictify_sync.core.model import AssetKey, Record, is_key
from pictify_sync.errors import UsageError
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.plan import matcher

CHUNK = 1000  # records per log entry

Put = Callable[[Record], Record | None]  # None: leave it as it is


@dataclass(frozen=True, slots=True)
class StateEdits:
    """Changes of the state that no provider and no file takes part in."""

    session: Session

    def taint(self, patterns: Sequence[str], *, tainted: bool) -> tuple[AssetKey, ...]:
        """Mark matching records to be rendered again, or take the mark back; gives the keys it changed.

        Raises UsageError for one that an interrupted run is moving: the move, once finished, would undo it.
        """

        def put(record: Record) -> Record | None:
            return None if record.tainted is tainted else replace(record, tainted=tainted)

        records = self._matching(patterns)
        return self._chunked("taint" if tainted else "untaint", [one.key for one in records if put(one)], put)

    def forget(self, patterns: Sequence[str]) -> tuple[AssetKey, ...]:
        """Forget matching records; their files stay. Gives the keys."""
        keys = [record.key for record in self._matching(patterns)]
        for chunk in _chunks(keys):
            entry = Recorded("rm", (), chunk, (), self.session.now())
            self.session.commit(partial(_only, self._unclaimed(chunk, entry)))
        return tuple(keys)

    def rename(self, old: str, new: str) -> AssetKey:
        """Record an asset under another key. Raises UsageError when the old one is unknown or the new one taken."""
        record = self.session.store.record(AssetKey(old))
        if record is None:
            raise UsageError(f"{old} is not recorded", hint="pictify-sync state list")
        if self.session.store.record(AssetKey(new)) is not None:
            raise UsageError(f"{new} is recorded already", hint=f"forget it first: pictify-sync state rm '{new}'")
        if not is_key(new):
            raise UsageError(
                f"{new} is no key",
                hint="a key is manifest/item@layout; manifest and item are of letters a-z, digits and . _ ~ -",
            )
        renamed = replace(record, key=AssetKey(new))
        entry = Recorded("mv", (renamed,), (record.key,), (), self.session.now())
        self.session.commit(partial(_only, self._unclaimed([record.key, renamed.key], entry)))
        return renamed.key

    def _matching(self, patterns: Sequence[str]) -> list[Record]:
        chosen = matcher(patterns)
        found = [record for record in self.session.store.records() if chosen(record.key)]
        if not found:
            raise UsageError(f"nothing recorded matches {' '.join(patterns)}", hint="pictify-sync state list")
        return found

    def _chunked(self, why: str, keys: Sequence[AssetKey], put: Put) -> tuple[AssetKey, ...]:
        for chunk in _chunks(keys):
            self.session.commit(partial(self._put, why, chunk, put))
        return tuple(keys)

    def _put(self, why: str, keys: Iterable[AssetKey], put: Put) -> Sequence[Entry]:
        records = (self.session.store.record(key) for key in keys)
        puts = [changed for record in records if record is not None and (changed := put(record)) is not None]
        self._refuse_moving({changed.key for changed in puts})
        return (Recorded(why, tuple(puts), (), (), self.session.now()),) if puts else ()

    def _unclaimed(self, keys: Sequence[AssetKey], entry: Entry) -> Entry:
        claimed = claimed_keys(self.session.store.open_batches())
        if busy := sorted(claimed.intersection(keys)):
            raise UsageError(f"{busy[0]} is in an open batch", hint="let pictify-sync apply finish it first")
        self._refuse_moving(keys)
        return entry

    def _refuse_moving(self, keys: Iterable[AssetKey]) -> None:
        """Records that a run is moving, or was when it ended, are written once more when that is finished."""
        pending = self.session.store.pending_moves()
        moving = set() if pending is None else {*pending.removes, *(put.key for put in pending.puts)}
        if busy := sorted(moving.intersection(keys)):
            raise UsageError(
                f"{busy[0]} is in a move that is not finished", hint="let pictify-sync apply finish it first"
            )


def _chunks(keys: Sequence[AssetKey]) -> Iterator[tuple[AssetKey, ...]]:
    for start in range(0, len(keys), CHUNK):
        yield tuple(keys[start : start + CHUNK])


def _only(entry: Entry) -> Sequence[Entry]:
    return (entry,)
