"""Templates at their provider: pushed before the batches that need them, pushed again when they got lost there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from pictify_sync.core.abilities import instance_of
from pictify_sync.core.drift import LOST
from pictify_sync.core.entries import Entry, TemplateRecorded
from pictify_sync.core.events import TemplatePushed
from pictify_sync.core.model import Group
from pictify_sync.core.ports import Provider
from pictify_sync.core.template import TemplateChange, TemplateRecord, TemplateSource
from pictify_sync.errors import ProviderError
from pictify_sync.redaction import Redactor
from pictify_sync.workflows.apply.session import Session


def push_templates(session: Session, changes: Sequence[TemplateChange]) -> dict[tuple[str, str], str]:
    """Create or update declared templates at their provider, each recorded before the next is pushed.

    Return the uids by (provider, name): a run of another folder, whose embedded server gives uids of its own, may
    record others before these are used.
    """
    pushed: dict[tuple[str, str], str] = {}
    known = {(record.provider, record.name): record for record in session.store.templates()}
    for change in changes:
        source = change.source
        held = known.get((source.provider, source.name))
        provider = session.ports.provider(source.provider)
        is_pushed = held is not None and held.digest == source.digest and not held.drift
        if is_pushed and held != change.record and not instance_of(provider):
            continue  # by another run, since the plan
        uid = _pushed(provider, source, None if held is None else held.uid)
        revisions = _held(provider, uid)
        at = session.now()
        record = TemplateRecord(
            name=source.name,
            provider=source.provider,
            uid=uid,
            digest=source.digest,
            revisions=dict(source.revisions),
            source=source.source,
            variables=tuple(replace(one, default="") if one.sensitive else one for one in source.variables),
            layouts=dict(source.layouts),
            observed_at=at,
            held=revisions,
        )
        session.commit(partial(_template_entry, record, at))
        session.ports.sink(TemplatePushed(source.name, uid))
        pushed[source.provider, source.name] = uid
    return pushed


def _pushed(provider: Provider, source: TemplateSource, uid: str | None) -> str:
    try:
        return provider.push_template(source, uid)
    except ProviderError as error:
        redactor = Redactor(json.loads(one.default) for one in source.variables if one.sensitive and one.default)
        error.message = redactor.clean(error.message)
        error.args = (error.message,)
        raise


def _held(provider: Provider, uid: str) -> Mapping[str, str]:
    """Look at what was just pushed, as any later look will see it. Nothing where the provider does not tell."""
    try:
        seen = provider.observe_template(uid)
    except ProviderError:
        return {}
    return {} if seen is None else seen.revisions


def _template_entry(record: TemplateRecord, at: str) -> Sequence[Entry]:
    return (TemplateRecorded(record, at),)


def forget_push(session: Session, group: Group) -> bool:
    """Note that the provider lost a declared template, so that the next plan pushes it; False if undeclared."""
    for record in session.store.templates():
        if (record.provider, record.name) == (group.provider, group.template) and record.declared:
            return session.commit(partial(_template_entry, replace(record, drift=LOST), session.now()))
    return False
