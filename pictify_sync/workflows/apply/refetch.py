"""Files that were lost or tampered with, fetched again from where the provider still keeps them: nothing is billed.

Only the very bytes that were recorded count, or those of a picture that was left at its URL; whatever else is found
there, the picture is rendered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from pictify_sync.core.entries import Entry, Obsolete, Recorded
from pictify_sync.core.events import AssetStored
from pictify_sync.core.model import AssetKey, Change, Record
from pictify_sync.core.ports import ArtifactStore, Expectation, Provider
from pictify_sync.core.reconcile import Published, replaced
from pictify_sync.errors import DownloadError, ProviderError
from pictify_sync.workflows.apply.clear_path import (
    Replaceable,
    other_holder,
    replaceable,
    tell_spared,
    with_losers,
)
from pictify_sync.workflows.apply.downloads import TRIES, declared_size, publish
from pictify_sync.workflows.apply.session import Session

CHUNK = 200  # pictures per log entry


def refetch(session: Session, pool: Executor, changes: Sequence[Change]) -> int:
    """Publish again what can be fetched; gives how many. The rest is left to the batches of the plan."""
    done = 0
    changes = [one for one in changes if one.asset and not other_holder(session, one.key, one.asset.output)]
    names = {change.asset.spec.provider for change in changes if change.asset}
    providers = {name: session.ports.provider(name) for name in names}  # here: connecting is not for threads
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        wanted = {change.key: change.asset.output for change in chunk if change.asset}
        allowed = replaceable(session, wanted.items())
        places = [{wanted[change.key]: allowed[wanted[change.key]]} for change in chunk]
        expects = [_expectation(session, change) for change in chunk]
        found = dict(
            zip(
                chunk,
                pool.map(partial(_fetch, session.ports.artifacts, providers), chunk, places, expects),
                strict=True,
            )
        )
        published = {change.key: (change, got) for change, got in found.items() if got is not None}
        if published and session.commit(partial(_repaired, session, published)):
            session.touched.update(published)  # the batches of the plan must not render them
            done += len(published)
            for change, got in published.values():
                path = wanted[change.key]
                tell_spared(session, got, path)
                session.ports.sink(AssetStored(change.key, path, rendered=False))
    return done


def _expectation(session: Session, change: Change) -> Expectation:
    assert change.asset is not None
    spec = change.asset.spec
    size = declared_size(session, spec)
    return Expectation(spec.format, None, None) if size is None else Expectation(spec.format, size.width, size.height)


def _fetch(
    artifacts: ArtifactStore,
    providers: Mapping[str, Provider],
    change: Change,
    places: Mapping[str, Replaceable],
    expect: Expectation,
) -> Published | None:
    """Fetch one picture and publish it where it is desired, if its bytes are the recorded ones."""
    asset, record = change.asset, change.record
    assert asset is not None
    assert record is not None
    assert record.artifact is not None
    assert record.url is not None
    provider, staged = providers[asset.spec.provider], None
    for _ in range(TRIES):
        try:
            staged = artifacts.stage(provider.download(record.url), expect)
            break
        except DownloadError:
            return None
        except ProviderError:  # for now: a render would be billed
            continue
    if staged is None:
        return None
    same = staged.sha256 == record.artifact.sha256 or not record.artifact.is_kept
    if not same:
        return None
    spared: dict[str, str] = {}
    published = publish(artifacts, staged, places, spared)
    return Published({one.path: one for one in published}, record.url, spared)


def _repaired(session: Session, published: dict[AssetKey, tuple[Change, Published]]) -> Sequence[Entry]:
    """Leave out what another run changed meanwhile."""
    puts: list[Record] = []
    obsolete: list[Obsolete] = []
    spared: set[str] = set()
    for key, (change, got) in published.items():
        record = session.store.record(key)
        if record is not None and change.asset is not None and _is_as_planned(record, change.record):
            artifact = got.artifacts[change.asset.output]
            spared.update(got.spared)
            put = replace(record, artifact=artifact, output=artifact.path, drift=None, protect=change.asset.protect)
            puts.append(put)
            obsolete.extend(replaced(record, put))
    if not puts:
        return ()
    return with_losers(session, Recorded("refetch", tuple(puts), (), tuple(obsolete), session.now()), spared)


def _is_as_planned(record: Record, planned: Record | None) -> bool:
    """Whether a record is as it was planned; its file may have made room for another meanwhile."""
    if planned is None or record.artifact is None or planned.artifact is None:
        return record == planned
    moved = replace(planned.artifact, path=record.artifact.path)
    return record == replace(planned, artifact=moved, output=record.output)
