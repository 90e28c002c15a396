"""One project: its settings, and the concrete adapters they choose. What is heavy is imported when first needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import IO, TYPE_CHECKING, Any

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.binding import project_title
from pictify_sync.core.dialect import promised, service_of
from pictify_sync.core.entries import Bound, Entry
from pictify_sync.core.guard import Limits, refusals
from pictify_sync.core.model import Artifact, AssetKey, Capabilities, ProviderFacts, Record
from pictify_sync.core.plan import Plan, Relocation
from pictify_sync.core.ports import ArtifactStore, Clock, Inbox, Provider, StateStore
from pictify_sync.errors import ForeignState, StalePlan, StateError, UsageError
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.desired import Manifests, read_manifests
from pictify_sync.manifest.schema import FORMATS
from pictify_sync.providers import registry
from pictify_sync.providers.spec import Connection
from pictify_sync.settings import FILE, Settings, load_settings
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.wiring import states
from pictify_sync.wiring.identity import Owner
from pictify_sync.wiring.place import find_relocation, placed, places_of, settings_of
from pictify_sync.wiring.provider_settings import own_folders, provider_settings
from pictify_sync.workflows.apply.approval import Consent, check, refuse_stale
from pictify_sync.workflows.apply.session import timestamp
from pictify_sync.workflows.plan import Choice, make_plan

if TYPE_CHECKING:
    from pictify_sync.artifacts.held import HeldFiles


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


def open_project(settings_file: Path | None, environ: Mapping[str, str], folder: Path | None = None) -> Project:
    """Read the settings and bind the project to them. Raises InputError with all problems of the settings.

    `folder`: the project folder where there is no settings file [the working directory].
    """
    return Project(load_settings(settings_file, environ, registry.parts, project=folder))


class Project:
    """One folder of manifests with its settings, state, artifacts and providers. Close it at the end."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, open_state: states.OpenState | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._open_state = open_state or states.opener(settings)
        self._stores: dict[bool, StateStore] = {}
        self._providers: dict[str, Provider] = {}
        self._inboxes: dict[str, Inbox] = {}  # by folder or URL
        self._artifacts: ArtifactStore | None = None
        self._open_at_old_place = True  # False: the settings count, whatever the state says of the pictures' place
        self.held: HeldFiles | None = None  # known with the artifacts
        self._is_bound = False  # the state is known to name this project
        self.is_chosen = False  # True: by its settings file, so that it may read what belongs to projects below
        self.takes_foreign = False  # True: a state of another project may be opened, to make it ours
        self.owner = Owner(settings, os.environ)
        self.notice: Callable[[str], object] = lambda _: None  # what people have to be told on the way

    def state(self, *, create: bool = False) -> StateStore:
        """The recorded state; an empty one where there is none, unless it is to be created."""
        if True in self._stores:
            return self._stores[True]
        if create not in self._stores:
            self._stores[create] = self._open_state(self.settings.path(self.settings.state), create=create)
            self._look(self._stores[create])
        return self._stores[create]

    def binding(self) -> Sequence[Entry]:
        """What goes before the first entry that this process writes: whose the state is, unless it says so already."""
        if self._is_bound:
            return ()
        store = self.state(create=True)
        self._look(store)
        bound = store.project()
        ours = placed(self.owner.binding(bound), bound, self.settings)
        self._is_bound = ours == bound
        if self._is_bound:
            return ()
        if bound is None and store.serial():
            self.notice(f"The state belongs to the project {project_title(ours)} from now on; others are refused.")
        return (Bound(ours, timestamp(self.clock)),)

    def fetch(self, *, record: bool = True) -> StateStore:
        """The state as it is now where it lies; a file is always that. Before anything that reads it to change it.

        Without `record` nothing will be changed: where nothing can be written, what was fetched last will do.
        """
        if not record and not states.can_fetch(self.settings):
            return self.state()
        if states.is_remote(self.settings) and True not in self._stores:
            store = states.open_fetched(self.settings)
            self._stores[not states.is_empty(store)] = store
            self._look(store)
        return self.state()

    def _look(self, store: StateStore) -> None:
        """Refuse a state of another project, at the first look at it."""
        if self.takes_foreign:
            return
        self.owner.refuse_foreign(store, fetched=False)
        if isinstance(store, states.Fetched):
            try:
                self.owner.refuse_foreign(store, fetched=True)
            except ForeignState:  # what only reads could not tell
                store.forget_ref()
                raise

    def artifacts(self, *, deep: bool = False) -> ArtifactStore:
        """The published pictures, where the settings keep them. `deep`: a check reads what a bucket holds."""
        if self._artifacts is None:
            from pictify_sync.wiring.artifacts import open_artifacts, open_held  # noqa: PLC0415 - plan publishes nothing

            relocation = self.relocation() if self._open_at_old_place else None
            settings = self.settings if relocation is None else settings_of(self.settings, relocation.old)
            self.held = open_held(settings)
            others = [] if relocation is None else [settings_of(settings, one) for one in places_of(relocation)[1:]]
            self._artifacts = open_artifacts(settings, self.held, deep=deep, others=others)
        return self._artifacts

    def relocation(self) -> Relocation | None:
        """Where the pictures are, when the settings name another folder. Raises PlaceChanged for other places."""
        return find_relocation(self.settings, self.state())

    def use_new_place(self) -> None:
        """From now on pictures are looked for, and published, where the settings say."""
        if self.held is not None:
            self.held.close()
        self._open_at_old_place, self._artifacts = False, None

    def has_held(self, artifact: Artifact) -> bool:
        """Whether a picture that is not on this machine now was here before, or should have been."""
        return not artifact.is_kept or self.has_held_file(artifact.path, artifact.sha256)

    def has_held_file(self, path: str, sha256: str) -> bool:
        """Likewise, for a picture in that folder."""
        self.artifacts()
        return self.held is None or self.held.holds(path, sha256)

    def place(self) -> str:
        """Id of the folder of the pictures on this machine; "" where all runs share them."""
        self.artifacts()
        return "" if self.held is None else self.held.place()

    def provider_settings(self, name: str) -> Any:
        """What the settings say of a provider. Raises UsageError: there is none of that name, InputError."""
        return provider_settings(self.settings, name)

    def facts(self, name: str) -> ProviderFacts:
        """What holds of a provider as it is set up. Raises as `provider_settings`."""
        return registry.find(name).facts(self.provider_settings(name))

    def remedies(self) -> Mapping[str, str]:
        """What to do about failure codes: our own, and those of the providers."""
        from pictify_sync.report.words import REMEDIES  # noqa: PLC0415 - plan reports no failures

        providers = registry.parts((self.settings.provider, *self.settings.providers)).values()
        return {**REMEDIES, **{code: text for spec in providers for code, text in spec.remedies.items()}}

    def own_folders(self) -> Sequence[str]:
        """Folders of the project in which its providers keep what is theirs."""
        return own_folders(self.settings)

    def connection(self, name: str) -> Connection:
        """What a provider is connected with."""
        spec = registry.find(name)
        return Connection(
            settings=self.provider_settings(name),
            capabilities=self.capabilities(name),
            project=self.settings.project,
            key=self.settings.secret(spec.key_variable),
            base_url=self._base_url(name),
            allow_hosts=tuple(self.settings.allow_hosts),
            clock=self.clock,
        )

    def _base_url(self, name: str) -> str:
        spec = registry.find(name)
        return self.settings.environ.get(spec.url_variable) or spec.url

    def service(self, name: str) -> str:
        """Where a provider is reached, without user and query; "" for an embedded one. UsageError: it is no URL."""
        return "" if self.facts(name).embedded else service_of(self._base_url(name), registry.find(name).url_variable)

    def known(self, name: str) -> Mapping[str, object]:
        """What a live check, or the settings over it, say of a provider's capabilities where it is reached now."""
        service = self.service(name)
        found = promised(self.state().probes(), name, service) if service else {}
        return {**found, **self.provider_settings(name).given()}

    def capabilities(self, name: str) -> Capabilities:
        """What a provider allows, without connecting to it."""
        return registry.capabilities(registry.find(name), self.provider_settings(name), self.known(name))

    def provider(self, name: str) -> Provider:
        """A connected provider, the same one for the whole run."""
        if name not in self._providers:
            self._providers[name] = registry.find(name).connect(self.connection(name))
        return self._providers[name]

    def read(self, paths: Sequence[str], *, glyphs: bool = False) -> Manifests:
        """Read the manifests at the paths (files, folders, globs; none: the configured root).

        Raises InputError with all problems of all files; warnings are in `problems` of what comes back.
        """
        from pictify_sync.rendering.inspect import Inspector  # noqa: PLC0415 - show, status and state read no manifest

        settings, inspector = self.settings, Inspector()
        store = self._recorded() if glyphs else self.state()
        context = ReadContext(
            project=settings.project,
            root=settings.path(settings.manifests),
            inspector=inspector,
            provider=settings.provider,
            options=lambda name: registry.find(name).options(),
            formats=lambda name: FORMATS if registry.instead_of(name) else registry.find(name).media,
            instead_of=registry.instead_of,
            facts=lambda name: ProviderFacts() if registry.instead_of(name) else self.facts(name),
            engine=lambda name, families: registry.find(name).engine(self.provider_settings(name), families),
            fonts=lambda name: registry.find(name).fonts(self.provider_settings(name)),
            sensitive_key=store.sensitive_key() or (token_bytes(32) if glyphs else None),
            templates={(record.provider, record.name): record for record in store.templates()},
            max_assets=settings.max_assets,
            local_pictures=settings.local_pictures,
            glyphs=glyphs,
            kept=self._kept(),
            settings_name=FILE,
            over_all=self.is_chosen,
        )
        return read_manifests([Path(path) for path in paths] or [context.root], context)

    def _kept(self) -> Sequence[Path]:
        """The files and folders of our own, which no manifest may read."""
        settings = self.settings
        places = () if states.is_remote(settings) else (settings.state,)
        inbox = () if "://" in settings.inbox else (settings.inbox,)
        return [settings.path(place).resolve() for place in (*places, *self.own_folders(), *inbox)]

    def _recorded(self) -> StateStore:
        """The state, or an empty one in place of one that was never fetched: whether manifests are valid needs none."""
        try:
            return self.state()
        except StateError:
            if not states.is_remote(self.settings):
                raise
            return EmptyStateStore()

    def plan(self, paths: Sequence[str], choice: Choice) -> tuple[Plan, Manifests]:
        """Plan against the state as it is, without a connection."""
        manifests = self.read(paths)
        plan = make_plan(manifests, self.state(), self.capabilities, choice)
        return self.guarded(plan), manifests

    def guarded(self, plan: Plan) -> Plan:
        """The plan with what the guard says of it."""
        return replace(plan, refusals=refusals(plan.summary, self._limits()), relocation=self.relocation())

    def _limits(self) -> Limits:
        guard = self.settings.guard
        return Limits(guard.max_delete_percent, guard.min_recorded, guard.max_renders)

    def refuse_own(self, paths: Sequence[str]) -> None:
        """Refuse databases of ours, before anything looks into what was named. Raises UsageError."""
        for path in paths:
            states.refuse_own(self.settings, Path(path))

    def load_plan(self, file: Path) -> Plan:
        """Read a saved plan. Raises InputError when it is none of ours, StalePlan when it was edited."""
        from pictify_sync.state.planfile.document import read_plan  # noqa: PLC0415 - only for saved plans

        states.refuse_own(self.settings, file)
        plan = read_plan(file)
        if plan_digest(plan.changes, plan.templates) != plan.digest:
            raise StalePlan(f"{file} was edited: its digest is not that of its work", hint="plan again")
        return plan

    def inbox(self, place: str | None = None) -> Inbox:
        """Webhook deliveries: a folder, or a receiver's inbox by its URL."""
        where = place or self.settings.inbox
        if where in self._inboxes:
            return self._inboxes[where]
        if where.startswith(("http://", "https://")):
            from pictify_sync.webhooks.remote import RemoteInbox  # noqa: PLC0415 - plan reads no inbox

            self._inboxes[where] = RemoteInbox(where, self.settings.inbox_token)
        else:
            from pictify_sync.webhooks.files import FileInbox  # noqa: PLC0415 - plan reads no inbox

            self._inboxes[where] = FileInbox(self.settings.path(where))
        return self._inboxes[where]

    def save_plan(self, plan: Plan, file: str) -> None:
        """Write a plan file, whole or not at all."""
        path = Path(file)
        states.refuse_own(self.settings, path)
        apart = path.exists() and not path.is_file()  # a pipe or a device is written to, never replaced
        draft = path if apart else path.with_name(f".{path.name}.{token_hex(4)}")
        try:
            with draft.open("w", encoding="utf-8", newline="\n") as text:
                self.write_plan(plan, text)
            if not apart:
                draft.replace(path)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from None
        finally:
            if not apart:
                draft.unlink(missing_ok=True)

    def write_plan(self, plan: Plan, text: IO[str]) -> None:
        """Write the JSON document of a plan."""
        from pictify_sync.state.planfile.document import write_plan  # noqa: PLC0415 - only for saved plans

        write_plan(plan, text)

    def record(self, key: str) -> Record:
        """One record. Raises UsageError when there is none of that key."""
        record = self.state().record(AssetKey(key))
        if record is None:
            raise UsageError(f"{key} is not recorded", hint="pictify-sync state list shows what is")
        return record

    def check(self, plan: Plan, consent: Consent) -> None:
        """May the plan be carried out? Raises UnsafePlan, NotApproved, or StalePlan for a saved one."""
        if consent.saved:
            refuse_stale(plan, self.state())
            if self.relocation() != plan.relocation:
                raise StalePlan("the place of the pictures changed since the plan was made", hint="plan again")
        check(plan, self._limits(), consent)

    def close(self) -> None:
        """Close inboxes, providers and state, each whatever becomes of the others."""
        with ExitStack() as last:
            if self.held is not None:
                last.callback(self.held.close)
            for store in self._stores.values():
                last.callback(store.close)
            for provider in self._providers.values():
                last.callback(provider.close)
            for inbox in self._inboxes.values():
                last.callback(inbox.close)
