"""Time that passes only when somebody waits."""

from __future__ import annotations


class FakeClock:
    """A Clock under the test's control; it keeps what was slept, in seconds."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self.time = start
        self.set_ahead = 0.0  # seconds by which somebody set the machine's clock ahead; below 0: back
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time + self.set_ahead

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(seconds, 0.0)
