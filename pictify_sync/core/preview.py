"""What a planned change looks like before it is made: the stored picture, the one to come, and how far they differ.

Pictures are named by files, so that a report of thousands holds none in memory. Must not know who draws or compares.
"""

from __future__ import annotations

from dataclasses import dataclass

from pictify_sync.core.model import AssetKey


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
    after: PictureFile | None  # as the embedded engine draws it; None: not drawn
    comparison: Comparison | None  # None unless both are there
    note: str = ""  # why a picture is not there: not in the sample, the template's source is not recorded, ...

    @property
    def looks_equal(self) -> bool:
        """Whether the change alters no pixel that a person would see."""
        return self.comparison is not None and self.comparison.changed == 0.0
