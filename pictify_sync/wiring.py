"""The composition root: the only place that names concrete adapters. What is heavy is imported when first needed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Protocol

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.diff import learns_revision
from pictify_sync.core.drift import Drift
from pictify_sync.core.entries import OpenBatch, TemplateRecorded
from pictify_sync.core.guard import Limits
from pictify_sync.core.journal import DoubtPolicy, DoubtRules
from pictify_sync.core.model import Asset, AssetKey, Capabilities, Record
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import ArtifactStore, Clock, EventSink, Provider, StateStore
from pictify_sync.errors import StalePlan, UsageError
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.desired import Manifests, read_manifests
from pictify_sync.providers.registry import ProviderOptions
from pictify_sync.settings import Settings, load_settings
from pictify_sync.state.sqlite import SqliteStateStore, open_store
from pictify_sync.workflows.consent import Consent, check, refuse_stale
from pictify_sync.workflows.plan import Choice, make_plan, matcher
from pictify_sync.workflows.session import Ports, Session

if TYPE_CHECKING:
    from pictify_sync.workflows.apply import ApplySummary
    from pictify_sync.workflows.mend import Mending
    from pictify_sync.workflows.resolve import Resolution

__all__ = ["ApplyRun", "Choice", "Consent", "Project", "matcher", "open_project"]


class OpenState(Protocol):
    """Opens the state of a path; the SQLite store unless somebody asks for another."""

    def __call__(self, path: Path, *, create: bool) -> StateStore: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


def open_project(settings_file: Path | None, environ: Mapping[str, str]) -> Project:
    """Read the settings and bind the project to them. Raises InputError with all problems of the settings."""
    return Project(load_settings(settings_file, environ))


def new_attempt() -> str:
    """Give a fresh id that sorts by time: 12 hex digits of milliseconds, 10 random ones."""
    return f"{int(time.time() * 1000):012x}{token_hex(5)}"


class Project:
    """One folder of manifests with its settings, state, artifacts and providers. Close it at the end."""

    def __init__(self, settings: Settings, clock: Clock | None = None, open_state: OpenState | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._open_state = open_state or open_store
        self._stores: dict[bool, StateStore] = {}
        self._providers: dict[str, Provider] = {}
        self._artifacts: ArtifactStore | None = None

    def state(self, *, create: bool = False) -> StateStore:
        """The recorded state; an empty one where there is none, unless it is to be created."""
        if True in self._stores:
            return self._stores[True]
        if create not in self._stores:
            self._stores[create] = self._open_state(self.settings.path(self.settings.state), create=create)
        return self._stores[create]

    def artifacts(self) -> ArtifactStore:
        """The published files."""
        if self._artifacts is None:
            from pictify_sync.artifacts.files import FileArtifacts  # noqa: PLC0415 - plan publishes nothing

            self._artifacts = FileArtifacts(self.settings.path(self.settings.output))
        return self._artifacts

    def options(self, name: str) -> ProviderOptions:
        """What the settings say about a provider."""
        settings = self.settings
        return ProviderOptions(
            folder=settings.path(settings.local),
            engine=settings.engine,
            families=tuple(settings.fonts),
            allow_hosts=tuple(settings.allow_hosts),
            workers=settings.workers or 0,
            render_timeout=settings.render_timeout,
            api_key=settings.api_key,
            limits=settings.limits(name),
            clock=self.clock,
            **({"base_url": settings.base_url} if settings.base_url else {}),
        )

    def capabilities(self, name: str) -> Capabilities:
        """What a provider allows, without connecting to a built-in one."""
        from pictify_sync.providers.registry import capabilities  # noqa: PLC0415 - its name is ours too

        return capabilities(name, self.options(name))

    def provider(self, name: str) -> Provider:
        """A connected provider, the same one for the whole run."""
        if name not in self._providers:
            from pictify_sync.providers.registry import connect  # noqa: PLC0415 - plan connects to nothing

            self._providers[name] = connect(name, self.options(name))
        return self._providers[name]

    def read(self, paths: Sequence[str], *, glyphs: bool = False) -> Manifests:
        """Read the manifests at the paths (files, folders, globs; none: the configured root).

        Raises InputError with all problems of all files; warnings are in `problems` of what comes back.
        """
        from pictify_sync.emulator.inspect import Inspector  # noqa: PLC0415 - show, status and state read no manifest

        settings, store, inspector = self.settings, self.state(), Inspector()
        context = ReadContext(
            project=settings.project,
            root=settings.path(settings.manifests),
            inspector=inspector,
            provider=settings.provider,
            engine=lambda families: inspector.engine_identity(settings.engine, families),
            fonts=tuple(settings.fonts),
            sensitive_key=store.sensitive_key(),
            templates={(record.provider, record.name): record for record in store.templates()},
            max_assets=settings.max_assets,
            local_pictures=settings.local_pictures,
            glyphs=glyphs,
        )
        return read_manifests([Path(path) for path in paths] or [context.root], context)

    def plan(self, paths: Sequence[str], choice: Choice) -> tuple[Plan, Manifests]:
        """Plan against the state as it is, without a connection."""
        manifests = self.read(paths)
        return make_plan(manifests, self.state(), self.capabilities, choice), manifests

    def load_plan(self, file: Path) -> Plan:
        """Read a saved plan. Raises InputError when it is none of ours, StalePlan when it was edited."""
        from pictify_sync.state.planfile import read_plan  # noqa: PLC0415 - only for saved plans

        plan = read_plan(file)
        if plan_digest(plan.changes, plan.templates) != plan.digest:
            raise StalePlan(f"{file} was edited: its digest is not that of its work", hint="plan again")
        return plan

    def save_plan(self, plan: Plan, file: str) -> None:
        """Write a plan file, whole or not at all."""
        path = Path(file)
        draft = path.with_name(f".{path.name}.{token_hex(4)}")
        try:
            with draft.open("w", encoding="utf-8", newline="\n") as text:
                self.write_plan(plan, text)
            draft.replace(path)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from None
        finally:
            draft.unlink(missing_ok=True)

    def write_plan(self, plan: Plan, text: IO[str]) -> None:
        """Write the JSON document of a plan."""
        from pictify_sync.state.planfile import write_plan  # noqa: PLC0415 - only for saved plans

        write_plan(plan, text)

    def record(self, key: str) -> Record:
        """One record. Raises UsageError when there is none of that key."""
        record = self.state().record(AssetKey(key))
        if record is None:
            raise UsageError(f"{key} is not recorded", hint="pictify-sync state list shows what is")
        return record

    def mend(self) -> Mending:
        """Changes of the state by hand."""
        from pictify_sync.workflows.mend import Mending  # noqa: PLC0415 - plan and apply mend nothing

        return Mending(Session(ApplyRun(self, lambda _: None, lambda: False).ports(None)))

    def log_lines(self, after: int) -> Iterator[str]:
        """The entries after a serial, as JSON lines."""
        from pictify_sync.state.codec import encode_entry  # noqa: PLC0415 - plan writes no entries

        for serial, at, entry in self.state().entries(after):
            yield f'{{"serial":{serial},"at":{json.dumps(at)},"entry":{encode_entry(entry)}}}'

    def export(self, write: Callable[[str], object]) -> None:
        """Write a snapshot of the state."""
        from pictify_sync.state.snapshot import export  # noqa: PLC0415 - one command's

        export(self._sqlite(), write)

    def restore(self, file: Path) -> int:
        """Read a snapshot into a state without history; gives its serial."""
        from pictify_sync.state.snapshot import import_snapshot  # noqa: PLC0415 - one command's

        at = datetime.fromtimestamp(self.clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with file.open(encoding="utf-8", newline="\n") as lines:
            return import_snapshot(lines, self._sqlite(create=True), file=str(file), at=at)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the state's file; nothing when all is well."""
        return self._sqlite().verify()

    def rebuild(self) -> int:
        """Make the state's tables anew from its log; gives the serial."""
        return self._sqlite().rebuild()

    def _sqlite(self, *, create: bool = False) -> SqliteStateStore:
        store = self.state(create=create)
        if not isinstance(store, SqliteStateStore):
            raise UsageError("there is no state yet", hint="pictify-sync apply makes it")
        return store

    def check(self, plan: Plan, consent: Consent) -> None:
        """May the plan be carried out? Raises UnsafePlan, NotApproved, or StalePlan for a saved one."""
        guard = self.settings.guard
        if consent.saved:
            refuse_stale(plan, self.state())
        check(plan, Limits(guard.max_delete_percent, guard.min_recorded, guard.max_renders), consent)

    def refresh(self, pattern: Sequence[str], *, record: bool) -> tuple[Drift, ...]:
        """Look at the published files of the matching keys (none: all), and record what differs if asked to."""
        from pictify_sync.workflows.refresh import observe, refresh  # noqa: PLC0415 - one command's

        run = ApplyRun(self, lambda _: None, lambda: False)
        session = Session(run.ports(None))
        selected: Callable[[AssetKey], bool] = matcher(pattern) if pattern else lambda _: True
        return refresh(session, selected) if record else observe(session, selected)

    def close(self) -> None:
        """Close providers and state."""
        for provider in self._providers.values():
            provider.close()
        for store in self._stores.values():
            store.close()


def _observed(entry: TemplateRecorded) -> Sequence[TemplateRecorded]:
    return (entry,)


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


@dataclass(slots=True)
class ApplyRun:
    """One `apply`: recover, then plan or load, then carry out what was agreed to."""

    project: Project
    sink: EventSink
    stop: Callable[[], bool]
    run: str = field(default_factory=new_attempt)

    def ports(self, plan: Plan | None, desired: Manifests | None = None) -> Ports:
        """Bind the outside of this run. Without manifests, what is desired comes from a saved plan, if any."""
        source = desired if desired is not None else SavedAssets(self.project, plan)
        settings = self.project.settings
        return Ports(
            store=self.project.state(create=True),
            artifacts=self.project.artifacts(),
            provider=self.project.provider,
            payloads=source,
            asset=source.get,
            clock=self.project.clock,
            sink=self.sink,
            stop=self.stop,
            run=self.run,
            new_attempt=new_attempt,
            doubt=DoubtRules(DoubtPolicy(settings.in_doubt.policy), settings.in_doubt.quarantine_seconds),
            keep_variables=settings.keep_variables == "full",
        )

    def recover(self) -> ApplySummary:
        """Finish what earlier runs left open."""
        from pictify_sync.workflows.apply import recover  # noqa: PLC0415 - plan does not apply

        return recover(self.ports(None))

    def plan(self, paths: Sequence[str], choice: Choice) -> tuple[Plan, Manifests]:
        """Plan afresh, after learning the revisions of templates that nobody has looked at yet."""
        manifests = self.project.read(paths)
        unknown = {(asset.spec.provider, asset.spec.template) for asset in manifests if learns_revision(asset)}
        if unknown:
            self._learn(sorted(unknown))
            manifests = self.project.read(paths)
        store = self.project.state(create=True)
        return make_plan(manifests, store, self.project.capabilities, choice), manifests

    def _learn(self, templates: Sequence[tuple[str, str]]) -> None:
        """Record what the providers hold under these template uids."""
        session = Session(self.ports(None))
        for provider, uid in templates:
            record = self.project.provider(provider).observe_template(uid)
            if record is not None:
                session.commit(partial(_observed, TemplateRecorded(record, session.now())))

    def cancel(self, attempt: str | None) -> tuple[OpenBatch, ...]:
        """Ask to cancel one open batch, or all; gives those that were asked for."""
        from pictify_sync.workflows.resolve import cancel  # noqa: PLC0415 - one command's

        return cancel(Session(self.ports(None)), attempt)

    def resolve(self, attempt: str, how: Resolution, batch_id: str) -> OpenBatch:
        """Settle a doubt."""
        from pictify_sync.workflows.resolve import resolve  # noqa: PLC0415 - one command's

        return resolve(Session(self.ports(None)), attempt, how, batch_id)

    def carry_out(self, plan: Plan, manifests: Manifests | None, replan: Callable[[], Plan | None]) -> ApplySummary:
        """Do it. A saved plan comes without manifests."""
        from pictify_sync.workflows.apply import carry_out  # noqa: PLC0415 - plan does not apply

        return carry_out(self.ports(plan, manifests), plan, replan)
