"""The use case `refresh`: look at what is published, and record what differs. The next plan repairs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pictify_sync.core.drift import Drift, observe_artifact, with_drift
from pictify_sync.core.entries import Entry, Recorded
from pictify_sync.core.model import AssetKey, Record
from pictify_sync.workflows.session import Session

CHUNK = 1000  # records per log entry


def observe(session: Session, selected: Callable[[AssetKey], bool]) -> tuple[Drift, ...]:
    """Check the published files of the selected records; give the drift, sorted by key. Writes nothing."""
    chosen = (record for record in session.store.records() if selected(record.key))
    return tuple(drift for record in chosen if (drift := _look(session, record)) is not None)


def _look(session: Session, record: Record) -> Drift | None:
    if record.artifact is None:
        return None
    return observe_artifact(record, session.ports.artifacts.check(record.artifact))


def refresh(session: Session, selected: Callable[[AssetKey], bool]) -> tuple[Drift, ...]:
    """Observe, and record both new drift and drift that is gone; gives the drift."""
    found: list[Drift] = []
    changed: list[Record] = []
    for record in session.store.records():
        if selected(record.key):
            drift = _look(session, record)
            if drift is not None:
                found.append(drift)
            if with_drift(record, drift) is not None:
                changed.append(record)
    for start in range(0, len(changed), CHUNK):
        session.commit(partial(_observed, session, changed[start : start + CHUNK]))
    return tuple(found)


def _observed(session: Session, records: Sequence[Record]) -> Sequence[Entry]:
    """Judge the records as they are by now: another run may have mended them."""
    puts = []
    for old in records:
        record = session.store.record(old.key)
        if record is not None:
            put = with_drift(record, _look(session, record))
            if put is not None:
                puts.append(put)
    return (Recorded("refresh", tuple(puts), (), (), session.now()),) if puts else ()
