"""A clock that tests can move: the machine's time plus what it was advanced by, or a time that stands still."""

from __future__ import annotations

import threading
import time


class MovableClock:
    """Call it for seconds since the epoch. `start`: a time that only `advance` moves; None: the machine's own."""

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            return (time.time() if self._start is None else self._start) + self._ahead

    def advance(self, seconds: float) -> float:
        """Go forward; gives the new time."""
        if not 0 <= seconds <= 1e10:
            raise ValueError("a clock goes forward, and not for ever")
        with self._lock:
            self._ahead += seconds
        return self()
