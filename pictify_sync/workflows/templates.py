"""Templates at their provider: pushed before the batches that need them, pushed again when they got lost there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from pictify_sync.core.drift import LOST
from pictify_sync.core.entries import Entry, TemplateRecorded
from pictify_sync.core.events import TemplatePushed
from pictify_sync.core.model import Group
from pictify_sync.core.ports import Provider
from pictify_sync.core.template import TemplateChange, TemplateRecord, TemplateSource
from pictify_sync.errors import ProviderError
from pictify_sync.redaction import Redactor
from pictify_sync.workflows.session import Session


def push_templates(session: Session, changes: Sequence[TemplateChange]) -> None:
    """Create or update declared templates at their provider, each recorded before the next is pushed."""
    for change in changes:
        source = change.source
        provider = session.ports.provider(source.provider)
        uid = _pushed(provider, source, None if change.record is None else change.record.uid)
        held = _held(provider, uid)
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
            held=held,
        )
        session.commit(partial(_template_entry, record, at))
        session.ports.sink(TemplatePushed(source.name, uid))


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
