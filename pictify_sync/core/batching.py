"""Changes -> the fewest batches that a provider's capabilities allow, without rendering any picture needlessly.

Equal inputs are rendered once: they become one item with several keys. What is chosen is a function of the changes and
capabilities alone, so that the same plan gives the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from pictify_sync.core.model import AssetKey, Batch, Capabilities, Change, Group, Item, RenderSpec, key_order
from pictify_sync.core.packing import Layouts, Split, pack

OPEN_CHUNKS = 100  # batches that are looked at for room, so that many variable sets are packed in linear time

Uses = list[tuple[str, AssetKey]]  # (layout, key) of every asset that one variable set must become


def group_of(spec: RenderSpec) -> Group:
    """Give what a batch with this spec shares."""
    return Group(spec.provider, spec.template, spec.format, spec.options, spec.engine)


class Requirements:
    """The pictures to be rendered, by group and variable set. Feed it every change, then ask for the batches."""

    def __init__(self) -> None:
        self._groups: dict[Group, dict[str, Uses]] = {}
        self._sizes: dict[str, int] = {}  # bytes of the canonical variables, by digest

    def add(self, change: Change) -> None:
        """Take note of a change that renders; others are ignored."""
        if not change.renders or change.asset is None:
            return
        asset = change.asset
        items = self._groups.setdefault(group_of(asset.spec), {})
        items.setdefault(asset.fingerprint.variables, []).append((asset.spec.variant, asset.key))
        self._sizes[asset.fingerprint.variables] = len(asset.variables.encode())

    @property
    def pictures(self) -> int:
        """Pictures to be made: equal inputs count once."""
        return sum(len({layout for layout, _ in uses}) for items in self._groups.values() for uses in items.values())

    def batches(self, capabilities: Callable[[str], Capabilities]) -> Iterator[Batch]:
        """Give the batches, sorted by group and first key. `capabilities` is asked by provider name."""
        for group in sorted(self._groups, key=_group_order):
            yield from _batches_of(group, self._groups[group], capabilities(group.provider), self._sizes)


def _group_order(group: Group) -> tuple[str, str, str, str, str]:
    return (group.provider, group.template, group.format, group.options, group.engine)


def _batches_of(
    group: Group, items: Mapping[str, Uses], capabilities: Capabilities, sizes: Mapping[str, int]
) -> Iterator[Batch]:
    found: list[Batch] = []
    for layouts, members in _rectangles(items, capabilities).items():
        names = tuple(sorted(layouts))
        for chunk in _chunks(members, capabilities, sizes):
            rows = (Item(index, digest, _keys(items[digest], names)) for index, digest in enumerate(chunk))
            found.append(Batch(group, names, tuple(rows)))
    yield from sorted(found, key=lambda batch: key_order(batch.items[0].keys[0][0]))


def _keys(uses: Uses, layouts: Sequence[str]) -> tuple[tuple[AssetKey, ...], ...]:
    return tuple(tuple(key for name, key in uses if name == layout) for layout in layouts)


def _rectangles(items: Mapping[str, Uses], capabilities: Capabilities) -> dict[Layouts, list[str]]:
    """Give, per set of layouts rendered together, the variable sets to render; each list in key order."""
    by_need: dict[Layouts, list[str]] = {}
    for digest, uses in items.items():
        by_need.setdefault(frozenset(layout for layout, _ in uses), []).append(digest)
    if capabilities.many_layouts and capabilities.urls_in_results:
        packing = pack({need: len(members) for need, members in by_need.items()}, capabilities.max_items)
    else:
        packing = {need: {_singles(need): len(members)} for need, members in by_need.items()}
    rectangles: dict[Layouts, list[str]] = {}
    for need, members in by_need.items():
        ordered = iter(sorted(members, key=lambda digest: key_order(items[digest][0][1])))
        for split, count in packing[need].items():
            chosen = [next(ordered) for _ in range(count)]
            for part in split:
                rectangles.setdefault(part, []).extend(chosen)
    for members in rectangles.values():
        members.sort(key=lambda digest: key_order(items[digest][0][1]))
    return rectangles


def _singles(need: Layouts) -> Split:
    return tuple(frozenset((layout,)) for layout in sorted(need))


def _chunks(members: Sequence[str], capabilities: Capabilities, sizes: Mapping[str, int]) -> Iterable[Sequence[str]]:
    """Cut a list into batches: full ones first, or even ones where the last would be too small."""
    limit = capabilities.max_items
    if capabilities.max_bytes is not None:
        return _by_bytes(members, limit, capabilities.max_bytes, sizes)
    count = -(-len(members) // limit)
    if 0 < len(members) % limit < capabilities.min_items:
        edges = [len(members) * part // count for part in range(count + 1)]
    else:
        edges = [*range(0, len(members), limit), len(members)]
    return (members[start:end] for start, end in pairwise(edges))


def _by_bytes(members: Sequence[str], limit: int, max_bytes: int, sizes: Mapping[str, int]) -> Sequence[Sequence[str]]:
    """Fill one batch after the other in order, or put the largest first where that takes fewer batches."""
    room = max_bytes + 1  # every variable set but the first has a comma before it
    weights = {digest: min(sizes[digest] + 1, room) for digest in members}
    chunks = _filled(members, limit, room, weights, open_at_once=1)
    least = max(-(-len(members) // limit), -(-sum(weights.values()) // room))
    if len(chunks) > least:
        places = {digest: place for place, digest in enumerate(members)}
        largest_first = sorted(members, key=lambda digest: (-weights[digest], places[digest]))
        tighter = _filled(largest_first, limit, room, weights, open_at_once=OPEN_CHUNKS)
        if len(tighter) < len(chunks):
            return [sorted(chunk, key=places.__getitem__) for chunk in tighter]
    return chunks


def _filled(
    members: Iterable[str], limit: int, room: int, weights: Mapping[str, int], *, open_at_once: int
) -> list[list[str]]:
    """Put each member into the first of the newest chunks that has room for it."""
    chunks: list[list[str]] = []
    left: list[int] = []
    for digest in members:
        first = max(0, len(chunks) - open_at_once)
        fits = (at for at in range(first, len(chunks)) if len(chunks[at]) < limit and weights[digest] <= left[at])
        at = next(fits, len(chunks))
        if at == len(chunks):
            chunks.append([])
            left.append(room)
        chunks[at].append(digest)
        left[at] -= weights[digest]
    return chunks


def batches(changes: Iterable[Change], capabilities: Callable[[str], Capabilities]) -> tuple[Batch, ...]:
    """Give the batches for all changes at once."""
    requirements = Requirements()
    for change in changes:
        requirements.add(change)
    return tuple(requirements.batches(capabilities))
