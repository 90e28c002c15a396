"""The use case `apply`: bring provider, files and state to where a plan says, crash-safely.

First whatever an earlier run left unfinished is finished (`recover`), then the plan is carried out (`carry_out`).
Retry, recovery and repair are this same path: a picture is made when the next plan asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from pictify_sync.core.events import AssetFailed, AssetStored, Event, RunStarted
from pictify_sync.core.model import Action, AssetKey, Batch, Change
from pictify_sync.core.paths import Held, PathIndex, taken_path
from pictify_sync.core.plan import Plan
from pictify_sync.errors import NotApproved, ProviderError, UnsafePlan
from pictify_sync.workflows.apply.attempts import Attempts
from pictify_sync.workflows.apply.clear_path import PATH_TAKEN
from pictify_sync.workflows.apply.driver import BatchDriver
from pictify_sync.workflows.apply.moves import carry, clean, finish_moves
from pictify_sync.workflows.apply.other_runs import confirm
from pictify_sync.workflows.apply.outcome import (
    ApplySummary,
    Tally,
    combined,
    is_embedded,
    made_good,
    note_lost,
    still_open,
    summarized,
    unmade,
)
from pictify_sync.workflows.apply.prepare import only
from pictify_sync.workflows.apply.refetch import refetch
from pictify_sync.workflows.apply.session import Ports, Session, is_at_other_service
from pictify_sync.workflows.apply.sorting import Work, is_agreed, path_of, remove_agreed, settle_kept, sort_out
from pictify_sync.workflows.apply.templates import push_templates
from pictify_sync.workflows.collect import collect
from pictify_sync.workflows.plan import path_clashes

DOWNLOADS = 8  # threads
ROUNDS = 3  # plans of one apply: a missing source, an expired or a stalled batch asks for another
TRIES = 2  # renders of one picture in one apply that may come to nothing: one more after the first
_RENDERS = (Action.CREATE, Action.UPDATE, Action.REPAIR)


def recover(ports: Ports) -> ApplySummary:
    """Finish pending moves and open batches of earlier or other runs. Makes no new work."""
    made: set[AssetKey] = set()

    def noting(event: Event) -> None:
        if isinstance(event, AssetStored):
            made.add(event.key)
        ports.sink(event)

    session = Session(replace(ports, sink=noting))
    carried = finish_moves(session)
    clean(session)
    tally = Tally()
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        _resume(session, pool, tally, waits=False)
        confirm(session, tally)
    clean(session)
    done = replace(summarized(tally, interrupted=ports.stop()), moved=carried.carried, made=frozenset(made))
    done = replace(done, left_alone=frozenset(file.path for file in session.left))
    waiting = sum(len(one.intended.claims) for one in still_open(session, tally))
    return replace(done, waiting=waiting, embedded=bool(waiting) and is_embedded(session))


def carry_out(
    ports: Ports,
    plan: Plan,
    replan: Callable[[Set[AssetKey]], Plan | None],
    earlier: ApplySummary | None = None,
    *,
    since: int | None = None,
) -> ApplySummary:
    """Do what the plan says.

    `replan` is asked when sources were missing or batches were lost: it is given the pictures of these that are not
    made yet, and gives None where there is no other plan.

    `earlier` is what `recover` did in the same apply: it is part of the summary, but for what came right since. What
    other runs did since the plan, or since the serial `since` that it was held against, is left out.
    """
    since = plan.serial if since is None else since
    session = Session(ports, since)
    if earlier:  # they were tried, and said, already
        session.left.update(file for file in session.store.obsolete() if file.path in earlier.left_alone)
    tally = Tally(tries=Counter(earlier.tries if earlier else ()), agreed=plan.summary.manifests)
    summary = ApplySummary()
    wanted: dict[AssetKey, bool] = {}
    made = earlier.made if earlier else frozenset[AssetKey]()
    first, rounds = plan, 0
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        while rounds < ROUNDS:
            work = _begun(session, plan, since, tally, made)
            work.kept = work.kept if plan is first else 0  # what an earlier round made is counted as that
            wanted = wanted | work.wanted
            done, is_again = _round(session, plan, work, (pool, tally))
            rounds += not tally.freed_by_others  # such a one ends when the other run does
            summary = combined(summary, done)
            if not is_again or ports.stop() or tally.stopped:
                break
            next_plan = _planned_again(replan, tally)
            if next_plan is None:
                break
            plan, since = next_plan, next_plan.serial
            _forget(tally, plan)
    _tell_refused(session, tally)
    done = combined(summary, _ended(session, wanted, tally))
    return done if earlier is None else _since(session, earlier, done, tally)


def _tell_refused(session: Session, tally: Tally) -> None:
    """Pictures whose path belongs to another are not made: that is a failure of theirs, and of nobody else's."""
    told = {key for key, _, _ in tally.failed}
    for key, why in sorted(session.refused.items()):
        if key not in told:
            tally.failed.append((key, PATH_TAKEN, why))
            session.ports.sink(AssetFailed(key, PATH_TAKEN, why))


def _planned_again(replan: Callable[[Set[AssetKey]], Plan | None], tally: Tally) -> Plan | None:
    """Ask for another plan. What nobody agreed to is not done, and what was left out of a saved plan is said."""
    try:
        plan = replan(tally.lost.keys())
    except (NotApproved, UnsafePlan) as error:
        tally.stopped = f"{error}; {error.hint}" if error.hint else str(error)
        return None
    if plan is None and tally.left:
        few = "1 of the planned changes was" if tally.left == 1 else f"{tally.left:,} of the planned changes were"
        tally.stopped = f"{few} left out, since another run changed the same pictures meanwhile; plan again"
    return plan


def _forget(tally: Tally, plan: Plan) -> None:
    """What the next plan tries again has not failed yet, and what it need not render is not lost."""
    if tally.lost:
        rendered = {change.key for change in plan.changes if change.renders and change.key in tally.lost}
        tally.lost = {key: why for key, why in tally.lost.items() if key in rendered}
    if tally.failed:
        again = {change.key for change in plan.changes if change.action in _RENDERS and _may_try(tally, change.key)}
        tally.failed[:] = [one for one in tally.failed if one[0] not in again]


def _may_try(tally: Tally, key: AssetKey) -> bool:
    return tally.tries[key] < TRIES


def _ended(session: Session, wanted: Mapping[AssetKey, bool], tally: Tally) -> ApplySummary:
    """Sum up the run, and find out what was wanted and is not made: it failed, unless the run stopped early anyway."""
    is_cut = session.ports.stop()
    session.catch_up()
    tally.in_doubt &= {opened.intended.attempt for opened in session.store.open_batches()}
    found = unmade(session, wanted, tally)
    embedded = bool(found.waiting) and is_embedded(session)
    done = replace(summarized(tally, interrupted=is_cut), waiting=found.waiting, embedded=embedded)
    done = replace(done, postponed=found.postponed)
    if is_cut or tally.stopped:
        return replace(done, left=len(found.failed))
    note_lost(session, found.failed, tally)
    for failing in found.failed:
        tally.failed.append(failing)
        session.ports.sink(AssetFailed(*failing))
    return replace(done, failed=tuple(tally.failed))


def _since(session: Session, earlier: ApplySummary, done: ApplySummary, tally: Tally) -> ApplySummary:
    """Add what `recover` did. What it could not settle was taken up again, so that the newer word on it counts."""
    still = made_good(session, earlier.failed, tally)
    return combined(replace(earlier, failed=still, stopped=None, in_doubt=0), done)


def _begun(session: Session, plan: Plan, since: int, tally: Tally, made: Set[AssetKey]) -> Work:
    """Sort out what a plan that was made for the state at `since` wants, now that other runs may have been there."""
    tally.freed = tally.freed_by_others = False
    confirm(session, tally)
    session.begin(since)
    work = sort_out(session, plan, made, is_current=session.store.serial() == since)
    tally.left = work.left
    tally.postponed |= work.postponed
    return work


def _round(session: Session, plan: Plan, work: Work, means: tuple[Executor, Tally]) -> tuple[ApplySummary, bool]:
    """Carry out one plan; also tell whether another plan is needed."""
    pool, tally = means
    renders = plan.summary.renders
    deletes, fetches = plan.summary.actions.get(Action.DELETE, 0), len(work.refetched)
    session.ports.sink(RunStarted(renders, len(plan.batches), len(work.carried), deletes, fetches))
    settled = settle_kept(session, work.settled)
    pushed = push_templates(session, plan.templates)
    session.refused, session.clashes = dict(work.blocked), _new_clashes(session, plan)
    leaving, may_delete = _leaving(work, tally)
    carried = carry(session, work.carried, leaving)
    if leaving:
        clean(session)
    refetched = refetch(session, pool, work.refetched)
    _render(session, plan.batches, pushed, means)
    removed = carried.removed
    if not session.ports.stop():
        confirm(session, tally)
        # what is left of its own comes first: another run may be dead, and its lease is long
        _resume(session, pool, tally, waits=tally.stopped is None and not (tally.freed or carried.missing or work.left))
        if work.untold or tally.unresolved:
            _collect(session, tally)
        removed += remove_agreed(session, tally, work.deleted) if may_delete else 0
    confirm(session, tally)
    clean(session)
    session.ports.artifacts.sweep()
    again = bool(carried.missing or work.left) or tally.freed
    left = frozenset(file.path for file in session.left)
    gone = (*work.deleted, *(change for change in work.leaving if change.action is Action.DELETE))
    removed -= sum(path_of(change) in left for change in gone) if removed else 0
    done = ApplySummary(moved=carried.carried, refetched=refetched, removed=max(0, removed), kept=work.kept)
    return replace(done, **settled._asdict(), left_alone=left), again


def _leaving(work: Work, tally: Tally) -> tuple[Sequence[Change], bool]:
    """Give what makes room for others, and whether anything may be deleted at all."""
    deletes = [change for change in work.leaving if change.action is Action.DELETE]
    if not deletes or is_agreed(tally, [*deletes, *work.deleted]):
        return work.leaving, True
    return [change for change in work.leaving if change.action is not Action.DELETE], False


def _new_clashes(session: Session, plan: Plan) -> Mapping[AssetKey, Held]:
    """Give the changes whose path was given to another record since the plan was made."""
    if plan.serial == session.store.serial():
        return {}
    wanted = PathIndex()
    for change in plan.changes:
        path = taken_path(change)
        if path is not None:
            wanted.add(path)
    return path_clashes(plan.changes, session.store, wanted)


def _render(
    session: Session,
    batches: Sequence[Batch],
    pushed: Mapping[tuple[str, str], str],
    means: tuple[Executor, Tally],
) -> None:
    """Drive each provider's batches in turn. `pushed`: uids of templates, over those that are recorded."""
    pool, tally = means
    uids = {(record.provider, record.name): record.uid for record in session.store.templates()} | dict(pushed)

    def uid_of(batch: Batch) -> str:
        return uids.get((batch.group.provider, batch.group.template), batch.group.template)

    for name in sorted({batch.group.provider for batch in batches}):
        provider = session.ports.provider(name)
        pump = BatchDriver(Attempts(session, provider, pool, tally))
        own = (batch for batch in batches if batch.group.provider == name)
        pump.run([left for batch in own for left in only(batch, partial(_may_try, tally))], uid_of)


def _resume(session: Session, pool: Executor, tally: Tally, *, waits: bool) -> None:
    """See every open batch of the services in use through, whoever intended it.

    `waits`: for those that are another run's work, too.
    """
    opened = [batch for batch in session.store.open_batches() if not is_at_other_service(session, batch)]
    for name in sorted({batch.intended.batch.group.provider for batch in opened}):
        provider = session.ports.provider(name)
        pump = BatchDriver(Attempts(session, provider, pool, tally), waits=waits)
        pump.resume(batch for batch in opened if batch.intended.batch.group.provider == name)
        pump.run((), lambda batch: batch.group.template)


def _collect(session: Session, tally: Tally) -> None:
    """Ask the free sources for the URLs that results did not tell: often they know by now."""
    try:
        found = collect(session, renders=False)
    except ProviderError as error:  # what was done is to be told all the same
        tally.stopped = f"{error}; {error.hint}" if error.hint else str(error)
        return
    tally.stored += found.stored
    tally.looked, tally.unresolved = True, found.unresolved
    failed = {key for key, _, _ in found.failed}
    tally.failed[:] = [*(one for one in tally.failed if one[0] not in failed), *found.failed]
