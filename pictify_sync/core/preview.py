"""What a planned change looks like before it is made: the stored picture, the one to come, and how far they differ.

Pictures are named by files, so that a report of thousands holds none in memory. Must not know who draws or compares:
that is behind the ports below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pictify_sync.core.model import Artifact, AssetKey

NOT_IN_SAMPLE = "not in the sample"  # the note of a change that is only listed


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture on this machine."""

    path: str  # absolute
    media_type: str  # image/png, image/jpeg, image/webp
    width: int  # pixels
    height: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two pictures differ."""

    changed: float  # share of pixels that a person would see as different, 0.0 to 1.0
    difference: PictureFile | None  # the changed pixels highlighted; None: no pixel differs, or the sizes do


@dataclass(frozen=True, slots=True)
class Preview:
    """One planned change in pictures."""

    key: AssetKey
    before: PictureFile | None  # the stored artifact; None: there is none
    after: PictureFile | None  # as the embedded engine draws it, or the file that will be copied; None: neither
    comparison: Comparison | None  # None unless both are there
    note: str = ""  # why a picture is not there (not in the sample, it cannot be drawn, ...), or what to know of it

    @property
    def in_sample(self) -> bool:
        """Whether its pictures were asked for."""
        return self.note != NOT_IN_SAMPLE

    @property
    def looks_equal(self) -> bool:
        """Whether the change alters no pixel that a person would see."""
        return self.comparison is not None and self.comparison.changed == 0.0


@runtime_checkable
class Published(Protocol):
    """Published pictures that can be read."""

    def read(self, artifact: Artifact) -> bytes:
        """What is published at its path now, whole. Raises ArtifactError: not there, or no plain file."""
        ...


class Gallery(Protocol):
    """A folder of pictures to look at. Nothing in it is published."""

    def keep(self, name: str, chunks: Iterable[bytes]) -> PictureFile:
        """Write a picture under a name without its ending. Raises DownloadError: not a whole picture, or a huge one."""
        ...

    def place(self, name: str) -> str:
        """Absolute path of a PNG file that somebody else will write."""
        ...


Pair = tuple[PictureFile, PictureFile, str]  # before, after, and the path for the picture of their difference


class Compare(Protocol):
    """Tells pictures apart as a person would: what nobody sees does not count."""

    def __call__(self, pairs: Iterable[Pair], /) -> Iterator[Comparison | str]:
        """Compare each pair, in order; a text says why that cannot be done."""
        ...
