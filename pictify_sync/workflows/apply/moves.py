"""Files that go to another path, or go away, without a render. Every step is durable before the next begins.

Moves: `MovesIntended`, then the files, then `Moved`; a run that dies in between is finished by the next one first.
Deletes: the record first, then the file, as an obsolete one that is cleaned until it is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pictify_sync.core.entries import Cleaned, Entry, FileMove, Moved, MovesIntended, Obsolete, Recorded, claimed_keys
from pictify_sync.core.events import AssetRemoved, AssetStored, FileLeft
from pictify_sync.core.model import Action, Asset, AssetKey, Change, DriftKind, Record, Status
from pictify_sync.core.paths import PathIndex, folded, meet
from pictify_sync.core.reconcile import replaced
from pictify_sync.workflows.apply.clear_path import make_way, other_holder, why_taken, with_losers
from pictify_sync.workflows.apply.other_runs import await_moves
from pictify_sync.workflows.apply.session import Session

CHUNK = 1000  # changes per log entry


@dataclass(frozen=True, slots=True)
class Carried:
    """What one round of moves did."""

    carried: int
    missing: int  # sources that were not there: they are drift now, and the next plan repairs them
    removed: int = 0  # records that are no longer desired, whose paths are needed


@dataclass(slots=True)
class _Draft:
    """What one MovesIntended will say."""

    moves: list[FileMove] = field(default_factory=list)
    puts: dict[AssetKey, Record] = field(default_factory=dict)
    removes: list[AssetKey] = field(default_factory=list)
    obsolete: list[Obsolete] = field(default_factory=list)
    gone: list[Record] = field(default_factory=list)  # deletes among the removes


def carry(session: Session, changes: Sequence[Change], leaving: Sequence[Change] = ()) -> Carried:
    """Move and copy published files to where the changes want them.

    `leaving`: deletes, and updates that go elsewhere, whose present paths other changes take. Their files go first.
    """
    carried = missing = removed = 0
    for chunk in _chunks(changes, leaving):
        gone: list[Record] = []
        if session.commit(partial(_intend, session, chunk, gone)):
            # the batches of the plan must not render them
            session.touched.update(change.key for change in chunk if change.source is not None)
            done = finish_moves(session)
            carried += done.carried - sum(change.source is None and change.asset is not None for change in chunk)
            missing += done.missing
            removed += len(gone)
            for record in gone:
                session.ports.sink(AssetRemoved(record.key, record.artifact.path if record.artifact else None))
    return Carried(max(0, carried), missing, removed)


def _chunks(changes: Sequence[Change], leaving: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Keep moves that touch each other's paths in one chunk, so that cycles are carried as a whole."""
    every = [*changes, *leaving]
    olds, news = PathIndex(), PathIndex()
    for path in (path for change in every for path in _olds(change)):
        olds.add(path)
    for change in changes:
        if change.asset is not None:
            news.add(change.asset.output)
    for change in leaving:
        if change.asset is not None:
            news.add(change.asset.output)
    freed = {change.key for change in leaving}

    def is_tangled(change: Change) -> bool:
        wanted = change.asset is not None and olds.meets(change.asset.output)
        return (
            wanted or (change.source is not None and change.source.key in freed) or any(map(news.meets, _olds(change)))
        )

    together = [change for change in every if is_tangled(change)]
    apart = [change for change in every if not is_tangled(change)]
    if together:
        yield together
    for start in range(0, len(apart), CHUNK):
        yield apart[start : start + CHUNK]


def _olds(change: Change) -> Iterator[str]:
    """Give the paths that a change reads or leaves."""
    for record in (change.source, change.record):
        if record is not None and record.artifact is not None:
            yield record.artifact.path


def _intend(session: Session, changes: Iterable[Change], gone: list[Record]) -> Sequence[Entry]:
    """Write down the moves whose source is still recorded as planned, and whose new path nobody else keeps."""
    if session.store.pending_moves() is not None:
        finish_moves(session)
        return () if session.store.pending_moves() is not None else _intend(session, changes, gone)
    keys = claimed_keys(session.store.open_batches())
    left = list(changes)
    while True:
        draft = _Draft()
        for change in left:
            _add(session, draft, change, keys)
        refused = {move.key: holder for move in draft.moves if (holder := _kept_by(session, draft, move))}
        if not refused:
            break
        for change in left:
            if change.key in refused and change.asset is not None:
                session.refused[change.key] = why_taken(change.asset.output, refused[change.key])
        left = [change for change in left if change.key not in refused]
    gone[:] = draft.gone
    if not draft.moves and not draft.puts and not draft.removes:
        return ()
    puts, removes = tuple(draft.puts.values()), tuple(draft.removes)
    moves, obsolete = tuple(draft.moves), tuple(draft.obsolete)
    return (MovesIntended(moves, puts, removes, obsolete, session.now(), session.ports.place()),)


def _kept_by(session: Session, draft: _Draft, move: FileMove) -> AssetKey | None:
    """Give the key that holds a move's new path, and will once the draft is carried out."""
    holder = other_holder(session, move.key, move.new_path)
    if holder is None or holder in draft.removes:
        return None
    put = draft.puts.get(holder)
    leaves = put is not None and put.artifact is not None and not meet(folded(put.artifact.path), folded(move.new_path))
    return None if leaves else holder


def _add(session: Session, draft: _Draft, change: Change, claimed: Collection[AssetKey]) -> None:
    record = session.store.record(change.key)
    if change.action is Action.DELETE:
        if record is not None and record == change.record and record.key not in claimed:
            draft.removes.append(record.key)
            draft.gone.append(record)
            draft.obsolete += [Obsolete(record.artifact.path, record.artifact.sha256)] if record.artifact else []
        return
    asset, planned = change.asset, change.source or change.record
    assert asset is not None
    assert planned is not None
    source = session.store.record(planned.key)
    if source is None or source.artifact is None or source.artifact != planned.artifact:
        return
    if asset.key in claimed or session.is_taken(asset.key):
        return
    if change.source is None:
        before: Record | None = source
        after = replace(source, artifact=replace(source.artifact, path=asset.output), output=asset.output)
    else:
        before = source if change.action is Action.MOVE else record
        after = _carried(asset, source, before)
    if change.source is not None or source.drift not in (DriftKind.MISSING, DriftKind.TAMPERED):
        draft.moves.append(FileMove(asset.key, source.artifact.sha256, source.artifact.path, asset.output))
    draft.puts[asset.key] = after
    draft.obsolete.extend(replaced(before, after))
    if change.action is Action.MOVE and source.key != asset.key:
        draft.removes.append(source.key)


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
    """Carry the files of a pending MovesIntended, whoever intended it, and record where they are.

    What another clone does in its own folder is waited for. After its lease, a file that was never here is recorded
    as moved: it is there, not lost. A stop ends the wait, and leaves them pending.
    """
    while (pending := session.store.pending_moves()) is not None and not await_moves(session, pending):
        if session.ports.stop():
            return Carried(0, 0)
    if pending is None:
        return Carried(0, 0)
    spared = make_way(session, pending)
    leaving = frozenset(file.path for file in pending.obsolete)
    absent = session.ports.artifacts.move(pending.moves, lambda path: path not in leaving)
    missing = [move for move in absent if _was_here(session, move)]
    session.commit(partial(_moved, session, pending, missing, spared))
    left = {move.key for move in absent}
    for move in pending.moves:
        if move.key not in left:
            session.ports.sink(AssetStored(move.key, move.new_path, rendered=False))
    return Carried(len(pending.moves) - len(left), len({move.key for move in missing}))


def _was_here(session: Session, move: FileMove) -> bool:
    return any(session.ports.has_held(path, move.sha256) for path in (move.old_path, move.new_path))


def _moved(
    session: Session, pending: MovesIntended, missing: Sequence[FileMove], spared: frozenset[str]
) -> Sequence[Entry]:
    if session.store.pending_moves() != pending:
        return ()
    lost = {move.key for move in missing}
    puts = [replace(put, drift=DriftKind.MISSING) if put.key in lost else put for put in pending.puts]
    puts.extend(_lost_sources(session, pending, missing))
    return with_losers(session, Moved(tuple(puts), pending.removes, pending.obsolete, session.now()), spared)


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
    claimed = claimed_keys(session.store.open_batches())
    now = (session.store.record(change.key) for change in changes if change.key not in claimed)
    planned = {change.key: change.record for change in changes}
    gone[:] = [record for record in now if record is not None and record == planned[record.key]]
    if not gone:
        return ()
    obsolete = tuple(Obsolete(record.artifact.path, record.artifact.sha256) for record in gone if record.artifact)
    return (Recorded("delete", (), tuple(record.key for record in gone), obsolete, session.now()),)


def clean(session: Session) -> None:
    """Remove obsolete files that no record owns again.

    A file with other bytes is left, said once in a session, and stays recorded as obsolete until it is gone.
    """
    left = session.left
    while files := tuple(file for file in session.store.obsolete() if file not in left):
        for file in files:
            if not session.store.owners(file.path) and not session.ports.artifacts.remove(file):
                left.add(file)
                session.ports.sink(FileLeft(file.path))
        session.commit(partial(_cleaned, session, tuple(file for file in files if file not in left)))


def _cleaned(session: Session, files: tuple[Obsolete, ...]) -> Sequence[Entry]:
    still = frozenset(session.store.obsolete())
    done = tuple(file for file in files if file in still)
    return (Cleaned(done, session.now()),) if done else ()
