"""The use case `collect`: find pictures that were rendered and whose URL is not known yet; publish them.

The sources are asked in the order of the settings; each may give any part of the answer, in any order, any number of
times. Nothing is rendered, unless the settings name the source that does. A webhook delivery is removed once the
picture that it describes is recorded as stored: a run that is killed before loses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pictify_sync.core.collect import Place, Sent, Wanted, want
from pictify_sync.core.entries import Entry, Intended, Recorded, Submitted
from pictify_sync.core.events import AssetFailed, AssetStored
from pictify_sync.core.model import AssetKey, Record, Status, key_order
from pictify_sync.core.outcomes import Outcome, Rendered
from pictify_sync.core.ports import Inbox
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved, replaced
from pictify_sync.core.sensitive import cleaned
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, ProviderUnavailable, StalePlan
from pictify_sync.workflows.apply.clear_path import replaceable, tell_spared, with_losers
from pictify_sync.workflows.apply.downloads import as_declared, fetch
from pictify_sync.workflows.apply.redact import of_kept
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.single import render_singly
from pictify_sync.workflows.apply.urls import LocatedPicture, find_urls

DOWNLOADS = 8  # threads


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect did."""

    stored: int
    unresolved: int  # pictures still without a URL
    failed: tuple[tuple[AssetKey, str, str], ...]  # (key, code, message); found, but could not be fetched
    silent: Mapping[str, str]  # source -> why it could not be asked


def collect(session: Session, *, renders: bool = True) -> Collected:
    """Look for every picture whose URL is not known, fetch and publish what is found.

    `renders`: what no source has is rendered once more where the settings say so; that is billed.
    """
    records = {record.key: record for record in session.store.records() if record.status is Status.RENDERED}
    found: dict[AssetKey, Rendered] = {}
    silent: dict[str, str] = {}
    used: list[tuple[Inbox, Mapping[AssetKey, str]]] = []
    for provider, wanted in _by_provider(session, records):
        sources = session.ports.sources(provider)
        urls = find_urls(session.ports.provider(provider), wanted, sources)
        found |= urls.urls
        silent |= urls.silent
        if sources.inbox is not None and urls.deliveries:
            used.append((sources.inbox, urls.deliveries))
    failed: list[tuple[AssetKey, str, str]] = []
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        stored, results = 0, {}
        for key, result in _fetched(session, pool, records, found):
            results[key] = result
            stored += _publish(session, records[key], result, failed)
        session.tell_shared(_looked_at(records, found, results))
    _prune(session, used)
    if renders:
        stored += _rendered(session, [records[key] for key in records.keys() - found.keys()], failed, silent)
    return Collected(stored, len(records) - stored - len(failed), tuple(failed), silent)


def _prune(session: Session, used: Sequence[tuple[Inbox, Mapping[AssetKey, str]]]) -> None:
    """Remove the deliveries whose pictures are all recorded as stored, where every run sees it."""
    if used:
        session.sync()
    for inbox, deliveries in used:
        statuses = {key: record.status for key in deliveries if (record := session.store.record(key)) is not None}
        left = {name for key, name in deliveries.items() if statuses.get(key) is not Status.STORED}
        with suppress(ProviderUnavailable):  # what stays is not read again once no older picture is looked for
            inbox.remove({*deliveries.values()} - left)


def _rendered(
    session: Session, records: Iterable[Record], failed: list[tuple[AssetKey, str, str]], silent: dict[str, str]
) -> int:
    allowed = [one for one in records if one.spec is not None and session.ports.sources(one.spec.provider).single]
    done = render_singly(session, sorted(allowed, key=lambda record: key_order(record.key)))
    failed.extend(done.failed)
    if done.stopped:
        silent["single"] = done.stopped
    return done.stored


def _by_provider(session: Session, records: Mapping[AssetKey, Record]) -> Iterator[tuple[str, list[Wanted]]]:
    """Describe what is looked for, by provider."""
    groups: dict[str, list[Wanted]] = {}
    for intended, batch_id in _batches({record.attempt for record in records.values()}, session).values():
        wanted = groups.setdefault(intended.batch.group.provider, [])
        wanted.extend(one for one in _wanted(session, intended, batch_id) if one.key in records)
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


def _wanted(session: Session, intended: Intended, batch_id: str | None) -> list[Wanted]:
    """Describe the pictures of a batch; not those whose values can no longer be known."""
    template = _template(session, intended)
    if template is None:
        return []
    specs = {spec.variant: spec for spec in intended.specs}
    batch = intended.batch
    # what was intended in the future was intended before now: the clock was set back since
    since = min(datetime.fromisoformat(intended.at).timestamp(), session.ports.clock.now())
    found = []
    for claim in intended.claims:
        kept = intended.variables[claim.index] or session.store.variables(claim.fingerprint.variables)
        if kept is None:
            continue
        try:
            values = session.ports.payloads.payload(claim.key, kept)
        except (InputError, StalePlan):
            continue
        place = None if batch_id is None else Place(batch_id, claim.index, len(batch.items), batch.layouts)
        sent = Sent(values, since, place)
        found.append(want(claim.key, claim.fingerprint, specs[claim.layout], template, sent))
    return found


def _template(session: Session, intended: Intended) -> TemplateRecord | None:
    """Give the batch's template under the uid that the batch was sent to: it may have been made anew since."""
    group = intended.batch.group
    for template in session.store.templates():
        if (template.provider, template.name) == (group.provider, group.template):
            return replace(template, uid=intended.template_uid)
    return None


def evidence(session: Session, intended: Intended) -> dict[tuple[int, str], Outcome]:
    """Look for the pictures of a batch in doubt: made from exactly these inputs, they count whoever asked for them."""
    provider = intended.batch.group.provider
    wanted = _wanted(session, intended, None)
    found = find_urls(session.ports.provider(provider), wanted, session.ports.sources(provider)).urls
    return {(one.index, one.layout): found[one.key] for one in intended.claims if one.key in found}


def _fetched(
    session: Session, pool: Executor, records: Mapping[AssetKey, Record], found: Mapping[AssetKey, Rendered]
) -> Iterator[tuple[AssetKey, Result]]:
    futures = {}
    for key, rendered in sorted(found.items()):
        spec = records[key].spec
        assert spec is not None
        provider, artifacts = session.ports.provider(spec.provider), session.ports.artifacts
        places = replaceable(session, ((key, records[key].output),))
        futures[key] = pool.submit(
            fetch, provider, artifacts, as_declared(session, spec, rendered), spec.format, places
        )
    for key, future in futures.items():
        yield key, future.result()


def _looked_at(
    records: Mapping[AssetKey, Record], found: Mapping[AssetKey, Rendered], results: Mapping[AssetKey, Result]
) -> Iterator[LocatedPicture]:
    for key, outcome in sorted(found.items()):
        if (fingerprint := records[key].fingerprint) is not None:
            yield LocatedPicture(key, fingerprint, outcome, results.get(key))


def _publish(session: Session, before: Record, result: Result, failed: list[tuple[AssetKey, str, str]]) -> bool:
    if not isinstance(result, Published):
        told = "" if before.fingerprint is None else before.fingerprint.variables
        problem = (before.key, *_reason(cleaned(of_kept(session, before.key, told), result)))
        failed.append(problem)
        session.ports.sink(AssetFailed(*problem))
        return False
    session.commit(partial(_collected, session, before, result))
    tell_spared(session, result, before.output)
    session.ports.sink(AssetStored(before.key, before.output, rendered=False))
    return True


def _reason(result: NotMade | Unresolved) -> tuple[str, str]:
    """Code and message of a picture that was found and could not be fetched."""
    return (result.code, result.message) if isinstance(result, NotMade) else ("DOWNLOAD_FAILED", result.why)


def _collected(session: Session, before: Record, result: Published) -> Sequence[Entry]:
    """Another run may have collected it, or the manifests may have moved on meanwhile."""
    if session.store.record(before.key) != before:
        return ()
    after = replace(before, status=Status.STORED, artifact=result.artifacts[before.output], url=result.url, drift=None)
    entry = Recorded("collect", (after,), (), replaced(before, after), session.now())
    return with_losers(session, entry, result.spared.keys())
