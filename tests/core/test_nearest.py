"""The name that was meant by one that is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.nearest import closest, hint

KEYS = [f"cards/item-{number}@default" for number in range(1, 200)]


@pytest.mark.parametrize(
    ("word", "names", "meant"),
    [
        ("titel", ["title", "tile", "subtitle"], ["title"]),
        ("aply", ["apply", "plan", "state"], ["apply"]),
        ("manifest", ["manifests", "max_assets"], ["manifests"]),
        ("Provider", ["provider", "providers"], ["provider"]),
        ("cards/item-12@defalt", KEYS, ["cards/item-12@default"]),  # not item-1, item-2 or item-112
        ("cards/itm-150@default", KEYS, ["cards/item-150@default"]),
        ("colour_b", ["a_colour", "colour_a"], ["colour_a"]),  # the shared prefix decides
        ("zzz", ["title", "rows"], []),
        ("x", ["y"], []),
        ("", ["a"], []),
    ],
)
def test_the_nearest_name_is_meant(word: str, names: list[str], meant: list[str]) -> None:
    """By edit distance, then by the prefix that they share; none where none is like it."""
    assert closest(word, names) == meant


def test_hints_name_some() -> None:
    """In quotes, nearest first."""
    assert hint("rowz", ["rows", "row", "name"], 2) == "did you mean 'row' or 'rows'?"
    assert hint("rowz", ["name"]) == ""


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8))
def test_any_text_may_be_compared(word: str, names: list[str]) -> None:
    """A name that is known in other letter case is always found, and nothing that is not a name."""
    assert set(closest(word, names, 3)) <= set(names)
    assert (
        not names
        or closest(names[0], names)[:1] == [names[0]]
        or len(names[0]) < 3
        or names[0].casefold() in {name.casefold() for name in closest(names[0], names)}
    )
