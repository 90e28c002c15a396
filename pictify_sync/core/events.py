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
    fetches: int = 0  # lost files: only those that the provider no longer keeps are among the renders


@dataclass(frozen=True, slots=True)
class Resumed:
    """An open batch, of an earlier run or of this one, is taken up again."""

    attempt: str
    pictures: int


@dataclass(frozen=True, slots=True)
class TemplatePushed:
    """A template was created or updated at the provider."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class BatchSubmitted:
    """The provider took a batch."""

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
class BatchOdd:
    """A finished batch contradicts itself, however often it was asked for; each picture is taken as it is told."""

    batch_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class SharedUrl:
    """Pictures of different inputs have one URL: they are equal, or the provider mixed them up."""

    keys: tuple[AssetKey, AssetKey]  # two of them; the URL may hold what is not to be shown
    more: int = 0  # others, at this URL or another


@dataclass(frozen=True, slots=True)
class BatchRefused:
    """The provider took nothing of a batch."""

    attempt: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchInDoubt:
    """Nobody can tell whether the provider took a batch."""

    attempt: str
    detail: str


@dataclass(frozen=True, slots=True)
class BatchLost:
    """A batch is given up, and may have been billed; its pictures are planned again."""

    attempt: str
    why: str
    pictures: int  # at most billed


@dataclass(frozen=True, slots=True)
class BatchQuarantined:
    """A batch in doubt is left alone until a late answer can no longer come."""

    attempt: str
    until: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class BatchElsewhere:
    """A batch is another run's work, which is waited for."""

    attempt: str
    pictures: int
    seconds: float  # at most, until it is taken over


@dataclass(frozen=True, slots=True)
class MovesElsewhere:
    """Another clone moves files in its own folder, which is waited for."""

    files: int
    seconds: float  # at most, until that is recorded as done here


@dataclass(frozen=True, slots=True)
class BatchTaken:
    """Another run gave up a batch that this run was still seeing through."""

    attempt: str
    pictures: int
    why: str


@dataclass(frozen=True, slots=True)
class BatchHeld:
    """A batch in doubt waits for `pictify-sync resolve`."""

    attempt: str


@dataclass(frozen=True, slots=True)
class AssetStored:
    """A picture is published."""

    key: AssetKey
    path: str
    rendered: bool  # False: moved or copied


@dataclass(frozen=True, slots=True)
class AssetUnresolved:
    """Rendered and billed, URL not known yet, or not to be read for now."""

    key: AssetKey
    why: str = ""  # why its URL cannot be read; "": it is not known


@dataclass(frozen=True, slots=True)
class AssetFailed:
    """A picture could not be made or fetched."""

    key: AssetKey
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class AssetRemoved:
    """An asset is no longer recorded, and its file goes next, unless its bytes are not those recorded."""

    key: AssetKey
    path: str | None


@dataclass(frozen=True, slots=True)
class FileLeft:
    """An obsolete file was left alone, since its bytes are not the recorded ones."""

    path: str


@dataclass(frozen=True, slots=True)
class FileSpared:
    """A file that is none of ours lay where a picture goes: it was renamed."""

    path: str
    new_path: str


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
    | BatchOdd
    | SharedUrl
    | BatchRefused
    | BatchInDoubt
    | BatchLost
    | BatchQuarantined
    | BatchElsewhere
    | MovesElsewhere
    | BatchTaken
    | BatchHeld
    | AssetStored
    | AssetUnresolved
    | AssetFailed
    | AssetRemoved
    | FileLeft
    | FileSpared
    | Waiting
)
