"""The guard: shares of deletes in all and by manifest, and renders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from pictify_sync.core.guard import Limits, check, refusals
from pictify_sync.core.model import Action
from pictify_sync.core.plan import Summary
from pictify_sync.errors import UnsafePlan


def summary(renders: int = 0, elsewhere: int = 0, **manifests: tuple[int, int]) -> Summary:
    """Counts of manifests, each (deleted, recorded); `elsewhere`: recorded, and not in scope."""
    return of(manifests, renders, elsewhere)


def of(manifests: Mapping[str, tuple[int, int]], renders: int = 0, elsewhere: int = 0) -> Summary:
    """The same of any manifests."""
    recorded = sum(one for _, one in manifests.values())
    return Summary(
        actions=Counter({Action.DELETE: sum(gone for gone, _ in manifests.values())}),
        reasons={},
        manifests={name: Counter({Action.DELETE: gone}) for name, (gone, _) in manifests.items()},
        recorded=recorded,
        renders=renders,
        batches=0,
        copies=0,
        recorded_in={name: one for name, (_, one) in manifests.items()},
        whole=recorded + elsewhere,
    )


@pytest.mark.parametrize(
    ("counts", "refused"),
    [
        (summary(only=(4, 10)), ["4 of 10"]),
        (summary(only=(3, 10)), []),
        (summary(only=(9, 9)), []),  # a first experiment
        (summary(small=(9, 9), large=(0, 1000)), ["manifest small: all of its 9"]),
        (summary(small=(1, 1), large=(0, 9)), ["manifest small: 1 of its 1 recorded picture would"]),
        (summary(small=(1, 1), large=(0, 8)), []),
        (summary(small=(8, 9), large=(0, 1000)), []),  # small sets change
        (summary(middle=(4, 10), large=(0, 1000)), ["manifest middle: 4 of its 10"]),
        (summary(middle=(3, 10), large=(0, 1000)), []),
        (summary(elsewhere=1000, small=(9, 9)), ["manifest small: all of its 9"]),  # given by path
        (summary(a=(2, 2), b=(3, 3), c=(0, 100)), ["manifest a: all of its 2", "manifest b: all of its 3"]),
        (summary(a=(50, 50), b=(50, 50)), ["100 of 100", "manifest a: all of its 50", "manifest b: all of its 50"]),
    ],
)
def test_deletes_are_counted_in_all_and_by_manifest(counts: Summary, refused: list[str]) -> None:
    """A share of all, a share of a manifest of some size, and a manifest that is emptied in a project of some size."""
    found = refusals(counts, Limits())
    assert len(found) == len(refused)
    assert all(words in one.message for words, one in zip(refused, found, strict=True))
    assert refusals(counts, Limits(max_delete_percent=100)) == ()
    if refused:
        with pytest.raises(UnsafePlan, match=refused[-1]):
            check(counts, Limits())


def test_renders_are_counted() -> None:
    """More renders than allowed are refused beside the deletes, each with its remedy."""
    counts = summary(renders=3, only=(10, 10))
    found = refusals(counts, Limits(max_renders=2))
    assert [one.rule for one in found] == ["guard.max_delete_percent", "guard.max_renders"]
    assert "3 pictures would be rendered, over 2" in found[1].message
    with pytest.raises(UnsafePlan) as refused:
        check(counts, Limits(max_renders=2))
    assert all(one.hint in refused.value.hint for one in found)
    assert refusals(counts, Limits(max_delete_percent=100, max_renders=3)) == ()


def test_many_manifests_are_not_all_listed() -> None:
    """Ten are named, the others counted."""
    counts = of({f"m{number:02}": (1, 1) for number in range(40)} | {"x": (0, 1000)})
    found = refusals(counts, Limits())
    assert len(found) == 11
    assert "30 more manifests" in found[-1].message
