"""`doctor`: binds the checks to a project, and a live check to its provider.

What is broken keeps nothing else from being looked at: without a readable state the rest is checked against none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from pictify_sync.core.dialect import Standing
from pictify_sync.core.health import Check, Health
from pictify_sync.core.ports import Provider, StateStore
from pictify_sync.errors import PictifySyncError, StateError, UsageError
from pictify_sync.manifest.desired import Manifests
from pictify_sync.providers import registry
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.wiring.current_status import known_dialects
from pictify_sync.wiring.place import old_places, shown
from pictify_sync.wiring.project import Project
from pictify_sync.wiring.session import Watch, open_session
from pictify_sync.wiring.states import place_of
from pictify_sync.workflows.doctor import checks as health
from pictify_sync.workflows.doctor import templates as health_templates
from pictify_sync.workflows.doctor.live import Explored, probe

LITTLE_SPACE = 100_000_000  # bytes


@runtime_checkable
class Verifiable(Protocol):
    """A state that can prove that it is sound."""

    def verify(self) -> tuple[str, ...]:
        """What is wrong with it; nothing when all is well."""
        ...


def examine(project: Project) -> Iterator[Check]:
    """Look at everything; nothing is changed. Never raises for what is wrong."""
    settings = project.settings
    shown = settings.file or settings.project
    yield Check("settings", str(shown), Health.OK, "read" if settings.file else "there is no file; the defaults hold")
    place = place_of(settings)
    rest = project
    try:
        store = project.state()
    except StateError as error:
        yield Check("state", place, Health.ERROR, error.message, error.hint)
        rest = Project(settings, project.clock, _no_state)
    else:
        yield from health.reporting("state", place, health.state(store, place, lambda: _verify(store)))
    try:
        yield from _examine(rest)
    finally:
        if rest is not project:
            rest.close()


def _examine(project: Project) -> Iterator[Check]:
    settings = project.settings
    yield from health.reporting("output", _output(project), _outputs(project))
    manifests: list[Manifests] = []
    yield from health.reporting("manifests", settings.manifests, _read(project, manifests))
    try:
        uses = health_templates.uses(manifests[0]) if manifests else {}
        for name in sorted({settings.provider, *(provider for provider, _ in uses)}):
            if (own := registry.find(name).checks) is not None:
                yield from own(project.connection(name))
            if not project.facts(name).embedded:
                yield from _account(project, name, manifests, uses)
    finally:
        for one in manifests:
            one.close()


def _no_state(path: Path, *, create: bool) -> StateStore:  # noqa: ARG001 - the shape of OpenState
    return EmptyStateStore()


def _verify(store: StateStore) -> tuple[str, ...]:
    return store.verify() if isinstance(store, Verifiable) else ()


def _output(project: Project) -> str:
    settings = project.settings
    return settings.artifacts if "://" in settings.artifacts else str(settings.path(settings.output))


def _outputs(project: Project) -> Iterator[Check]:
    place = _output(project)
    if project.settings.artifacts == "files":
        yield from _folder(project.settings.path(project.settings.output))
    relocation = project.relocation()
    if relocation is not None:
        message = f"{relocation.pictures:,} pictures are still in {' and '.join(map(shown, old_places(relocation)))}"
        yield Check("output", place, Health.WARNING, message, "pictify-sync apply moves them")
    yield from health.output(project.artifacts(), place)
    yield from health.pictures(project.state(), project.artifacts(), project.has_held, place)


def _folder(folder: Path) -> Iterator[Check]:
    """Whether files can be made where the output folder is, or would be made. A file without a name is tried."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    with tempfile.TemporaryFile(dir=there) as file:
        file.write(b"pictify-sync")
    free = shutil.disk_usage(there).free
    if free < LITTLE_SPACE:
        yield Check("output", str(folder), Health.WARNING, f"only {free:,} bytes are free there", "make room")
    else:
        yield Check("output", str(folder), Health.OK, "it can be written to" if there == folder else "it can be made")


def _read(project: Project, manifests: list[Manifests]) -> Iterator[Check]:
    folder = project.settings.manifests
    if not project.settings.path(folder).exists():
        yield Check("manifests", folder, Health.WARNING, "there are none", "pictify-sync init writes a first project")
        return
    found = project.read(())
    manifests.append(found)
    yield from health.problems("manifests", folder, found.problems)
    yield Check("manifests", folder, Health.OK, f"read (manifests: {len(found.manifests):,}, pictures: {len(found):,})")


def _account(
    project: Project, name: str, manifests: list[Manifests], uses: Mapping[health_templates.Place, health_templates.Use]
) -> Iterator[Check]:
    """Everything about one account. When it cannot be asked, what hangs on it is passed over."""
    place = name
    try:
        place = project.service(name)
        found = list(health.account(project.provider(name), place))
    except PictifySyncError as error:
        yield Check("account", place, Health.ERROR, error.message, error.hint)
        yield Check("templates", name, Health.SKIPPED, "the account cannot be asked")
        return
    yield from found
    provider = project.provider(name)
    mine = {template: use for (one, template), use in uses.items() if one == name}
    for template, use in mine.items():
        yield from health.reporting(
            "templates", f"{name}, template {template}", _template(project, provider, template, use, manifests[0])
        )
    yield from health.reporting("dialect", place, _dialect(project, name))
    sources = project.provider_settings(name).url_sources
    if "inbox" in sources:
        recorded = {record.name: record.uid for record in project.state().templates() if record.provider == name}
        uids = [recorded.get(template, template) for template in mine]
        is_known = "urls_in_results" in project.known(name)  # by the settings, or by a live check
        allowed = project.capabilities(name) if is_known else None
        if allowed is not None and ("lookup" not in sources or "single" in sources):
            allowed = replace(allowed, can_find="single" in sources)
        checks = health.webhooks(provider, place, uids, allowed)
        yield from health.reporting("webhooks", place, checks)
        yield from health.reporting("inbox", project.settings.inbox, _inbox(project))


def _template(
    project: Project, provider: Provider, name: str, use: health_templates.Use, desired: Manifests
) -> Iterator[Check]:
    records = {record.name: record for record in project.state().templates() if record.provider == provider.name}
    if any((source.provider, source.name) == (provider.name, name) for source in desired.templates):
        yield from health_templates.declared(name, use, records.get(name), provider)
    else:
        yield from health_templates.foreign(name, use, provider.observe_template(name), desired)


def _inbox(project: Project) -> Iterator[Check]:
    yield from health.inbox(project.inbox(), project.settings.inbox)


def _dialect(project: Project, name: str) -> Iterator[Check]:
    """What a live check found out, and whether the settings say otherwise."""
    place, hint = project.service(name), "pictify-sync doctor --live finds out"
    known = [one for one in known_dialects(project) if one.probed.provider == name]
    here = next((one for one in known if one.here), None)
    if here is None or here.probed.facts is None:
        others = ", ".join(one.probed.service for one in known)
        message = f"known of {others} only, not of this service" if others else "not known"
        yield Check("dialect", place, Health.WARNING, message, hint)
        return
    facts = here.probed.facts
    for field, value in project.provider_settings(name).given().items():
        found = getattr(facts, field, None)
        if isinstance(found, bool) and found is not value:
            message = f"the settings say {field}: {str(value).lower()}, and the newest live check found otherwise"
            yield Check("dialect", place, Health.WARNING, message, "take it out of the settings")
    urls = "with" if facts.urls_in_results else "without"
    words = f"results are {facts.results or 'of no documented shape'}, {urls} URLs"
    if here.stale:
        yield Check("dialect", place, Health.WARNING, f"{words}; found out long ago, on {here.probed.at}", hint)
    else:
        yield Check("dialect", place, Health.OK, f"{words}; found out on {here.probed.at}")


def explore(project: Project, provider: str, stop: Callable[[], bool]) -> Explored:
    """Find out and record which dialect a provider speaks; renders. Raises UsageError, ProviderError."""
    service = live_service(project, provider)
    return probe(open_session(project, Watch(stop=stop)), provider, service)


def live_service(project: Project, provider: str) -> str:
    """The service that a live check would render at. Raises UsageError for an embedded provider."""
    if project.facts(provider).embedded:
        hint = "name another with --provider, or set `provider` in the settings"
        raise UsageError(f"the provider {provider} is part of pictify-sync: there is nothing to find out", hint=hint)
    return project.service(provider)


def known(project: Project) -> tuple[Standing, ...]:
    """What is known of dialects; nothing where that cannot be read."""
    try:
        return known_dialects(project)
    except PictifySyncError:
        return ()
