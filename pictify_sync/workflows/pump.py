"""The pump: intend, submit, poll, fetch, settle, for one provider, until nothing is left to do.

What happens next is decided by `core.schedule`; this module only does it. Every arrow of a batch's life is a durable
commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import assert_never

from pictify_sync.core import events, schedule
from pictify_sync.core.entries import Abandoned, Doubted, Entry, Intended, OpenBatch, Settled, Submitted
from pictify_sync.core.model import AssetKey, Batch, Capabilities
from pictify_sync.core.outcomes import Accepted, BatchReport, BatchStatus, InDoubt, NotSent, Refused
from pictify_sync.core.ports import Provider
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved, settle
from pictify_sync.errors import InputError, ProviderError, ProviderUnavailable, StalePlan
from pictify_sync.workflows.fetch import Fetching
from pictify_sync.workflows.intent import intend, narrowed, prepare, request
from pictify_sync.workflows.session import Session
from pictify_sync.workflows.templates import forget_push

MAX_SENDS = 5  # times one attempt is sent, where sending again is harmless
MAX_SILENCE = 8  # polls without any answer before the run gives up (the batch stays open)
LONGEST_PAUSE = 60.0  # seconds between tries after errors


@dataclass(slots=True)
class Tally:
    """What the pump did, summed over batches."""

    stored: int = 0
    unresolved: int = 0
    in_doubt: int = 0
    billed_min: int = 0
    billed_max: int = 0
    failed: list[tuple[AssetKey, str, str]] = field(default_factory=list)  # (key, code, message)
    stopped: str | None = None  # why nothing more was submitted; None: all was
    freed: bool = False  # True: a batch was given up, its assets need a new plan


@dataclass(slots=True)
class _Flight:
    intended: Intended
    batch_id: str | None
    due: float
    sends: int = 0
    silence: int = 0
    pause: float = 0.0
    request_sets: tuple[object, ...] | None = None
    report: BatchReport | None = None  # the terminal one
    fetching: Fetching = field(default_factory=Fetching)

    def view(self) -> schedule.Flight:
        ready = self.report is not None and self.fetching.is_done()
        return schedule.Flight(self.intended.attempt, self.batch_id is not None, ready, self.due)


class Pump:
    """Drives batches of one provider. `run` returns when nothing is left, or when the user asked to stop."""

    def __init__(
        self, session: Session, provider: Provider, capabilities: Capabilities, pool: Executor, tally: Tally
    ) -> None:
        self._session, self._provider, self._capabilities = session, provider, capabilities
        self._pool, self._tally = pool, tally
        self._queue: deque[Batch] = deque()
        self._flights: dict[str, _Flight] = {}
        self._not_before = 0.0
        self._clock = session.ports.clock
        self._sink = session.ports.sink

    def resume(self, opened: Iterable[OpenBatch]) -> None:
        """Take up batches that an earlier or another run left open."""
        for batch in opened:
            known = batch.batch_id is not None
            if not known and not self._capabilities.honours_idempotency_key:
                self._tally.in_doubt += 1
                continue
            intended = batch.intended
            self._flights[intended.attempt] = _Flight(intended, batch.batch_id, self._clock.now())
            self._sink(events.Resumed(intended.attempt, intended.batch.renders))

    def run(self, batches: Iterable[Batch], uid_of: Callable[[Batch], str]) -> None:
        """Submit the batches and see every flight through."""
        self._queue.extend(batches)
        self._uid_of = uid_of
        while True:
            step = schedule.next_step(
                schedule.Queue(len(self._queue), self._capabilities.max_open, self._not_before),
                [flight.view() for flight in self._flights.values()],
                self._clock.now(),
                stopping=self._session.ports.stop(),
            )
            if isinstance(step, schedule.Done):
                return
            self._do(step)

    def _do(self, step: schedule.Step) -> None:
        match step:
            case schedule.Submit():
                self._submit(self._queue.popleft())
            case schedule.Send(attempt):
                self._send(self._flights[attempt])
            case schedule.Poll(attempt):
                self._poll(self._flights[attempt])
            case schedule.Settle(attempt):
                self._settle(self._flights.pop(attempt))
            case schedule.Wait(seconds):
                self._wait(seconds)
            case schedule.Done():
                return
            case _:
                assert_never(step)

    def _wait(self, seconds: float) -> None:
        """Sleep until something is due, or until a fetch ends that makes a flight ready."""
        waiting = [flight for flight in self._flights.values() if flight.report is not None]
        for flight in waiting:
            flight.fetching.wait()
            return
        if seconds > 2:
            self._sink(events.Waiting(seconds, "for the provider"))
        self._clock.sleep(min(seconds, 1.0))

    def _submit(self, batch: Batch) -> None:
        prepared = prepare(self._session, batch)
        for key, why in prepared.dropped:
            self._fail(key, "CHANGED_SINCE_PLAN", why)
        if prepared.batch is None:
            return
        made: list[Intended] = []
        if not self._session.commit(partial(self._intend, prepared.batch, made)):
            return
        intended = made[-1]
        flight = _Flight(intended, None, self._clock.now())
        same = intended.batch == prepared.batch
        flight.request_sets = prepared.variable_sets if same else None
        self._flights[intended.attempt] = flight
        self._send(flight)

    def _intend(self, batch: Batch, made: list[Intended]) -> Sequence[Entry]:
        left = narrowed(self._session, batch)
        if not left:
            return ()
        if left != [batch]:
            self._queue.extendleft(left)
            return ()
        made.append(intend(self._session, batch, self._uid_of(batch)))
        return (made[-1],)

    def _send(self, flight: _Flight) -> None:
        """Send the POST of an attempt; once, but where the provider honours the key."""
        sets, flight.request_sets = flight.request_sets, None
        try:
            body = request(self._session, flight.intended, sets)  # type: ignore[arg-type]
        except (InputError, StalePlan) as error:
            self._abandon(flight, str(error), flight.intended.batch.renders)
            return
        flight.sends += 1
        attempt = flight.intended.attempt
        match self._provider.submit(body):
            case Accepted(batch_id):
                self._accepted(flight, batch_id)
            case Refused() as refused:
                self._refused(flight, refused)
            case NotSent(detail):
                if flight.sends < MAX_SENDS:
                    self._pause(flight)
                else:
                    self._abandon(flight, detail, 0)
                    self._stop(f"the provider cannot be reached: {detail}")
            case InDoubt(detail):
                self._sink(events.BatchInDoubt(attempt, detail))
                self._session.commit(partial(self._still_open, Doubted(attempt, detail, self._session.now())))
                if self._capabilities.honours_idempotency_key and flight.sends < MAX_SENDS:
                    self._pause(flight)
                else:
                    self._tally.in_doubt += 1
                    del self._flights[attempt]

    def _still_open(self, entry: Submitted | Doubted | Abandoned) -> Sequence[Entry]:
        """An entry about an attempt counts only as long as no other run has closed or submitted it."""
        for opened in self._session.store.open_batches():
            if opened.intended.attempt == entry.attempt:
                submitted = opened.batch_id is not None and not isinstance(entry, Abandoned)
                return () if submitted else (entry,)
        return ()

    def _accepted(self, flight: _Flight, batch_id: str) -> None:
        attempt, batch = flight.intended.attempt, flight.intended.batch
        self._session.commit(partial(self._still_open, Submitted(attempt, batch_id, self._session.now())))
        flight.batch_id = batch_id
        flight.pause = 0.0
        flight.due = self._clock.now() + self._capabilities.poll_seconds
        self._sink(events.BatchSubmitted(attempt, batch_id, batch.group, batch.renders))

    def _refused(self, flight: _Flight, refused: Refused) -> None:
        attempt = flight.intended.attempt
        self._sink(events.BatchRefused(attempt, refused.code, refused.message))
        if refused.stops_run:
            self._abandon(flight, refused.message, 0)
            self._stop(refused.message)
        elif refused.template_missing and forget_push(self._session, flight.intended.batch.group):
            self._abandon(flight, refused.message, 0)
            self._tally.freed = True
        elif refused.retry_after is not None:
            self._abandon(flight, refused.message, 0)
            self._not_before = self._clock.now() + refused.retry_after
            self._queue.appendleft(flight.intended.batch)
        else:
            batch = flight.intended.batch
            failure = NotMade(refused.code, refused.message)
            results: dict[tuple[int, str], Result] = {
                (item.index, layout): failure for item in batch.items for layout in batch.layouts
            }
            self._record(flight.intended, "refused", results)
            del self._flights[attempt]

    def _abandon(self, flight: _Flight, why: str, billed_max: int) -> None:
        """Give an attempt up: its assets are free for a new plan."""
        attempt = flight.intended.attempt
        entry = Abandoned(attempt, why, 0, billed_max, self._session.now())
        self._session.commit(partial(self._still_open, entry))
        self._tally.billed_max += billed_max
        self._tally.freed |= billed_max > 0
        self._flights.pop(attempt, None)

    def _stop(self, why: str) -> None:
        self._tally.stopped = why
        self._queue.clear()

    def _pause(self, flight: _Flight) -> None:
        flight.pause = min(LONGEST_PAUSE, max(0.2, flight.pause * 2))
        flight.due = self._clock.now() + flight.pause

    def _poll(self, flight: _Flight) -> None:
        batch = flight.intended.batch
        assert flight.batch_id is not None
        try:
            report = self._provider.poll(flight.batch_id, len(batch.items), batch.layouts)
        except ProviderUnavailable as error:
            self._silent(flight, error)
            return
        flight.silence, flight.pause = 0, 0.0
        if report.status is BatchStatus.EXPIRED:
            self._abandon(flight, "the provider no longer knows the batch", batch.renders)
            return
        flight.fetching.begin(self._session, self._provider, self._pool, flight.intended, report.outcomes)
        self._sink(events.BatchProgress(flight.intended.attempt, report.done, len(batch.items)))
        flight.due = self._clock.now() + max(self._capabilities.poll_seconds, report.retry_after or 0.0)
        if report.status is not BatchStatus.OPEN:
            flight.report, flight.due = report, inf

    def _silent(self, flight: _Flight, error: ProviderError) -> None:
        flight.silence += 1
        if flight.silence >= MAX_SILENCE:
            del self._flights[flight.intended.attempt]
            self._stop(f"no answer about batch {flight.batch_id}: {error.message}")
        else:
            self._pause(flight)

    def _settle(self, flight: _Flight) -> None:
        assert flight.report is not None
        self._record(flight.intended, flight.report.status, flight.fetching.results())

    def _record(self, intended: Intended, status: str, results: dict[tuple[int, str], Result]) -> None:
        """Commit the outcomes, unless another run did."""
        done: list[Settled] = []

        def build() -> Sequence[Entry]:
            if all(opened.intended.attempt != intended.attempt for opened in self._session.store.open_batches()):
                return ()
            done.append(settle(intended, status, results, self._session.store.record, self._session.now()))
            return (done[-1],)

        if self._session.commit(build):
            self._tally.billed_min += done[-1].billed_min
            self._tally.billed_max += done[-1].billed_max
            self._count(intended, results)

    def _count(self, intended: Intended, results: dict[tuple[int, str], Result]) -> None:
        for claim in intended.claims:
            match results.get((claim.index, claim.layout)):
                case Published():
                    self._tally.stored += 1
                    self._sink(events.AssetStored(claim.key, claim.output, rendered=True))
                case Unresolved():
                    self._tally.unresolved += 1
                    self._sink(events.AssetUnresolved(claim.key))
                case NotMade(code, message):
                    self._fail(claim.key, code, message)
                case None:
                    self._fail(claim.key, "NO_OUTCOME", "the provider finished the batch without a word on it")

    def _fail(self, key: AssetKey, code: str, message: str) -> None:
        self._tally.failed.append((key, code, message))
        self._sink(events.AssetFailed(key, code, message))
