"""(What is recorded, what is observed) -> drift or nothing: of published files, of renders, of templates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pictify_sync.core.model import AssetKey, DriftKind, Record, Status
from pictify_sync.core.template import TemplateRecord

ELSEWHERE = "elsewhere"  # of a published file: it was never on this machine, so nothing is known of it
CHANGED, LOST = "changed", "missing"  # kinds of a template's drift


@dataclass(frozen=True, slots=True)
class Drift:
    """One recorded asset that is not as recorded."""

    key: AssetKey
    kind: DriftKind
    detail: str  # path, or what was seen


@dataclass(frozen=True, slots=True)
class TemplateDrift:
    """One recorded template that the provider holds otherwise."""

    provider: str
    name: str
    uid: str
    kind: str  # changed, missing
    layouts: tuple[str, ...]  # whose pictures would change, sorted


@dataclass(frozen=True, slots=True)
class Observed:
    """What a refresh saw that is not as recorded."""

    assets: tuple[Drift, ...] = ()  # sorted by key
    templates: tuple[TemplateDrift, ...] = ()  # sorted by provider and name
    elsewhere: int = 0  # pictures that were never on this machine: nothing is known of them
    looked: int = 0  # published pictures that were looked at
    templates_looked: int = 0
    recorded: bool = True  # False: it was only looked, so that no apply knows of it

    def __bool__(self) -> bool:
        return bool(self.assets or self.templates)


def observe_artifact(record: Record, presence: str) -> Drift | None:
    """Judge what an artifact store's `check` said of a published file."""
    if record.artifact is None or presence == "present":
        return None
    if presence == ELSEWHERE:  # what others saw of it holds
        seen = record.drift if record.drift in (DriftKind.MISSING, DriftKind.TAMPERED) else None
        return None if seen is None else Drift(record.key, seen, record.artifact.path)
    kind = DriftKind.MISSING if presence == "missing" else DriftKind.TAMPERED
    return Drift(record.key, kind, record.artifact.path)


def observe_age(record: Record, now: float, retention: int | None) -> Drift | None:
    """Judge a picture whose URL was never told: once the provider has dropped its batch, it never will be."""
    if record.status is not Status.RENDERED or record.rendered_at is None or retention is None:
        return None
    if now - datetime.fromisoformat(record.rendered_at).timestamp() <= retention:
        return None
    return Drift(record.key, DriftKind.EXPIRED, f"rendered {record.rendered_at}, and its URL is not known")


def observe_maker(record: Record, changed: TemplateDrift | None, good_at: str | None) -> Drift | None:
    """Judge a picture of a template that changed: made after the template was last seen as recorded, it may be wrong.

    `good_at`: when that was, ISO 8601 UTC.
    """
    spec = record.spec
    if changed is None or changed.kind != CHANGED or spec is None or spec.variant not in changed.layouts:
        return None
    if record.rendered_at is None or (good_at is not None and record.rendered_at <= good_at):
        return None
    return Drift(record.key, DriftKind.TEMPLATE_CHANGED, f"made after {changed.name} was last seen as it was pushed")


def with_drift(record: Record, drift: Drift | None) -> Record | None:
    """Return the record as it should be kept after an observation, or None when it is so already.

    A picture of a wrong template stays one until it is rendered anew, whatever becomes of the template.
    """
    kind = None if drift is None else drift.kind
    if kind is record.drift or record.drift is DriftKind.TEMPLATE_CHANGED:
        return None
    return replace(record, drift=kind)


def observe_template(record: TemplateRecord, seen: TemplateRecord | None) -> TemplateDrift | None:
    """Judge what a provider holds under a recorded template's uid; None: it holds nothing."""
    base = record.held if record.declared else record.revisions
    if seen is None:
        return TemplateDrift(record.provider, record.name, record.uid, LOST, tuple(sorted(record.revisions)))
    other = tuple(sorted(layout for layout, revision in base.items() if seen.revisions.get(layout) != revision))
    return TemplateDrift(record.provider, record.name, record.uid, CHANGED, other) if other else None


def seen_template(record: TemplateRecord, seen: TemplateRecord | None, at: str) -> TemplateRecord:
    """Return the template's record after a look at it.

    A declared template stays as it was pushed, with its drift; of any other the record is what was seen.
    """
    drift = observe_template(record, seen)
    if seen is None:
        return replace(record, drift=LOST, found="")
    if not record.declared:
        return replace(seen, name=record.name, observed_at=at)
    if drift is not None:
        return replace(record, drift=CHANGED, found=seen.source)
    return replace(record, drift="", found="", observed_at=at, held=record.held or seen.revisions)
