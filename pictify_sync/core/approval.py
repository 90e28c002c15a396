"""The work of a plan as lines, its digest, and what of it was approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from hashlib import blake2b
from itertools import chain

from pictify_sync.core.fingerprint import RECIPE, canonical
from pictify_sync.core.model import Action, Change
from pictify_sync.core.template import TemplateChange

Work = tuple[Iterable[Change], Iterable[TemplateChange]]

_ANY = ""  # in the place of a source's key: whichever
_IDLE = (Action.KEEP, Action.AWAIT, Action.BLOCKED, Action.PROTECT, Action.UNPROTECT)  # apart from protection


def work_of(changes: Iterable[Change], templates: Iterable[TemplateChange]) -> Iterator[str]:
    """Yield one canonical line per thing that an apply would do; no serial, no time, no origin."""
    for template in templates:
        source = template.source
        yield canonical(("template", template.action, source.provider, source.name, source.digest))
    for change in changes:
        if change.action not in _IDLE:
            yield work_line(change)
        yield from _protection(change)


def _protection(change: Change) -> Iterator[str]:
    """Yield the line of a protection that is recorded anew, if it is."""
    if change.protection is not None:
        yield canonical(("protect", change.key, change.protection))


def work_line(change: Change) -> str:
    """Return the canonical line of one change that acts."""
    return _line(change, None if change.source is None else change.source.key)


def _line(change: Change, source: str | None) -> str:
    asset, record = change.asset, change.record
    wanted = None if asset is None else (asset.fingerprint.spec, asset.fingerprint.variables, asset.output)
    removed = None if asset is not None or record is None or record.artifact is None else record.artifact.sha256
    return canonical(("asset", change.action, change.key, wanted, removed, source))


def plan_digest(changes: Iterable[Change], templates: Iterable[TemplateChange]) -> str:
    """Return the name of the work: "h1:" and 32 hex characters; equal for equal work, whoever planned it."""
    return _digest(work_of(changes, templates))


def rendered_digest(changes: Iterable[Change], templates: Iterable[TemplateChange]) -> str:
    """Return the name of the same work with renders in the place of copies: whoever agreed to it, agreed to less."""
    return _digest(chain(work_of((), templates), chain.from_iterable(map(_rendered, changes))))


def _rendered(change: Change) -> Iterator[str]:
    if change.action not in _IDLE:
        yield _line(change, None) if change.is_copied else work_line(change)
    yield from _protection(change)


def exceeding(
    changes: Iterable[Change], templates: Iterable[TemplateChange], approved: Iterable[Work]
) -> tuple[str, ...]:
    """Return the lines of the work that were not approved, in order. A copy is less than the render of the same."""
    allowed: set[str] = set()
    for some, theirs in approved:
        allowed.update(work_of((), theirs))
        allowed.update(line for change in some for line in _lines(change))
    pushed = (line for line in work_of((), templates) if line not in allowed)
    beyond = (line for change in changes for line in _beyond(change, allowed))
    return (*pushed, *beyond)


def _beyond(change: Change, allowed: Set[str]) -> Iterator[str]:
    if change.action not in _IDLE and allowed.isdisjoint(_ways(change)):
        yield work_line(change)
    yield from (line for line in _protection(change) if line not in allowed)


def _lines(change: Change) -> Iterator[str]:
    """What the approval of a change allows: itself, and a copy from elsewhere in the place of a copy."""
    yield from _protection(change)
    if change.action in _IDLE:
        return
    yield work_line(change)
    if change.is_copied:
        yield _line(change, _ANY)


def _ways(change: Change) -> Iterator[str]:
    """The lines any of which allows a change."""
    yield work_line(change)
    if change.is_copied:
        yield _line(change, None)
        yield _line(change, _ANY)


def _digest(lines: Iterable[str]) -> str:
    total = blake2b(digest_size=16, person=RECIPE.encode())
    for line in lines:
        total.update(line.encode())
        total.update(b"\n")
    return f"{RECIPE}:{total.hexdigest()}"
