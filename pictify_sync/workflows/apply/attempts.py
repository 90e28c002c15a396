"""What a driver of batches holds: the queue, the open attempts, and what was done so far."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from pictify_sync.core import events, schedule
from pictify_sync.core.abilities import instance_of
from pictify_sync.core.entries import Abandoned, Doubted, Entry, Intended, Settled, Submitted
from pictify_sync.core.model import Action, AssetKey, Batch, Capabilities
from pictify_sync.core.outcomes import BatchReport
from pictify_sync.core.ports import Provider
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved, settle
from pictify_sync.workflows.apply.clear_path import tell_spared, with_losers
from pictify_sync.workflows.apply.downloads import Fetching
from pictify_sync.workflows.apply.other_runs import closed_first
from pictify_sync.workflows.apply.prepare import VariableSet
from pictify_sync.workflows.apply.redact import clean_results
from pictify_sync.workflows.apply.session import Session

LONGEST_PAUSE = 60.0  # seconds between tries after errors


@dataclass(slots=True)
class Tally:
    """What the drivers did, summed over batches."""

    stored: int = 0
    unresolved: int = 0
    looked: bool = False  # True: their URLs were looked for, and `unresolved` counts all that are recorded so
    in_doubt: set[str] = field(default_factory=set)  # attempts
    billed_min: int = 0
    billed_max: int = 0
    unbilled: int = 0  # rendered by a provider that bills nothing
    failed: list[tuple[AssetKey, str, str]] = field(default_factory=list)  # (key, code, message)
    stopped: str | None = None  # why nothing more was submitted; None: all was
    taken: set[str] = field(default_factory=set)  # attempts that another run gave up while this one saw them through
    postponed: set[AssetKey] = field(default_factory=set)  # fewer than their provider takes in one batch
    freed: bool = False  # True: a batch was given up, its assets need a new plan
    agreed: Mapping[str, Mapping[Action, int]] = field(default_factory=dict)  # counts by manifest of the plan agreed to
    left: int = 0  # changes of the newest plan that another run came before
    freed_by_others: bool = False  # True: by another run
    tries: Counter[AssetKey] = field(default_factory=Counter)  # renders that came to nothing, in this run
    lost: dict[AssetKey, tuple[str, str]] = field(
        default_factory=dict
    )  # (code, message) of the newest of them, until it is made

    def lose(self, intended: Intended, code: str, message: str) -> None:
        """Note that a batch may have been rendered, and that its pictures will not come from it."""
        for claim in intended.claims:
            self.tries[claim.key] += 1
            self.lost[claim.key] = (code, message)


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

    def __init__(
        self, session: Session, provider: Provider, capabilities: Capabilities, pool: Executor, tally: Tally
    ) -> None:
        self.session, self.provider, self.capabilities = session, provider, capabilities
        self.instance = instance_of(provider)
        self.pool, self.tally = pool, tally
        self.queue: deque[Batch] = deque()
        self.open: dict[str, OpenAttempt] = {}
        self.not_before = -inf  # monotonic; the provider asked us to wait until then
        self.pace: float | None = None  # seconds per item of the newest batch that ended; None: none did
        self.uid_of: Callable[[Batch], str] = lambda batch: batch.group.template
        self.clock = session.ports.clock
        self.sink = session.ports.sink

    def pause(self, flight: OpenAttempt) -> None:
        """Try again later, and later still the next time."""
        flight.pause = min(LONGEST_PAUSE, max(0.2, flight.pause * 2))
        flight.due = self.clock.monotonic() + flight.pause

    def progress(self, flight: OpenAttempt, at: float) -> schedule.Progress:
        """How an open batch is coming on at that time."""
        since = (at - flight.begun_at, at - flight.moved_at)
        return schedule.Progress(len(flight.intended.batch.items), flight.done, *since, flight.polls, self.pace)

    def poll_later(self, flight: OpenAttempt) -> float:
        """Seconds until an open batch is worth another poll."""
        return schedule.poll_after(self.progress(flight, self.clock.monotonic()), self.capabilities, len(self.open))

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
        for opened in self.session.store.open_batches():
            if opened.intended.attempt == entry.attempt:
                superseded = opened.batch_id is not None and not isinstance(entry, Abandoned)
                return () if superseded else (entry,)
        return ()

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
            is_open = any(opened.intended.attempt == intended.attempt for opened in store.open_batches())
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
