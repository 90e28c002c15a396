"""What to do with a batch that an earlier run left open: a pure judgement over its fold, the provider and the time.

A batch is *in doubt* when its intent is durable and no batch id is known: the process died around the POST, or the
answer was lost. Where the provider honours the idempotency key it is sent again at once, while the key is remembered.
Elsewhere nobody can tell, so it is left in quarantine until a late answer can no longer come; then what evidence there
is decides, and what it may have cost is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pictify_sync.core.entries import OpenBatch
from pictify_sync.core.model import Capabilities

POST_SECONDS = 120.0  # from the intent until its POST has left or never will, time-out of the request included
MARGIN_SECONDS = 300.0  # clocks of two machines may differ by that much


class DoubtPolicy(StrEnum):
    """What happens to a batch in doubt once its quarantine is over."""

    RESUBMIT = "resubmit"  # give it up, note what it may have cost, render again
    HOLD = "hold"  # leave it to `pictify-sync resolve`


@dataclass(frozen=True, slots=True)
class DoubtRules:
    """From the settings."""

    policy: DoubtPolicy = DoubtPolicy.RESUBMIT
    quarantine_seconds: float = 900.0  # longer than a provider's look-up or webhook may lag


@dataclass(frozen=True, slots=True)
class Poll:
    """Its batch id is known: ask how it is doing."""


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The key makes a second POST the same as the first."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Nobody can tell yet."""

    until: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class Weigh:
    """The quarantine is over: adopt it by evidence, or give it up."""


@dataclass(frozen=True, slots=True)
class Held:
    """Only a person decides."""


Verdict = Poll | SendAgain | Quarantine | Weigh | Held


def certain_at(intended_at: float, rules: DoubtRules) -> float:
    """When what a provider does not know by then of a batch will not come any more, in epoch seconds."""
    return intended_at + POST_SECONDS + MARGIN_SECONDS + rules.quarantine_seconds


def judge(opened: OpenBatch, capabilities: Capabilities, rules: DoubtRules, times: tuple[float, float]) -> Verdict:
    """Decide about an open batch. `times`: when it was intended, and now, in epoch seconds."""
    intended_at, now = times
    if opened.batch_id is not None:
        return Poll()
    lasts = capabilities.key_seconds
    if capabilities.honours_idempotency_key and (lasts is None or now + MARGIN_SECONDS < intended_at + lasts):
        return SendAgain()
    until = certain_at(intended_at, rules)
    if now < until:
        return Quarantine(until)
    return Held() if rules.policy is DoubtPolicy.HOLD else Weigh()
