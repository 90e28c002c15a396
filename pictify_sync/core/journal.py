"""What to do with a batch that an earlier run left open: a pure judgement over its fold, the provider and the time.

A batch is *in doubt* when its intent is durable and no batch id is known: the process died around the POST, or the
answer was lost. Where the provider honours the idempotency key it is sent again at once, while the key is remembered.
Elsewhere nobody can tell, so it is left in quarantine until a late answer can no longer come; then what evidence there
is decides, and what it may have cost is written down.

A batch of a run that may be alive is that run's own work: one whose POST may still be under way, and one that another
embedded server holds, until its lease ends. So are moves of files in the folder of another clone. Recorded times may
lie ahead, since clocks are set back: no wait that is worked out here is longer than it would be for something that
happened now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pictify_sync.core.entries import MovesIntended, OpenBatch
from pictify_sync.core.model import Capabilities

MARGIN_SECONDS = 300.0  # clocks of two machines may differ by that much
LEASE_SECONDS = 600.0  # beside the longest time of an item, since its newest entry, that a batch is its server's alone


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


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """It is somebody else's work for now."""

    seconds: float  # at most, until it may be taken over


Verdict = Poll | SendAgain | Quarantine | Weigh | Held | Elsewhere


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to know."""

    run: str | None = None  # id of the run; None: whose batch it is does not matter
    instance: str | None = None  # of the provider (`Instance`), "" for one that is the same for all; None: likewise
    has_waited: bool = False  # True: as long as `Elsewhere` said


def moment(at: str) -> float:
    """ISO 8601 -> seconds since the epoch."""
    return datetime.fromisoformat(at).timestamp()


def certain_at(intended_at: float, capabilities: Capabilities, rules: DoubtRules) -> float:
    """Return when what a provider does not know by then of a batch will not come any more, in epoch seconds."""
    return intended_at + capabilities.post_seconds + MARGIN_SECONDS + rules.quarantine_seconds


def is_held_elsewhere(opened: OpenBatch, instance: str | None) -> bool:
    """Whether another embedded server holds a batch. What older versions wrote names none."""
    return instance is not None and opened.intended.instance not in ("", instance)


def is_of_other_service(opened: OpenBatch, service: str) -> bool:
    """Whether a batch is at another service than where its provider is reached now ("" for an embedded server).

    Nobody asks for it here, settles it or gives it up on its own account. Older versions named no service.
    """
    intended = opened.intended
    return intended.service != service if intended.service else bool(intended.instance and service)


def moves_left(pending: MovesIntended, place: str, now: float) -> float:
    """Seconds that pending moves are still the work of another clone, in its folder; 0: they may be finished here."""
    if not pending.moves or pending.place in ("", place):
        return 0.0
    return max(0.0, min(moment(pending.at) + LEASE_SECONDS - now, LEASE_SECONDS))


def judge(
    opened: OpenBatch,
    capabilities: Capabilities,
    rules: DoubtRules,
    times: tuple[float, float],
    asker: Asker = Asker(),
) -> Verdict:
    """Decide about an open batch. `times`: when it was intended, and now, in epoch seconds."""
    intended_at, now = times
    foreign = is_held_elsewhere(opened, asker.instance)
    left = 0.0 if asker.has_waited else _left(opened, capabilities, times, foreign=foreign)
    if foreign and left > 0:
        return Elsewhere(left)
    if opened.batch_id is not None:
        return Poll()
    if foreign:  # to send it again would be a second render under one attempt
        return Weigh()
    if capabilities.honours_idempotency_key and _is_remembered(capabilities.key_seconds, intended_at, now):
        return SendAgain()
    if left > 0 and opened.doubt is None and asker.run not in (None, opened.intended.run):
        return Elsewhere(left)
    until = certain_at(min(intended_at, now), capabilities, rules)
    if now < until:
        return Quarantine(until)
    return Held() if rules.policy is DoubtPolicy.HOLD else Weigh()


def _left(opened: OpenBatch, capabilities: Capabilities, times: tuple[float, float], *, foreign: bool) -> float:
    """Seconds that a batch may still be somebody else's work, at most the whole of what it may be that."""
    intended_at, now = times
    lasts = capabilities.item_seconds + LEASE_SECONDS if foreign else capabilities.post_seconds
    newest = moment(opened.submitted_at) if opened.submitted_at else intended_at
    return min(newest + lasts - now, lasts)


def _is_remembered(lasts: float | None, intended_at: float, now: float) -> bool:
    """Whether the provider still knows a key for certain. How old one from the future is, nobody can tell."""
    return lasts is None or (now + MARGIN_SECONDS < intended_at + lasts and intended_at <= now + MARGIN_SECONDS)
