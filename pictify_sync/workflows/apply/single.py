"""Pictures whose URL nobody tells, rendered once more by the synchronous route, which answers with the URL.

The last source of URLs, and only where the settings name it: each picture is billed again. So it goes the way of every
billed call: written down, sent at most once, settled; when its answer is lost it is in doubt like any batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pictify_sync.core.abilities import Made, SingleRender, SingleResult, instance_of
from pictify_sync.core.batching import group_of
from pictify_sync.core.entries import Abandoned, Claim, Doubted, Entry, Intended, Settled, claimed_keys
from pictify_sync.core.events import AssetFailed, AssetStored
from pictify_sync.core.model import AssetKey, Batch, Fingerprint, Item, Record, Status
from pictify_sync.core.outcomes import BatchRequest, BatchStatus, Failed, InDoubt, NotSent, Refused, Rendered
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved, settle
from pictify_sync.core.sensitive import cleaned, redactor_of
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, StalePlan
from pictify_sync.workflows.apply import shared_urls
from pictify_sync.workflows.apply.clear_path import (
    PATH_TAKEN,
    other_holder,
    replaceable,
    tell_spared,
    why_taken,
    with_losers,
)
from pictify_sync.workflows.apply.downloads import fetch
from pictify_sync.workflows.apply.prepare import request
from pictify_sync.workflows.apply.redact import clean_results
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.sizes import as_declared


@dataclass(slots=True)
class Singles:
    """What rendering one by one did."""

    stored: int = 0  # assets
    failed: list[tuple[AssetKey, str, str]] = field(default_factory=list)  # (key, code, message)
    stopped: str = ""  # why it ended early; "": it did not


def render_singly(session: Session, records: Iterable[Record]) -> Singles:
    """Render each picture of the records once, however many assets share it, until the user or the provider says stop.

    Left out are pictures that the next plan renders anyway, since their template is another by now.
    """
    done = Singles()
    groups: dict[Fingerprint, list[Record]] = {}
    for record in records:
        if record.fingerprint is not None and record.status is Status.RENDERED:
            groups.setdefault(record.fingerprint, []).append(record)
    templates = {(one.provider, one.name): one for one in session.store.templates()}
    for shared in groups.values():
        if done.stopped or session.ports.stop():
            break
        spec = shared[0].spec
        template = None if spec is None else templates.get((spec.provider, spec.template))
        if spec is not None and template is not None:
            revision = template.revisions.get(spec.variant)
            if revision == spec.template_revision and not template.drift:
                _render(session, shared, template, done)
    return done


def _render(session: Session, shared: Sequence[Record], template: TemplateRecord, done: Singles) -> None:
    spec = shared[0].spec
    assert spec is not None
    provider = session.ports.provider(spec.provider)
    if not isinstance(provider, SingleRender):
        done.stopped = f"the provider {spec.provider} renders nothing one by one"
        return
    made: list[tuple[Intended, BatchRequest]] = []
    try:
        if not session.commit(partial(_intend, session, shared, template, made, done)):
            return
    except (InputError, StalePlan) as error:
        _fail(session, shared, ("CHANGED_SINCE_PLAN", str(error)), done)
        return
    intended, ask = made[-1]
    _take(session, intended, _cleaned(ask, provider.render_one(ask)), done)


def _cleaned(ask: BatchRequest, answer: SingleResult) -> SingleResult:
    redactor = redactor_of(ask)
    if isinstance(answer, Made):
        return Made({layout: cleaned(redactor, one) for layout, one in answer.outcomes.items()})
    return cleaned(redactor, answer)


def _intend(
    session: Session,
    shared: Sequence[Record],
    template: TemplateRecord,
    made: list[tuple[Intended, BatchRequest]],
    done: Singles,
) -> Sequence[Entry]:
    """Write one picture down; nothing when another run has found it, or claims it."""
    claimed = claimed_keys(session.store.open_batches())
    left = []
    for one in shared:
        if one.key in claimed or session.store.record(one.key) != one:
            continue
        holder = other_holder(session, one.key, one.output)
        if holder is None:
            left.append(one)
        else:
            _fail(session, (one,), (PATH_TAKEN, why_taken(one.output, holder)), done)
    kept = session.store.variables(left[0].fingerprint.variables) if left and left[0].fingerprint else None
    if not left or kept is None:
        return ()
    spec, fingerprint = left[0].spec, left[0].fingerprint
    assert spec is not None
    assert fingerprint is not None
    keys = tuple(one.key for one in left)
    group = group_of(spec)
    intended = Intended(
        attempt=session.ports.new_attempt(),
        batch=Batch(group, (spec.variant,), (Item(0, fingerprint.variables, (keys,)),)),
        specs=(spec,),
        variables=(kept,),
        claims=tuple(Claim(one.key, 0, spec.variant, fingerprint, one.output, one.protect) for one in left),
        template_uid=template.uid,
        at=session.now(),
        run=session.ports.run,
        instance=instance_of(session.ports.provider(spec.provider)),
    )
    made.append((intended, request(session, intended)))
    return (intended,)


def _take(session: Session, intended: Intended, answer: SingleResult, done: Singles) -> None:
    """Record what became of it."""
    attempt, now = intended.attempt, session.now()
    match answer:
        case Made(outcomes):
            _settle(session, intended, outcomes.get(intended.batch.layouts[0]), done)
        case Refused() as refused:
            session.commit(partial(_if_open, session, Abandoned(attempt, refused.message, 0, 0, now)))
            _fail(session, _records(session, intended), (refused.code, refused.message), done)
            done.stopped = refused.message if refused.stops_run or refused.retry_after is not None else ""
        case NotSent(detail):
            session.commit(partial(_if_open, session, Abandoned(attempt, detail, 0, 0, now)))
            done.stopped = detail
        case InDoubt(detail):
            session.commit(partial(_if_open, session, Doubted(attempt, detail, now)))
            done.stopped = f"a render is in doubt: {detail}"


def _settle(session: Session, intended: Intended, outcome: object, done: Singles) -> None:
    spec, claims = intended.specs[0], intended.claims
    result: Result
    match outcome:
        case Rendered(url=None) | None:
            result = Unresolved()
        case Rendered():
            provider = session.ports.provider(spec.provider)
            places = replaceable(session, ((one.key, one.output) for one in claims))
            result = fetch(provider, session.ports.artifacts, as_declared(session, spec, outcome), spec.format, places)
            if isinstance(result, Unresolved):  # no free source would find it
                result = NotMade("DOWNLOAD_FAILED", result.why, billed=True)
        case Failed(code, message):
            result = NotMade(code, message)
        case _:
            raise AssertionError(f"{outcome} is no outcome")
    if isinstance(outcome, Rendered):
        session.tell_shared(shared_urls.of_batch(intended, {(0, spec.variant): outcome}, {(0, spec.variant): result}))
    results, at = clean_results(session, intended, {(0, spec.variant): result}), session.now()
    result = results[0, spec.variant]

    def build() -> Sequence[Entry]:
        settled = settle(intended, BatchStatus.COMPLETED, results, session.store.record, at)
        spared = result.spared.keys() if isinstance(result, Published) else ()
        return with_losers(session, settled, spared) if _if_open(session, settled) else ()

    session.commit(build)
    if isinstance(result, Published):
        done.stored += len(claims)
        for claim in claims:
            tell_spared(session, result, claim.output)
            session.ports.sink(AssetStored(claim.key, claim.output, rendered=True))
    elif isinstance(result, NotMade):
        _fail(session, _records(session, intended), (result.code, result.message), done)


def _if_open(session: Session, entry: Settled | Abandoned | Doubted) -> Sequence[Entry]:
    is_open = any(opened.intended.attempt == entry.attempt for opened in session.store.open_batches())
    return (entry,) if is_open else ()


def _records(session: Session, intended: Intended) -> list[Record]:
    found = (session.store.record(claim.key) for claim in intended.claims)
    return [record for record in found if record is not None]


def _fail(session: Session, records: Iterable[Record], why: tuple[str, str], done: Singles) -> None:
    for record in records:
        done.failed.append((record.key, *why))
        session.ports.sink(AssetFailed(record.key, *why))
