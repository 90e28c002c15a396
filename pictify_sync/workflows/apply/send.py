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
from pictify_sync.workflows.apply.flights import Apron, Flying
from pictify_sync.workflows.apply.intent import intend, narrowed, prepare, request
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.templates import forget_push

LONGEST_WAIT = 3600.0  # seconds that a run waits until it may send again: a limit by the day is left to another run
ANOTHERS_ID = "the provider answered with the id of another batch"
MAX_SENDS = 5  # times one attempt is sent, where sending again is harmless


def next_batch(apron: Apron) -> Batch | None:
    """Take the first batch of the queue that may be open beside those in flight; None when none may.

    Where URLs come by webhook or look-up only, a picture is told by its template and variables, so no two open batches
    may share both.
    """
    if apron.capabilities.urls_in_results:
        return apron.queue.popleft()
    flying = [flight.intended.batch for flight in apron.flights.values()]
    taken = {(batch.group.template, item.variables) for batch in flying for item in batch.items}
    for batch in apron.queue:
        if not any((batch.group.template, item.variables) in taken for item in batch.items):
            apron.queue.remove(batch)
            return batch
    return None


def submit(apron: Apron, batch: Batch) -> None:
    """Write a batch down, then send it."""
    session = apron.session
    prepared = prepare(session, batch)
    for key, why in prepared.dropped:
        apron.fail(key, "CHANGED_SINCE_PLAN", why)
    if prepared.batch is None:
        return
    made: list[Intended] = []
    if not session.commit(partial(_intend, apron, prepared.batch, made)):
        return
    now = apron.clock.monotonic()
    flight = Flying(made[-1], None, now, intended_at=now)
    if made[-1].batch == prepared.batch:
        flight.sets = prepared.variable_sets
    apron.flights[flight.intended.attempt] = flight
    send(apron, flight)


def _intend(apron: Apron, batch: Batch, made: list[Intended]) -> Sequence[Entry]:
    left = narrowed(apron.session, batch)
    if left != [batch]:
        apron.queue.extendleft(left)
        return ()
    made.append(intend(apron.session, batch, apron.uid_of(batch)))
    return (made[-1],)


def send(apron: Apron, flight: Flying) -> None:
    """Send the POST of an attempt; once, but where the provider honours the key."""
    sets, flight.sets = flight.sets, None
    intended = flight.intended
    try:
        body = request(apron.session, intended, sets)
    except (InputError, StalePlan) as error:
        apron.abandon(intended, str(error), (0, intended.batch.renders))
        return
    flight.sends += 1
    match cleaned(redactor_of(body), apron.provider.submit(body)):
        case Accepted(batch_id):
            _accepted(apron, flight, batch_id)
        case Refused() as refused:
            _refused(apron, intended, refused)
        case NotSent(detail):
            if flight.sends < MAX_SENDS:
                apron.pause(flight)
            else:
                apron.abandon(intended, detail, (0, 0))
                apron.stop(f"the provider cannot be reached: {detail}")
        case InDoubt(detail):
            _doubted(apron, flight, detail)


def holders(session: Session, intended: Intended, batch_id: str) -> list[Intended]:
    """Return the other attempts at the same provider that have a batch id, open or ended."""
    same = (one for one in session.store.submitted_as(batch_id) if one.attempt != intended.attempt)
    return [one for one in same if one.batch.group.provider == intended.batch.group.provider]


def _accepted(apron: Apron, flight: Flying, batch_id: str) -> None:
    intended = flight.intended
    if holders(apron.session, intended, batch_id):
        _doubted(apron, flight, f"{ANOTHERS_ID}: {batch_id}")
        return
    apron.note(Submitted(intended.attempt, batch_id, apron.session.now()))
    flight.batch_id, flight.pause = batch_id, 0.0
    flight.begun_at = flight.moved_at = apron.clock.monotonic()
    flight.due = flight.moved_at + apron.poll_later(flight)
    apron.sink(events.BatchSubmitted(intended.attempt, batch_id, intended.batch.group, intended.batch.renders))


def _doubted(apron: Apron, flight: Flying, detail: str) -> None:
    attempt = flight.intended.attempt
    apron.sink(events.BatchInDoubt(attempt, detail))
    apron.note(Doubted(attempt, detail, apron.session.now()))
    if apron.capabilities.honours_idempotency_key and flight.sends < MAX_SENDS:
        apron.pause(flight)
        return
    del apron.flights[attempt]
    apron.tally.in_doubt.add(attempt)
    apron.stop(f"a batch is in doubt: {detail}")


def _refused(apron: Apron, intended: Intended, refused: Refused) -> None:
    batch = intended.batch
    apron.sink(events.BatchRefused(intended.attempt, refused.code, refused.message))
    if refused.stops_run:
        apron.abandon(intended, refused.message, (0, 0))
        apron.stop(f"the provider takes no more batches ({refused.code}): {refused.message}")
    elif refused.template_missing and forget_push(apron.session, batch.group):
        apron.abandon(intended, refused.message, (0, 0))
        apron.tally.lose(intended, refused.code, refused.message)
        apron.tally.freed = True
    elif refused.retry_after is not None:
        apron.abandon(intended, refused.message, (0, 0))
        if refused.retry_after > LONGEST_WAIT:
            apron.stop(f"the provider takes no more batches for {refused.retry_after:,.0f} s: {refused.message}")
            return
        apron.not_before = apron.clock.monotonic() + refused.retry_after
        apron.queue.appendleft(batch)
    else:
        failure = NotMade(refused.code, refused.message)
        results: dict[tuple[int, str], Result] = {
            (item.index, layout): failure for item in batch.items for layout in batch.layouts
        }
        apron.record(intended, "refused", results)
        del apron.flights[intended.attempt]
