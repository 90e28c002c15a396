"""What a request meets around its route: key, rate, and the faults that are injected into it."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hmac import compare_digest

from werkzeug.wrappers import Request, Response

from pictify_sync.providers.pictify.server.faults import ConnectionDropped, Fault
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.wire import WireError, digest, parse_object

# `pic_live_` and 64 digits; without a prefix before September 2026; in the oldest docs `pk_live_` and any letters


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in."""

    request: Request
    values: Mapping[str, str]  # of the path
    options: Options  # of the server, with what this request changes
    team: str = ""  # "": all keys see the same
    faults: tuple[Fault, ...] = ()

    @property
    def args(self) -> Mapping[str, str]:
        """The query; of a repeated name the first value."""
        return self.request.args

    @property
    def base(self) -> str:
        """URL of the server, ending in /."""
        return self.options.public_url or self.request.root_url

    @property
    def idempotency_key(self) -> str:
        """By which a repeated request is known; "": there is none, or it is ignored."""
        return self.request.headers.get("Idempotency-Key", "") if self.options.idempotent else ""

    def body(self, *, needed: bool = True) -> dict[str, object]:
        """The body as a JSON object. 400 when it is none, or is needed and empty."""
        self.request.max_content_length = self.options.max_body
        data = self.request.get_data(cache=False)
        if needed and not data:
            raise WireError(400, "A body is needed")
        return parse_object(data)

    def link(self, name: str) -> str:
        """URL of a rendered file."""
        return f"{self.base}files/{name}"

    def fault(self, name: str) -> Fault | None:
        """The fault of that name, if it befalls this request."""
        return next((one for one in self.faults if one.name == name), None)


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


STRICT_KEY = re.compile(r"(?:pic_(?:live|test)_)?[0-9a-f]{64}|pk_(?:live|test)_[0-9A-Za-z]{24,}")
WITH_HEADERS = frozenset({"createImage", "createGif"})  # whose 429s are documented to have them: public rendering
LONGEST_DELAY = 600.0  # seconds


def team_of(request: Request, options: Options) -> str:
    """Check the bearer key and return the name of its team, "" where there are no teams. 401 when it is not taken."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key.strip()
    taken = kind.lower() == "bearer" and bool(key)
    if options.tokens:
        found = [compare_digest(key.encode(), token.encode()) for token in options.tokens]
        taken = taken and any(found)
    if options.strict_keys and not STRICT_KEY.fullmatch(key):
        taken = False
    if not taken:
        raise WireError(401, "Invalid Request")
    return digest(key) if options.teams else ""


def rate_headers(allowance: Allowance, now: float) -> dict[str, str]:
    """The headers of the older docs: X-RateLimit-Reset is a time in unix seconds."""
    shown = {"X-RateLimit-Limit": allowance.limit, "X-RateLimit-Remaining": allowance.left}
    shown["X-RateLimit-Reset"] = int(now + allowance.reset) + 1
    return {name: str(value) for name, value in shown.items()}


def refuse_rate(allowance: Allowance, options: Options, operation: str) -> WireError:
    """The 429 of an empty bucket: with Retry-After only where headers are sent."""
    documented = options.rate_headers == "documented" and operation in WITH_HEADERS
    if not documented and options.rate_headers != "legacy":
        return WireError(429, "Too many requests")
    seconds = int(allowance.wait) + 1
    headers = {"Retry-After": str(seconds), **rate_headers(allowance, options.now())}
    return WireError(429, "Too many requests", extra={"retryAfter": seconds}, headers=headers)


def inject_before(faults: Sequence[Fault], now: float) -> Response | None:
    """Inject the faults that come before a request is served: WireError, ConnectionDropped or an answer."""
    for one in faults:
        match one.name:
            case "delay":
                time.sleep(min(float(one.value), LONGEST_DELAY))
            case "error-before":
                raise failure(one)
            case "html-before":
                page = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
                return Response(page, status=int(one.value), content_type="text/html")
            case "drop-before":
                raise ConnectionDropped("a fault closes the connection")
            case "quota":
                raise WireError(402, "Quota exceeded", "quota_exceeded")
            case "rate" | "rate-date" | "rate-body" | "rate-quota":
                raise _rate(one, now)
            case _:
                pass  # befalls it later, or concerns its batch
    return None


def _rate(fault: Fault, now: float) -> WireError:
    match fault.name:
        case "rate-quota":
            return WireError(429, "You have exhausted your plan limit", "quota_exceeded")
        case "rate-body":
            return WireError(429, "Too many requests", extra={"retryAfter": float(fault.value)})
        case "rate-date":
            headers = {"Retry-After": formatdate(now + float(fault.value), usegmt=True)}
        case _:
            headers = {"Retry-After": fault.value} if fault.value else {}
    return WireError(429, "Too many requests", headers=headers)


def inject_after(faults: Sequence[Fault]) -> None:
    """Inject the faults that come after a request was served: WireError or ConnectionDropped."""
    for one in faults:
        if one.name == "error-after":
            raise failure(one)
        if one.name == "drop-after":
            raise ConnectionDropped("a fault closes the connection")


def failure(fault: Fault) -> WireError:
    """The error of a fault's status."""
    return WireError(int(fault.value), f"A fault of status {fault.value}")
