"""The use case `preview`: what a plan would change, in pictures. Records and publishes nothing, asks no provider.

This module must not know engines, picture formats or how a preview is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from pictify_sync.core.model import Action, AssetKey, Change, Record, split_key
from pictify_sync.core.plan import Changes
from pictify_sync.core.preview import NOT_IN_SAMPLE, Compare, Comparison, PictureFile, Preview, Published
from pictify_sync.core.sample import pictured, sample
from pictify_sync.errors import ArtifactError, DownloadError, StorageUnavailable
from pictify_sync.workflows.preview.draw import Drawn, PreviewEngine, draw

MOVED = "not drawn again"
REMOVED = "its file will be removed"
LONGEST = 80  # characters of a file's name, before the words that tell the pictures of one change apart
CHANGED_SINCE = "the stored file was changed since it was published"

_Shown = tuple[PictureFile | None, str]  # a picture, or what there is to say of it, or both


@dataclass(frozen=True, slots=True)
class PreviewContext:
    """What a preview works with; the project's own files are only read."""

    engine: PreviewEngine
    artifacts: Published
    compare: Compare


def preview(changes: Changes, context: PreviewContext, limit: int) -> Iterator[tuple[Change, Preview]]:
    """Show each change that has a picture, in key order: at most `limit` in pictures, the others with a note."""
    chosen = [change for change, taken in sample(changes, limit) if taken]
    names = _names(chosen)
    shown = {one.key: one for one in _compared(list(_pictured(chosen, names, context)), names, context)}
    for change in pictured(changes):
        yield change, shown.get(change.key) or Preview(change.key, None, None, None, NOT_IN_SAMPLE)


def _names(chosen: Sequence[Change]) -> Mapping[AssetKey, str]:
    """Name the files of each change: its number and its item, without an ending."""
    return {
        change.key: f"{number:04}-{item}@{layout}"[:LONGEST]
        for number, change in enumerate(chosen, 1)
        for _, item, layout in [split_key(change.key)]
    }


@dataclass(slots=True)
class _PublishedPictures:
    """Copies published pictures to look at, as long as their store can be reached."""

    context: PreviewContext
    closed: str = ""  # why nothing more is asked for

    def take(self, record: Record | None, name: str) -> _Shown:
        """Copy what is published for a record."""
        if record is None or record.artifact is None:
            return None, ""
        if self.closed:
            return None, self.closed
        try:
            content = self.context.artifacts.read(record.artifact)
            found = self.context.engine.gallery.keep(name, [content])
        except (ArtifactError, DownloadError) as error:
            note = f"the stored picture cannot be shown: {error.message}"
            self.closed = note if isinstance(error, StorageUnavailable) else ""
            return None, note
        return found, "" if sha256(content).hexdigest() == record.artifact.sha256 else CHANGED_SINCE


def _pictured(chosen: Sequence[Change], names: Mapping[AssetKey, str], context: PreviewContext) -> Iterator[Preview]:
    """Give the previews, not compared yet."""
    drawn, published = draw(chosen, names, context.engine), _PublishedPictures(context)
    for change in chosen:
        name = names[change.key]
        held = change.source if change.action is Action.MOVE else change.record
        before, of_before = published.take(held, f"{name}.before")
        after, of_after = _to_come(change, drawn, published, f"{name}.after")
        yield Preview(change.key, before, after, None, "; ".join(filter(None, (of_before, of_after))))


def _to_come(change: Change, drawn: Mapping[AssetKey, Drawn], published: _PublishedPictures, name: str) -> _Shown:
    """Give the picture that the change leads to."""
    if change.asset is None:
        return None, REMOVED
    if change.action is Action.MOVE:
        return None, MOVED
    if not change.renders:
        return published.take(change.source, name)
    found = drawn[change.key]
    if isinstance(found, str):
        return None, found
    provider = change.asset.spec.provider
    elsewhere = provider != published.context.engine.provider.name
    return found, f"drawn by the embedded engine: {provider} may draw it differently" if elsewhere else ""


def _compared(previews: Sequence[Preview], names: Mapping[AssetKey, str], context: PreviewContext) -> Iterator[Preview]:
    """Compare where there are two pictures."""
    place = context.engine.gallery.place
    pairs = [
        (one.before, one.after, place(f"{names[one.key]}.difference")) for one in previews if one.before and one.after
    ]
    found = context.compare(pairs)
    for one in previews:
        yield _with(one, next(found)) if one.before and one.after else one


def _with(one: Preview, found: Comparison | str) -> Preview:
    if isinstance(found, str):
        return replace(one, note=f"{one.note}; {found}" if one.note else found)
    return replace(one, comparison=found)
