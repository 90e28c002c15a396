"""Looking after what a project holds: the state by hand, drift, snapshots, and what is no longer needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pictify_sync.core.diff import learns_revision
from pictify_sync.core.drift import Observed
from pictify_sync.core.entries import Bound, ProjectIdentity
from pictify_sync.core.model import AssetKey
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import Conflict, InputError, PlaceChanged, UsageError
from pictify_sync.providers import registry
from pictify_sync.state.sqlite.store import SqliteStateStore
from pictify_sync.wiring.place import pictures_place, placed
from pictify_sync.wiring.project import Project
from pictify_sync.wiring.session import open_session
from pictify_sync.wiring.states import refuse_own
from pictify_sync.workflows.apply.session import timestamp
from pictify_sync.workflows.plan import matcher

if TYPE_CHECKING:
    from pictify_sync.state.git.store import GitStateStore
    from pictify_sync.state.snapshot.reader import Imported
    from pictify_sync.workflows.edit_state import StateEdits


def edit_state(project: Project) -> StateEdits:
    """Changes of the state by hand."""
    from pictify_sync.workflows.edit_state import StateEdits  # noqa: PLC0415 - plan and apply edit nothing by hand

    return StateEdits(open_session(project))


def log_lines(project: Project, after: int) -> Iterator[str]:
    """The entries after a serial, as JSON lines."""
    from pictify_sync.state.codec import encode_entry  # noqa: PLC0415 - plan writes no entries

    for serial, at, entry in project.state().entries(after):
        yield f'{{"serial":{serial},"at":{json.dumps(at)},"entry":{encode_entry(entry)}}}'


def export(project: Project, write: Callable[[str], object]) -> None:
    """Write a snapshot of the state."""
    from pictify_sync.state.snapshot import writer as snapshot  # noqa: PLC0415 - one command's

    snapshot.export(_kept(project.state()), write)


def restore(project: Project, file: Path) -> Imported:
    """Read a snapshot into a state without history."""
    from pictify_sync.state.snapshot.reader import import_snapshot, read_file  # noqa: PLC0415 - one command's
    from pictify_sync.wiring.artifacts import held_files  # noqa: PLC0415 - one command's

    refuse_own(project.settings, file)
    with closing(read_file(file)) as lines:
        store = _kept(project.state(create=True))
        imported = import_snapshot(lines, store, file=str(file), at=timestamp(project.clock))
    bind(project)
    if project.settings.artifacts == "files":  # the pictures did not come along
        held_files(project.settings).begin()
    return replace(imported, serial=store.serial())


def bind(project: Project) -> ProjectIdentity:
    """Have the state belong to this project, whosever it was: the project was renamed, or the state imported."""
    project.takes_foreign = True
    if not project.fetch().lineage:
        raise UsageError("there is no state yet", hint="run pictify-sync apply to create it, for this project")
    store, named = project.state(create=True), project.owner.binding(None)
    while True:
        bound = store.project()
        ours = placed(named, bound, project.settings)
        if ours == bound:
            return ours
        with suppress(Conflict):
            store.commit(store.serial(), [Bound(ours, timestamp(project.clock))])


def verify(project: Project) -> tuple[str, ...]:
    """What is wrong with the state's file; nothing when all is well."""
    return _kept(project.state()).verify()


def rebuild(project: Project) -> int:
    """Make the state's tables anew from its log, or its index from the ref; gives the serial."""
    return _kept(project.fetch()).rebuild()


def compact(project: Project) -> int:
    """Forget the state's history; gives the number of entries forgotten."""
    from pictify_sync.state.sqlite import compaction  # noqa: PLC0415 - one command's

    store = _kept(project.fetch())
    return compaction.compact(store) if isinstance(store, SqliteStateStore) else store.compact()


def refresh(project: Project, patterns: Sequence[str], *, record: bool, deep: bool = False) -> Observed:
    """Look at what the matching keys (none: all) have at their provider and among the published files.

    What differs is recorded if asked to; so are templates that manifests name by uid and nobody has looked at.
    `deep`: objects in a bucket are read, whatever checksum was written down beside them.
    """
    from pictify_sync.workflows import refresh as workflow  # noqa: PLC0415 - one command's

    new = _unseen(project) if record and not patterns else ()
    if not project.state().lineage and not new:
        hint = "run the command in the folder of the project; the first apply makes a state"
        raise UsageError("there is no state here: nothing was applied, so nothing can be looked at", hint=hint)
    adopted = None if patterns else _new_place(project)
    project.artifacts(deep=deep)
    session = open_session(project, writes=record)
    selected: Callable[[AssetKey], bool] = matcher(patterns) if patterns else lambda _: True
    observation = workflow.Observation(
        selected=selected,
        tells=lambda provider: not project.facts(provider).templates_are_private,
        new=new,
        held=project.has_held,
        retention=lambda provider: project.capabilities(provider).retention_seconds,
    )
    if not record:
        return workflow.observe(session, observation)
    found = workflow.refresh(session, observation)
    if adopted is not None:
        session.commit(lambda: (Bound(adopted, session.now()),))
    return found


def _new_place(project: Project) -> ProjectIdentity | None:
    """Look where the settings say, if an apply cannot bring the pictures there; gives what to record then."""
    try:
        project.relocation()
    except PlaceChanged:
        bound = project.state().project()
        project.use_new_place()
        return None if bound is None else replace(bound, place=pictures_place(project.settings), scattered=())
    return None


def _unseen(project: Project) -> Sequence[tuple[str, str]]:
    """Templates that manifests name by their uid and that the state knows nothing of."""
    try:
        manifests = project.read(())
    except InputError:
        return ()  # drift is looked for also while a manifest is being written
    unseen = {(asset.spec.provider, asset.spec.template) for asset in manifests if learns_revision(asset)}
    return sorted(one for one in unseen if not project.facts(one[0]).templates_are_private)


def _kept(store: StateStore) -> SqliteStateStore | GitStateStore:
    from pictify_sync.state.git.store import GitStateStore  # noqa: PLC0415 - most states are files

    if not isinstance(store, SqliteStateStore | GitStateStore):
        raise UsageError("there is no state yet", hint="run pictify-sync apply to create it")
    return store


def collect_garbage(project: Project, days: float) -> int:
    """Delete what embedded servers keep of batches that ended more than so many days ago; gives files removed."""
    before = project.clock.now() - days * 86_400
    own = [one for one in map(registry.find, registry.BUILT_IN) if one.purge is not None]
    return sum(one.purge(project.connection(one.name), before) for one in own if one.purge is not None)
