"""May a plan be carried out? The guard, what was approved, and whether a saved plan still fits the state."""

from __future__ import annotations

from dataclasses import dataclass

from pictify_sync.core import guard
from pictify_sync.core.approval import exceeding, rendered_digest
from pictify_sync.core.entries import claimed_keys
from pictify_sync.core.model import Action, Record, Status
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import NotApproved, StalePlan

NAMED = 20  # stale keys that an error names


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user agreed to beforehand."""

    allow_deletes: bool = False  # lifts the guard's share of deletes
    digests: tuple[str, ...] = ()  # the plan may be exactly one of these
    plans: tuple[Plan, ...] = ()  # the work may be any part of what these name together
    nothing: bool = False  # approvals were asked for, and there are none: no work at all
    saved: bool = False  # the plan itself was saved and reviewed


def check(plan: Plan, limits: guard.Limits, consent: Consent) -> None:
    """Raise NotApproved when the work exceeds what was approved, UnsafePlan when the guard refuses it."""
    if consent.digests or consent.plans or consent.nothing:
        refuse_unapproved(plan, consent)
    elif not consent.saved:
        _guard(plan, limits, consent)


def refuse_unapproved(plan: Plan, consent: Consent) -> None:
    """Raise NotApproved with every piece of work that neither a digest nor a plan approves."""
    if plan.is_empty or plan.digest in consent.digests:
        return
    if plan.summary.copies and consent.digests and rendered_digest(plan.changes, plan.templates) in consent.digests:
        return
    if consent.digests and not consent.plans:
        raise NotApproved(
            f"the plan is {plan.digest}, approved was {', '.join(consent.digests)}",
            hint="review the new plan and approve its digest",
        )
    approved = ((one.changes, one.templates) for one in consent.plans)
    beyond = exceeding(plan.changes, plan.templates, approved)
    if beyond:
        few = f"{len(beyond):,} changes were" if len(beyond) > 1 else "1 change was"
        raise NotApproved(f"{few} not approved", exceeding=beyond, hint="review the new plan and approve it")


def _guard(plan: Plan, limits: guard.Limits, consent: Consent) -> None:
    deletes = 100.0 if consent.allow_deletes else limits.max_delete_percent
    guard.check(plan.summary, guard.Limits(deletes, limits.min_recorded, limits.max_renders))


def refuse_stale(plan: Plan, store: StateStore) -> None:
    """Raise StalePlan when the lineage differs, or what is recorded of a planned key moved: so that it matters."""
    if plan.lineage != store.lineage and not (plan.lineage == "" and store.serial() == 0):
        raise StalePlan(
            f"the plan was made for lineage {plan.lineage}, the state is {store.lineage or '(none)'}"
            if plan.lineage
            else "the plan was made before there was a state; it was applied, or another was, since",
            hint="plan again against this state",
        )
    claimed = claimed_keys(store.open_batches())
    moved = []
    for change in plan.changes:
        if change.action is Action.KEEP:
            continue
        unresolved = change.record is not None and change.record.status is Status.RENDERED
        was_claimed = change.action is Action.AWAIT and not unresolved
        if _seen(change.record) != _seen(store.record(change.key)) or was_claimed != (change.key in claimed):
            moved.append(change.key)
    if moved:
        raise StalePlan(
            f"the plan is out of date: {len(moved):,} of its pictures changed since it was made",
            keys=moved[:NAMED],
            hint="plan again",
        )


def _seen(record: Record | None) -> tuple[object, ...] | None:
    return None if record is None else (record.fingerprint, record.status, record.tainted, record.drift, record.protect)
