"""Files that go to another path, or go away, without a render. Every step is durable before the next begins.

Moves: `MovesIntended`, then the files, then `Moved`; a run that dies in between is finished by the next one first.
Deletes: the record first, then the file, as an obsolete one that is cleaned until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pictify_sync.core.entries import Cleaned, Entry, FileMove, Moved, MovesIntended, Obsolete, Recorded
from pictify_sync.core.events import AssetRemoved, AssetStored, FileLeft
from pictify_sync.core.model import Action, Artifact, Asset, AssetKey, Change, DriftKind, Record, Status
from pictify_sync.core.reconcile import replaced
from pictify_sync.workflows.making_way import make_way
from pictify_sync.workflows.session import Session

CHUNK = 1000  # changes per log entry


@dataclass(frozen=True, slots=True)
class Carried:
    """What one round of moves did."""

    carried: int
    missing: int  # sources that were not there: they are drift now, and the next plan repairs them


def carry(session: Session, changes: Sequence[Change]) -> Carried:
    """Move and copy published files to where the changes want them."""
    carried = missing = 0
    for chunk in _chunks(changes):
        if session.commit(partial(_intend, session, chunk)):
            done = finish_moves(session)
            carried += done.carried
            missing += done.missing
    return Carried(carried, missing)


def _chunks(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Keep moves that touch each other's paths in one chunk, so that cycles are carried as a whole."""
    olds = {artifact.path for change in changes if (artifact := _source(change)) is not None}
    news = {change.asset.output for change in changes if change.asset is not None}
    tangled = olds & news
    together = [change for change in changes if _paths(change) & tangled]
    apart = [change for change in changes if not _paths(change) & tangled]
    if together:
        yield together
    for start in range(0, len(apart), CHUNK):
        yield apart[start : start + CHUNK]


def _source(change: Change) -> Artifact | None:
    return None if change.source is None else change.source.artifact


def _paths(change: Change) -> frozenset[str]:
    artifact = _source(change)
    assert artifact is not None
    assert change.asset is not None
    return frozenset((artifact.path, change.asset.output))


def _intend(session: Session, changes: Iterable[Change]) -> Sequence[Entry]:
    """Write down the moves whose source is still recorded as planned."""
    if session.store.pending_moves() is not None:
        finish_moves(session)
        return _intend(session, changes)
    moves: list[FileMove] = []
    puts: list[Record] = []
    removes: list[AssetKey] = []
    obsolete: list[Obsolete] = []
    for change in changes:
        asset, planned = change.asset, change.source
        assert asset is not None
        assert planned is not None
        source = session.store.record(planned.key)
        if source is None or source.artifact is None or source.artifact != planned.artifact:
            continue
        before = source if change.action is Action.MOVE else session.store.record(asset.key)
        after = _carried(asset, source, before)
        moves.append(FileMove(asset.key, source.artifact.sha256, source.artifact.path, asset.output))
        puts.append(after)
        obsolete.extend(replaced(before, after))
        if change.action is Action.MOVE and source.key != asset.key:
            removes.append(source.key)
    if not moves:
        return ()
    return (MovesIntended(tuple(moves), tuple(puts), tuple(removes), tuple(obsolete), session.now()),)


def _carried(asset: Asset, source: Record, before: Record | None) -> Record:
    """Give the record of the asset once the source's bytes lie at its path."""
    assert source.artifact is not None
    return replace(
        source,
        key=asset.key,
        status=Status.STORED,
        fingerprint=asset.fingerprint,
        spec=asset.spec,
        artifact=replace(source.artifact, path=asset.output),
        output=asset.output,
        failure=None,
        attempts=0 if before is None else before.attempts,
        tainted=False,
        drift=None,
        protect=asset.protect,
    )


def finish_moves(session: Session) -> Carried:
    """Carry the files of a pending MovesIntended, whoever intended it, and record where they are."""
    pending = session.store.pending_moves()
    if pending is None:
        return Carried(0, 0)
    make_way(session, (move.new_path for move in pending.moves))
    leaving = frozenset(file.path for file in pending.obsolete)
    missing = session.ports.artifacts.move(pending.moves, lambda path: path not in leaving)
    session.commit(partial(_moved, session, pending, missing))
    lost = {move.key for move in missing}
    for move in pending.moves:
        if move.key not in lost:
            session.ports.sink(AssetStored(move.key, move.new_path, rendered=False))
    return Carried(len(pending.moves) - len(lost), len(lost))


def _moved(session: Session, pending: MovesIntended, missing: Sequence[FileMove]) -> Sequence[Entry]:
    if session.store.pending_moves() != pending:
        return ()
    lost = {move.key for move in missing}
    puts = [replace(put, drift=DriftKind.MISSING) if put.key in lost else put for put in pending.puts]
    puts.extend(_lost_sources(session, pending, missing))
    return (Moved(tuple(puts), pending.removes, pending.obsolete, session.now()),)


def _lost_sources(session: Session, pending: MovesIntended, missing: Sequence[FileMove]) -> Iterator[Record]:
    """Give the records that still claim a file which was not there: their pictures are missing as well."""
    settled = {put.key for put in pending.puts} | set(pending.removes)
    for path in sorted({move.old_path for move in missing}):
        for key in session.store.owners(path):
            record = session.store.record(key)
            if key not in settled and record is not None:
                yield replace(record, drift=DriftKind.MISSING)


def remove(session: Session, changes: Sequence[Change]) -> int:
    """Forget records that are no longer desired; gives how many. Their files go with the next `clean`."""
    removed = 0
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        gone: list[Record] = []
        if session.commit(partial(_forget, session, chunk, gone)):
            removed += len(gone)
            for record in gone:
                session.ports.sink(AssetRemoved(record.key, record.artifact.path if record.artifact else None))
    return removed


def _forget(session: Session, changes: Sequence[Change], gone: list[Record]) -> Sequence[Entry]:
    """Leave out what another run changed since the plan."""
    claimed = {claim.key for opened in session.store.open_batches() for claim in opened.intended.claims}
    now = (session.store.record(change.key) for change in changes if change.key not in claimed)
    planned = {change.key: change.record for change in changes}
    gone[:] = [record for record in now if record is not None and record == planned[record.key]]
    if not gone:
        return ()
    obsolete = tuple(Obsolete(record.artifact.path, record.artifact.sha256) for record in gone if record.artifact)
    return (Recorded("delete", (), tuple(record.key for record in gone), obsolete, session.now()),)


def clean(session: Session) -> None:
    """Remove obsolete files that no record owns again; a file with other bytes is left, and said so."""
    while files := session.store.obsolete():
        for file in files:
            if not session.store.owners(file.path) and not session.ports.artifacts.remove(file):
                session.ports.sink(FileLeft(file.path))
        session.commit(partial(_cleaned, session, files))


def _cleaned(session: Session, files: tuple[Obsolete, ...]) -> Sequence[Entry]:
    still = frozenset(session.store.obsolete())
    done = tuple(file for file in files if file in still)
    return (Cleaned(done, session.now()),) if done else ()
