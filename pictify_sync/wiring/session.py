"""A session on the project's state: the ports of the workflows bound to its settings, for reading or for writing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol

from pictify_sync.core.events import Event
from pictify_sync.core.journal import DoubtPolicy, DoubtRules
from pictify_sync.core.model import Asset, AssetKey
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import EventSink, Payloads
from pictify_sync.manifest.desired import Manifests
from pictify_sync.wiring.project import Project
from pictify_sync.workflows.apply.session import Ports, Session
from pictify_sync.workflows.apply.urls import UrlSources

SINGLE = "single"  # the source of URLs that is billed


def new_attempt() -> str:
    """Give a fresh id that sorts by time: 12 hex digits of milliseconds, 10 random ones."""
    return f"{int(time.time() * 1000):012x}{token_hex(5)}"


class Assets(Payloads, Protocol):
    """Where the assets of a run come from."""

    def get(self, key: AssetKey) -> Asset | None:
        """Return a desired asset."""
        ...


class SavedAssets:
    """Assets of a saved plan, or none; payloads without manifests where they need nothing from them."""

    def __init__(self, project: Project, plan: Plan | None) -> None:
        changes = () if plan is None else plan.changes
        self._assets = {change.key: change.asset for change in changes if change.asset is not None}
        self._project = project
        self._manifests: Manifests | None = None

    def get(self, key: AssetKey) -> Asset | None:
        """The planned asset."""
        return self._assets.get(key)

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        """Read the manifests only for local pictures and sensitive values, which are written down as `$` objects."""
        if '"$' not in variables:
            values: Mapping[str, object] = json.loads(variables)
            return values
        if self._manifests is None:
            self._manifests = self._project.read(())
        return self._manifests.payload(key, variables)


def ignored(event: Event) -> None:
    """Take no notice of an event."""


def never() -> bool:
    """Tell that nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a session, and who may stop it."""

    sink: EventSink = ignored
    stop: Callable[[], bool] = never
    run: str = field(default_factory=new_attempt)  # id of the run
    inbox: str | None = None  # folder or URL of webhook deliveries; None: that of the settings


def open_session(project: Project, watch: Watch | None = None, *, writes: bool = True) -> Session:
    """Open a session that asks for no new picture. `writes`: whether a state is made where there is none."""
    return Session(bound_ports(project, SavedAssets(project, None), watch or Watch(), writes=writes))


def bound_ports(project: Project, assets: Assets, watch: Watch, *, writes: bool = True) -> Ports:
    """Bind the outside of a session."""
    settings = project.settings

    def sources(provider: str) -> UrlSources:
        order = project.provider_settings(provider).url_sources
        free = tuple(source for source in order if source != SINGLE)
        return UrlSources(free, project.inbox(watch.inbox), single=SINGLE in order)

    return Ports(
        store=project.state(create=writes),
        artifacts=project.artifacts(),
        provider=project.provider,
        facts=project.facts,
        service=project.service,
        payloads=assets,
        asset=assets.get,
        clock=project.clock,
        sink=watch.sink,
        stop=watch.stop,
        run=watch.run,
        new_attempt=new_attempt,
        sources=sources,
        doubt=DoubtRules(DoubtPolicy(settings.in_doubt.policy), settings.in_doubt.quarantine_seconds),
        binding=project.binding,
        place=project.place,
        has_held=project.has_held_file,
        keep_variables=settings.keep_variables == "full",
    )
