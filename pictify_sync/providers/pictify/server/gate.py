"""What a request meets before and after its route: key, rate, quota, and the faults that befall it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from email.utils import formatdate
from hmac import compare_digest

from werkzeug.wrappers import Request, Response

from pictify_sync.providers.pictify.server.faults import ConnectionDropped, Fault
from pictify_sync.providers.pictify.server.limits import Allowance
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.wire import WireError, digest

# `pic_live_` and 64 digits; without a prefix before September 2026; in the oldest docs `pk_live_` and any letters
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
