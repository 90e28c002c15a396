"""Batches driven to their end: intend, submit, poll, fetch, settle, for one provider, until nothing is left to do.

What happens next is decided by `core.schedule`; this module only does it. Every arrow of a batch's life is a durable
commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import assert_never

from pictify_sync.core import events, journal, schedule
from pictify_sync.core.entries import Doubted, OpenBatch
from pictify_sync.core.model import Batch
from pictify_sync.core.outcomes import BatchReport, BatchStatus, Failed
from pictify_sync.errors import BatchUnaskable, ProviderError, ProviderUnavailable
from pictify_sync.workflows.apply.attempts import (
    ANOTHERS_ID,
    Attempts,
    OpenAttempt,
    holders,
    next_batch,
    send,
    submit,
)
from pictify_sync.workflows.apply.other_runs import look, watch
from pictify_sync.workflows.apply.redact import of_batch
from pictify_sync.workflows.apply.urls import located
from pictify_sync.workflows.collect import evidence

MAX_SILENCE = 8  # polls without any answer before the run gives up (the batch stays open)
MAX_RECHECKS = 3  # polls of a finished batch whose pictures do not add up
LONGEST_NAP = 1.0  # seconds between looks at whether the user asked to stop


class BatchDriver:
    """Drives batches of one provider. `run` returns when nothing is left, or when the user asked to stop."""

    def __init__(self, attempts: Attempts, *, waits: bool = False) -> None:
        self._attempts = attempts
        self._waits = waits  # for what other runs are at; else that is left to them
        self._told_until = -inf  # monotonic: a wait until then was told
        self._in_the_way: frozenset[str] = frozenset()  # attempts: until one of them ends, nothing queued may be sent

    def resume(self, opened: Iterable[OpenBatch]) -> None:
        """Take up batches that an earlier or another run left open."""
        for batch in opened:
            others = holders(self._attempts.session, batch.intended, batch.batch_id) if batch.batch_id else ()
            is_taken = any((one.at, one.attempt) < (batch.intended.at, batch.intended.attempt) for one in others)
            self._judge(replace(batch, batch_id=None, doubt=ANOTHERS_ID) if is_taken else batch)

    def _judge(self, opened: OpenBatch, *, has_waited: bool = False, age: float | None = None) -> None:
        """Decide about a batch. `age`: seconds since it was intended, where that was measured; None: by its times."""
        attempts, intended = self._attempts, opened.intended
        since = attempts.session.intended_at(opened)
        times = (since, attempts.clock.now() if age is None else since + age)
        asker = journal.Asker(attempts.session.ports.run, attempts.instance, has_waited)
        match journal.judge(opened, attempts.capabilities, attempts.session.ports.doubt, times, asker):
            case journal.Poll() | journal.SendAgain():
                attempts.open[intended.attempt] = self._taken_up(opened, times)
                attempts.sink(events.Resumed(intended.attempt, intended.batch.renders))
            case journal.Elsewhere(seconds):
                if self._waits:
                    watch(attempts, self._taken_up(opened, times), seconds)
            case journal.Quarantine(until):
                if not self._adopted(opened, whole=True):
                    attempts.tally.in_doubt.add(intended.attempt)
                    attempts.sink(events.BatchQuarantined(intended.attempt, until))
                    self._date(opened, times)
            case journal.Held():
                attempts.tally.in_doubt.add(intended.attempt)
                attempts.sink(events.BatchHeld(intended.attempt))
            case journal.Weigh():
                if not self._adopted(opened, whole=False):
                    why = f"in doubt, and no evidence of it after its quarantine ({opened.doubt or 'the run died'})"
                    attempts.abandon(intended, why, (0, intended.batch.renders))

    def _taken_up(self, opened: OpenBatch, times: tuple[float, float]) -> OpenAttempt:
        """Take a batch up. `times`: when it was intended, and now, in epoch seconds."""
        now = self._attempts.clock.monotonic()
        begun = now - max(0.0, times[1] - times[0])
        return OpenAttempt(
            opened.intended, opened.batch_id, now, intended_at=begun, begun_at=now, moved_at=now, doubt=opened.doubt
        )

    def _date(self, opened: OpenBatch, times: tuple[float, float]) -> None:
        """Write down by today's clock when a batch is in doubt whose own time lies ahead: else it would stay so."""
        if times[0] > times[1]:
            why = opened.doubt or "the run died, and the clock was set back since"
            self._attempts.note(Doubted(opened.intended.attempt, why, self._attempts.session.now()))

    def _adopted(self, opened: OpenBatch, *, whole: bool) -> bool:
        """Adopt a batch whose pictures are found, all of them or some; what is lost is planned again."""
        attempts, intended = self._attempts, opened.intended
        try:
            found = evidence(attempts.session, intended)
        except ProviderUnavailable:
            return False
        cells = {(claim.index, claim.layout) for claim in intended.claims}
        if not found or (whole and found.keys() != cells):
            return False
        lost = Failed("LOST", "the answer to its batch was lost, and nothing is known of this picture")
        outcomes = {cell: found.get(cell, lost) for cell in cells}
        status = BatchStatus.COMPLETED if found.keys() == cells else BatchStatus.PARTIAL
        attempt = OpenAttempt(intended, "", inf, report=BatchReport(status, outcomes), is_adopted=True)
        attempt.fetching.begin(attempts.session, attempts.provider, attempts.pool, intended, outcomes)
        attempts.open[intended.attempt] = attempt
        attempts.sink(events.Resumed(intended.attempt, intended.batch.renders))
        return True

    def run(self, batches: Iterable[Batch], uid_of: Callable[[Batch], str]) -> None:
        """Submit the batches and see every attempt through."""
        attempts = self._attempts
        attempts.enqueue(list(batches))
        attempts.uid_of = uid_of
        while True:
            blocked = bool(self._in_the_way) and self._in_the_way <= attempts.open.keys()
            step = schedule.next_step(
                schedule.Queue(
                    0 if blocked else len(attempts.queue), attempts.capabilities.max_open, attempts.not_before
                ),
                [attempt.view() for attempt in attempts.open.values()],
                attempts.clock.monotonic(),
                stopping=attempts.session.ports.stop(),
            )
            if isinstance(step, schedule.Done):
                return
            self._do(step)

    def _do(self, step: schedule.Step) -> None:
        attempts = self._attempts
        match step:
            case schedule.Submit():
                self._submit()
            case schedule.Send(name):
                send(attempts, attempts.open[name])
            case schedule.Poll(name):
                self._poll_or_look(attempts.open[name])
            case schedule.Settle(name):
                attempt = attempts.open.pop(name)
                assert attempt.report is not None
                most = attempt.intended.batch.renders if attempt.is_adopted else 0
                results = attempt.fetching.results()
                attempts.session.tell_shared(located(attempt.intended, attempt.report.outcomes, results))
                attempts.record(attempt.intended, attempt.report.status, results, most)
                attempts.tally.freed |= attempt.cancelled
            case schedule.Wait(seconds):
                self._wait(seconds)
            case schedule.Done():
                return
            case _:
                assert_never(step)

    def _poll_or_look(self, attempt: OpenAttempt) -> None:
        if attempt.elsewhere_until is None:
            self._poll(attempt)
        elif (opened := look(self._attempts, attempt)) is not None:
            now = self._attempts.clock.monotonic()
            is_over = now >= attempt.elsewhere_until
            is_news = (opened.batch_id, opened.doubt) != (attempt.batch_id, attempt.doubt)
            self._judge(opened, has_waited=is_over and not is_news, age=now - attempt.intended_at)

    def _submit(self) -> None:
        batch = next_batch(self._attempts)
        if batch is not None:
            submit(self._attempts, batch)
        else:
            self._in_the_way = frozenset(self._attempts.open)

    def _wait(self, seconds: float) -> None:
        """Sleep until something is due, or until a fetch ends that makes a attempt ready."""
        attempts = self._attempts
        for attempt in attempts.open.values():
            if attempt.report is not None:
                attempt.fetching.wait()
                return
        due = attempts.clock.monotonic() + seconds
        is_look = any(one.elsewhere_until is not None and one.due <= due for one in attempts.open.values())
        if not is_look and seconds > LONGEST_NAP * 2 and due > self._told_until + LONGEST_NAP:
            attempts.sink(events.Waiting(seconds, "for the provider"))
            self._told_until = due
        attempts.clock.sleep(min(seconds, LONGEST_NAP))

    def _poll(self, attempt: OpenAttempt) -> None:
        attempts, batch = self._attempts, attempt.intended.batch
        assert attempt.batch_id is not None
        try:
            report = attempts.provider.poll(attempt.batch_id, len(batch.items), batch.layouts)
        except BatchUnaskable as error:
            self._unaskable(attempt, error.message)
            return
        except ProviderUnavailable as error:
            self._silent(attempt, of_batch(attempts.session, attempt.intended).clean(error.message))
            return
        except ProviderError as error:
            why = f"{error}; {error.hint}" if error.hint else str(error)
            why = of_batch(attempts.session, attempt.intended).clean(why)
            self._leave(attempt, f"batch {attempt.batch_id} cannot be asked for: {why}")
            return
        attempt.silence, attempt.pause = 0, 0.0
        if report.status is BatchStatus.EXPIRED:
            self._expired(attempt)
            return
        now = attempts.clock.monotonic()
        attempt.polls += 1
        attempts.sink(events.BatchProgress(attempt.intended.attempt, report.done, len(batch.items)))
        if report.status is BatchStatus.OPEN:
            if report.done > attempt.done:
                attempt.done, attempt.moved_at = report.done, now
            attempt.fetching.begin(
                attempts.session, attempts.provider, attempts.pool, attempt.intended, report.outcomes
            )
            attempt.due = now + max(attempts.poll_later(attempt), report.retry_after or 0.0)
            self._watch(attempt, now)
        elif _adds_up(report) or attempt.rechecks >= MAX_RECHECKS:
            if report.odd:
                attempts.sink(events.BatchOdd(attempt.batch_id, report.odd))
            self._learn(attempt, now)
            attempt.fetching.forget_changed(report.outcomes)
            attempt.fetching.begin(
                attempts.session, attempts.provider, attempts.pool, attempt.intended, report.outcomes
            )
            attempt.report, attempt.due = report, inf
        else:
            attempt.rechecks += 1
            attempt.due = now + max(attempts.capabilities.poll_seconds, report.retry_after or 0.0)

    def _unaskable(self, attempt: OpenAttempt, why: str) -> None:
        """Give up a batch whose id the provider does not take, once nothing can be learnt of it any more."""
        attempts, intended = self._attempts, attempt.intended
        if not self._is_certain(attempt):
            self._leave(attempt, f"batch {attempt.batch_id} cannot be asked for: {why}")
        else:
            attempts.abandon(intended, f"it cannot be asked for: {why}", (0, intended.batch.renders))

    def _is_certain(self, attempt: OpenAttempt) -> bool:
        """Whether what the provider does not know of a batch by now will not come any more."""
        attempts = self._attempts
        at = journal.certain_at(attempt.intended_at, attempts.capabilities, attempts.session.ports.doubt)
        return attempts.clock.monotonic() >= at

    def _expired(self, attempt: OpenAttempt) -> None:
        """Give up what the provider has forgotten; what it took just now may only be late."""
        attempts, intended = self._attempts, attempt.intended
        keeps = attempts.capabilities.honours_idempotency_key  # such a one forgets nothing that it took just now
        if not keeps and not self._is_certain(attempt):
            self._leave(
                attempt, f"the provider does not know batch {attempt.batch_id}, which it took a short while ago"
            )
        else:
            attempts.abandon(intended, "the provider no longer knows the batch", (0, intended.batch.renders))

    def _learn(self, attempt: OpenAttempt, now: float) -> None:
        """Note how fast a batch was that this run sent: the next one is asked for when it should be over."""
        if attempt.sends:
            progress = self._attempts.progress(attempt, attempt.moved_at)  # as it was last seen going on
            self._attempts.pace = schedule.learned(progress, now - attempt.begun_at)

    def _watch(self, attempt: OpenAttempt, now: float) -> None:
        """Cancel a batch that stalls or is far too slow; give up waiting for one that does not even end then."""
        allowed = self._attempts.capabilities
        stalled = now - attempt.moved_at >= allowed.stall_seconds
        deadline = attempt.begun_at + allowed.longest_seconds(len(attempt.intended.batch.items))
        if attempt.batch_id is None or not (stalled or (now >= deadline and not attempt.cancelled)):
            return
        if attempt.cancelled or not allowed.can_cancel:
            although = ", and does not end although it was cancelled" if attempt.cancelled else ""
            self._leave(attempt, f"batch {attempt.batch_id} stalled{although}")
            return
        with suppress(ProviderError):  # a cancel is a request: the polls after it tell
            self._attempts.provider.cancel(attempt.batch_id)
        attempt.cancelled, attempt.moved_at = True, now

    def _silent(self, attempt: OpenAttempt, message: str) -> None:
        attempt.silence += 1
        if attempt.silence >= MAX_SILENCE:
            self._leave(attempt, f"no answer about batch {attempt.batch_id}: {message}")
        else:
            self._attempts.pause(attempt)

    def _leave(self, attempt: OpenAttempt, why: str) -> None:
        """Leave a batch open for another run, and submit nothing more in this one."""
        del self._attempts.open[attempt.intended.attempt]
        self._attempts.stop(why)


def _adds_up(report: BatchReport) -> bool:
    """Whether a finished batch tells of every picture, and counts them right: both can lag behind the status."""
    if report.status is BatchStatus.CANCELLED:
        return True
    return not report.odd and not any(
        isinstance(one, Failed) and one.code == "NO_OUTCOME" for one in report.outcomes.values()
    )
