"""Which changes are shown in pictures when there are too many: a fair sample, and the same one every time.

Manifests take turns, and within a manifest its kinds of change (action and layout) do; of each kind the first one is
chosen, and others evenly after it. Two passes, and memory for the kinds alone. Must not know how pictures are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pictify_sync.core.model import Action, Change, split_key
from pictify_sync.core.plan import Changes

PICTURED = frozenset({Action.CREATE, Action.UPDATE, Action.REPAIR, Action.MOVE, Action.DELETE})

Name = TypeVar("Name")
_Kind = tuple[Action, str]  # of change: action, layout


def shares(counts: Mapping[Name, int], limit: int) -> dict[Name, int]:
    """Deal out at most `limit`: one each in turn, in the order of `counts`, and to nobody more than its count."""
    level, left, takers = 0, limit, len(counts)  # what each of the takers has by now
    for count in sorted(counts.values()):
        step = min(count - level, left // takers)
        level, left = level + step, left - step * takers
        if level < count:
            break
        takers -= 1
    dealt = {}
    for name, count in counts.items():
        extra = 1 if left and count > level else 0
        dealt[name] = min(count, level) + extra
        left -= extra
    return dealt


def pictured(changes: Changes) -> Iterator[Change]:
    """Yield the changes that have a picture to show."""
    return (change for change in changes if change.action in PICTURED)


def sample(changes: Changes, limit: int) -> Iterator[tuple[Change, bool]]:
    """Yield each change that has a picture to show, in order, and whether it is one of the at most `limit` chosen."""
    counts: dict[str, dict[_Kind, int]] = {}
    for change in pictured(changes):
        manifest, kind = _place(change)
        kinds = counts.setdefault(manifest, {})
        kinds[kind] = kinds.get(kind, 0) + 1
    by_manifest = shares({manifest: sum(kinds.values()) for manifest, kinds in counts.items()}, limit)
    dealt = {manifest: shares(kinds, by_manifest[manifest]) for manifest, kinds in counts.items()}
    seen = {manifest: dict.fromkeys(kinds, 0) for manifest, kinds in counts.items()}
    for change in pictured(changes):
        manifest, kind = _place(change)
        number, count, share = seen[manifest][kind], counts[manifest][kind], dealt[manifest][kind]
        seen[manifest][kind] = number + 1
        yield change, number * share % count < share


def _place(change: Change) -> tuple[str, _Kind]:
    manifest, _, layout = split_key(change.key)
    return manifest, (change.action, layout)
