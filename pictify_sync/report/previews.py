"""Previews in words, for a terminal: one line per change in the sample, then what there is to say of all.

This module must not know who draws or compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pictify_sync.core.model import Change, Reason
from pictify_sync.core.preview import PictureFile, Preview
from pictify_sync.report.change import particular
from pictify_sync.report.lines import Line, Tone
from pictify_sync.report.safe import safe
from pictify_sync.report.words import REASONS, SYMBOLS, TONES, count, pictures, share


def preview_lines(changes: Iterable[tuple[Change, Preview]]) -> Iterator[Line]:
    """Tell each change in the sample, and count the others."""
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


def _word(change: Change, one: Preview) -> str:
    """Say how the picture changes."""
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
