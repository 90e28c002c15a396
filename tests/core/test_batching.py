"""Changes become the fewest batches: by items, by bytes, evenly where a provider wants a least number of items."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.core.batching import Batched, Requirements, batches
from pictify_sync.core.model import Action, Asset, Batch, Capabilities, Change, Reason
from tests.core.assets import asset


def planned(assets: list[Asset], allowed: Capabilities) -> tuple[Batch, ...]:
    """The batches of new assets."""
    changes = [Change(one.key, Action.CREATE, Reason.NEW, one, None) for one in assets]
    return batches(changes, lambda _: allowed)


def split(assets: list[Asset], allowed: Capabilities) -> Batched:
    """The batches of new assets, and what waits."""
    requirements = Requirements()
    for one in assets:
        requirements.add(Change(one.key, Action.CREATE, Reason.NEW, one, None))
    return requirements.batched(lambda _: allowed)


def fewest_left(sizes: list[int], allowed: Capabilities) -> int:
    """The least number of items that must wait, by brute force: each into every batch begun, a new one, or none."""
    room = len(sizes) * 1_000 if allowed.max_bytes is None else allowed.max_bytes
    best = len(sizes)

    def place(at: int, loads: list[tuple[int, int]], left: int) -> None:
        nonlocal best
        if left >= best:
            return
        if at == len(sizes):
            best = left if all(count >= allowed.min_items for count, _ in loads) else best
            return
        for number, (count, taken) in enumerate(loads):
            if count < allowed.max_items and taken + 1 + sizes[at] <= room:
                place(at + 1, [*loads[:number], (count + 1, taken + 1 + sizes[at]), *loads[number + 1 :]], left)
        if sizes[at] <= room:
            place(at + 1, [*loads, (1, sizes[at])], left)
        place(at + 1, loads, left + 1)

    place(0, [], 0)
    return best


def least(sizes: list[int], limit: int, room: int) -> int:
    """The least number of batches by brute force: each item into every batch begun, or into a new one."""
    best = len(sizes)

    def place(at: int, loads: list[tuple[int, int]]) -> None:
        nonlocal best
        if len(loads) >= best and at < len(sizes):
            return
        if at == len(sizes):
            best = min(best, len(loads))
            return
        for number, (count, taken) in enumerate(loads):
            if count < limit and taken + 1 + sizes[at] <= room:
                place(at + 1, [*loads[:number], (count + 1, taken + 1 + sizes[at]), *loads[number + 1 :]])
        place(at + 1, [*loads, (1, sizes[at])])

    place(0, [])
    return best


def test_bytes_and_items_are_counted_together() -> None:
    """20 items of which 7 fit by bytes: 3 batches, not one more because 10 items were cut off first."""
    assets = [asset(f"i{number:02}", value=f"{number:02}" * 46) for number in range(20)]
    size = len(assets[0].variables)
    found = planned(assets, Capabilities(max_items=10, max_bytes=7 * size + 6))
    assert [len(batch.items) for batch in found] == [7, 7, 6]


def test_bytes_are_bytes() -> None:
    """Letters of several bytes count as such."""
    assets = [asset(f"i{number}", value="語" * 50 + str(number)) for number in range(4)]
    size = len(assets[0].variables.encode())
    assert len(planned(assets, Capabilities(max_bytes=2 * size + 1))) == 2
    assert len(planned(assets, Capabilities(max_bytes=2 * size))) == 4


@given(st.lists(st.integers(1, 9), min_size=1, max_size=7), st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_few_items_go_into_the_fewest_batches(weights: list[int], limit: int) -> None:
    """By bytes the number is that of brute force, or one more; no batch is over a limit, no item is lost."""
    assets = [asset(f"i{number}", value=str(number) * (10 * weight)) for number, weight in enumerate(weights)]
    room = 130
    found = planned(assets, Capabilities(max_items=limit, max_bytes=room))
    sizes = {one.fingerprint.variables: len(one.variables) for one in assets}
    for batch in found:
        assert len(batch.items) <= limit
        assert sum(sizes[item.variables] + 1 for item in batch.items) - 1 <= room
    keys = [key for batch in found for item in batch.items for key in item.keys[0]]
    assert sorted(keys) == sorted(one.key for one in assets)
    best = least(list(map(len, (one.variables for one in assets))), limit, room)
    assert best <= len(found) <= best + 1


def test_a_set_larger_than_a_request_goes_alone() -> None:
    """It is the provider's to refuse, for that item only."""
    assets = [asset("a", value="x"), asset("b", value="x" * 500), asset("c", value="y")]
    found = planned(assets, Capabilities(max_bytes=100))
    assert sorted(len(batch.items) for batch in found) == [1, 2]


def test_a_least_number_of_items_is_kept_by_even_batches() -> None:
    """Where a last batch would be too small, all are of about one size; the order is that of the keys."""
    assets = [asset(f"i{number:03}") for number in range(105)]
    found = planned(assets, Capabilities(min_items=20, max_items=50))
    assert [len(batch.items) for batch in found] == [35, 35, 35]
    firsts = [batch.items[0].keys[0][0] for batch in found]
    assert all(one < other for one, other in pairwise(firsts))


def test_equal_inputs_are_one_item() -> None:
    """Several keys, one picture; layouts of one item go together."""
    twins = [asset(item, layout=layout, value="same") for item in ("a", "b") for layout in ("default", "square")]
    (batch,) = planned(twins, Capabilities())
    assert (batch.layouts, batch.renders, len(batch.items)) == (("default", "square"), 2, 1)
    assert batch.items[0].keys == (("m/a@default", "m/b@default"), ("m/a@square", "m/b@square"))


@pytest.mark.parametrize("max_bytes", [None, 10_000_000])
@pytest.mark.parametrize(
    ("number", "sizes", "waiting"),
    [
        (510, [255, 255], 0),
        (500, [500], 0),
        (19, [], 19),
        (20, [20], 0),
        (1_010, [337, 337, 336], 0),
    ],
)
def test_a_rest_below_the_least_is_no_batch(number: int, sizes: list[int], waiting: int, max_bytes: int | None) -> None:
    """It joins the others, or waits where there are none."""
    found = split([asset(f"i{one:04}") for one in range(number)], Capabilities(20, 500, max_bytes))
    assert sorted((len(batch.items) for batch in found.batches), reverse=True) == sizes
    assert len(found.waiting) == waiting


def test_what_no_batch_can_take_waits() -> None:
    """35 items in batches of 20 to 30: two would be too small, so that one is full and the rest waits."""
    assets = [asset(f"i{number:02}") for number in range(35)]
    found = split(assets, Capabilities(min_items=20, max_items=30))
    assert [len(batch.items) for batch in found.batches] == [30]
    assert found.waiting == {one.key for one in assets[30:]}


@given(st.integers(0, 60), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=300, deadline=None)
def test_as_few_items_wait_as_the_least_and_the_most_allow(number: int, low: int, more: int) -> None:
    """Without a limit of bytes: exactly, in batches between the least and the most."""
    allowed = Capabilities(min_items=low, max_items=low + more)
    found = split([asset(f"i{one:03}") for one in range(number)], allowed)
    assert all(low <= len(batch.items) <= low + more for batch in found.batches)
    some = [
        total for total in range(number + 1) if any(n * low <= total <= n * (low + more) for n in range(number + 1))
    ]
    assert len(found.waiting) == number - max(some)
    placed = {key for batch in found.batches for item in batch.items for key in item.keys[0]}
    assert len(placed) == number - len(found.waiting)
    assert not placed & found.waiting


@given(st.lists(st.integers(1, 9), min_size=1, max_size=7), st.integers(2, 3), st.integers(0, 2))
@settings(max_examples=200, deadline=None)
def test_the_least_holds_together_with_bytes(weights: list[int], low: int, more: int) -> None:
    """No batch is over or under a limit, and no more items wait than by brute force and one batch of the least."""
    assets = [asset(f"i{number}", value=str(number) * (10 * weight)) for number, weight in enumerate(weights)]
    allowed = Capabilities(min_items=low, max_items=low + more, max_bytes=200)
    found = split(assets, allowed)
    sizes = {one.fingerprint.variables: len(one.variables) for one in assets}
    for batch in found.batches:
        assert low <= len(batch.items) <= low + more
        assert sum(sizes[item.variables] + 1 for item in batch.items) - 1 <= 200
    keys = [key for batch in found.batches for item in batch.items for key in item.keys[0]]
    assert sorted([*keys, *found.waiting]) == sorted(one.key for one in assets)
    best = fewest_left([len(one.variables) for one in assets], allowed)
    assert best <= len(found.waiting) <= best + low


def test_layouts_are_split_where_fewer_pictures_wait_so() -> None:
    """15 items in two layouts and 10 in one of them: alone, 25 make a batch of that layout; together, none would."""
    both = [asset(f"a{number:02}", layout=layout) for number in range(15) for layout in ("default", "square")]
    one = [asset(f"b{number:02}") for number in range(10)]
    found = split([*both, *one], Capabilities(min_items=20, max_items=50))
    assert [(batch.layouts, len(batch.items)) for batch in found.batches] == [(("default",), 25)]
    assert found.waiting == {each.key for each in both if each.spec.variant == "square"}
