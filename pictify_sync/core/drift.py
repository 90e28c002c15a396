"""(Record, observation) -> drift or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pictify_sync.core.model import AssetKey, DriftKind, Record


@dataclass(frozen=True, slots=True)
class Drift:
    """One recorded asset that is not as recorded."""

    key: AssetKey
    kind: DriftKind
    detail: str  # path, or what was seen


def observe_artifact(record: Record, presence: str) -> Drift | None:
    """Judge what an artifact store's `check` said of a published file."""
    if record.artifact is None or presence == "present":
        return None
    kind = DriftKind.MISSING if presence == "missing" else DriftKind.TAMPERED
    return Drift(record.key, kind, record.artifact.path)


def with_drift(record: Record, drift: Drift | None) -> Record | None:
    """Give the record as it should be kept after an observation, or None when it is so already."""
    kind = None if drift is None else drift.kind
    return None if kind is record.drift else replace(record, drift=kind)
