"""The use case `collect`: find pictures that were rendered and whose URL was not told; publish them. Renders nothing.

The sources are asked in the order of the settings; each may give any part of the answer, in any order, any number of
times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pictify_sync.core.collect import Place, Sent, Wanted, want
from pictify_sync.core.entries import Entry, Intended, Recorded, Submitted
from pictify_sync.core.events import AssetFailed, AssetStored
from pictify_sync.core.model import AssetKey, Record, Status
from pictify_sync.core.outcomes import Outcome, Rendered
from pictify_sync.core.reconcile import Published, Result, replaced
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, StalePlan
from pictify_sync.workflows.fetch import fetch
from pictify_sync.workflows.session import Session
from pictify_sync.workflows.urls import find_urls

DOWNLOADS = 8  # threads


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect did."""

    stored: int
    unresolved: int  # pictures still without a URL
    failed: tuple[tuple[AssetKey, str, str], ...]  # (key, code, message)


def collect(session: Session) -> Collected:
    """Look for every picture whose URL is not known, fetch and publish what is found."""
    records = {record.key: record for record in session.store.records() if record.status is Status.RENDERED}
    found: dict[AssetKey, Rendered] = {}
    for provider, wanted in _by_provider(session, records):
        found |= find_urls(session.ports.provider(provider), wanted, session.ports.sources(provider)).urls
    failed: list[tuple[AssetKey, str, str]] = []
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        fetched = _fetched(session, pool, records, found)
        stored = sum(_publish(session, records[key], result, failed) for key, result in fetched)
    return Collected(stored, len(records) - stored, tuple(failed))


def _by_provider(session: Session, records: Mapping[AssetKey, Record]) -> Iterator[tuple[str, list[Wanted]]]:
    """Describe what is looked for, by provider."""
    batches = _batches({record.attempt for record in records.values()}, session)
    templates = {(one.provider, one.name): one for one in session.store.templates()}
    groups: dict[str, list[Wanted]] = {}
    for record in records.values():
        intended, batch_id = batches.get(record.attempt or "", (None, None))
        if intended is None or record.spec is None:
            continue
        template = templates.get((record.spec.provider, record.spec.template))
        wanted = [] if template is None else _wanted(session, intended, batch_id, template, record.key)
        groups.setdefault(record.spec.provider, []).extend(wanted)
    yield from sorted(groups.items())


def _batches(attempts: set[str | None], session: Session) -> dict[str, tuple[Intended, str | None]]:
    """Find the batches of some attempts in the log."""
    found: dict[str, tuple[Intended, str | None]] = {}
    for _, _, entry in session.store.entries():
        if isinstance(entry, Intended) and entry.attempt in attempts:
            found[entry.attempt] = (entry, None)
        elif isinstance(entry, Submitted) and entry.attempt in found:
            found[entry.attempt] = (found[entry.attempt][0], entry.batch_id)
    return found


def _wanted(
    session: Session, intended: Intended, batch_id: str | None, template: TemplateRecord, only: AssetKey | None
) -> list[Wanted]:
    """Describe the pictures of a batch, or the one of a key; not those whose values can no longer be known."""
    specs = {spec.layout: spec for spec in intended.specs}
    batch = intended.batch
    found = []
    for claim in intended.claims:
        if only is not None and claim.key != only:
            continue
        kept = intended.variables[claim.index] or session.store.variables(claim.fingerprint.variables)
        if kept is None:
            continue
        try:
            values = session.ports.payloads.payload(claim.key, kept)
        except (InputError, StalePlan):
            continue
        place = None if batch_id is None else Place(batch_id, claim.index, len(batch.items), batch.layouts)
        sent = Sent(values, datetime.fromisoformat(intended.at).timestamp(), place)
        found.append(want(claim.key, claim.fingerprint, specs[claim.layout], template, sent))
    return found


def evidence(session: Session, intended: Intended) -> dict[tuple[int, str], Outcome]:
    """Look for the pictures of a batch in doubt: made from exactly these inputs, they count whoever asked for them."""
    found = _evidence(session, intended)
    return {(one.index, one.layout): found[one.key] for one in intended.claims if one.key in found}


def _evidence(session: Session, intended: Intended) -> dict[AssetKey, Rendered]:
    group = intended.batch.group
    for template in session.store.templates():
        if (template.provider, template.name) == (group.provider, group.template):
            wanted = _wanted(session, intended, None, template, None)
            sources = session.ports.sources(group.provider)
            return find_urls(session.ports.provider(group.provider), wanted, sources).urls
    return {}


def _fetched(
    session: Session, pool: Executor, records: Mapping[AssetKey, Record], found: Mapping[AssetKey, Rendered]
) -> Iterator[tuple[AssetKey, Result]]:
    futures = {}
    for key, rendered in sorted(found.items()):
        spec = records[key].spec
        assert spec is not None
        provider, artifacts = session.ports.provider(spec.provider), session.ports.artifacts
        futures[key] = pool.submit(fetch, provider, artifacts, rendered, spec.format, [records[key].output])
    for key, future in futures.items():
        yield key, future.result()


def _publish(session: Session, before: Record, result: Result, failed: list[tuple[AssetKey, str, str]]) -> bool:
    if not isinstance(result, Published):
        problem = (before.key, getattr(result, "code", ""), getattr(result, "message", ""))
        failed.append(problem)
        session.ports.sink(AssetFailed(*problem))
        return False
    session.commit(partial(_collected, session, before, result))
    session.ports.sink(AssetStored(before.key, before.output, rendered=False))
    return True


def _collected(session: Session, before: Record, result: Published) -> Sequence[Entry]:
    """Another run may have collected it, or the manifests may have moved on meanwhile."""
    if session.store.record(before.key) != before:
        return ()
    after = replace(before, status=Status.STORED, artifact=result.artifacts[before.output], url=result.url)
    return (Recorded("collect", (after,), (), replaced(before, after), session.now()),)
