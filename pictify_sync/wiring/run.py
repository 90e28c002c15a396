"""One `apply`: what it is bound to, and the workflows it calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from pictify_sync.core.diff import learns_revision
from pictify_sync.core.entries import TemplateRecorded
from pictify_sync.core.model import Action, AssetKey
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import EventSink
from pictify_sync.errors import PicturesElsewhere
from pictify_sync.manifest.desired import Manifests
from pictify_sync.wiring.project import Project
from pictify_sync.wiring.session import SavedAssets, Watch, bound_ports, new_attempt
from pictify_sync.workflows.apply.session import Ports, Session
from pictify_sync.workflows.plan import Choice, make_plan

if TYPE_CHECKING:
    from pictify_sync.workflows.apply.outcome import ApplySummary


def _observed(entry: TemplateRecorded) -> Sequence[TemplateRecorded]:
    return (entry,)


@dataclass(slots=True)
class ApplyRun:
    """One `apply`: recover, then plan or load, then carry out what was agreed to."""

    project: Project
    sink: EventSink
    stop: Callable[[], bool]
    run: str = field(default_factory=new_attempt)
    allow_older: bool = False  # a commit behind the one applied last is applied all the same

    def ports(self, plan: Plan | None = None, desired: Manifests | None = None) -> Ports:
        """Bind the outside of this run. Without manifests, what is desired comes from a saved plan, if any."""
        watch = Watch(self.sink, self.stop, self.run)
        return bound_ports(self.project, SavedAssets(self.project, plan) if desired is None else desired, watch)

    def recover(self) -> ApplySummary:
        """Finish what earlier runs left open."""
        from pictify_sync.workflows.apply.run import recover  # noqa: PLC0415 - plan does not apply

        return recover(self.ports())

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
        session = Session(self.ports())
        for provider, uid in templates:
            record = self.project.provider(provider).observe_template(uid)
            if record is not None:
                at = session.now()
                session.commit(partial(_observed, TemplateRecorded(replace(record, name=uid, observed_at=at), at)))

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
