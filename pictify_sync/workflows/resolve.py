"""The use cases `cancel` and `resolve`: a person decides about open batches."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from pictify_sync.core.entries import Abandoned, Entry, OpenBatch, Submitted
from pictify_sync.errors import UsageError
from pictify_sync.workflows.send import holders
from pictify_sync.workflows.session import Session


class Resolution(StrEnum):
    """What a person knows about a batch in doubt."""

    ADOPT = "adopt"  # the provider took it, under a batch id that is known now
    RESUBMIT = "resubmit"  # render again; the provider may have made it
    WRITE_OFF = "write_off"  # the provider made it, and it is lost


def find(session: Session, attempt: str) -> OpenBatch:
    """Give the open batch of an attempt, or of the only one that starts so. Raises UsageError."""
    opened = session.store.open_batches()
    found = [batch for batch in opened if batch.intended.attempt.startswith(attempt) or batch.batch_id == attempt]
    if len(found) != 1:
        known = ", ".join(batch.intended.attempt for batch in opened) or "none"
        raise UsageError(f"{attempt} is not one open batch", hint=f"open batches: {known}")
    return found[0]


def resolve(session: Session, attempt: str, how: Resolution, batch_id: str = "") -> OpenBatch:
    """Settle a doubt. Raises UsageError when the batch is not in doubt."""
    opened = find(session, attempt)
    intended = opened.intended
    if opened.batch_id is not None:
        raise UsageError(f"{intended.attempt} is not in doubt", hint="pictify-sync apply, or pictify-sync cancel")
    pictures = intended.batch.renders
    entry: Entry
    match how:
        case Resolution.ADOPT:
            if holders(session, intended, batch_id):
                raise UsageError(f"{batch_id} is the id of another batch", hint="look it up with: pictify-sync log")
            entry = Submitted(intended.attempt, batch_id, session.now())
        case Resolution.RESUBMIT:
            entry = Abandoned(intended.attempt, "resolved: to be rendered again", 0, pictures, session.now())
        case Resolution.WRITE_OFF:
            entry = Abandoned(intended.attempt, "resolved: written off", pictures, pictures, session.now())
    session.commit(partial(_if_in_doubt, session, intended.attempt, entry))
    return opened


def _if_in_doubt(session: Session, attempt: str, entry: Entry) -> Sequence[Entry]:
    for opened in session.store.open_batches():
        if opened.intended.attempt == attempt and opened.batch_id is None:
            return (entry,)
    return ()


def cancel(session: Session, attempt: str | None) -> tuple[OpenBatch, ...]:
    """Ask the provider to cancel one open batch, or all of them. Their outcomes are recorded by `recover`."""
    chosen = session.store.open_batches() if attempt is None else (find(session, attempt),)
    asked = tuple(batch for batch in chosen if batch.batch_id is not None)
    for batch in asked:
        assert batch.batch_id is not None
        session.ports.provider(batch.intended.batch.group.provider).cancel(batch.batch_id)
    return asked
