"""(open batch, outcomes, fetched bytes) -> records. Idempotent, and blind to the order of outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pictify_sync.core.entries import Claim, Intended, Obsolete, Settled
from pictify_sync.core.model import Artifact, AssetKey, Failure, Record, RenderSpec, Status, key_order


@dataclass(frozen=True, slots=True)
class Published:
    """The picture of one (item, layout) lies at the output paths of its claims."""

    artifacts: Mapping[str, Artifact]  # by path
    url: str | None
    spared: Mapping[str, str] = field(default_factory=dict)  # path -> new path of what lay there and was not ours


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Rendered and billed; its URL is not known yet, or cannot be read for now. Not rendered again for that."""

    why: str = ""  # why its URL cannot be read; "": it is not known


@dataclass(frozen=True, slots=True)
class NotMade:
    """The provider could not make it, or its bytes are not that picture."""

    code: str
    message: str
    billed: bool = False  # True: it was rendered, but could not be fetched

    @property
    def untold(self) -> bool:
        """Whether it may have been rendered all the same: nobody told, or it was cancelled meanwhile."""
        return self.code in UNTOLD


UNTOLD = {"NO_OUTCOME", "CANCELLED"}

Result = Published | Unresolved | NotMade

NO_OUTCOME = NotMade("NO_OUTCOME", "the provider reported the batch as finished without an outcome for this picture")


def settle(
    intended: Intended,
    status: str,
    results: Mapping[tuple[int, str], Result],
    prior: Callable[[AssetKey], Record | None],
    at: str,
) -> Settled:
    """Fold all results of a batch into records. A claim without a result counts as failed, never as done."""
    specs = {spec.variant: spec for spec in intended.specs}
    puts: list[Record] = []
    obsolete: list[Obsolete] = []
    for claim in sorted(intended.claims, key=lambda claim: key_order(claim.key)):
        before = prior(claim.key)
        result = results.get((claim.index, claim.layout), NO_OUTCOME)
        record = _record(claim, specs[claim.layout], result, before)
        puts.append(replace(record, attempt=intended.attempt, rendered_at=_time(record, before, at)))
        obsolete.extend(replaced(before, record))
    cells = {(claim.index, claim.layout) for claim in intended.claims}
    least, most = _billed(results.get(cell, NO_OUTCOME) for cell in cells)
    return Settled(intended.attempt, status, tuple(puts), tuple(obsolete), least, most, at)


def _billed(results: Iterable[Result]) -> tuple[int, int]:
    """How many pictures were billed: at least, at most."""
    least = most = 0
    for result in results:
        made = not isinstance(result, NotMade) or result.billed
        least += made
        most += made or (isinstance(result, NotMade) and result.untold)
    return least, most


def _time(record: Record, before: Record | None, at: str) -> str | None:
    if record.status is not Status.FAILED:
        return at
    return None if before is None else before.rendered_at


def _record(claim: Claim, spec: RenderSpec, result: Result, before: Record | None) -> Record:
    attempts = 1 + (0 if before is None else before.attempts)
    blank = Record(claim.key, Status.FAILED, None, None, None, claim.output)
    kept = replace(before or blank, output=claim.output, attempts=attempts, protect=claim.protect)
    match result:
        case Published(artifacts, url):
            return replace(
                kept,
                status=Status.STORED,
                fingerprint=claim.fingerprint,
                spec=spec,
                artifact=artifacts[claim.output],
                url=url,
                failure=None,
                tainted=False,
                drift=None,
            )
        case Unresolved():
            made = replace(kept, status=Status.RENDERED, fingerprint=claim.fingerprint, spec=spec)
            return replace(made, url=None, failure=None, tainted=False, drift=None)
        case NotMade(code, message):
            return replace(kept, status=Status.FAILED, failure=Failure(code, message, claim.fingerprint))


def replaced(before: Record | None, after: Record) -> tuple[Obsolete, ...]:
    """Return the published file that `after` no longer uses, if any."""
    old = None if before is None else before.artifact
    if old is None or (after.artifact is not None and after.artifact.path == old.path):
        return ()
    return (Obsolete(old.path, old.sha256),)
