"""Nobody's file is overwritten unseen: what lies where a picture goes and is none of ours gets another name first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pictify_sync.core.events import FileSpared
from pictify_sync.core.model import DriftKind
from pictify_sync.core.reconcile import Published
from pictify_sync.workflows.session import Session


def stranger(session: Session, path: str) -> str | None:
    """Give the sha256 of what lies at a path and is none of ours; None: nothing does."""
    return session.ports.artifacts.stranger(path, partial(_is_ours, session, path))


def make_way(session: Session, paths: Iterable[str]) -> None:
    """Spare what lies at paths that files are moved to."""
    for path in dict.fromkeys(paths):
        found = stranger(session, path)
        new_path = None if found is None else session.ports.artifacts.spare(path, found)
        if new_path is not None:
            session.ports.sink(FileSpared(path, new_path))


def tell_spared(session: Session, published: Published, path: str) -> None:
    """Tell of what was spared at a path that is taken by now."""
    if path in published.spared:
        session.ports.sink(FileSpared(path, published.spared[path]))


def _is_ours(session: Session, path: str, sha256: str) -> bool:
    """Whether bytes at a path are recorded, moving or obsolete; any are where the plan told that they are repaired."""
    store = session.store
    for record in map(store.record, store.owners(path)):
        kept = None if record is None else record.artifact
        if record is not None and kept is not None and (kept.sha256 == sha256 or record.drift is DriftKind.TAMPERED):
            return True
    moving = store.pending_moves()
    if moving is not None and any(
        one.sha256 == sha256 and path in (one.old_path, one.new_path) for one in moving.moves
    ):
        return True
    return any(file.path == path and file.sha256 == sha256 for file in store.obsolete())
