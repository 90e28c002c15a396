"""The number of batches equals the brute-force minimum, and nothing is lost or rendered twice."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.core.packing import Layouts, cost, pack

NAMES = "abcd"


def set_partitions(names: tuple[str, ...]) -> list[list[frozenset[str]]]:
    """All ways to split a set; written apart from the code under test."""
    if not names:
        return [[]]
    head, *tail = names
    ways = []
    for rest in set_partitions(tuple(tail)):
        ways.append([frozenset(head), *rest])
        ways.extend([*rest[:i], rest[i] | {head}, *rest[i + 1 :]] for i in range(len(rest)))
    return ways


def brute_force(needs: dict[Layouts, int], size: int) -> int:
    """The least number of batches over every split of every item: what matters of a load is its rest modulo size."""
    states: dict[frozenset[tuple[frozenset[str], int]], int] = {frozenset(): 0}
    for need in (need for need, count in needs.items() for _ in range(count)):
        following: dict[frozenset[tuple[frozenset[str], int]], int] = {}
        for room, spent in states.items():
            for split in set_partitions(tuple(sorted(need))):
                left = dict(room)
                total = spent
                for part in split:
                    if not left.get(part):
                        total += 1
                        left[part] = size
                    left[part] -= 1
                state = frozenset((part, free) for part, free in left.items() if free)
                following[state] = min(total, following.get(state, total))
        states = following
    return min(states.values())


def needs_of(layouts: int, items: int) -> st.SearchStrategy[dict[Layouts, int]]:
    """Mixed needs of up to `items` items over up to `layouts` layouts."""
    need = st.frozensets(st.sampled_from(NAMES[:layouts]), min_size=1)
    return st.lists(need, min_size=1, max_size=items).map(lambda found: dict(Counter(found)))


@given(needs_of(3, 10), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_packing_is_as_small_as_brute_force(needs: dict[Layouts, int], size: int) -> None:
    """No split of any item gives fewer batches."""
    assert cost(pack(needs, size), size) == brute_force(needs, size)


@pytest.mark.full
@given(needs_of(4, 9), st.integers(1, 10))  # the oracle soon takes minutes with more
@settings(max_examples=100, deadline=None)
def test_packing_of_four_layouts_is_as_small_as_brute_force(needs: dict[Layouts, int], size: int) -> None:
    """No split of any item over four layouts gives fewer batches."""
    assert cost(pack(needs, size), size) == brute_force(needs, size)


@given(needs_of(4, 30), st.integers(1, 100))
@settings(max_examples=200, deadline=None)
def test_every_item_gets_exactly_its_layouts(needs: dict[Layouts, int], size: int) -> None:
    """The parts of a split are disjoint and make up what the item needs; every item is placed once."""
    for need, splits in pack(needs, size).items():
        assert sum(splits.values()) == needs[need]
        for split in splits:
            assert sorted(layout for part in split for layout in part) == sorted(need)


def test_half_empty_batches_fill_each_other() -> None:
    """60 items of both layouts and 40 of each alone fit into two batches of 100, not three."""
    both, left, right = frozenset("ab"), frozenset("a"), frozenset("b")
    assert cost(pack({both: 60, left: 40, right: 40}, 100), 100) == 2


@pytest.mark.parametrize(
    ("needs", "size", "least"),
    [
        ({"bcd": 1, "b": 3, "abc": 2, "ac": 4, "abcd": 9, "bd": 1}, 4, 7),
        ({"abcd": 14, "cd": 9, "c": 5, "bcd": 2, "abd": 3, "d": 2, "bc": 2, "acd": 3}, 20, 5),
        ({"c": 5, "a": 2, "bcde": 2, "ae": 2, "bde": 5, "abcde": 4}, 100, 4),
        ({"b": 4, "ae": 3, "de": 2, "bcde": 2, "e": 2, "abd": 2, "abcde": 1, "abde": 2, "abce": 1, "bd": 1}, 8, 6),
        ({"ae": 5, "c": 5, "abcdef": 5, "bd": 2, "abcde": 1, "abcef": 2}, 8, 5),
    ],
)
def test_the_search_gets_there(needs: dict[str, int], size: int, least: int) -> None:
    """Mixed needs of some 20 to 40 items in 4 to 6 layouts, with the minimum that an integer program found."""
    assert cost(pack({frozenset(need): count for need, count in needs.items()}, size), size) == least


def test_hundreds_of_needs_are_packed_without_a_search() -> None:
    """Every set of 8 layouts is needed: no stack overflows, and no need takes more than its own batches."""
    needs = {frozenset(name for at, name in enumerate("abcdefgh") if n >> at & 1): 1 + n % 7 for n in range(1, 256)}
    assert cost(pack(needs, 100), 100) <= len(needs)


def test_many_items_stay_close_to_the_floor() -> None:
    """With thousands of items the packing never needs more than one part-filled batch per layout set."""
    needs = {frozenset("ab"): 50_000, frozenset("a"): 3_123, frozenset("bc"): 777, frozenset("abcd"): 61}
    assert cost(pack(needs, 100), 100) <= sum(-(-count // 100) for count in needs.values())
