"""The fewest rectangles: which layouts are rendered together, and for which of the items that need them.

A batch renders every item in every layout, so an item that needs {a, b} goes whole into an {a, b} batch, or is split
over an {a} batch and a {b} batch. Splitting can fill half-empty batches of other items.
Counts only: `batching` knows the items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

Layouts = frozenset[str]
Split = tuple[Layouts, ...]  # disjoint layout sets that make up what an item needs
Packing = dict[Layouts, dict[Split, int]]  # for every need: how many items go by which split

EXACT_LAYOUTS = 6  # up to here every split of a need is tried: 52 splits of 5 layouts
MAX_CUTS = 40  # splits in two that are tried of a need of more layouts
SEARCH_BUDGET = 100_000  # nodes of the search, coarse or fine; beyond it the best packing found so far is taken
SEARCH_DEPTH = 700  # splits of all needs together; where there are more, nothing is searched


def pack(needs: Mapping[Layouts, int], size: int) -> Packing:
    """Choose splits so that the number of batches of at most `size` items is the least.

    Exact while the search ends within its budget (as a rule for some 40 items in up to 5 layouts), else the best found.
    """
    order = sorted(needs, key=lambda need: (len(_splits(need, frozenset(needs))), -needs[need], sorted(need)))
    options = {need: _splits(need, frozenset(needs)) for need in order}
    best = _improved({need: {options[need][0]: needs[need]} for need in order}, options, size)
    singles = {need: {options[need][-1]: needs[need]} for need in order}
    best = min(best, _improved(singles, options, size), key=lambda packing: cost(packing, size))
    if cost(best, size) > _floor(needs, size) and sum(map(len, options.values())) <= SEARCH_DEPTH:
        best = _Search(needs, options, size, best).best()
    return best


def cost(packing: Packing, size: int) -> int:
    """Number of batches that a packing needs."""
    return sum(-(-count // size) for count in _loads(packing).values())


def _loads(packing: Packing) -> dict[Layouts, int]:
    """Items per layout set that is rendered together."""
    loads: dict[Layouts, int] = {}
    for splits in packing.values():
        for split, count in splits.items():
            for part in split:
                loads[part] = loads.get(part, 0) + count
    return loads


def _floor(needs: Mapping[Layouts, int], size: int) -> int:
    """A number of batches that no packing can beat: needs that share no layout never share a batch."""
    floor = 0
    taken: frozenset[str] = frozenset()
    per_layout: dict[str, int] = {}
    for need, count in needs.items():
        for layout in need:
            per_layout[layout] = per_layout.get(layout, 0) + count
    for need in sorted(needs, key=lambda need: (len(need), sorted(need))):
        if not need & taken:
            taken |= need
            floor += -(-needs[need] // size)
    return max(floor, max((-(-count // size) for count in per_layout.values()), default=0))


@lru_cache(maxsize=4096)
def _splits(need: Layouts, needs: frozenset[Layouts]) -> tuple[Split, ...]:
    """Whole first, all single last. All splits of a small need; of a large one those along the other needs."""
    if len(need) <= EXACT_LAYOUTS:
        found = [tuple(sorted(split, key=sorted)) for split in _partitions(sorted(need))]
    else:
        cuts = {need & other for other in needs if need & other and need & other != need}
        chosen = sorted(cuts, key=lambda cut: (cut not in needs, -len(cut), sorted(cut)))[:MAX_CUTS]
        found = [(need,), *((cut, need - cut) for cut in chosen), tuple(frozenset((name,)) for name in sorted(need))]
    return tuple(sorted(set(found), key=lambda split: (len(split), [sorted(part) for part in split])))


def _partitions(names: Sequence[str]) -> Iterator[list[Layouts]]:
    if not names:
        yield []
        return
    for rest in _partitions(names[1:]):
        yield [frozenset(names[:1]), *rest]
        for index, part in enumerate(rest):
            yield [*rest[:index], part | {names[0]}, *rest[index + 1 :]]


def _improved(packing: Packing, options: Mapping[Layouts, tuple[Split, ...]], size: int) -> Packing:
    """Move blocks of items between splits while that saves batches."""
    loads = _loads(packing)
    improving = True
    while improving:
        improving = False
        for need, splits in options.items():
            for old in tuple(packing[need]):
                for new in splits:
                    count = packing[need].get(old, 0)
                    block = _block(loads, old, new, min(count, size * 2), size) if old != new and count else 0
                    if block:
                        _shift(packing[need], loads, old, new, block)
                        improving = True
    return packing


def _block(loads: Mapping[Layouts, int], old: Split, new: Split, count: int, size: int) -> int:
    """The smallest block of items whose move from `old` to `new` saves a batch; 0 when none does."""
    left = [loads[part] for part in old if part not in new]
    joined = [loads.get(part, 0) for part in new if part not in old]
    for block in sorted({min(count, load % size or size) for load in left} | {count}):
        saved = sum(-(-load // size) - -(-(load - block) // size) for load in left)
        spent = sum(-(-(load + block) // size) - -(-load // size) for load in joined)
        if saved > spent:
            return block
    return 0


def _shift(splits: dict[Split, int], loads: dict[Layouts, int], old: Split, new: Split, block: int) -> None:
    splits[old] -= block
    splits[new] = splits.get(new, 0) + block
    if not splits[old]:
        del splits[old]
    for part in old:
        loads[part] -= block
    for part in new:
        loads[part] = loads.get(part, 0) + block


class _Search:
    """Depth first over all multisets of splits, needs with few choices first, for ever larger numbers of batches.

    It is cut where some layout cannot be finished within the number. At first items change from one split to the next
    only where a batch gets full, which is nearly always enough; then at any item.
    """

    def __init__(
        self, needs: Mapping[Layouts, int], options: Mapping[Layouts, tuple[Split, ...]], size: int, best: Packing
    ) -> None:
        self._order = list(options)
        self._needs, self._options, self._size = needs, options, size
        self._best, self._cost = best, cost(best, size)
        self._target = 0  # batches that a packing may have
        self._loads: dict[Layouts, int] = {}
        self._missing: dict[str, int] = {}  # per layout: items not placed yet, less the free places of begun batches
        for need, count in needs.items():
            for layout in need:
                self._missing[layout] = self._missing.get(layout, 0) + count
        self._chosen: Packing = {need: {} for need in self._order}
        self._nodes = 0  # left to visit
        self._coarse = True

    def best(self) -> Packing:
        """Run the search; gives the best packing found within the budget."""
        floor = _floor(self._needs, self._size)
        for coarse in (True, False):
            share = SEARCH_BUDGET // max(1, self._cost - floor)
            for target in range(floor, self._cost):
                self._coarse, self._target, self._nodes = coarse, target, share
                if self._visit(0, 0, self._needs[self._order[0]], 0):
                    break
        return self._best

    def _visit(self, at: int, option: int, left: int, spent: int) -> bool:
        """Place `left` items of need number `at` by split number `option` or later; tells whether the target is met."""
        self._nodes -= 1
        places = (self._target - spent) * self._size  # that batches not begun yet would have, per layout
        if self._nodes <= 0 or places < max(0, *self._missing.values()):
            return False
        if left == 0:
            if at + 1 < len(self._order):
                return self._visit(at + 1, 0, self._needs[self._order[at + 1]], spent)
            self._cost = spent
            self._best = {need: dict(splits) for need, splits in self._chosen.items()}
            return True
        need = self._order[at]
        splits = self._options[need]
        last = option == len(splits) - 1
        for count in (left,) if last else self._counts(splits[option], left):
            extra = self._place(need, splits[option], count)
            found = self._visit(at, option + (count < left), left - count, spent + extra)
            self._place(need, splits[option], -count)
            if found:
                return True
        return False

    def _counts(self, split: Split, left: int) -> Iterable[int]:
        """How many items may go by a split, most first."""
        if not self._coarse:
            return range(left, -1, -1)
        found = {left, 0}
        for part in split:
            found.update(range(-self._loads.get(part, 0) % self._size, left, self._size))
        return sorted(found, reverse=True)

    def _place(self, need: Layouts, split: Split, count: int) -> int:
        """Put items into a split (or take them back); gives the batches that this adds."""
        extra = 0
        for part in split:
            before = self._loads.get(part, 0)
            self._loads[part] = before + count
            begun = -(-(before + count) // self._size) - -(-before // self._size)
            extra += begun
            for layout in part:  # each is placed once, and its new batches have so many places in all
                self._missing[layout] -= begun * self._size
        chosen = self._chosen[need]
        chosen[split] = chosen.get(split, 0) + count
        if not chosen[split]:
            del chosen[split]
        return extra
