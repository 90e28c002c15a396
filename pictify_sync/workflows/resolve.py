"""The use cases `cancel` and `resolve`: a person decides about open batches."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from pictify_sync.core.abilities import instance_of
from pictify_sync.core.entries import Abandoned, Entry, OpenBatch, Submitted
from pictify_sync.core.journal import is_held_elsewhere
from pictify_sync.errors import UsageError
from pictify_sync.workflows.apply.attempts import holders
from pictify_sync.workflows.apply.session import Session, is_at_other_service


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


def _is_elsewhere(session: Session, opened: OpenBatch) -> bool:
    if is_at_other_service(session, opened):
        return True
    provider = session.ports.provider(opened.intended.batch.group.provider)
    return is_held_elsewhere(opened, instance_of(provider))


def resolve(session: Session, attempt: str, how: Resolution, batch_id: str = "") -> OpenBatch:
    """Settle a doubt. Raises UsageError when the batch is not in doubt."""
    opened = find(session, attempt)
    intended = opened.intended
    if opened.batch_id is not None and not _is_elsewhere(session, opened):
        raise UsageError(f"{intended.attempt} is not in doubt", hint="pictify-sync apply, or pictify-sync cancel")
    pictures = intended.batch.renders
    entry: Entry
    match how:
        case Resolution.ADOPT if opened.batch_id is not None:
            raise UsageError(f"{intended.attempt} is open as {opened.batch_id} already")
        case Resolution.ADOPT:
            if holders(session, intended, batch_id):
                raise UsageError(f"{batch_id} is the id of another batch", hint="look it up with: pictify-sync log")
            entry = Submitted(intended.attempt, batch_id, session.now())
        case Resolution.RESUBMIT:
            entry = Abandoned(intended.attempt, "resolved: to be rendered again", 0, pictures, session.now())
        case Resolution.WRITE_OFF:
            entry = Abandoned(intended.attempt, "resolved: written off", pictures, pictures, session.now())
    session.commit(partial(_if_as_found, session, opened, entry))
    return opened


def _if_as_found(session: Session, found: OpenBatch, entry: Entry) -> Sequence[Entry]:
    for opened in session.store.open_batches():
        if (opened.intended.attempt, opened.batch_id) == (found.intended.attempt, found.batch_id):
            return (entry,)
    return ()


def cancel(session: Session, attempt: str | None) -> tuple[OpenBatch, ...]:
    """Ask the provider to cancel one open batch, or all of them. Their outcomes are recorded by `recover`.

    What another embedded server or service holds only that one can cancel: UsageError when it was asked for by name.
    """
    chosen = session.store.open_batches() if attempt is None else (find(session, attempt),)
    asked = tuple(batch for batch in chosen if batch.batch_id is not None and not _is_elsewhere(session, batch))
    if attempt is not None and any(_is_elsewhere(session, batch) for batch in chosen):
        there = chosen[0].intended.service
        raise UsageError(
            f"{chosen[0].intended.attempt} is being rendered "
            + (f"at {there}" if there else "by the embedded server of another folder"),
            hint="run pictify-sync cancel there; or give it up with: pictify-sync resolve --resubmit",
        )
    for batch in asked:
        assert batch.batch_id is not None
        session.ports.provider(batch.intended.batch.group.provider).cancel(batch.batch_id)
    return asked
