"""The use case `doctor`: checks an account, its webhooks, the state and the store of pictures. Changes nothing.

Each check is an iterator of what it finds; `reporting` turns what a port raises into a check too, so that a failing
check does not keep the others from running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from pictify_sync.core.abilities import RenderLookup, Subscription, TemplateLibrary, Webhooks
from pictify_sync.core.health import Check, Health
from pictify_sync.core.model import Artifact, Capabilities
from pictify_sync.core.ports import ArtifactStore, Inbox, Provider, StateStore
from pictify_sync.errors import InputError, PictifySyncError, Problem, QuotaExhausted, Severity

FAR_APART = 60.0  # seconds between two clocks, from which on there is a warning
MOST = 20  # findings of one kind that are listed one by one
NAMED = 3  # pictures named that are missing or changed
LOOKS = 16  # pictures looked at at once
NOTHING = Artifact("pictify-sync-doctor.png", "0" * 64, 0)  # a picture that is nowhere


def reporting(subject: str, place: str, checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks; an error that they raise becomes one more."""
    try:
        yield from checks
    except InputError as error:
        yield from problems(subject, place, error.problems)
    except PictifySyncError as error:
        yield Check(subject, place, Health.ERROR, error.message, error.hint)
    except OSError as error:
        yield Check(subject, place, Health.ERROR, (error.strerror or str(error)).lower())


def problems(subject: str, place: str, found: Sequence[Problem]) -> Iterator[Check]:
    """Problems of manifests or settings, each a check."""
    for one in found[:MOST]:
        where = ":".join(str(part) for part in (one.file, one.line, one.column) if part)
        health = Health.ERROR if one.severity is Severity.ERROR else Health.WARNING
        yield Check(subject, where, health, one.message, one.hint)
    if len(found) > MOST:
        worst = Health.ERROR if any(one.severity is Severity.ERROR for one in found) else Health.WARNING
        hint = "pictify-sync validate lists them all"
        yield Check(subject, place, worst, f"and {len(found) - MOST:,} more problems", hint)


def account(provider: Provider, service: str) -> Iterator[Check]:
    """Whether the service answers, accepts the key, and agrees about the time. Raises ProviderError."""
    if isinstance(provider, TemplateLibrary):
        try:
            next(iter(provider.list_templates()), None)
            yield Check("account", service, Health.OK, "the service answers and accepts the key")
        except QuotaExhausted as error:
            hint = "wait until the plan allows renders again, or upgrade it"
            yield Check(
                "account",
                service,
                Health.WARNING,
                f"the key is accepted, but no renders are left: {error.message}",
                hint,
            )
    else:
        yield Check("account", service, Health.SKIPPED, f"{provider.name} has no request that checks a key")
    if isinstance(provider, RenderLookup):
        ahead = provider.clock_ahead()
        if abs(ahead) < FAR_APART:
            yield Check("clock", service, Health.OK, f"it differs from this machine's by {_seconds(ahead)}")
        else:
            hint = "set the clock of this machine: signed webhooks and look-ups depend on it"
            way = "ahead of" if ahead > 0 else "behind"
            yield Check("clock", service, Health.WARNING, f"it is {_seconds(ahead)} {way} this machine's", hint)


def _seconds(seconds: float) -> str:
    return f"{abs(seconds):,.0f} s" if abs(seconds) >= 1 else "less than 1 s"


def webhooks(provider: Provider, place: str, uids: Sequence[str], allowed: Capabilities | None) -> Iterator[Check]:
    """Whether a subscription announces rendered pictures, where the settings name the inbox as a source of URLs.

    `uids`: templates in use. `allowed`: None while it is not known where URLs come from. Raises ProviderError.
    """
    if not isinstance(provider, Webhooks):
        yield Check("webhooks", place, Health.SKIPPED, f"the provider {provider.name} sends none")
        return
    event = provider.webhook_format.render_event
    found = [one for one in provider.subscriptions() if one.event == event]
    good = [one for one in found if one.status in ("", "active")]
    for one in islice((one for one in found if one not in good), MOST):
        hint = f"pictify-sync webhooks unsubscribe {one.uid}, then subscribe again: what it missed is not sent again"
        yield Check("webhooks", place, Health.WARNING, f"{_about(one)} is {one.status}: nothing is sent to it", hint)
    for one in islice(good, MOST):
        yield Check("webhooks", place, Health.OK, f"{_about(one)} is active")
    covered = any(not one.template_uid for one in good)
    bare = [uid for uid in uids if not covered and uid not in {one.template_uid for one in good}]
    if good and not bare:
        return
    of = f" of the template {bare[0]}" if good else ""
    hint = f"pictify-sync webhooks subscribe URL --event {event}, with the public https URL of a receiver"
    message = f"no active subscription to {event}{of}"
    if allowed is None:
        yield Check("webhooks", place, Health.WARNING, f"{message}; one is needed if results carry no URLs", hint)
    elif allowed.urls_in_results:
        yield Check("webhooks", place, Health.OK, f"{message}; none is needed while results carry URLs")
    elif allowed.can_find:
        yield Check("webhooks", place, Health.WARNING, f"{message}; URLs come from elsewhere, and later", hint)
    else:
        yield Check("webhooks", place, Health.ERROR, f"{message}, and URLs come from nowhere else", hint)


def _about(one: Subscription) -> str:
    host = one.target_url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    return f"the subscription {one.uid} to {host or 'nobody'}" + (f" ({one.template_uid})" if one.template_uid else "")


def inbox(deliveries: Inbox, place: str) -> Iterator[Check]:
    """Whether the inbox can be read. Raises ProviderError, StateError."""
    anything = next(iter(deliveries.deliveries()), None) is not None
    yield Check("inbox", place, Health.OK, "it can be read" if anything else "it can be read, and is empty")


def state(store: StateStore, place: str, verify: Callable[[], Sequence[str]]) -> Iterator[Check]:
    """Whether the state is sound, and what is unfinished in it. Raises StateError."""
    if not store.lineage:
        yield Check("state", place, Health.OK, "there is none yet: the first apply makes it")
        return
    faults = verify()
    for fault in faults[:MOST]:
        hint = "pictify-sync state rebuild, or restore a copy"
        yield Check("state", place, Health.ERROR, fault, hint)
    if not faults:
        yield Check("state", place, Health.OK, f"sound at serial {store.serial():,} (pictures: {store.count():,})")
    opened = store.open_batches()
    for one in opened[:MOST]:
        what = f"the batch {one.intended.attempt} (pictures: {one.intended.batch.renders:,})"
        since = one.submitted_at or one.intended.at
        if one.batch_id is None:
            hint = f"pictify-sync apply, or tell what became of it: pictify-sync resolve {one.intended.attempt}"
            yield Check("state", place, Health.WARNING, f"{what} is in doubt since {since}", hint)
        else:
            yield Check(
                "state", place, Health.WARNING, f"{what} is open since {since}", "pictify-sync apply sees it through"
            )
    if len(opened) > MOST:
        more = f"and {len(opened) - MOST:,} more open batches"
        yield Check("state", place, Health.WARNING, more, "pictify-sync status lists them")
    if store.pending_moves() is not None:
        yield Check("state", place, Health.WARNING, "moves of files are unfinished", "pictify-sync apply finishes them")


def output(artifacts: ArtifactStore, place: str) -> Iterator[Check]:
    """Whether the store of pictures can be asked. Raises ArtifactError and what else the store raises."""
    artifacts.check(NOTHING)
    yield Check("output", place, Health.OK, "the store of pictures answers")


def pictures(
    store: StateStore, artifacts: ArtifactStore, held: Callable[[Artifact], bool], place: str
) -> Iterator[Check]:
    """Whether the published pictures are there, with the bytes that are recorded. Raises what the store raises."""
    total, here, elsewhere = 0, 0, 0
    wrong: dict[str, list[str]] = {}
    for artifact, seen in _looked_at(store, artifacts):
        total += 1
        if seen == "present":
            here += 1
        elif not held(artifact):
            elsewhere += 1
        else:
            wrong.setdefault("missing" if seen == "missing" else "changed", []).append(artifact.path)
    hint = "pictify-sync refresh records it, and the next apply repairs it"
    for kind, paths in sorted(wrong.items()):
        named = ", ".join(paths[:NAMED]) + (f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else "")
        yield Check("pictures", place, Health.WARNING, f"{len(paths):,} of {total:,} are {kind}: {named}", hint)
    if elsewhere:
        yield Check("pictures", place, Health.SKIPPED, f"{elsewhere:,} of {total:,} were never on this machine")
    if here and not wrong:
        yield Check("pictures", place, Health.OK, f"looked at {here:,}: all are as recorded")
    elif not total:
        yield Check("pictures", place, Health.OK, "none is published yet")


def _looked_at(store: StateStore, artifacts: ArtifactStore) -> Iterator[tuple[Artifact, str]]:
    kept = (one.artifact for one in store.records() if one.artifact is not None and one.artifact.is_kept)
    with ThreadPoolExecutor(LOOKS) as pool:
        while window := list(islice(kept, LOOKS * 16)):
            yield from zip(window, pool.map(artifacts.check, window), strict=True)
