"""The sample of a preview: fair, full, even, and a function of the changes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.model import Action, Change, Reason, asset_key, split_key
from pictify_sync.core.sample import PICTURED, pictured, sample, shares

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 40))
LIMITS = st.integers(0, 120)


def dealt(counts: dict[str, int], limit: int) -> dict[str, int]:
    """Cards dealt out one by one, as it is said in words."""
    given_out = dict.fromkeys(counts, 0)
    for name in islice(cycle(counts), 1000 * len(counts)):
        if limit and given_out[name] < counts[name]:
            given_out[name] += 1
            limit -= 1
    return given_out


@given(COUNTS, LIMITS)
def test_shares_are_what_dealing_one_by_one_gives(counts: dict[str, int], limit: int) -> None:
    """In the order of the names; nobody gets more than its count."""
    assert shares(counts, limit) == dealt(counts, limit)


Place = tuple[str, int, str]  # manifest, item, layout

PLACES = st.tuples(st.sampled_from(["a", "a.b", "b", "c"]), st.integers(0, 30), st.sampled_from(["default", "wide"]))


def changes_at(found: dict[Place, Action]) -> list[Change]:
    """Changes of a few manifests, sorted by key."""
    keyed = {asset_key(manifest, f"i{item}", layout): action for (manifest, item, layout), action in found.items()}
    return [Change(key, keyed[key], Reason.NEW, None, None) for key in sorted(keyed, key=str.encode)]


CHANGES = st.dictionaries(PLACES, st.sampled_from(Action), max_size=80).map(changes_at)


def chosen(changes: Sequence[Change], limit: int) -> list[Change]:
    """The changes in the sample."""
    return [change for change, taken in sample(changes, limit) if taken]


@given(CHANGES, LIMITS)
def test_the_sample_is_full_and_fair(changes: list[Change], limit: int) -> None:
    """As many as there may be; of each manifest what its turns give, and within it of each action and layout."""
    wanted = list(pictured(changes))
    assert [change for change, _ in sample(changes, limit)] == wanted
    found = chosen(changes, limit)
    assert len(found) == min(limit, len(wanted))
    had, got = (Counter(split_key(one.key)[0] for one in some) for some in (wanted, found))
    for name in had:
        assert got[name] == had[name] or got[name] >= max(got.values(), default=0) - 1
        mine, taken = (
            Counter((one.action, split_key(one.key)[2]) for one in some if split_key(one.key)[0] == name)
            for some in (wanted, found)
        )
        assert all(taken[kind] == mine[kind] or taken[kind] >= max(taken.values(), default=0) - 1 for kind in mine)


@given(CHANGES, LIMITS)
def test_the_sample_is_the_same_every_time_and_only_of_what_has_a_picture(changes: list[Change], limit: int) -> None:
    """Two calls agree; nothing that is kept, awaited or blocked is in it."""
    assert chosen(changes, limit) == chosen(tuple(changes), limit)
    assert {one.action for one in chosen(changes, limit)} <= PICTURED


@given(st.integers(1, 200), st.integers(1, 200))
def test_chosen_changes_lie_evenly(count: int, limit: int) -> None:
    """Between two chosen ones of a kind there are about as many others everywhere, and the first is one of them."""
    changes = [
        Change(asset_key("m", f"i{n:03}", "default"), Action.CREATE, Reason.NEW, None, None) for n in range(count)
    ]
    places = [place for place, (_, taken) in enumerate(sample(changes, limit)) if taken]
    assert places[0] == 0
    gaps = [after - before for before, after in pairwise(places)]
    assert not gaps or max(gaps) - min(gaps) <= 1
