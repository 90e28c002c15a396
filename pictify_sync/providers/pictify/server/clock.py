"""The server's clocks: one that never goes back, and one that tests can move."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class SteadyClock:
    """Call it for seconds since the epoch. It follows the machine's clock forward, and goes on when that is set back.

    What is stored with a time (when a batch is over, when a webhook is sent again) is so never an hour away because
    somebody corrected the machine's clock meanwhile.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._ahead = wall() - monotonic()  # at most so far
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            passed = self._monotonic()
            self._ahead = max(self._ahead, self._wall() - passed)
            return passed + self._ahead


class MovableClock:
    """Call it for seconds since the epoch. `start`: a time that only `advance` moves; None: the machine's own."""

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._machine = SteadyClock()
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            return (self._machine() if self._start is None else self._start) + self._ahead

    def advance(self, seconds: float) -> float:
        """Go forward and return the new time."""
        if not 0 <= seconds <= 1e10:
            raise ValueError("a clock only goes forward, by at most 1e10 seconds")
        with self._lock:
            self._ahead += seconds
        return self()
