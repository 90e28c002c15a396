"""Batches as they are intended: what is still needed, what is written down, and what goes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pictify_sync.core.abilities import instance_of
from pictify_sync.core.entries import Claim, Intended
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.model import Asset, AssetKey, Batch, Item, Record, RenderSpec, Status
from pictify_sync.core.outcomes import BatchRequest
from pictify_sync.core.sensitive import sensitive_names
from pictify_sync.errors import StalePlan
from pictify_sync.workflows.apply.clear_path import other_holder, why_taken
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.batches import Prepared, VariableSet, first_key, numbered, prepared


def narrowed(session: Session, batch: Batch) -> list[Batch]:
    """Leave out what other runs have claimed or made meanwhile; nothing is left when they did it all.

    Items that lost some of their layouts go on in batches of one layout, so that no picture is rendered needlessly.
    """
    claimed, refused = session.claimed(), _refused(session, batch)
    if not claimed and not session.touched and not refused:
        return [batch]

    def is_open(key: AssetKey) -> bool:
        return key not in claimed and key not in refused and not (key in session.touched and is_made(session, key))

    return only(batch, is_open)


def _refused(session: Session, batch: Batch) -> set[AssetKey]:
    """Return the keys whose output path another record, or open batch, holds by now: they are left out, and told."""
    refused = set()
    for key in (key for item in batch.items for keys in item.keys for key in keys):
        asset = session.ports.asset(key)
        holder = None if asset is None else other_holder(session, key, asset.output)
        if asset is not None and holder is not None:
            session.refused[key] = why_taken(asset.output, holder)
            refused.add(key)
    return refused


def only(batch: Batch, keep: Callable[[AssetKey], bool]) -> list[Batch]:
    """Return what is left of a batch for the assets to keep: [] for none, the batch itself for all."""
    items = [replace(item, keys=_kept(item, keep)) for item in batch.items]
    if items == list(batch.items):
        return [batch]
    whole = [item for item in items if all(item.keys)]
    left = [(batch.layouts, whole)]
    for number, layout in enumerate(batch.layouts):
        torn = [item for item in items if item.keys[number] and not all(item.keys)]
        left.append(((layout,), [replace(item, keys=(item.keys[number],)) for item in torn]))
    return [Batch(batch.group, layouts, numbered(items)) for layouts, items in left if items]


def _kept(item: Item, keep: Callable[[AssetKey], bool]) -> tuple[tuple[AssetKey, ...], ...]:
    return tuple(tuple(key for key in group if keep(key)) for group in item.keys)


def is_made(session: Session, key: AssetKey) -> bool:
    """Whether the picture that is desired is published."""
    asset = session.ports.asset(key)
    return asset is None or is_recorded(session.store.record(key), asset)


def is_recorded(record: Record | None, asset: Asset) -> bool:
    """Whether a record has the picture of an asset, published and sound."""
    if record is None:
        return False
    sound = record.status is Status.STORED and not record.tainted and record.drift is None
    return sound and record.artifact is not None and record.fingerprint == asset.fingerprint


def prepare(session: Session, batch: Batch) -> Prepared:
    """Make the variable sets; an item whose picture files changed since the plan is left out, and said so."""
    return prepared(batch, lambda key: session.ports.payloads.payload(key, _desired(session, key).variables))


def _desired(session: Session, key: AssetKey) -> Asset:
    asset = session.ports.asset(key)
    if asset is None:
        raise StalePlan(f"{key} is no longer desired", keys=(key,), hint="plan again")
    return asset


def uses(batch: Batch, item: Item) -> Iterator[tuple[str, AssetKey]]:
    """Give (layout, key) of every asset that an item of the batch satisfies."""
    for layout, keys in zip(batch.layouts, item.keys, strict=True):
        for key in keys:
            yield layout, key


def intend(session: Session, batch: Batch, uid: str) -> Intended:
    """Write a batch down with everything that a later run needs to finish it."""
    claims: list[Claim] = []
    specs: dict[str, RenderSpec] = {}
    variables: list[str] = []
    for item in batch.items:
        variables.append(_desired(session, first_key(item)).variables if session.ports.keep_variables else "")
        for layout, key in uses(batch, item):
            asset = _desired(session, key)
            specs[layout] = asset.spec
            claims.append(Claim(key, item.index, layout, asset.fingerprint, asset.output, asset.protect))
    return Intended(
        attempt=session.ports.new_attempt(),
        batch=batch,
        specs=tuple(specs[layout] for layout in sorted(specs)),
        variables=tuple(variables),
        claims=tuple(claims),
        template_uid=uid,
        at=session.now(),
        run=session.ports.run,
        instance=instance_of(session.ports.provider(batch.group.provider)),
        service=session.ports.service(batch.group.provider),
    )


def request(session: Session, intended: Intended, variable_sets: Sequence[VariableSet] | None = None) -> BatchRequest:
    """Make the body of the POST; without variable sets from what was written down.

    Raises InputError or StalePlan when the very same body can no longer be made.
    """
    sets = _rebuilt(session, intended) if variable_sets is None else variable_sets
    kept = (
        kept or _desired(session, first_key(item)).variables
        for item, kept in zip(intended.batch.items, intended.variables, strict=True)
    )
    return BatchRequest(
        template_uid=intended.template_uid,
        variable_sets=sets,
        layouts=intended.batch.layouts,
        format=intended.batch.group.format,
        options=intended.batch.group.options,
        idempotency_key=digest(f"{session.store.lineage} {intended.attempt}"),
        sensitive=frozenset().union(*map(sensitive_names, kept)),
    )


def _rebuilt(session: Session, intended: Intended) -> tuple[VariableSet, ...]:
    sets = []
    for item, kept in zip(intended.batch.items, intended.variables, strict=True):
        key = first_key(item)
        variables = kept or _desired(session, key).variables
        if digest(variables) != item.variables:
            raise StalePlan(f"the variables of {key} changed while its batch was in doubt", keys=(key,))
        sets.append(session.ports.payloads.payload(key, variables))
    return tuple(sets)
