"""All published files to another folder, without a render. May be killed at any point, and is then done again.

Each file is verified and durable at its new place before the old one goes; the state names the new place last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pictify_sync.core.drift import observe_artifact
from pictify_sync.core.entries import Bound, Entry, Obsolete, ProjectIdentity, Recorded
from pictify_sync.core.events import AssetStored, FileLeft, FileSpared
from pictify_sync.core.media import PNG, format_of
from pictify_sync.core.model import AssetKey, DriftKind, Record
from pictify_sync.core.ports import ArtifactStore, Expectation, ReadableStore
from pictify_sync.errors import DownloadError
from pictify_sync.workflows.apply.session import Session

CHUNK = 1000  # records per log entry


@dataclass(frozen=True, slots=True)
class Removal:
    """Where the pictures are, and where they go."""

    olds: Sequence[ReadableStore]  # none: both are one folder by now, only the name is another
    new: ArtifactStore
    nested: bool  # the new folder lies in an old one: what lies deepest goes first, else last
    held: Callable[[AssetKey], bool]  # whether a picture that is in no place should be here
    scattered: tuple[str, ...] = ()  # names of all places but the recorded one, until every picture is at the new one


def relocate(session: Session, project: ProjectIdentity, removal: Removal) -> tuple[int, int]:
    """Bring every published file to the new place and record it; gives how many went, and how many are lost."""
    records = [one for one in session.store.records() if one.artifact is not None and one.artifact.is_kept]
    records.sort(key=lambda one: (one.artifact.path.count("/") if one.artifact else 0, one.key), reverse=removal.nested)
    moved, lost = 0, dict[AssetKey, Record]()
    if removal.olds and records:
        session.commit(partial(_begun, session, removal))
    for record in records if removal.olds else ():
        if session.ports.stop():
            return moved, 0
        seen = _bring(session, removal, record)
        moved += seen == ""
        drift = observe_artifact(record, seen) if seen else None
        if drift is not None and record.drift in (None, DriftKind.TAMPERED) and removal.held(record.key):
            lost[record.key] = record
    for store in (*removal.olds, removal.new) if removal.olds else ():
        store.sweep()
    session.commit(partial(_entries, session, project, lost))
    return moved, len(lost)


def _begun(session: Session, removal: Removal) -> Sequence[Entry]:
    """Name all places before the first file goes: whatever the settings say after a kill, no picture is forgotten."""
    bound = session.store.project()
    if bound is None or set(removal.scattered) <= {bound.place, *bound.scattered}:
        return ()
    return (Bound(replace(bound, scattered=removal.scattered), session.now()),)


def _bring(session: Session, removal: Removal, record: Record) -> str:
    """Bring one file; "" when it went, else what is at its new place: present, missing.

    A file with other bytes is nobody's at either place: it is left, or set aside.
    """
    artifact = record.artifact
    assert artifact is not None
    before = removal.new.check(artifact)
    if before != "present":
        looks = [(old, old.check(artifact)) for old in removal.olds]
        old = next((old for old, seen in looks if seen == "present"), None)
        if old is None or not _copied(session, removal, old, record):
            if old is not None or any(seen == "changed" for _, seen in looks):
                session.ports.sink(FileLeft(artifact.path))
            return "missing"
    for one in removal.olds:
        one.remove(Obsolete(artifact.path, artifact.sha256))
    session.ports.sink(AssetStored(record.key, artifact.path, rendered=False))
    return "" if before != "present" else "present"


def _copied(session: Session, removal: Removal, old: ReadableStore, record: Record) -> bool:
    """Publish the file at the new place, too; False when it cannot be read as a picture."""
    artifact, new = record.artifact, removal.new
    assert artifact is not None
    try:
        staged = new.stage(old.chunks(artifact), Expectation(_format(record), None, None))
    except DownloadError:
        return False
    found = new.foreign_file(artifact.path, artifact.sha256.__eq__)
    spared = None if found is None else new.move_aside(artifact.path, found)
    if spared is not None:
        session.ports.sink(FileSpared(artifact.path, spared))
    new.publish(staged, [artifact.path])
    return True


def _format(record: Record) -> str:
    if record.spec is not None:
        return record.spec.format
    return (record.artifact and format_of(record.artifact.path)) or PNG.name


def _entries(session: Session, project: ProjectIdentity, lost: dict[AssetKey, Record]) -> Sequence[Entry]:
    """The new place, and what was found at neither; records that changed meanwhile are left to the next refresh."""
    same = [one for one in lost.values() if session.store.record(one.key) == one]
    same = [replace(one, drift=DriftKind.MISSING) for one in same]
    chunks = (tuple(same[start : start + CHUNK]) for start in range(0, len(same), CHUNK))
    recorded = [Recorded("relocate", chunk, (), (), session.now()) for chunk in chunks]
    return [*recorded, Bound(project, session.now())]
