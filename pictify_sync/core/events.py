"""What a run tells while it goes on. Facts only; sentences and progress bars are made in `report/`."""

from __future__ import annotations

from dataclasses import dataclass

from pictify_sync.core.model import AssetKey, Group


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How much there is to do."""

    renders: int  # pictures to be made
    batches: int
    moves: int
    deletes: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """A batch of an earlier run is taken up again."""

    attempt: str
    pictures: int


@dataclass(frozen=True, slots=True)
class TemplatePushed:
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class BatchSubmitted:
    attempt: str
    batch_id: str
    group: Group
    pictures: int


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """One poll of an open batch."""

    attempt: str
    done: int  # items
    total: int


@dataclass(frozen=True, slots=True)
class BatchRefused:
    attempt: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchInDoubt:
    attempt: str
    detail: str


@dataclass(frozen=True, slots=True)
class AssetStored:
    key: AssetKey
    path: str
    rendered: bool  # False: moved or copied


@dataclass(frozen=True, slots=True)
class AssetUnresolved:
    """Rendered and billed, URL not known yet."""

    key: AssetKey


@dataclass(frozen=True, slots=True)
class AssetFailed:
    key: AssetKey
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class AssetRemoved:
    key: AssetKey
    path: str | None


@dataclass(frozen=True, slots=True)
class FileLeft:
    """An obsolete file was left alone, since its bytes are not the recorded ones."""

    path: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do until then."""

    seconds: float
    why: str


Event = (
    RunStarted
    | Resumed
    | TemplatePushed
    | BatchSubmitted
    | BatchProgress
    | BatchRefused
    | BatchInDoubt
    | AssetStored
    | AssetUnresolved
    | AssetFailed
    | AssetRemoved
    | FileLeft
    | Waiting
)
