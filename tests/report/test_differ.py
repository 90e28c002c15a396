"""What differs between two variable sets."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.fingerprint import canonical
from pictify_sync.report.differ import ABSENT, WIDTH, changed_names, differences

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-2, 2).map(lambda x: round(x, 1))
    | st.text("ab", max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
    max_leaves=6,
)
variables = st.dictionaries(st.text("abc", min_size=1, max_size=2), values, max_size=4)


@given(variables, variables)
def test_differences_are_found_exactly_where_there_are_some(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Equal canonical texts have none; others name each top-level variable that differs, and no other."""
    before, after = canonical(old), canonical(new)
    found = differences(before, after)
    assert bool(found) == (before != after)
    assert {one.path.split(".")[0].split("[")[0] for one in found} <= {*old, *new, ""}
    named = {name for name in old.keys() | new.keys() if canonical(old.get(name, "?")) != canonical(new.get(name, "?"))}
    assert named <= {one.path.split(".")[0].split("[")[0] for one in found} or not named


@given(variables, variables)
def test_swapping_the_sides_swaps_the_values(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Comparing is symmetric at the top: what was added one way is removed the other way."""
    forth = {(one.path, one.old == ABSENT) for one in differences(canonical(old), canonical(new))}
    back = {(one.path, one.new == ABSENT) for one in differences(canonical(new), canonical(old))}
    top = {(path, absent) for path, absent in forth if path in {*old, *new}}
    assert top <= back


def test_a_long_text_is_shown_from_where_it_parts() -> None:
    """A line's worth of each, around the first difference, with dots where it goes on."""
    common = "x" * 500
    (found,) = differences(canonical({"a": common + "old" + common}), canonical({"a": common + "new" + common}))
    assert "old" in found.old
    assert "new" in found.new
    assert max(len(found.old), len(found.new)) <= WIDTH + 8


def test_sensitive_values_never_show() -> None:
    """Neither their digest nor, inside lists and mappings, anything else of them."""
    old = {"a": {"$sensitive": "d1gest-one"}, "b": [{"c": {"$sensitive": "d1gest-one"}}]}
    new = {"a": {"$sensitive": "d1gest-two"}, "b": {"c": {"$sensitive": "d1gest-two"}}}
    shown = "".join(map(str, differences(canonical(old), canonical(new))))
    assert "(sensitive)" in shown
    assert "d1gest" not in shown


def test_numbers_of_another_type_differ() -> None:
    """1, 1.0, "1" and true are four values, as they are four canonical texts."""
    kinds = [1, 1.0, "1", True]
    for old in kinds:
        for new in kinds:
            found = differences(canonical({"a": old}), canonical({"a": new}))
            assert bool(found) == (canonical(old) != canonical(new)), (old, new)
            assert bool(changed_names(canonical({"a": old}), canonical({"a": new}))) == bool(found), (old, new)
