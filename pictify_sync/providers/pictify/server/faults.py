"""Faults on demand: what befalls a request instead of, or after, being served. For tests of clients.

A fault is written `name`, `name=value`, both with `@operation` (an operationId of the API) and `*times` behind them:
`error-after=503@batchRenderTemplate*1`. Sources of the shapes: Pictify, Errors and Rate limits, all generations.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from pictify_sync.providers.pictify.server.problems import CODES
from pictify_sync.rendering.failure import Cause

# Pictify, Batch guide
REASONS = tuple(CODES[one] for one in (Cause.VARIABLE, Cause.EXPRESSION, Cause.IMAGE, Cause.TIMEOUT))

# name -> what its value looks like
STATUS, SECONDS, COUNT, NOTHING = r"[45]\d\d", r"\d+(?:\.\d+)?", r"\d{1,3}", ""
KINDS = {
    "error-before": STATUS,  # answer this status, do nothing
    "error-after": STATUS,  # do what was asked, then answer this status
    "html-before": STATUS,  # like error-before, as an HTML page of some proxy
    "drop-before": NOTHING,  # close the connection, do nothing
    "drop-after": NOTHING,  # do what was asked, then close the connection without an answer
    "delay": SECONDS,  # answer later
    "rate": f"(?:{SECONDS})?",  # 429; with seconds: Retry-After
    "rate-date": SECONDS,  # 429 with Retry-After as a date
    "rate-body": SECONDS,  # 429 with retryAfter in the body
    "rate-quota": NOTHING,  # 429 with the code quota_exceeded
    "quota": NOTHING,  # 402
    "expired": NOTHING,  # results: as if the 7 days were over
    "slow-batch": SECONDS,  # create: the batch takes so long, by the server's clock
    "slow-items": SECONDS,  # create: each item does
    "stall": NOTHING,  # create: the batch never gets further than its first item
    "fail-items": rf"(?:{'|'.join(REASONS)})(?::\d+(?:\+\d+)*)?",  # create: all items, or these indices, fail so
    "lose-webhooks": NOTHING,  # create: no event of this batch is sent
    "repeat-webhooks": COUNT,  # create: each is sent so many times
    "reorder-webhooks": NOTHING,  # create: last first, batch.completed before all
}
BEFORE = frozenset(
    {"error-before", "html-before", "drop-before", "rate", "rate-date", "rate-body", "rate-quota", "quota"}
)
WRITTEN = re.compile(r"([a-z-]+)(?:=([^@*]*))?(?:@(\w+))?(?:\*(\d{1,6}))?")


class ConnectionDropped(ConnectionResetError):
    """The connection is to be closed without an answer: whoever serves the app sees to it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    name: str  # of KINDS
    value: str = ""
    operation: str = ""  # "": any
    times: int | None = None  # that it happens; None: always


def parse(words: str) -> tuple[Fault, ...]:
    """Read faults separated by commas. Raises ValueError."""
    return tuple(_fault(word.strip()) for word in words.split(",") if word.strip())


def _fault(word: str) -> Fault:
    found = WRITTEN.fullmatch(word)
    if found is None or found[1] not in KINDS:
        raise ValueError(f"{word}: no such fault; there are {', '.join(KINDS)}")
    name, value = found[1], found[2] or ""
    if not re.fullmatch(KINDS[name], value):
        raise ValueError(f"{word}: {name} cannot have that value")
    return Fault(name, value, found[3] or "", int(found[4]) if found[4] else None)


@dataclass(slots=True)
class Rules:
    """The faults that a server was started with, counted."""

    faults: Sequence[Fault]
    _left: dict[int, int] = field(default_factory=dict)  # position -> how many times it still happens
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, operation: str) -> tuple[Fault, ...]:
        """Return what befalls a request of this operation."""
        found = []
        with self._lock:
            for position, one in enumerate(self.faults):
                if one.operation not in ("", operation):
                    continue
                left = self._left.get(position, one.times if one.times is not None else -1)
                if left:
                    self._left[position] = left - 1 if left > 0 else left
                    found.append(one)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class BatchFaults:
    """How one batch is to misbehave; kept with it."""

    seconds: float = 0.0  # that it takes at least
    reason: str = ""  # why items fail; "": they do not
    positions: tuple[int, ...] = ()  # of the items that fail; none: all
    lose: bool = False  # webhooks
    repeat: int = 1
    reorder: bool = False


def batch_faults(faults: Sequence[Fault], items: int, seconds: float) -> BatchFaults:
    """Collect what concerns a new batch. `seconds`: that every batch of this server takes."""
    fields: dict[str, object] = {"seconds": seconds}
    for one in faults:
        match one.name:
            case "slow-batch":
                fields["seconds"] = float(one.value)
            case "slow-items":
                fields["seconds"] = float(one.value) * items
            case "stall":
                fields["seconds"] = 1e12
            case "fail-items":
                reason, _, positions = one.value.partition(":")
                fields["reason"] = reason
                fields["positions"] = tuple(int(position) for position in positions.split("+") if position)
            case "lose-webhooks":
                fields["lose"] = True
            case "repeat-webhooks":
                fields["repeat"] = int(one.value)
            case "reorder-webhooks":
                fields["reorder"] = True
            case _:
                pass  # befalls the request, not the batch
    return BatchFaults(**fields)  # type: ignore[arg-type]
