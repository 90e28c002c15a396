"""Attempts at batches of one provider: written down, sent at most once, recorded, or given up.

Every entry about an attempt is committed here. When it is sent or polled next is the driver's part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from pictify_sync.core import events, schedule
from pictify_sync.core.abilities import instance_of
from pictify_sync.core.entries import Abandoned, Doubted, Entry, Intended, Settled, Submitted
from pictify_sync.core.model import AssetKey, Batch
from pictify_sync.core.outcomes import Accepted, BatchReport, InDoubt, NotSent, Refused
from pictify_sync.core.ports import Provider
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved, settle
from pictify_sync.core.sensitive import cleaned, redactor_of
from pictify_sync.errors import InputError, StalePlan
from pictify_sync.workflows.apply.clear_path import tell_spared, with_losers
from pictify_sync.workflows.apply.downloads import Fetching
from pictify_sync.workflows.apply.other_runs import closed_first
from pictify_sync.workflows.apply.outcome import Tally
from pictify_sync.workflows.apply.prepare import intend, narrowed, prepare, request, uses
from pictify_sync.workflows.apply.redact import clean_results
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.templates import forget_push
from pictify_sync.workflows.batches import VariableSet

LONGEST_PAUSE = 60.0  # seconds between tries after errors
LONGEST_WAIT = 3600.0  # seconds that a run waits until it may send again: a limit by the day is left to another run
ANOTHERS_ID = "the provider answered with the id of another batch"
MAX_SENDS = 5  # times one attempt is sent, where sending again is harmless


@dataclass(slots=True)
class OpenAttempt:
    """One intended batch on its way."""

    intended: Intended
    batch_id: str | None  # None: not submitted yet, or in doubt
    due: float  # monotonic seconds, as all times here, of the next send, poll or look
    sets: Sequence[VariableSet] | None = None  # the body's variable sets until it is sent; None: made anew
    sends: int = 0
    silence: int = 0  # polls in a row without an answer
    pause: float = 0.0
    rechecks: int = 0  # polls of a finished batch that did not add up
    done: int = 0  # items, at the newest poll
    intended_at: float = 0.0  # when it was written down
    begun_at: float = 0.0  # when it was submitted, or taken up
    moved_at: float = 0.0  # when `done` last grew
    polls: int = 0
    cancelled: bool = False  # True: we asked for it, since it stalled
    report: BatchReport | None = None  # the terminal one
    elsewhere_until: float | None = None  # another run's work until then at most, and only watched; None: it is ours
    doubt: str | None = None  # of a watched one, when it was last judged
    takes_room: bool = True  # False: whatever it does, another batch may be open at this provider
    is_adopted: bool = False  # True: a batch in doubt that was found by its pictures
    fetching: Fetching = field(default_factory=Fetching)

    def view(self) -> schedule.AttemptState:
        """As the schedule sees it."""
        ready = self.report is not None and self.fetching.is_done()
        is_sent = self.batch_id is not None or self.elsewhere_until is not None
        is_open = self.report is None and self.takes_room
        return schedule.AttemptState(self.intended.attempt, is_sent, ready, self.due, is_open=is_open)


class Attempts:
    """The shared ground of sending and polling, for one provider. Entries about attempts are committed here."""

    def __init__(self, session: Session, provider: Provider, pool: Executor, tally: Tally) -> None:
        self.session, self.provider, self.capabilities = session, provider, provider.capabilities()
        self.instance = instance_of(provider)
        self.pool, self.tally = pool, tally
        self.queue: deque[Batch] = deque()
        self.open: dict[str, OpenAttempt] = {}
        self.not_before = -inf  # monotonic; the provider asked us to wait until then
        self.pace: float | None = None  # seconds per item of the newest batch that ended; None: none did
        self.uid_of: Callable[[Batch], str] = lambda batch: batch.group.template
        self.clock = session.ports.clock
        self.sink = session.ports.sink

    def pause(self, attempt: OpenAttempt) -> None:
        """Try again later, and later still the next time."""
        attempt.pause = min(LONGEST_PAUSE, max(0.2, attempt.pause * 2))
        attempt.due = self.clock.monotonic() + attempt.pause

    def progress(self, attempt: OpenAttempt, at: float) -> schedule.Progress:
        """How an open batch is coming on at that time."""
        since = (at - attempt.begun_at, at - attempt.moved_at)
        return schedule.Progress(len(attempt.intended.batch.items), attempt.done, *since, attempt.polls, self.pace)

    def poll_later(self, attempt: OpenAttempt) -> float:
        """Seconds until an open batch is worth another poll."""
        return schedule.poll_after(self.progress(attempt, self.clock.monotonic()), self.capabilities, len(self.open))

    def enqueue(self, batches: Sequence[Batch], *, first: bool = False) -> None:
        """Queue what is large enough for the provider; what is not waits for more of it."""
        large = [batch for batch in batches if len(batch.items) >= self.capabilities.min_items]
        self.queue = deque([*large, *self.queue] if first else [*self.queue, *large])
        for batch in batches:
            if batch not in large:
                self.postpone(batch)

    def postpone(self, batch: Batch) -> None:
        """Leave a batch that is too small to a later apply."""
        self.tally.postponed.update(key for item in batch.items for keys in item.keys for key in keys)

    def stop(self, why: str) -> None:
        """Submit nothing more in this run."""
        self.tally.stopped = why
        self.queue.clear()

    def note(self, entry: Submitted | Doubted | Abandoned) -> bool:
        """Commit an entry about an attempt, as long as no other run has closed or submitted it."""
        return self.session.commit(partial(self._if_open, entry))

    def _if_open(self, entry: Submitted | Doubted | Abandoned) -> Sequence[Entry]:
        opened = self.session.open_batch(entry.attempt)
        superseded = opened is None or (opened.batch_id is not None and not isinstance(entry, Abandoned))
        return () if superseded else (entry,)

    def abandon(self, intended: Intended, why: str, billed: tuple[int, int]) -> None:
        """Give an attempt up: its assets are free for a new plan. `billed`: at least, at most."""
        least, most = billed
        if self.note(Abandoned(intended.attempt, why, least, most, self.session.now())):
            self._cost(least, most)
            self.tally.freed |= most > 0
            if most:
                self.tally.lose(intended, "BATCH_LOST", why)
                self.sink(events.BatchLost(intended.attempt, why, most))
        self.open.pop(intended.attempt, None)

    def record(
        self, intended: Intended, status: str, results: dict[tuple[int, str], Result], billed_max: int = 0
    ) -> None:
        """Commit the outcomes of a batch, unless another run did. `billed_max`: more may have been billed than told."""
        done: list[Settled] = []
        results = clean_results(self.session, intended, results)
        spared = {path for one in results.values() if isinstance(one, Published) for path in one.spared}

        def build() -> Sequence[Entry]:
            store = self.session.store
            settled = settle(intended, status, results, store.record, self.session.now())
            done.append(replace(settled, billed_max=max(settled.billed_max, billed_max)))
            is_open = self.session.open_batch(intended.attempt) is not None
            return with_losers(self.session, done[-1], spared) if is_open else ()

        if self.session.commit(build):
            self._cost(done[-1].billed_min, done[-1].billed_max)
            self._count(intended, results)
        else:
            closed_first(self.session, self.tally, done[-1])

    def _count(self, intended: Intended, results: dict[tuple[int, str], Result]) -> None:
        for claim in intended.claims:
            self.tally.lost.pop(claim.key, None)
            match results.get((claim.index, claim.layout)):
                case Published() as published:
                    self.tally.stored += 1
                    tell_spared(self.session, published, claim.output)
                    self.sink(events.AssetStored(claim.key, claim.output, rendered=True))
                case Unresolved(why):
                    self.tally.unresolved += 1
                    self.sink(events.AssetUnresolved(claim.key, why))
                case NotMade(code, message):
                    self.fail(claim.key, code, message)
                case None:
                    self.fail(claim.key, "NO_OUTCOME", "the provider finished the batch without a word on it")

    def _cost(self, least: int, most: int) -> None:
        """Count what was rendered, as billed or not."""
        if self.session.ports.facts(self.provider.name).billed:
            self.tally.billed_min += least
            self.tally.billed_max += most
        else:
            self.tally.unbilled += least

    def fail(self, key: AssetKey, code: str, message: str) -> None:
        """Tell of a picture that could not be made."""
        self.tally.failed.append((key, code, message))
        self.tally.tries[key] += 1
        self.sink(events.AssetFailed(key, code, message))


def next_batch(attempts: Attempts) -> Batch | None:
    """Take the first batch of the queue that may be open beside those in attempt; None when none may.

    Where URLs come by webhook or look-up only, a picture is told by its template and variables, so no two open batches
    may share both.
    """
    if attempts.capabilities.urls_in_results:
        return attempts.queue.popleft()
    now_open = [attempt.intended.batch for attempt in attempts.open.values()]
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
    for item, error in prepared.dropped:
        for _, key in uses(batch, item):
            attempts.fail(key, "CHANGED_SINCE_PLAN", str(error))
    if prepared.batch is None:
        return
    if len(prepared.batch.items) < attempts.capabilities.min_items:
        attempts.postpone(prepared.batch)
        return
    made: list[Intended] = []
    if not session.commit(partial(_intend, attempts, prepared.batch, made)):
        return
    now = attempts.clock.monotonic()
    attempt = OpenAttempt(made[-1], None, now, intended_at=now)
    if made[-1].batch == prepared.batch:
        attempt.sets = prepared.variable_sets
    attempts.open[attempt.intended.attempt] = attempt
    send(attempts, attempt)


def _intend(attempts: Attempts, batch: Batch, made: list[Intended]) -> Sequence[Entry]:
    left = narrowed(attempts.session, batch)
    if left != [batch]:
        attempts.enqueue(left, first=True)
        return ()
    made.append(intend(attempts.session, batch, attempts.uid_of(batch)))
    return (made[-1],)


def send(attempts: Attempts, attempt: OpenAttempt) -> None:
    """Send the POST of an attempt; once, but where the provider honours the key."""
    sets, attempt.sets = attempt.sets, None
    intended = attempt.intended
    try:
        body = request(attempts.session, intended, sets)
    except (InputError, StalePlan) as error:
        attempts.abandon(intended, str(error), (0, intended.batch.renders))
        return
    attempt.sends += 1
    match cleaned(redactor_of(body), attempts.provider.submit(body)):
        case Accepted(batch_id):
            _accepted(attempts, attempt, batch_id)
        case Refused() as refused:
            _refused(attempts, intended, refused)
        case NotSent(detail):
            if attempt.sends < MAX_SENDS:
                attempts.pause(attempt)
            else:
                attempts.abandon(intended, detail, (0, 0))
                attempts.stop(f"the provider cannot be reached: {detail}")
        case InDoubt(detail):
            _doubted(attempts, attempt, detail)


def holders(session: Session, intended: Intended, batch_id: str) -> list[Intended]:
    """Return the other attempts at the same provider that have a batch id, open or ended."""
    same = (one for one in session.store.submitted_as(batch_id) if one.attempt != intended.attempt)
    return [one for one in same if one.batch.group.provider == intended.batch.group.provider]


def _accepted(attempts: Attempts, attempt: OpenAttempt, batch_id: str) -> None:
    intended = attempt.intended
    if holders(attempts.session, intended, batch_id):
        _doubted(attempts, attempt, f"{ANOTHERS_ID}: {batch_id}")
        return
    attempts.note(Submitted(intended.attempt, batch_id, attempts.session.now()))
    attempt.batch_id, attempt.pause = batch_id, 0.0
    attempt.begun_at = attempt.moved_at = attempts.clock.monotonic()
    attempt.due = attempt.moved_at + attempts.poll_later(attempt)
    attempts.sink(events.BatchSubmitted(intended.attempt, batch_id, intended.batch.group, intended.batch.renders))


def _doubted(attempts: Attempts, attempt: OpenAttempt, detail: str) -> None:
    name = attempt.intended.attempt
    attempts.sink(events.BatchInDoubt(name, detail))
    attempts.note(Doubted(name, detail, attempts.session.now()))
    if attempts.capabilities.honours_idempotency_key and attempt.sends < MAX_SENDS:
        attempts.pause(attempt)
        return
    del attempts.open[name]
    attempts.tally.in_doubt.add(name)
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
