"""Work of other runs on the same state: what they are at, and batches of ours that they closed meanwhile.

What another run is at is watched and never taken away from it before its time (`core.journal`). What it closed first
is recorded as far as that harms nobody, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pictify_sync.core import events, journal
from pictify_sync.core.entries import Abandoned, Entry, MovesIntended, OpenBatch, Recorded, Settled, claimed_keys
from pictify_sync.core.model import Record, Status
from pictify_sync.core.reconcile import replaced
from pictify_sync.errors import StateError
from pictify_sync.workflows.apply.outcome import Tally
from pictify_sync.workflows.apply.session import Session

if TYPE_CHECKING:
    from pictify_sync.workflows.apply.attempts import Attempts, OpenAttempt

FIRST_LOOK, LONGEST_PAUSE = 0.1, 5.0  # seconds between looks at the state: each may ask a remote
GROWTH = 1.5  # of these pauses


def watch(attempts: Attempts, attempt: OpenAttempt, seconds: float) -> None:
    """Wait for a batch of another run, that long at most."""
    now, intended = attempts.clock.monotonic(), attempt.intended
    attempt.elsewhere_until, attempt.pause = now + seconds, FIRST_LOOK
    attempt.due = now + attempt.pause
    attempt.takes_room = intended.instance in ("", attempts.instance)
    attempts.open[intended.attempt] = attempt
    attempts.sink(events.BatchElsewhere(intended.attempt, intended.batch.renders, seconds))


def look(attempts: Attempts, attempt: OpenAttempt) -> OpenBatch | None:
    """See what became of a watched batch; gives it once there is something to decide about it."""
    session, name = attempts.session, attempt.intended.attempt
    assert attempt.elsewhere_until is not None
    session.sync()
    opened = session.open_batch(name)
    now = attempts.clock.monotonic()
    if opened is None:
        del attempts.open[name]
        _note_closed(session, attempts.tally, name)
        return None
    if now < attempt.elsewhere_until and (opened.batch_id, opened.doubt) == (attempt.batch_id, attempt.doubt):
        attempt.pause = min(LONGEST_PAUSE, attempt.pause * GROWTH)
        attempt.due = min(now + attempt.pause, attempt.elsewhere_until)
        return None
    del attempts.open[name]
    return opened


def await_moves(session: Session, pending: MovesIntended) -> bool:
    """Leave the moves of another clone to it; True: they are to be finished here, False: they are done, or a stop."""
    clock, stop, pause = session.ports.clock, session.ports.stop, FIRST_LOOK
    seconds = journal.moves_left(pending, session.ports.place(), clock.now())
    if seconds <= 0:
        return True
    session.ports.sink(events.MovesElsewhere(len(pending.moves), seconds))
    until = clock.monotonic() + seconds
    while session.store.pending_moves() == pending and not stop():
        left = until - clock.monotonic()
        if left <= 0:
            return True
        clock.sleep(min(pause, left))
        pause = min(LONGEST_PAUSE, pause * GROWTH)
        session.sync()
    return False


def _note_closed(session: Session, tally: Tally, attempt: str) -> None:
    """Note how another run closed a batch that this one left to it: what it recorded is looked at in the end."""
    session.catch_up()  # it may have been closed just now
    if not isinstance(session.closed.get(attempt), Settled):
        tally.freed = tally.freed_by_others = True


def closed_first(session: Session, tally: Tally, settled: Settled) -> None:
    """Deal with outcomes that came too late, since another run had closed their batch.

    A batch that it gave up may have been rendered all the same: the ledger says so already, by what it gave it up with.
    """
    session.catch_up()  # it may have been closed just now
    closed = session.closed.get(settled.attempt)
    if isinstance(closed, Settled):
        return
    why = closed.detail if isinstance(closed, Abandoned) else "it is no longer in the state"
    session.ports.sink(events.BatchTaken(settled.attempt, len(settled.puts), why))
    tally.taken.add(settled.attempt)
    tally.freed = True
    late: list[Record] = []
    if session.commit(partial(_late, session, settled, late)):
        for put in late:
            tally.lost.pop(put.key, None)
            if put.artifact is None:
                tally.unresolved += 1
            else:
                tally.stored += 1
                session.ports.sink(events.AssetStored(put.key, put.artifact.path, rendered=True))


def _late(session: Session, settled: Settled, late: list[Record]) -> Sequence[Entry]:
    """Record the pictures that nobody has claimed, made or changed since."""
    claimed = claimed_keys(session.store.open_batches())
    late[:] = [
        put
        for put in settled.puts
        if put.status is not Status.FAILED
        and put.key not in claimed
        and put.key not in session.touched
        and set(session.store.owners(put.output)) <= {put.key}
    ]
    if not late:
        return ()
    obsolete = tuple(file for put in late for file in replaced(session.store.record(put.key), put))
    return (Recorded("late", tuple(late), (), obsolete, session.now()),)


def confirm(session: Session, tally: Tally) -> None:
    """Have everything where other runs see it; what could not get there was not done, whatever was counted."""
    try:
        session.sync()
    except StateError as error:
        tally.stopped = f"{error}; {error.hint}" if error.hint else str(error)
        return
    dropped, session.dropped = session.dropped, []
    for entry in dropped:
        if isinstance(entry, Settled | Abandoned):
            tally.billed_min -= entry.billed_min
            tally.billed_max -= entry.billed_max
        if isinstance(entry, Settled):
            keys = {put.key for put in entry.puts if put.status is Status.FAILED}
            tally.failed[:] = [one for one in tally.failed if one[0] not in keys]
            tally.stored -= sum(put.status is Status.STORED for put in entry.puts)
            tally.unresolved -= sum(put.status is Status.RENDERED for put in entry.puts)
            closed_first(session, tally, entry)
