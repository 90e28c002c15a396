"""The work of a plan as lines, its digest, and what of it was approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from pictify_sync.core.fingerprint import RECIPE, canonical
from pictify_sync.core.model import Action, Change
from pictify_sync.core.template import TemplateChange

_IDLE = (Action.KEEP, Action.AWAIT, Action.BLOCKED)


def work_of(changes: Iterable[Change], templates: Iterable[TemplateChange]) -> Iterator[str]:
    """Give one canonical line per thing that an apply would do; no serial, no time, no origin."""
    for template in templates:
        source = template.source
        yield canonical(("template", template.action, source.provider, source.name, source.digest))
    for change in changes:
        if change.action not in _IDLE:
            yield work_line(change)


def work_line(change: Change) -> str:
    """Give the canonical line of one change that acts."""
    asset, record = change.asset, change.record
    wanted = None if asset is None else (asset.fingerprint.spec, asset.fingerprint.variables, asset.output)
    removed = None if asset is not None or record is None or record.artifact is None else record.artifact.sha256
    source = None if change.source is None else change.source.key
    return canonical(("asset", change.action, change.key, wanted, removed, source))


def plan_digest(changes: Iterable[Change], templates: Iterable[TemplateChange]) -> str:
    """Give the name of the work: "h1:" and 32 hex characters; equal for equal work, whoever planned it."""
    total = blake2b(digest_size=16, person=RECIPE.encode())
    for line in work_of(changes, templates):
        total.update(line.encode())
        total.update(b"\n")
    return f"{RECIPE}:{total.hexdigest()}"


def exceeding(work: Iterable[str], approved: Iterable[str]) -> tuple[str, ...]:
    """Give the lines of the work that were not approved, in order."""
    allowed = frozenset(approved)
    return tuple(line for line in work if line not in allowed)
