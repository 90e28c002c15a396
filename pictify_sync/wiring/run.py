"""One `apply`, `collect`, `cancel` or `resolve`: the ports bound for a run, and the workflows it calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING

from pictify_sync.core.diff import learns_revision
from pictify_sync.core.entries import OpenBatch, TemplateRecorded
from pictify_sync.core.journal import DoubtPolicy, DoubtRules
from pictify_sync.core.model import Action, Asset, AssetKey
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import EventSink
from pictify_sync.errors import PicturesElsewhere
from pictify_sync.manifest.desired import Manifests
from pictify_sync.wiring.project import Project
from pictify_sync.workflows.apply.session import Ports, Session
from pictify_sync.workflows.apply.urls import UrlSources
from pictify_sync.workflows.plan import Choice, make_plan

if TYPE_CHECKING:
    from pictify_sync.workflows.apply.outcome import ApplySummary
    from pictify_sync.workflows.collect import Collected
    from pictify_sync.workflows.resolve import Resolution


SINGLE = "single"  # the source of URLs that is billed


def new_attempt() -> str:
    """Give a fresh id that sorts by time: 12 hex digits of milliseconds, 10 random ones."""
    return f"{int(time.time() * 1000):012x}{token_hex(5)}"


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
    allow_older: bool = False  # a commit behind the one applied last is applied all the same
    records: bool = True  # False: the state is only read
    inbox: str | None = None  # folder or URL of webhook deliveries; None: that of the settings

    def ports(self, plan: Plan | None, desired: Manifests | None = None) -> Ports:
        """Bind the outside of this run. Without manifests, what is desired comes from a saved plan, if any."""
        source = desired if desired is not None else SavedAssets(self.project, plan)
        settings = self.project.settings
        return Ports(
            store=self.project.state(create=self.records),
            artifacts=self.project.artifacts(),
            provider=self.project.provider,
            facts=self.project.facts,
            payloads=source,
            asset=source.get,
            clock=self.project.clock,
            sink=self.sink,
            stop=self.stop,
            run=self.run,
            new_attempt=new_attempt,
            sources=self._sources,
            doubt=DoubtRules(DoubtPolicy(settings.in_doubt.policy), settings.in_doubt.quarantine_seconds),
            binding=self.project.binding,
            place=self.project.place,
            has_held=self.project.has_held_file,
            keep_variables=settings.keep_variables == "full",
        )

    def _sources(self, provider: str) -> UrlSources:
        order = self.project.provider_settings(provider).url_sources
        free = tuple(source for source in order if source != SINGLE)
        return UrlSources(free, self.project.inbox(self.inbox), single=SINGLE in order)

    def collect(self) -> Collected:
        """Find pictures whose URL is not known yet and publish them."""
        from pictify_sync.workflows.collect import collect  # noqa: PLC0415 - one command's

        return collect(Session(self.ports(None)))

    def recover(self) -> ApplySummary:
        """Finish what earlier runs left open."""
        from pictify_sync.workflows.apply.run import recover  # noqa: PLC0415 - plan does not apply

        return recover(self.ports(None))

    def plan(self, paths: Sequence[str], choice: Choice) -> tuple[Plan, Manifests]:
        """Plan afresh, after learning the revisions of templates that nobody has looked at yet."""
        manifests = self.project.read(paths)
        unknown = {(asset.spec.provider, asset.spec.template) for asset in manifests if learns_revision(asset)}
        if unknown:
            self._learn(sorted(unknown))
            manifests = self.project.read(paths)
        store = self.project.state(create=True)
        plan = make_plan(manifests, store, self.project.capabilities, choice)
        return replace(plan, relocation=self.project.relocation()), manifests

    def _learn(self, templates: Sequence[tuple[str, str]]) -> None:
        """Record what the providers hold under these template uids."""
        session = Session(self.ports(None))
        for provider, uid in templates:
            record = self.project.provider(provider).observe_template(uid)
            if record is not None:
                at = session.now()
                session.commit(partial(_observed, TemplateRecorded(replace(record, name=uid, observed_at=at), at)))

    def cancel(self, attempt: str | None) -> tuple[OpenBatch, ...]:
        """Ask to cancel one open batch, or all; gives those that were asked for."""
        from pictify_sync.workflows.resolve import cancel  # noqa: PLC0415 - one command's

        return cancel(Session(self.ports(None)), attempt)

    def resolve(self, attempt: str, how: Resolution, batch_id: str) -> OpenBatch:
        """Settle a doubt."""
        from pictify_sync.workflows.resolve import resolve  # noqa: PLC0415 - one command's

        return resolve(Session(self.ports(None)), attempt, how, batch_id)

    def carry_out(
        self,
        plan: Plan,
        manifests: Manifests | None,
        replan: Callable[[Set[AssetKey]], Plan | None],
        recovered: ApplySummary,
        *,
        since: int | None = None,
    ) -> ApplySummary:
        """Do it. A saved plan comes without manifests. Raises StorageUnavailable before anything is made.

        `recovered` is what `recover` did; the summary is that of both. `since` is the serial that a saved plan was held
        against.
        """
        from pictify_sync.wiring.artifacts import reach  # noqa: PLC0415 - plan does not apply
        from pictify_sync.wiring.older import record_commit  # noqa: PLC0415 - plan does not apply
        from pictify_sync.workflows.apply.run import carry_out  # noqa: PLC0415 - plan does not apply

        if plan.relocation is not None:
            moved, lost = self._relocate(plan)
            recovered = replace(recovered, moved=recovered.moved + moved)
            if self.stop():
                return replace(recovered, interrupted=True)
            if lost:  # what is in neither place is repaired in the same run
                plan = replan({change.key for change in plan.changes if change.renders}) or plan
        if not plan.is_empty:
            reach(self.project.artifacts())
        self._refuse_absent(plan)
        ports = self.ports(plan, manifests)
        record_commit(Session(ports), self.project.owner.checkout(), allowed=self.allow_older)
        return carry_out(ports, plan, replan, recovered, since=since)

    def _relocate(self, plan: Plan) -> tuple[int, int]:
        """Bring the published files to the folder of the settings; gives how many went, and how many are lost."""
        from pictify_sync.wiring.place import relocate_files  # noqa: PLC0415 - seldom needed

        assert plan.relocation is not None
        return relocate_files(self.project, Session(self.ports(plan)), plan.relocation)

    def _refuse_absent(self, plan: Plan) -> None:
        """Raise PicturesElsewhere where a picture is to be moved or copied that was never on this machine.

        It would be taken for missing, and rendered again by everybody.
        """
        store, has_held = self.project.artifacts(), self.project.has_held
        if self.project.held is None or not (plan.summary.copies or plan.summary.actions.get(Action.MOVE)):
            return
        sources = (change.source.artifact for change in plan.changes if change.source is not None)
        absent = sum(
            store.check(source) == "missing" and not has_held(source) for source in sources if source is not None
        )
        if absent:
            raise PicturesElsewhere(
                f"{absent:,} pictures that would be moved or copied were never on this machine",
                hint="apply where they are, or bring them here first; to render them instead: --replace PATTERN",
            )
