"""Pictures whose URL nobody tells, rendered once more by the synchronous route, which answers with the URL.

The last source of URLs, and only where the settings name it: each picture is billed again. So it goes the way of every
billed call: written down, sent at most once, settled; when its answer is lost it is in doubt like any batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pictify_sync.core.abilities import Made, SingleRender, SingleResult
from pictify_sync.core.batching import group_of
from pictify_sync.core.entries import Claim, Doubted, Entry, Intended, claimed_keys
from pictify_sync.core.model import Batch, Fingerprint, Item, Record, Status
from pictify_sync.core.outcomes import BatchRequest, BatchStatus, Failed, InDoubt, NotSent, Refused, Rendered
from pictify_sync.core.reconcile import NotMade, Result, Unresolved
from pictify_sync.core.sensitive import cleaned, redactor_of
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, StalePlan
from pictify_sync.workflows.apply.attempts import Attempts
from pictify_sync.workflows.apply.clear_path import PATH_TAKEN, other_holder, replaceable, why_taken
from pictify_sync.workflows.apply.downloads import as_declared, fetch
from pictify_sync.workflows.apply.outcome import Tally
from pictify_sync.workflows.apply.prepare import request
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.urls import located


def render_singly(session: Session, records: Iterable[Record]) -> Tally:
    """Render each picture of the records once, however many assets share it, until the user or the provider says stop.

    Left out are pictures that the next plan renders anyway, since their template is another by now.
    """
    tally = Tally()
    groups: dict[Fingerprint, list[Record]] = {}
    for record in records:
        if record.fingerprint is not None and record.status is Status.RENDERED:
            groups.setdefault(record.fingerprint, []).append(record)
    templates = {(one.provider, one.name): one for one in session.store.templates()}
    with ThreadPoolExecutor(1) as pool:
        for shared in groups.values():
            if tally.stopped or session.ports.stop():
                break
            spec = shared[0].spec
            template = None if spec is None else templates.get((spec.provider, spec.template))
            if spec is not None and template is not None:
                revision = template.revisions.get(spec.variant)
                if revision == spec.template_revision and not template.drift:
                    attempts = Attempts(session, session.ports.provider(spec.provider), pool, tally)
                    _render(attempts, shared, template)
    return tally


def _render(attempts: Attempts, shared: Sequence[Record], template: TemplateRecord) -> None:
    provider = attempts.provider
    if not isinstance(provider, SingleRender):
        attempts.stop(f"the provider {template.provider} renders nothing one by one")
        return
    made: list[tuple[Intended, BatchRequest]] = []
    try:
        if not attempts.session.commit(partial(_intend, attempts, shared, template, made)):
            return
    except (InputError, StalePlan) as error:
        for one in shared:
            attempts.fail(one.key, "CHANGED_SINCE_PLAN", str(error))
        return
    intended, ask = made[-1]
    _take(attempts, intended, _cleaned(ask, provider.render_one(ask)))


def _cleaned(ask: BatchRequest, answer: SingleResult) -> SingleResult:
    redactor = redactor_of(ask)
    if isinstance(answer, Made):
        return Made({layout: cleaned(redactor, one) for layout, one in answer.outcomes.items()})
    return cleaned(redactor, answer)


def _intend(
    attempts: Attempts, shared: Sequence[Record], template: TemplateRecord, made: list[tuple[Intended, BatchRequest]]
) -> Sequence[Entry]:
    """Write one picture down; nothing when another run has found it, or claims it."""
    session = attempts.session
    claimed = claimed_keys(session.store.open_batches())
    left = []
    for one in shared:
        if one.key in claimed or session.store.record(one.key) != one:
            continue
        holder = other_holder(session, one.key, one.output)
        if holder is None:
            left.append(one)
        else:
            attempts.fail(one.key, PATH_TAKEN, why_taken(one.output, holder))
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
        instance=attempts.instance,
    )
    made.append((intended, request(session, intended)))
    return (intended,)


def _take(attempts: Attempts, intended: Intended, answer: SingleResult) -> None:
    """Record what became of it."""
    match answer:
        case Made(outcomes):
            _settle(attempts, intended, outcomes.get(intended.batch.layouts[0]))
        case Refused() as refused:
            attempts.abandon(intended, refused.message, (0, 0))
            for claim in intended.claims:
                attempts.fail(claim.key, refused.code, refused.message)
            if refused.stops_run or refused.retry_after is not None:
                attempts.stop(refused.message)
        case NotSent(detail):
            attempts.abandon(intended, detail, (0, 0))
            attempts.stop(detail)
        case InDoubt(detail):
            attempts.note(Doubted(intended.attempt, detail, attempts.session.now()))
            attempts.stop(f"a render is in doubt: {detail}")


def _settle(attempts: Attempts, intended: Intended, outcome: object) -> None:
    session, spec = attempts.session, intended.specs[0]
    result: Result
    match outcome:
        case Rendered(url=None) | None:
            result = Unresolved()
        case Rendered():
            places = replaceable(session, ((one.key, one.output) for one in intended.claims))
            declared = as_declared(session, spec, outcome)
            result = fetch(attempts.provider, session.ports.artifacts, declared, spec.format, places)
            if isinstance(result, Unresolved):  # no free source would find it
                result = NotMade("DOWNLOAD_FAILED", result.why, billed=True)
        case Failed(code, message):
            result = NotMade(code, message)
        case _:
            raise AssertionError(f"{outcome} is no outcome")
    results = {(0, spec.variant): result}
    if isinstance(outcome, Rendered):
        session.tell_shared(located(intended, {(0, spec.variant): outcome}, results))
    attempts.record(intended, BatchStatus.COMPLETED, results)
