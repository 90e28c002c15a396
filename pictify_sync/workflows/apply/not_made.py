"""What an apply leaves undone: pictures that are wanted, and are neither published nor on their way.

Whatever the reason was, each is named with it: a run that made nothing must not look like one that had nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pictify_sync.core.entries import Entry, OpenBatch, Recorded, claimed_keys
from pictify_sync.core.model import Action, Asset, AssetKey, Change, Failure, Record, Status, key_order
from pictify_sync.workflows.apply.attempts import Tally
from pictify_sync.workflows.apply.prepare import is_made
from pictify_sync.workflows.apply.session import Session

Failing = tuple[AssetKey, str, str]  # key, code, message
_IDLE = (Action.KEEP, Action.PROTECT, Action.UNPROTECT, Action.BLOCKED, Action.DELETE)
_UNKNOWN = ("NOT_MADE", "the run ended before it was made")
_NO_SOURCE = ("NOT_MADE", "the file that it was to be moved or copied from was not there")


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
