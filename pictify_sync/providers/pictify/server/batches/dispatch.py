"""The thread between claims and workers: claims items, hands chunks to the pool, records what came of them.

It knows nothing of HTTP. Everything happens in its one thread; others only put messages into its queue.
"""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from pebble import ProcessExpired

from pictify_sync.providers.pictify.server.batches.claims import (
    Claim,
    ClaimedItem,
    Claims,
    FinishedItem,
    PictureOutcome,
)
from pictify_sync.providers.pictify.server.problems import CODES
from pictify_sync.providers.pictify.server.store.database import missing
from pictify_sync.providers.pictify.server.store.templates import Source
from pictify_sync.rendering.engines.pool import Chunk, PageRenderer, Picture, read_journal, render_chunk
from pictify_sync.rendering.failure import Cause

CHUNK_SECONDS = 0.25  # of rendering: long enough to make a commit cheap, short enough to show progress
FIRST_CHUNK, MAX_CHUNK = 4, 64  # pictures
LOOK_AGAIN = 0.2  # seconds until the runs that hold the rest are looked at again
HANGS = 8  # how much worse a worker that hangs is than one that dies
MAX_BREAKS = 20  # workers that die in a row, without one picture between them, before giving up
SLACK = 10.0  # seconds beyond the longest call until the workers are given up
LIVES = 2  # times that a picture may be under way when its worker dies for an unknown reason


@dataclass(frozen=True, slots=True)
class RenderSetup:
    """How pictures are made: what each chunk carries besides its pictures."""

    renderer: Callable[[], PageRenderer]  # picklable
    files: Path  # folder of the rendered files
    journals: Path  # folder of the chunks' journals
    seconds: float  # limit for one picture
    workers: int
    longest: float  # seconds for a chunk and the start of its worker, after which the pool kills it


@dataclass(slots=True)
class _PendingItem:
    """An item until each of its layouts has an outcome."""

    item: ClaimedItem
    missing: int
    outcomes: list[PictureOutcome] = field(default_factory=list)


@dataclass(slots=True)
class _OpenClaim:
    """A claim until each of its items is recorded; shared by the pieces of work that it is broken into."""

    claim: Claim
    items: dict[int, _PendingItem]  # by position
    wanted: bool = True  # False once its batch is known to be cancelled


@dataclass(slots=True)
class _Work:
    """Pictures to render in one chunk, all of one claim."""

    open: _OpenClaim
    pictures: Sequence[Picture]
    deaths: int = 0  # of a worker while the first picture was under way


@dataclass(slots=True)
class _RunningChunk:
    work: _Work
    journal: Path
    future: Future[None]


class RenderingStopped(Exception):
    """The machine lacks something that every picture needs. What is not rendered stays to be rendered."""


class Dispatcher:
    """Renders everything that waits in a store until `close`. `wake` may be called at any time."""

    def __init__(
        self, claims: Claims, source: Callable[[str], Source], rendering: RenderSetup, pool: Callable[[], Executor]
    ) -> None:
        self._claims = claims
        self._source = lru_cache(maxsize=8)(source)
        self._rendering = rendering
        self._pool = pool()
        self._queue: SimpleQueue[int | None] = SimpleQueue()  # number of a chunk that ended; None: look again
        self._again: deque[_Work] = deque()  # what is left of chunks whose worker died
        self._sent: dict[int, _RunningChunk] = {}
        self._numbers = 0
        self._pace = 0.0  # seconds per picture, smoothed; 0: not known yet
        self._breaks = 0  # dead workers since the last picture
        self._heard = 0.0  # when a chunk last came back, or was sent while none was (monotonic seconds)
        self._news = threading.Condition()
        self.recorded = 0  # items, of any batch
        self._closing = threading.Event()
        self.failure = ""  # why the thread ended by itself; "" while it lives
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def wait(self, seen: int, seconds: float) -> None:
        """Sleep until `recorded` is no longer `seen`, or that time is over."""
        with self._news:
            self._news.wait_for(lambda: self.recorded != seen, seconds)

    def wake(self) -> None:
        """Wake the thread: something may be waiting."""
        self._queue.put(None)

    @property
    def pace(self) -> float:
        """Seconds that one picture takes in one worker; 0 when not known yet."""
        return self._pace

    def close(self) -> None:
        """Stop: kill the workers, record what they had finished, free the rest.

        What cannot be recorded (on a full disk) is rendered again by whoever opens the folder next.
        """
        self._closing.set()
        self.wake()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        with suppress(sqlite3.Error):
            for sent in list(self._sent.values()):
                self._record(sent)
        self._claims.close()

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:  # shown to those who ask for results: this thread has no caller
            lack = str(error) if isinstance(error, RenderingStopped) else missing(error)
            self.failure = lack or f"{type(error).__name__}: {error}"

    def _loop(self) -> None:
        while not self._closing.is_set():
            waiting = self._fill()
            try:
                number = self._queue.get(timeout=self._patience() if waiting is None else waiting)
            except Empty:
                continue
            if number is not None and not self._closing.is_set():
                self._settle(number)

    def _patience(self) -> float | None:
        """Seconds for which the workers may stay silent; None: nothing is expected of them.

        RuntimeError when they were silent for too long: they do not even begin, or the pool could not kill them.
        """
        if not self._sent:
            return None
        left = self._heard + self._rendering.longest + SLACK - time.monotonic()
        if left <= 0:
            raise RuntimeError("the render processes do not start, or do not answer")
        return left

    def _fill(self) -> float | None:
        """Hand out work until each worker has a chunk to spare. Returns when to look again; None: when woken."""
        while len(self._sent) < 2 * self._rendering.workers:
            work = self._again.popleft() if self._again else self._claim()
            if work and work.pictures and work.open.wanted:
                self._send(work)
            elif work:
                self._finish(work.open)  # none of the layouts exists, or nobody wants them any more
            elif self._sent:
                return None
            else:
                freed, living = self._claims.release_dead_runs()
                if not freed:
                    return LOOK_AGAIN if living else None
        return None

    def _claim(self) -> _Work | None:
        size = FIRST_CHUNK if not self._pace else min(MAX_CHUNK, max(1, int(CHUNK_SECONDS / self._pace)))
        claim = self._claims.take(size)
        if claim is None:
            return None
        sizes = self._source(claim.source).sizes
        opened = _OpenClaim(claim, {one.position: _PendingItem(one, len(claim.layouts)) for one in claim.items})
        pictures = []
        for item in claim.items:
            for layout in claim.layouts:
                if claim.fails(item.position):
                    message = "made to fail by a fault of the server's settings"
                    _note(opened, PictureOutcome(item.position, layout, None, code=claim.reason, message=message))
                elif layout in sizes:
                    pictures.append(Picture(item.position, layout, *sizes[layout][:2], item.variables))
                else:
                    message = f"the template has no layout {layout}"
                    _note(opened, PictureOutcome(item.position, layout, None, code="LAYOUT_NOT_FOUND", message=message))
        return _Work(opened, pictures)

    def _send(self, work: _Work) -> None:
        self._numbers += 1
        number = self._numbers
        claim, how = work.open.claim, self._rendering
        source = self._source(claim.source)
        journal = how.journals / f"{self._claims.run}.{number}.jsonl"
        template: dict[str, Any] = {"html": source.html, "definitions": source.definitions, "strict": source.strict}
        paths: dict[str, Any] = {"folder": str(how.files), "journal": str(journal)}
        limits: dict[str, Any] = {"seconds": how.seconds, "budget": 4 * CHUNK_SECONDS}
        shared: dict[str, Any] = {"format": claim.format, "quality": claim.quality, "pictures": tuple(work.pictures)}
        shared["sensitive"] = claim.sensitive
        if not self._sent:
            self._heard = time.monotonic()
        future = self._pool.submit(render_chunk, Chunk(renderer=how.renderer, **template, **paths, **limits, **shared))
        self._sent[number] = _RunningChunk(work, journal, future)
        future.add_done_callback(lambda _: self._queue.put(number))

    def _settle(self, number: int) -> None:
        sent = self._sent[number]
        self._heard = time.monotonic()
        rest = self._record(sent)
        del self._sent[number]
        error = sent.future.exception()
        if rest and error is not None:
            rest = self._blame(sent.work, rest, error)
        if rest:
            self._again.append(_Work(sent.work.open, rest))

    def _record(self, sent: _RunningChunk) -> Sequence[Picture]:
        """Keep what the chunk's journal tells. Returns the pictures that it does not tell of."""
        reported = set()
        for position, layout, seconds, outcome in read_journal(sent.journal):
            reported.add((position, layout))
            self._breaks = 0
            self._pace = seconds if not self._pace else 0.9 * self._pace + 0.1 * seconds
            _note(sent.work.open, _outcome(position, layout, outcome))
        self._finish(sent.work.open)
        sent.journal.unlink(missing_ok=True)
        return [one for one in sent.work.pictures if (one.position, one.layout) not in reported]

    def _finish(self, opened: _OpenClaim) -> None:
        """Record the items of which each layout has its outcome."""
        complete = [one for one in opened.items.values() if one.missing == 0]
        if complete:
            finished = [FinishedItem(one.item, one.outcomes) for one in complete]
            opened.wanted = self._claims.finish(opened.claim.batch, finished)
            for one in complete:
                del opened.items[one.item.position]
            with self._news:
                self.recorded += len(complete)
                self._news.notify_all()

    def _blame(self, work: _Work, rest: Sequence[Picture], error: BaseException) -> Sequence[Picture]:
        """A worker died, or could not work: blame the picture that it was busy with. Returns the others."""
        if lack := missing(error):
            raise RenderingStopped(lack)
        too_slow = getattr(error, "exitcode", None) == -signal.SIGALRM  # the picture's own limit: the worker is well
        # A worker that the pool killed never got ready, or hangs where no limit reaches it: few of them are enough.
        self._breaks += 0 if too_slow else HANGS if isinstance(error, TimeoutError) else 1
        if self._breaks > MAX_BREAKS:
            raise RuntimeError(f"the render processes do not start, or do not stay alive: {error}")
        first, others = rest[0], rest[1:]
        deaths = work.deaths + 1 if first is work.pictures[0] else 1
        if not isinstance(error, (ProcessExpired, BrokenProcessPool, TimeoutError)):
            self._fail(work.open, rest, (CODES[Cause.ENGINE], f"{type(error).__name__}: {error}"))
            return ()
        if too_slow:
            message = f"not finished within {self._rendering.seconds:g} seconds"
            self._fail(work.open, [first], (CODES[Cause.TIMEOUT], message))
        elif deaths < LIVES:
            self._again.append(_Work(work.open, [first], deaths))
        else:
            self._fail(work.open, [first], ("RENDER_CRASHED", f"the render process ended: {error}"))
        return others

    def _fail(self, opened: _OpenClaim, pictures: Sequence[Picture], why: tuple[str, str]) -> None:
        """Record that pictures cannot be made: code and message."""
        for one in pictures:
            _note(opened, PictureOutcome(one.position, one.layout, None, code=why[0], message=why[1]))
        self._finish(opened)


def _outcome(position: int, layout: str, line: Mapping[str, Any]) -> PictureOutcome:
    """Read a line of a journal: of a file, or of a cause and a message."""
    if "cause" in line:
        return PictureOutcome(position, layout, None, code=CODES[Cause(line["cause"])], message=line["message"])
    return PictureOutcome(position, layout, **line)


def _note(opened: _OpenClaim, outcome: PictureOutcome) -> None:
    one = opened.items[outcome.position]
    one.outcomes.append(outcome)
    one.missing -= 1
