"""Nobody's file is overwritten unseen: what lies where a picture goes, and is not that picture's own, is renamed first.

Whoever lost a file in that way is recorded as drift together with what took its path, so that the next plan repairs it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pictify_sync.core.drift import observe_artifact
from pictify_sync.core.entries import Entry, Moved, MovesIntended, Obsolete, Recorded, Settled
from pictify_sync.core.events import FileSpared
from pictify_sync.core.model import AssetKey, DriftKind, Record, Status
from pictify_sync.core.paths import PathIndex, folded, meet
from pictify_sync.core.reconcile import Published
from pictify_sync.workflows.apply.session import Session

PATH_TAKEN = "PATH_TAKEN"  # code of a picture that is left out, since its path belongs to another


@dataclass(frozen=True, slots=True)
class Replaceable:
    """Which bytes at a path a picture may replace: its own, and those that nobody needs any more."""

    ours: frozenset[str] = frozenset()  # sha256
    others: frozenset[str] = frozenset()  # sha256 of pictures of other records at that path
    anything: bool = False  # True: the plan told that whatever lies there is repaired

    def allows(self, sha256: str) -> bool:
        """Whether these bytes may go."""
        return sha256 not in self.others and (self.anything or sha256 in self.ours)


def replaceable(session: Session, claims: Iterable[tuple[AssetKey, str]]) -> dict[str, Replaceable]:
    """Give for each path of (key, path) what the pictures of these keys may replace there."""
    keys: dict[str, set[AssetKey]] = {}
    for key, path in claims:
        keys.setdefault(path, set()).add(key)
    left = [file for file in session.store.obsolete() if file.path in keys]
    return {path: _replaceable(session, path, wanted, left) for path, wanted in keys.items()}


def _replaceable(session: Session, path: str, keys: Collection[AssetKey], left: Iterable[Obsolete]) -> Replaceable:
    ours = {file.sha256 for file in left if file.path == path}
    others: set[str] = set()
    anything = False
    for record in map(session.store.record, session.store.owners(path)):
        if record is None or record.artifact is None:
            continue
        if record.key in keys:
            ours.add(record.artifact.sha256)
            anything |= record.drift is DriftKind.TAMPERED
        else:
            others.add(record.artifact.sha256)
    return Replaceable(frozenset(ours), frozenset(others), anything)


def other_holder(session: Session, key: AssetKey, path: str) -> AssetKey | None:
    """Give the key of another record, or of a batch that another run began, that holds the path now; None: nobody."""
    owner = next((one for one in session.store.owners(path) if one != key), None)
    if owner is not None:
        return owner
    fold = folded(path)
    claimed = session.claimed_path(fold)
    if claimed is not None and claimed != key:
        return claimed
    other = session.published.get(fold)
    if other is not None and other != key and _holds(session, other, fold):
        return other
    clash = session.clashes.get(key)
    return clash.key if clash is not None and meet(folded(clash.path), fold) else None


def _holds(session: Session, key: AssetKey, fold: str) -> bool:
    record = session.store.record(key)
    return record is not None and record.artifact is not None and folded(record.artifact.path) == fold


def why_taken(path: str, holder: AssetKey) -> str:
    """Say why a picture is left out."""
    return f"its output path {path} belongs to {holder}"


def make_way(session: Session, pending: MovesIntended) -> frozenset[str]:
    """Rename what lies at paths that files are moved to and that no record gives up; gives these paths."""
    spared = set()
    artifacts = session.ports.artifacts
    leaving = _make_room(session, pending)
    for path in dict.fromkeys(move.new_path for move in pending.moves):
        if leaving.meets(path) and not session.store.owners(path):
            continue  # a file that becomes a folder, or the reverse: what leaves makes room
        found = artifacts.foreign_file(path, _gives_up(session, pending, path).allows)
        new_path = None if found is None else artifacts.move_aside(path, found)
        if new_path is not None:
            spared.add(path)
            session.ports.sink(FileSpared(path, new_path))
    return frozenset(spared)


def _make_room(session: Session, pending: MovesIntended) -> PathIndex:
    """Remove files that go anyway and stand where a folder will be, or the reverse; gives all paths that are left."""
    news, olds, leaving = PathIndex(), {move.old_path for move in pending.moves}, PathIndex()
    for move in pending.moves:
        news.add(move.new_path)
    exact = {move.new_path for move in pending.moves}
    for file in pending.obsolete:
        leaving.add(file.path)
        if file.path not in olds and file.path not in exact and news.meets(file.path):
            session.ports.artifacts.remove(file)
    return leaving


def _gives_up(session: Session, pending: MovesIntended, path: str) -> Replaceable:
    """What may be replaced once the moves are done: the bytes of records that leave the path, and what was moved."""
    after = {put.key: put for put in pending.puts}
    files = (*session.store.obsolete(), *pending.obsolete)
    ours = {file.sha256 for file in files if file.path == path}
    ours.update(move.sha256 for move in pending.moves if move.new_path == path)
    others: set[str] = set()
    for record in map(session.store.record, session.store.owners(path)):
        if record is None or record.artifact is None:
            continue
        put = after.get(record.key)
        stays = record.key not in pending.removes and (put is None or (put.artifact or record.artifact).path == path)
        is_own = put is not None and stays and any(move.key == record.key for move in pending.moves)
        (others if stays and not is_own else ours).add(record.artifact.sha256)
    arrives = {move.sha256 for move in pending.moves if move.new_path == path}
    return Replaceable(frozenset(ours), frozenset(others - arrives))


def with_losers(
    session: Session, entry: Settled | Recorded | Moved, spared: Collection[str] = frozenset()
) -> Sequence[Entry]:
    """Give the entry that records published pictures, and one for the records whose files they replaced.

    `spared`: paths at which something was renamed. Where another run was later, it is our picture that is drift.
    """
    keys = {put.key for put in entry.puts} | set(() if isinstance(entry, Settled) else entry.removes)
    taken = [put for put in entry.puts if put.artifact is not None and put.status is Status.STORED]
    losers: dict[AssetKey, Record] = {}
    ours: dict[AssetKey, Record] = {}
    for put in taken:
        assert put.artifact is not None
        others = [one for one in _others(session, put.artifact.path) if one.key not in keys]
        losers.update((one.key, lost) for one in others if (lost := _observed(session, one)) is not None)
        changed = _observed(session, put) if others else None
        if changed is not None:
            ours[put.key] = changed
    folds = {folded(path) for path in spared}
    if folds:
        near = (one for one in session.store.records() if one.artifact and folded(one.artifact.path) in folds)
        losers.update((one.key, lost) for one in near if one.key not in keys and (lost := _observed(session, one)))
    if ours:
        entry = replace(entry, puts=tuple(ours.get(put.key, put) for put in entry.puts))
    return (entry, Recorded("displaced", tuple(losers.values()), (), (), session.now())) if losers else (entry,)


def _others(session: Session, path: str) -> Iterator[Record]:
    return (one for one in map(session.store.record, session.store.owners(path)) if one is not None)


def _observed(session: Session, record: Record) -> Record | None:
    """Look at a record's file; the record with its drift where there is any that is new, else None."""
    if record.artifact is None or record.drift is not None or not record.artifact.is_kept:
        return None
    seen = session.ports.artifacts.check(record.artifact)
    if seen == "missing" and not session.ports.has_held(record.artifact.path, record.artifact.sha256):
        return None  # it was never here
    drift = observe_artifact(record, seen)
    return None if drift is None else replace(record, drift=drift.kind)


def tell_spared(session: Session, published: Published, path: str) -> None:
    """Tell of what was spared at a path that is taken by now."""
    if path in published.spared:
        session.ports.sink(FileSpared(path, published.spared[path]))
