"""Changes -> the fewest batches that a provider's capabilities allow, without rendering any picture needlessly.

Equal inputs are rendered once: they become one item with several keys. Where a provider wants a least number of items,
what does not make up a batch waits until there is more. What is chosen is a function of the changes and capabilities
alone, so that the same plan gives the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pictify_sync.core.model import (
    Action,
    AssetKey,
    Batch,
    Capabilities,
    Change,
    Group,
    Item,
    Reason,
    RenderSpec,
    key_order,
)
from pictify_sync.core.packing import Layouts, Packing, Split, pack

OPEN_CHUNKS = 100  # batches that are looked at for room, so that many variable sets are packed in linear time

CAREFUL = 16  # sets that are left out one by one, before more are at once

Chunks = Sequence[Sequence[str]]  # digests of variables, by batch
Uses = list[tuple[str, AssetKey]]  # (layout, key) of every asset that one variable set must become


def group_of(spec: RenderSpec) -> Group:
    """Return what a batch with this spec shares."""
    return Group(spec.provider, spec.template, spec.format, spec.options, spec.engine)


@dataclass(frozen=True, slots=True)
class Batched:
    """The batches for some changes, and what is left."""

    batches: tuple[Batch, ...]  # sorted by group and first key
    waiting: frozenset[AssetKey] = frozenset()  # fewer in their group than its provider takes in one batch


class Requirements:
    """The pictures to be rendered, by group and variable set. Feed it every change, then ask for the batches."""

    def __init__(self) -> None:
        self._groups: dict[Group, dict[str, Uses]] = {}
        self._sizes: dict[str, int] = {}  # bytes of the canonical variables, by digest
        self._fetched: set[AssetKey] = set()  # pictures that are fetched, and rendered only where that fails

    def add(self, change: Change) -> None:
        """Take note of a change that renders; others are ignored."""
        if not change.renders or change.asset is None:
            return
        asset = change.asset
        items = self._groups.setdefault(group_of(asset.spec), {})
        items.setdefault(asset.fingerprint.variables, []).append((asset.spec.variant, asset.key))
        self._sizes[asset.fingerprint.variables] = len(asset.variables.encode())
        if change.is_fetched_again:
            self._fetched.add(asset.key)

    @property
    def pictures(self) -> int:
        """Pictures to be made: equal inputs count once."""
        return sum(len({layout for layout, _ in uses}) for items in self._groups.values() for uses in items.values())

    def batched(self, capabilities: Callable[[str], Capabilities]) -> Batched:
        """Return the batches and what waits. `capabilities` is asked by provider name."""
        batches: list[Batch] = []
        waiting: set[AssetKey] = set()
        for group in sorted(self._groups, key=_group_order):
            found = _batches_of(group, self._groups[group], capabilities(group.provider), self._sizes)
            few = found.waiting & self._fetched
            own = list(found.batches)
            if few:  # these are fetched first; what has to be rendered after all waits then
                items = {name: [use for use in uses if use[1] in few] for name, uses in self._groups[group].items()}
                some = {name: uses for name, uses in items.items() if uses}
                own += _batches_of(group, some, replace(capabilities(group.provider), min_items=1), self._sizes).batches
            batches += sorted(own, key=lambda batch: key_order(batch.items[0].keys[0][0]))
            waiting |= found.waiting - few
        return Batched(tuple(batches), frozenset(waiting))


def as_waiting(change: Change, waiting: Collection[AssetKey]) -> Change:
    """Return the change as the plan shows it: one of fewer than its provider takes in a batch waits for more."""
    if change.key not in waiting:
        return change
    return replace(change, action=Action.AWAIT, reason=Reason.BELOW_MINIMUM)


def _group_order(group: Group) -> tuple[str, str, str, str, str]:
    return (group.provider, group.template, group.format, group.options, group.engine)


def _batches_of(
    group: Group, items: Mapping[str, Uses], capabilities: Capabilities, sizes: Mapping[str, int]
) -> Batched:
    """Return the batches of a group for which the fewest pictures wait."""
    ways = (_by_packing(group, items, way, capabilities, sizes) for way in _packings(items, capabilities))
    return min(ways, key=lambda found: (len(found.waiting), len(found.batches)))


def _by_packing(
    group: Group, items: Mapping[str, Uses], packing: Packing, capabilities: Capabilities, sizes: Mapping[str, int]
) -> Batched:
    found: list[Batch] = []
    waiting: set[AssetKey] = set()
    for layouts, members in _rectangles(items, packing).items():
        names = tuple(sorted(layouts))
        chunks, rest = _chunks(members, capabilities, sizes)
        for chunk in chunks:
            rows = (Item(index, digest, _keys(items[digest], names)) for index, digest in enumerate(chunk))
            found.append(Batch(group, names, tuple(rows)))
        waiting |= {key for digest in rest for keys in _keys(items[digest], names) for key in keys}
    return Batched(tuple(sorted(found, key=lambda batch: key_order(batch.items[0].keys[0][0]))), frozenset(waiting))


def _keys(uses: Uses, layouts: Sequence[str]) -> tuple[tuple[AssetKey, ...], ...]:
    return tuple(tuple(key for name, key in uses if name == layout) for layout in layouts)


def _packings(items: Mapping[str, Uses], capabilities: Capabilities) -> Iterator[Packing]:
    """Yield the ways to render layouts together: the one of the fewest batches, and where few items wait each alone."""
    needs: dict[Layouts, int] = {}
    for uses in items.values():
        need = frozenset(layout for layout, _ in uses)
        needs[need] = needs.get(need, 0) + 1
    together = capabilities.many_layouts and capabilities.urls_in_results
    if together:
        yield pack(needs, capabilities.max_items)
    if not together or capabilities.min_items > 1:
        yield {need: {_singles(need): count} for need, count in needs.items()}


def _rectangles(items: Mapping[str, Uses], packing: Packing) -> dict[Layouts, list[str]]:
    """Return, per set of layouts rendered together, the variable sets to render; each list in key order."""
    by_need: dict[Layouts, list[str]] = {}
    for digest, uses in items.items():
        by_need.setdefault(frozenset(layout for layout, _ in uses), []).append(digest)
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


def _chunks(
    members: Sequence[str], capabilities: Capabilities, sizes: Mapping[str, int]
) -> tuple[Chunks, Sequence[str]]:
    """Cut a list into batches: full ones first, or even ones where the last would be too small. Also what waits."""
    limit, least = capabilities.max_items, min(capabilities.min_items, capabilities.max_items)
    if capabilities.max_bytes is not None:
        room = capabilities.max_bytes + 1  # every variable set but the first has a comma before it
        weights = {digest: min(sizes[digest] + 1, room) for digest in members}
        chunks = _by_bytes(members, limit, room, weights)
        small = any(len(chunk) < least for chunk in chunks)
        return _evenly(members, (least, limit), room, weights) if small else (chunks, ())
    count = -(-len(members) // limit)
    if count * least > len(members):  # not so many batches can have the least: as many as can, and full
        count = len(members) // least
        members, rest = members[: count * limit], members[count * limit :]
    else:
        rest = ()
    if 0 < len(members) % limit < least:
        edges = [len(members) * part // count for part in range(count + 1)]
    else:
        edges = [*range(0, len(members), limit), len(members)]
    return [members[start:end] for start, end in pairwise(edges)], rest


def _evenly(
    members: Sequence[str], limits: tuple[int, int], room: int, weights: Mapping[str, int]
) -> tuple[Chunks, Sequence[str]]:
    """Fill batches of about one number of items and bytes, each with the least number; the largest sets wait.

    `limits`: the least and the most items of a batch. A set that is too large for any such batch waits, whatever comes.
    """
    least, limit = limits
    places = {digest: place for place, digest in enumerate(members)}
    largest_first = sorted(members, key=lambda digest: (-weights[digest], places[digest]))

    def fit(left_out: int) -> Chunks | None:
        chosen = largest_first[left_out:]
        most = len(chosen) // least
        if not most:
            return None
        fewest = max(-(-len(chosen) // limit), -(-sum(weights[digest] for digest in chosen) // room), 1)
        if fewest > most or (loosest := _dealt(chosen, most, room, weights)) is None:
            return None
        low, high = fewest, most  # the more batches, the more room
        while low < high:
            count = (low + high) // 2
            found = _dealt(chosen, count, room, weights)
            low, high, loosest = (low, count, found) if found is not None else (count + 1, high, loosest)
        return loosest

    left_out, chunks = 0, fit(0)
    while chunks is None and left_out < len(members):
        left_out += max(1, left_out // CAREFUL)
        chunks = fit(left_out)
    rest = sorted(largest_first[:left_out], key=places.__getitem__)
    return [sorted(chunk, key=places.__getitem__) for chunk in chunks or ()], rest


def _dealt(largest_first: Sequence[str], count: int, room: int, weights: Mapping[str, int]) -> Chunks | None:
    """Deal the sets out to so many batches in rounds, the largest to the emptiest; None where one is too full."""
    loads = [(0, number) for number in range(count)]
    chunks: list[list[str]] = [[] for _ in range(count)]
    for start in range(0, len(largest_first), count):
        emptiest_first = sorted(loads)
        for at, digest in enumerate(largest_first[start : start + count]):
            load, number = emptiest_first[at]
            if load + weights[digest] > room:
                return None
            chunks[number].append(digest)
            emptiest_first[at] = (load + weights[digest], number)
        loads = emptiest_first
    return chunks


def _by_bytes(members: Sequence[str], limit: int, room: int, weights: Mapping[str, int]) -> Chunks:
    """Fill one batch after the other in order, or put the largest first where that takes fewer batches."""
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
    """Return the batches for all changes at once, without what waits."""
    requirements = Requirements()
    for change in changes:
        requirements.add(change)
    return requirements.batched(capabilities).batches
