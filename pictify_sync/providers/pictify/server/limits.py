"""Requests per minute: one token bucket per key, on the server's clock. It knows plans and no routes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

MAX_KEYS = 10_000  # buckets that are remembered


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a key's minute."""

    limit: int
    left: int
    reset: float  # seconds until the bucket is full again
    wait: float  # seconds until another request is let in; 0: this one is


class Buckets:
    """One bucket per key, full at first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> tokens, at

    def take(self, key: str, per_minute: int) -> Allowance:
        """Take one token of a bucket that holds `per_minute` and is filled at that rate."""
        rate = per_minute / 60
        with self._lock:
            now = self._now()
            tokens, at = self._buckets.pop(key, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + max(0.0, now - at) * rate)
            let_in = tokens >= 1 - 1e-9
            tokens -= let_in
            self._buckets[key] = (tokens, now)
            if len(self._buckets) > MAX_KEYS:
                del self._buckets[next(iter(self._buckets))]
        wait = 0.0 if let_in else (1 - tokens) / rate
        return Allowance(per_minute, max(0, math.floor(tokens)), (per_minute - tokens) / rate, wait)
