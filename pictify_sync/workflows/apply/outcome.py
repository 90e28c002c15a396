"""What an apply did and what it leaves undone: counted as it goes, and summed up.

Pictures that are wanted, and are neither published nor on their way, are each named with the reason: a run that made
nothing must not look like one that had nothing to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pictify_sync.core.entries import Entry, Intended, OpenBatch, Recorded, claimed_keys
from pictify_sync.core.model import Action, Asset, AssetKey, Change, Failure, Record, Status, key_order
from pictify_sync.workflows.apply.prepare import is_made
from pictify_sync.workflows.apply.session import Session

Failing = tuple[AssetKey, str, str]  # key, code, message
_IDLE = (Action.KEEP, Action.PROTECT, Action.UNPROTECT, Action.BLOCKED, Action.DELETE)
_UNKNOWN = ("NOT_MADE", "the run ended before it was made")
_NO_SOURCE = ("NOT_MADE", "the file that it was to be moved or copied from was not there")


@dataclass(slots=True)
class Tally:
    """What the drivers did, summed over batches."""

    stored: int = 0
    unresolved: int = 0
    looked: bool = False  # True: their URLs were looked for, and `unresolved` counts all that are recorded so
    in_doubt: set[str] = field(default_factory=set)  # attempts
    billed_min: int = 0
    billed_max: int = 0
    unbilled: int = 0  # rendered by a provider that bills nothing
    failed: list[tuple[AssetKey, str, str]] = field(default_factory=list)  # (key, code, message)
    stopped: str | None = None  # why nothing more was submitted; None: all was
    taken: set[str] = field(default_factory=set)  # attempts that another run gave up while this one saw them through
    postponed: set[AssetKey] = field(default_factory=set)  # fewer than their provider takes in one batch
    freed: bool = False  # True: a batch was given up, its assets need a new plan
    agreed: Mapping[str, Mapping[Action, int]] = field(default_factory=dict)  # counts by manifest of the plan agreed to
    left: int = 0  # changes of the newest plan that another run came before
    freed_by_others: bool = False  # True: by another run
    tries: Counter[AssetKey] = field(default_factory=Counter)  # renders that came to nothing, in this run
    lost: dict[AssetKey, tuple[str, str]] = field(
        default_factory=dict
    )  # (code, message) of the newest of them, until it is made

    def lose(self, intended: Intended, code: str, message: str) -> None:
        """Note that a batch may have been rendered, and that its pictures will not come from it."""
        for claim in intended.claims:
            self.tries[claim.key] += 1
            self.lost[claim.key] = (code, message)


@dataclass(frozen=True, slots=True)
class ApplySummary:
    """What an apply did, in pictures unless said otherwise."""

    stored: int = 0  # rendered, fetched, published
    moved: int = 0  # carried or copied without a render
    refetched: int = 0  # lost files that the provider still kept
    removed: int = 0
    left_alone: frozenset[str] = frozenset()  # files that are no longer wanted, and have other bytes than recorded
    kept: int = 0
    protected: int = 0  # recorded as protected from now on, and nothing else
    unprotected: int = 0
    cleared: int = 0  # recorded as stored again: what failed is no longer asked for
    unresolved: int = 0  # rendered, URL not known yet
    taken: int = 0  # batches that another run gave up while this one saw them through
    in_doubt: int = 0  # batches of which nobody knows whether the provider took them
    billed_min: int = 0
    billed_max: int = 0
    unbilled: int = 0  # rendered by a provider that bills nothing
    failed: tuple[tuple[AssetKey, str, str], ...] = ()  # (key, code, message)
    interrupted: bool = False
    stopped: str | None = None  # why nothing more was submitted; None: all was
    waiting: int = 0  # wanted, and in open batches of other runs or of this one: they are made without a new render
    embedded: bool = False  # True: these batches are in this process, and go on with the next apply only
    postponed: int = 0  # wanted, and fewer than their provider takes in one batch: they wait for more
    left: int = 0  # wanted, and not asked for since the run stopped early
    looked: bool = field(default=False, compare=False)  # True: `unresolved` counts all that are recorded so
    tries: Mapping[AssetKey, int] = field(default_factory=dict, compare=False)  # renders that came to nothing
    made: frozenset[AssetKey] = field(default=frozenset(), compare=False)  # published by `recover`


def combined(first: ApplySummary, second: ApplySummary) -> ApplySummary:
    """Give the summary of two parts of one apply."""
    return ApplySummary(
        stored=first.stored + second.stored,
        moved=first.moved + second.moved,
        refetched=first.refetched + second.refetched,
        removed=first.removed + second.removed,
        left_alone=first.left_alone | second.left_alone,
        kept=max(first.kept, second.kept),
        protected=first.protected + second.protected,
        unprotected=first.unprotected + second.unprotected,
        cleared=first.cleared + second.cleared,
        unresolved=second.unresolved + (0 if second.looked else first.unresolved),
        taken=first.taken + second.taken,
        in_doubt=max(first.in_doubt, second.in_doubt),
        billed_min=first.billed_min + second.billed_min,
        billed_max=first.billed_max + second.billed_max,
        unbilled=first.unbilled + second.unbilled,
        failed=first.failed + second.failed,
        interrupted=first.interrupted or second.interrupted,
        stopped=second.stopped or first.stopped,
        waiting=second.waiting,
        embedded=second.embedded,
        left=second.left,
        postponed=second.postponed,
        looked=first.looked or second.looked,
        tries=second.tries,
    )


def summarized(tally: Tally, *, interrupted: bool) -> ApplySummary:
    """Return the counts of a run as its summary."""
    return ApplySummary(
        stored=tally.stored,
        unresolved=tally.unresolved,
        taken=len(tally.taken),
        in_doubt=len(tally.in_doubt),
        billed_min=tally.billed_min,
        billed_max=tally.billed_max,
        unbilled=tally.unbilled,
        failed=tuple(tally.failed),
        interrupted=interrupted,
        stopped=tally.stopped,
        looked=tally.looked,
        tries=dict(tally.tries),
    )


@dataclass(slots=True)
class Unmade:
    """Pictures that the plan wanted and that are not published."""

    failed: list[Failing] = field(default_factory=list)  # not told as failed yet
    waiting: int = 0  # in open batches, of this or another run
    postponed: int = 0  # fewer than their provider takes in one batch


def is_wanted(change: Change) -> bool:
    """Whether a change ends with a picture that is published, now or once its batch ends."""
    return change.asset is not None and change.action not in _IDLE


def unmade(session: Session, wanted: Mapping[AssetKey, bool], tally: Tally) -> Unmade:
    """Compare what was wanted with what is recorded now. Batches in doubt are counted elsewhere.

    `wanted`: key -> whether it was to be moved or copied, and not rendered.
    """
    found = Unmade()
    open_in = {claim.key: one.intended.attempt for one in session.store.open_batches() for claim in one.intended.claims}
    told = {key for key, _, _ in tally.failed}
    lost = tally.lost.keys() - session.touched  # what others did to it since is a picture of today, too
    for key in wanted.keys() - told:
        attempt, asset = open_in.get(key), session.ports.asset(key)
        if attempt is not None:
            found.waiting += attempt not in tally.in_doubt
        elif asset is None or (key not in lost and _is_there(session, asset)):
            continue
        elif key in tally.postponed and key not in lost:
            found.postponed += 1
        else:
            found.failed.append((key, *_reason(session, asset, tally, is_carried=wanted[key])))
    found.failed.sort(key=lambda one: key_order(one[0]))
    return found


def note_lost(session: Session, failed: Iterable[Failing], tally: Tally) -> None:
    """Record pictures as failed whose batches were lost, unless another run made or took them since."""
    lost = [one for one in failed if one[0] in tally.lost]

    def build() -> Sequence[Entry]:
        taken = claimed_keys(session.store.open_batches())
        puts: list[Record] = []
        for key, code, message in lost:
            asset = session.ports.asset(key)
            if asset is not None and key not in taken and not _is_there(session, asset):
                before = session.store.record(key) or Record(key, Status.FAILED, None, None, None, asset.output)
                failure = Failure(code, message, asset.fingerprint)
                puts.append(replace(before, status=Status.FAILED, failure=failure, attempts=before.attempts + 1))
        return (Recorded("lost", tuple(puts), (), (), session.now()),) if puts else ()

    if lost:
        session.commit(build)


def still_open(session: Session, tally: Tally) -> Sequence[OpenBatch]:
    """Return the batches that are open, but for those in doubt."""
    return [one for one in session.store.open_batches() if one.intended.attempt not in tally.in_doubt]


def is_embedded(session: Session) -> bool:
    """Whether all open batches are in this process, so that nobody goes on with them before the next apply."""
    names = {one.intended.batch.group.provider for one in session.store.open_batches()}
    return all(session.ports.facts(name).embedded for name in names)


def made_good(session: Session, failed: Iterable[Failing], tally: Tally) -> tuple[Failing, ...]:
    """Return those of earlier failures that still hold: not made since, not given up as unwanted, not told again."""
    told = {key for key, _, _ in tally.failed}
    records: Mapping[AssetKey, Record | None] = {key: session.store.record(key) for key, _, _ in failed}
    return tuple(
        one
        for one in failed
        if one[0] not in told and (record := records[one[0]]) is not None and record.status is Status.FAILED
    )


def _is_there(session: Session, asset: Asset) -> bool:
    """Whether the picture is published, or rendered and looked for."""
    if is_made(session, asset.key):
        return True
    record = session.store.record(asset.key)
    return record is not None and record.status is Status.RENDERED and record.fingerprint == asset.fingerprint


def _reason(session: Session, asset: Asset, tally: Tally, *, is_carried: bool) -> tuple[str, str]:
    if asset.key in tally.lost:
        return tally.lost[asset.key]
    record = session.store.record(asset.key)
    failure = None if record is None else record.failure
    if failure is not None and failure.fingerprint == asset.fingerprint:
        return failure.code, failure.message
    return _NO_SOURCE if is_carried else _UNKNOWN
