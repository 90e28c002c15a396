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
from pictify_sync.core.model import AssetKey, Format, Record
from pictify_sync.core.ports import ArtifactStore, Expectation, ReadableStore
from pictify_sync.errors import DownloadError
from pictify_sync.workflows.session import Session

CHUNK = 1000  # records per log entry


@dataclass(frozen=True, slots=True)
class Removal:
    """Where the pictures are, and where they go."""

    old: ReadableStore
    new: ArtifactStore
    nested: bool  # the new folder lies in the old one: what lies deepest goes first, else last
    same: bool  # both are one folder by now: only the name is another
    held: Callable[[AssetKey], bool]  # whether a picture that is in neither place should be here


def relocate(session: Session, project: ProjectIdentity, removal: Removal) -> int:
    """Bring every published file to the new place and record it; gives how many files went."""
    records = [one for one in session.store.records() if one.artifact is not None and one.artifact.is_kept]
    records.sort(key=lambda one: (one.artifact.path.count("/") if one.artifact else 0, one.key), reverse=removal.nested)
    moved, lost = 0, dict[AssetKey, Record]()
    for record in () if removal.same else records:
        if session.ports.stop():
            return moved
        seen = _bring(session, removal, record)
        moved += seen == ""
        drift = observe_artifact(record, seen) if seen else None
        if drift is not None and record.drift is None and removal.held(record.key):
            lost[record.key] = replace(record, drift=drift.kind)
    if not removal.same:
        removal.old.sweep()
        removal.new.sweep()
    session.commit(partial(_entries, session, project, lost))
    return moved


def _bring(session: Session, removal: Removal, record: Record) -> str:
    """Bring one file; "" when it went, else what is at its new place: present, missing, changed."""
    artifact = record.artifact
    assert artifact is not None
    old, new = removal.old, removal.new
    before = new.check(artifact)
    if before != "present":
        seen = old.check(artifact)
        if seen != "present":
            if seen == "changed":
                session.ports.sink(FileLeft(artifact.path))
            return before if before == "changed" else seen
        try:
            staged = new.stage(old.chunks(artifact), Expectation(_format(record), None, None))
        except DownloadError:
            session.ports.sink(FileLeft(artifact.path))
            return "changed"
        found = new.stranger(artifact.path, artifact.sha256.__eq__)
        spared = None if found is None else new.spare(artifact.path, found)
        if spared is not None:
            session.ports.sink(FileSpared(artifact.path, spared))
        new.publish(staged, [artifact.path])
    old.remove(Obsolete(artifact.path, artifact.sha256))
    session.ports.sink(AssetStored(record.key, artifact.path, rendered=False))
    return "" if before != "present" else "present"


def _format(record: Record) -> Format:
    if record.spec is not None:
        return record.spec.format
    ending = "" if record.artifact is None else record.artifact.path.rpartition(".")[2].lower()
    return Format(ending) if ending in set(Format) else Format.PNG


def _entries(session: Session, project: ProjectIdentity, lost: dict[AssetKey, Record]) -> Sequence[Entry]:
    """The new place, and what was found at neither; records that changed meanwhile are left to the next refresh."""
    same = [one for one in lost.values() if session.store.record(one.key) == replace(one, drift=None)]
    chunks = (tuple(same[start : start + CHUNK]) for start in range(0, len(same), CHUNK))
    recorded = [Recorded("relocate", chunk, (), (), session.now()) for chunk in chunks]
    return [*recorded, Bound(project, session.now())]
