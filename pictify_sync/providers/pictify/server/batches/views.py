"""What may be shown of a batch, before any dialect gives it a shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pictify_sync.providers.pictify.server.wire import digest


@dataclass(frozen=True, slots=True)
class PictureView:
    """One layout of one item: a file, or the reason why there is none."""

    layout: str
    name: str  # display name of the layout
    file: str | None
    width: int | None  # pixels
    height: int | None
    code: str  # "" when rendered
    message: str
    id: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One finished item."""

    position: int
    names: Sequence[str]  # of its variables
    variables: str | None  # canonical JSON; None unless asked for
    pictures: Sequence[PictureView]

    @property
    def success(self) -> bool:
        """Whether at least one layout was rendered."""
        return any(one.file for one in self.pictures)


@dataclass(frozen=True, slots=True)
class BatchView:
    """Everything that any result dialect shows of one batch."""

    id: str
    template: str
    status: str
    format: str
    total: int
    done: int  # items with a picture
    failed: int  # items without any
    created: float
    started: float | None
    completed: float | None
    items: Sequence[ItemView]
    late: bool = False  # by the clock there should be more items, but rendering is behind

    @property
    def open(self) -> bool:
        """Whether there is still something to render."""
        return self.status in ("pending", "processing")


def picture_id(batch: str, position: int, layout: str) -> str:
    """The id of one render: the same whenever it is asked for."""
    return f"img_{digest(f'{batch}/{position}/{layout}')[:16]}"
