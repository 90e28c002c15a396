"""What the driver does next, and when: a pure choice from what is queued, what is open, and what time it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pictify_sync.core.model import Capabilities


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One intended batch, as the driver sees it."""

    attempt: str
    submitted: bool  # False: to be sent (again)
    ready: bool  # True: finished at the provider, and every picture is published or given up
    due: float  # monotonic seconds of the next send or poll
    is_open: bool = True  # False: finished at the provider, so that another batch may be open there


@dataclass(frozen=True, slots=True)
class Submit:
    """Intend and send the next batch of the queue."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send an intended batch, for which no batch id is known."""

    attempt: str


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask how an open batch is doing, and fetch what is new."""

    attempt: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Record the outcomes of a batch."""

    attempt: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due for that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left that this run should do."""


Step = Submit | Send | Poll | Settle | Wait | Done

SOONEST = 0.1  # of the seconds between polls: no poll follows another sooner, however soon the batch should end
PATIENCE = 0.1  # of the seconds that a batch has told nothing new, until it is asked again
HURRY = 0.8  # of the pace of a batch that was over when it was first asked: it may have been faster than that


@dataclass(frozen=True, slots=True)
class Progress:
    """How an open batch is coming on."""

    items: int
    done: int  # items finished at the newest poll
    elapsed: float  # seconds since it was submitted
    quiet: float  # seconds since `done` last grew
    polls: int  # so far
    pace: float | None  # seconds per item of batches before it; None: not known


def poll_after(progress: Progress, capabilities: Capabilities, attempts: int) -> float:
    """Seconds until it is worth to ask for a batch again: when it should be over, at most `poll_seconds`.

    Its own progress tells when that is, else the batches before it. Where nothing tells, it is asked at once, then in
    growing intervals, and not so often that such guesses of all `attempts` would use up the rate.
    """
    pace = _pace(progress)
    left = 0.0 if pace is None else progress.items * pace - progress.elapsed
    if left <= 0 and progress.polls:
        share = 60.0 * attempts / capabilities.requests_per_minute if capabilities.requests_per_minute else 0.0
        return max(
            min(PATIENCE * progress.quiet, capabilities.poll_seconds), SOONEST * capabilities.poll_seconds, share
        )
    return min(max(left, SOONEST * capabilities.poll_seconds), capabilities.poll_seconds)


def learned(last: Progress, seconds: float) -> float:
    """Seconds per item of a batch: it was open at `last`, and over when it was asked again after so many seconds.

    The answer may have come late, since the rate or other batches held it up, so that what was known before counts too.
    """
    known = _pace(last)
    most = seconds / last.items
    pace = most if known is None else min(max(known, last.elapsed / last.items), most)
    return pace if last.polls > 1 else pace * HURRY


def _pace(progress: Progress) -> float | None:
    return progress.elapsed / progress.done if progress.done else progress.pace


@dataclass(frozen=True, slots=True)
class Queue:
    """What is still to be submitted."""

    batches: int
    max_open: int | None  # None: unlimited
    not_before: float  # monotonic seconds; the provider asked us to wait


def next_step(queue: Queue, attempts: Sequence[AttemptState], now: float, *, stopping: bool) -> Step:
    """Choose: settle, then send, then submit, then poll, else wait. When stopping, nothing new is begun."""
    for attempt in attempts:
        if attempt.ready:
            return Settle(attempt.attempt)
    due = sorted((attempt for attempt in attempts if attempt.due <= now), key=lambda attempt: attempt.due)
    if stopping:
        return Done()
    for attempt in due:
        if not attempt.submitted:
            return Send(attempt.attempt)
    has_room = queue.max_open is None or sum(attempt.is_open for attempt in attempts) < queue.max_open
    if queue.batches and has_room and queue.not_before <= now:
        return Submit()
    if due:
        return Poll(due[0].attempt)
    times = [attempt.due for attempt in attempts]
    if queue.batches and has_room:
        times.append(queue.not_before)
    return Wait(min(times) - now) if times else Done()
