"""Batches on their way out: prepared, intended, sent at most once, and what the answer means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pictify_sync.core import events
from pictify_sync.core.entries import Doubted, Entry, Intended, Submitted
from pictify_sync.core.model import Batch
from pictify_sync.core.outcomes import Accepted, InDoubt, NotSent, Refused
from pictify_sync.core.reconcile import NotMade, Result
from pictify_sync.core.sensitive import cleaned, redactor_of
from pictify_sync.errors import InputError, StalePlan
from pictify_sync.workflows.apply.attempts import Attempts, OpenAttempt
from pictify_sync.workflows.apply.prepare import intend, narrowed, prepare, request
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.templates import forget_push

LONGEST_WAIT = 3600.0  # seconds that a run waits until it may send again: a limit by the day is left to another run
ANOTHERS_ID = "the provider answered with the id of another batch"
MAX_SENDS = 5  # times one attempt is sent, where sending again is harmless


def next_batch(attempts: Attempts) -> Batch | None:
    """Take the first batch of the queue that may be open beside those in flight; None when none may.

    Where URLs come by webhook or look-up only, a picture is told by its template and variables, so no two open batches
    may share both.
    """
    if attempts.capabilities.urls_in_results:
        return attempts.queue.popleft()
    now_open = [flight.intended.batch for flight in attempts.open.values()]
    taken = {(batch.group.template, item.variables) for batch in now_open for item in batch.items}
    for batch in attempts.queue:
        if not any((batch.group.template, item.variables) in taken for item in batch.items):
            attempts.queue.remove(batch)
            return batch
    return None


def submit(attempts: Attempts, batch: Batch) -> None:
    """Write a batch down, then send it."""
    session = attempts.session
    prepared = prepare(session, batch)
    for key, why in prepared.dropped:
        attempts.fail(key, "CHANGED_SINCE_PLAN", why)
    if prepared.batch is None:
        return
    if len(prepared.batch.items) < attempts.capabilities.min_items:
        attempts.postpone(prepared.batch)
        return
    made: list[Intended] = []
    if not session.commit(partial(_intend, attempts, prepared.batch, made)):
        return
    now = attempts.clock.monotonic()
    flight = OpenAttempt(made[-1], None, now, intended_at=now)
    if made[-1].batch == prepared.batch:
        flight.sets = prepared.variable_sets
    attempts.open[flight.intended.attempt] = flight
    send(attempts, flight)


def _intend(attempts: Attempts, batch: Batch, made: list[Intended]) -> Sequence[Entry]:
    left = narrowed(attempts.session, batch)
    if left != [batch]:
        attempts.enqueue(left, first=True)
        return ()
    made.append(intend(attempts.session, batch, attempts.uid_of(batch)))
    return (made[-1],)


def send(attempts: Attempts, flight: OpenAttempt) -> None:
    """Send the POST of an attempt; once, but where the provider honours the key."""
    sets, flight.sets = flight.sets, None
    intended = flight.intended
    try:
        body = request(attempts.session, intended, sets)
    except (InputError, StalePlan) as error:
        attempts.abandon(intended, str(error), (0, intended.batch.renders))
        return
    flight.sends += 1
    match cleaned(redactor_of(body), attempts.provider.submit(body)):
        case Accepted(batch_id):
            _accepted(attempts, flight, batch_id)
        case Refused() as refused:
            _refused(attempts, intended, refused)
        case NotSent(detail):
            if flight.sends < MAX_SENDS:
                attempts.pause(flight)
            else:
                attempts.abandon(intended, detail, (0, 0))
                attempts.stop(f"the provider cannot be reached: {detail}")
        case InDoubt(detail):
            _doubted(attempts, flight, detail)


def holders(session: Session, intended: Intended, batch_id: str) -> list[Intended]:
    """Return the other attempts at the same provider that have a batch id, open or ended."""
    same = (one for one in session.store.submitted_as(batch_id) if one.attempt != intended.attempt)
    return [one for one in same if one.batch.group.provider == intended.batch.group.provider]


def _accepted(attempts: Attempts, flight: OpenAttempt, batch_id: str) -> None:
    intended = flight.intended
    if holders(attempts.session, intended, batch_id):
        _doubted(attempts, flight, f"{ANOTHERS_ID}: {batch_id}")
        return
    attempts.note(Submitted(intended.attempt, batch_id, attempts.session.now()))
    flight.batch_id, flight.pause = batch_id, 0.0
    flight.begun_at = flight.moved_at = attempts.clock.monotonic()
    flight.due = flight.moved_at + attempts.poll_later(flight)
    attempts.sink(events.BatchSubmitted(intended.attempt, batch_id, intended.batch.group, intended.batch.renders))


def _doubted(attempts: Attempts, flight: OpenAttempt, detail: str) -> None:
    attempt = flight.intended.attempt
    attempts.sink(events.BatchInDoubt(attempt, detail))
    attempts.note(Doubted(attempt, detail, attempts.session.now()))
    if attempts.capabilities.honours_idempotency_key and flight.sends < MAX_SENDS:
        attempts.pause(flight)
        return
    del attempts.open[attempt]
    attempts.tally.in_doubt.add(attempt)
    attempts.stop(f"a batch is in doubt: {detail}")


def _refused(attempts: Attempts, intended: Intended, refused: Refused) -> None:
    batch = intended.batch
    attempts.sink(events.BatchRefused(intended.attempt, refused.code, refused.message))
    if refused.stops_run:
        attempts.abandon(intended, refused.message, (0, 0))
        attempts.stop(f"the provider takes no more batches ({refused.code}): {refused.message}")
    elif refused.template_missing and forget_push(attempts.session, batch.group):
        attempts.abandon(intended, refused.message, (0, 0))
        attempts.tally.lose(intended, refused.code, refused.message)
        attempts.tally.freed = True
    elif refused.retry_after is not None:
        attempts.abandon(intended, refused.message, (0, 0))
        if refused.retry_after > LONGEST_WAIT:
            attempts.stop(f"the provider takes no more batches for {refused.retry_after:,.0f} s: {refused.message}")
            return
        attempts.not_before = attempts.clock.monotonic() + refused.retry_after
        attempts.queue.appendleft(batch)
    else:
        failure = NotMade(refused.code, refused.message)
        results: dict[tuple[int, str], Result] = {
            (item.index, layout): failure for item in batch.items for layout in batch.layouts
        }
        attempts.record(intended, "refused", results)
        del attempts.open[intended.attempt]
