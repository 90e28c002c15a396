"""How fast an account may be asked: a bucket of tokens, one per request, each back a minute after its answer.

So no minute ever holds more requests than allowed, however the provider draws its minutes, and a request that may leave
leaves at once. What answers tell corrects the bucket. This module must not know routes, bodies or HTTP libraries.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from pictify_sync.core.ports import Clock
from pictify_sync.errors import ProviderUnavailable

WINDOW = 60.0  # seconds: limits are per minute (Pictify, Rate limits: Free 60, Pro 300, Business 1,000)
SLACK = 30.0  # seconds beyond a minute that a reset may lie ahead and still be about a minute
LONGEST_TURN = 120.0  # seconds that a request waits for its turn; beyond, the caller decides
LONGEST_BACK_OFF = 30.0  # seconds after a 429 that does not say how long
FLOOR = 10  # requests a minute below which a wordless 429 is not taken for a lower limit
GROWTH = 1.25  # of a guessed limit, after a minute without a 429
DAY = 86_400.0


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class Throttled(ProviderUnavailable):
    """No request may leave for so long that waiting is the caller's decision. Nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the provider asks to wait {math.ceil(seconds)} s", hint="try again later")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class RateHints:
    """What an answer says of the rate."""

    refused: bool = False  # 429, and not because renders are used up
    creates: bool = False  # it answered a call that creates: its 429 may be about open batches
    wait: float | None = None  # seconds; None: not told
    limit: int | None = None  # requests a minute
    remaining: int | None = None  # requests left until `reset`
    reset: float | None = None  # epoch seconds


def wait_told(headers: Mapping[str, str], body: object, now: float) -> float | None:
    """Seconds to wait: `Retry-After` (seconds or date), else `retryAfter` or `retry_after` of the body."""
    told: object = headers.get("retry-after")
    if told is None and isinstance(body, dict):
        told = body.get("retryAfter", body.get("retry_after"))
    if told is None or isinstance(told, bool):
        return None
    try:
        seconds = float(str(told))
    except ValueError:
        seconds = until(str(told), now)
    return min(max(seconds, 0.0), DAY) if not math.isnan(seconds) else None


def until(date: str, now: float) -> float:
    """Seconds from now to an HTTP date; NaN when it is none."""
    try:
        at = parsedate_to_datetime(date)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def limits_told(headers: Mapping[str, str], now: float) -> tuple[int | None, int | None, float | None]:
    """(limit, remaining, reset) of `X-RateLimit-*`; reset in unix seconds, also if sent as seconds from now or ms."""
    limit, remaining = _count(headers.get("x-ratelimit-limit")), _count(headers.get("x-ratelimit-remaining"))
    reset = _count(headers.get("x-ratelimit-reset"))
    at = None if reset is None else float(reset)
    if at is not None:
        at = at / 1000 if at > 1e11 else at + now if at < 1e9 else at
        at = min(at, now + DAY)
    return limit or None, remaining, at


def _count(text: str | None) -> int | None:
    text = (text or "").strip().partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


class Rate:
    """The bucket of one account. Safe with threads.

    `per_minute` is what the account's plan allows (None: not limited until an answer says so), `most` what the user
    set: answers may lower but not raise it.
    """

    def __init__(self, clock: Clock, per_minute: int | None, *, most: int | None = None) -> None:
        self.clock = clock
        self._most = most
        self._given = self._limit = most if per_minute is None else per_minute
        self._out = 0  # requests under way
        self._back: deque[float] = deque()  # when tokens return, ascending, by the monotonic clock like all times here
        self._not_before = -math.inf
        self._refusals = 0  # 429 in a row
        self._grown = -math.inf  # when a guessed limit was last touched
        self._lock = threading.Lock()

    @property
    def limit(self) -> int | None:
        """Requests a minute, as believed by now."""
        return self._limit

    @contextmanager
    def turn(self, longest: float = LONGEST_TURN) -> Iterator[None]:
        """Wait until a request may leave; it leaves within. Raises Throttled when that takes longer than `longest`."""
        while (seconds := self._take()) > 0:
            if seconds > longest:
                raise Throttled(seconds)
            self.clock.sleep(seconds)
        try:
            yield
        finally:
            with self._lock:
                self._out -= 1
                if self._limit is not None:
                    self._back.append(max(self.clock.monotonic() + WINDOW, self._back[-1] if self._back else -math.inf))

    def _take(self) -> float:
        """Take a token, or give the seconds until it is worth asking again."""
        with self._lock:
            now = self.clock.monotonic()
            self._settle(now)
            if self._not_before > now:
                return self._not_before - now
            if self._limit is None or self._out + len(self._back) < self._limit:
                self._out += 1
                return 0.0
            # The token to wait for: so many must come back first if the limit was lowered meanwhile.
            position = self._out + len(self._back) - self._limit
            return self._back[position] - now if position < len(self._back) else 0.05

    def _settle(self, now: float) -> None:
        while self._back and self._back[0] <= now:
            self._back.popleft()
        guessed = self._limit is not None and (self._given is None or self._limit < self._given)
        if guessed and now >= self._grown + WINDOW:
            assert self._limit is not None
            grown = math.ceil(self._limit * GROWTH)
            self._limit = grown if self._given is None else min(self._given, grown)
            self._grown = now

    def learn(self, told: RateHints) -> None:
        """Correct the bucket by an answer."""
        with self._lock:
            now = self.clock.monotonic()
            reset = None if told.reset is None else now + min(told.reset - self.clock.now(), DAY)
            self._settle(now)
            self._learn_limit(told, reset, now)
            self._learn_others(told, reset, now)
            if not told.refused:
                self._refusals = 0
                return
            self._refusals += 1
            silent = told.wait is None and told.remaining != 0
            if told.wait is not None:
                self._not_before = max(self._not_before, now + told.wait)
            elif told.remaining == 0 and reset is not None:
                self._not_before = max(self._not_before, reset)
            elif not told.creates:  # whoever creates decides when to try again; polls may go on meanwhile
                pause = min(2.0 ** min(self._refusals - 1, 8), LONGEST_BACK_OFF)
                self._not_before = max(self._not_before, now + pause)
            used = len(self._back) + self._out
            if silent and not told.creates and told.limit is None and FLOOR <= used - 1 < (self._limit or math.inf):
                self._limit, self._grown = used - 1, now

    def _learn_limit(self, told: RateHints, reset: float | None, now: float) -> None:
        about_a_minute = reset is None or reset <= now + WINDOW + SLACK
        if told.limit is not None and about_a_minute:
            self._limit = self._given = min(told.limit, self._most or told.limit)

    def _learn_others(self, told: RateHints, reset: float | None, now: float) -> None:
        """Fewer left than we think: somebody else uses the account; those tokens are gone until the reset."""
        if told.remaining is None or self._limit is None or reset is None or reset > now + WINDOW + SLACK:
            return
        gone = self._limit - self._out - len(self._back) - told.remaining
        if gone > 0:
            at = min(max(reset, now), now + WINDOW)
            self._back = deque(sorted((*self._back, *[at] * gone)))
