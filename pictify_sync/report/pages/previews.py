"""Previews in words: for a terminal one line per change in the sample, and what there is to say of all on a page.

This module must not know who draws or compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pictify_sync.core.model import AssetKey, Change, Reason
from pictify_sync.core.preview import PictureFile, Preview
from pictify_sync.report.safe import safe
from pictify_sync.report.view import ChangeView, Review, particular
from pictify_sync.report.words import REASONS, SYMBOLS, TONES, Line, Tone, count, pictures, share


def preview_lines(changes: Iterable[tuple[Change, Preview]]) -> Iterator[Line]:
    """Describe each change in the sample, and count the others."""
    shown = drawn = equal = left = missing = 0
    for change, one in changes:
        if not one.in_sample:
            left += 1
            continue
        shown += 1
        drawn += one.after is not None
        missing += change.renders and one.after is None
        equal += one.looks_equal
        reason = REASONS[change.reason] if change.reason is not Reason.RENAMED else ""  # `renamed from` says it
        words = filter(None, (reason, particular(change), _word(change, one), safe(one.note)))
        tone = Tone.BAD if change.renders and one.after is None else TONES[change.action]
        yield Line(f"{SYMBOLS[change.action]} {safe(change.key)}: {'; '.join(words)}", tone)
    if not shown and not left:
        yield Line("No changes that have a picture.", Tone.GOOD)
        return
    ends = [pictures(drawn) + " to come"]
    ends += [f"{equal:,} of them look{'s' if equal == 1 else ''} as before"] if equal else []
    ends += [f"{missing:,} cannot be drawn"] if missing else []
    yield Line(f"Previewed {count(shown, 'change')}: {', '.join(ends)}.", Tone.HEAD)
    if left:
        verb = "is" if left == 1 else "are"
        yield Line(f"{count(left, 'other change')} {verb} not in the sample (--max-previews).", Tone.FAINT)


def remarks(review: Review, previews: Mapping[AssetKey, Preview]) -> Iterator[str]:
    """Count the previews on a page that look as before, that cannot be drawn, and that are not there."""
    compared = [one for one in previews.values() if one.comparison is not None]
    if compared:
        equal = sum(one.looks_equal for one in compared)
        yield f"{equal or 'None'} of {count(len(compared), 'compared picture')} would look as before."
    missing = sum(_is_undrawn(change, previews.get(change.key)) for change in review.changes)
    if missing:
        yield f"{pictures(missing)} cannot be drawn."
    left = sum(not one.in_sample for one in previews.values())
    if left:
        yield f"{count(left, 'change')} {'is' if left == 1 else 'are'} not in the sample of pictures."


def lacking(change: ChangeView, one: Preview | None) -> str:
    """Explain why there is no picture of what would be rendered, or no comparison with what is stored; safe to show."""
    if one is None or not one.in_sample:
        return ""
    uncompared = one.before is not None and one.after is not None and one.comparison is None
    return safe(one.note) if uncompared or _is_undrawn(change, one) else ""


def _is_undrawn(change: ChangeView, one: Preview | None) -> bool:
    return one is not None and one.in_sample and change.renders and one.after is None


def _word(change: Change, one: Preview) -> str:
    """Describe how the picture changes."""
    if one.looks_equal:
        return "looks as before"
    if one.comparison is not None and one.before and one.after:
        if _size(one.before) != _size(one.after):
            return f"{_size(one.before)} -> {_size(one.after)}"
        return f"{share(one.comparison.changed)} of the pixels differ"
    if one.after is not None:
        return f"drawn, {_size(one.after)}" if change.renders else _size(one.after)
    return ""


def _size(picture: PictureFile) -> str:
    return f"{picture.width}x{picture.height}"
