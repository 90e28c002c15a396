"""Plan files written to harm their reader: deep, long, large, or of other types."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.errors import InputError
from pictify_sync.state.planfile import document as planfile
from pictify_sync.state.planfile.document import read_plan
from tests.state.test_planfile import make, saved, text_of

HEAD, _, TAIL = text_of(make()).partition('"changes":[\n')
DEEP = 100_000


def refused(tmp_path: Path, text: str) -> str:
    """The reasons for which a text is refused."""
    with pytest.raises(InputError) as caught:
        read_plan(saved(tmp_path, text))
    return str(caught.value)


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
@pytest.mark.parametrize("place", ["head", "change"])
def test_any_depth_is_refused(tmp_path: Path, bracket: str, place: str) -> None:
    """No recursion is followed to the end of the stack, in the head or in a change."""
    nest = bracket * DEEP
    closed = nest + "0" + ("]" if bracket == "[" else "}") * DEEP
    for deep in (nest, closed):
        if place == "head":
            refused(tmp_path, HEAD.replace('"batches":[', f'"batches":[{deep},') + '"changes":[\n' + TAIL)
        else:
            refused(tmp_path, HEAD + '"changes":[\n' + deep + "\n]}\n")


def test_lines_are_counted_before_they_are_read(tmp_path: Path) -> None:
    """A file of empty lines takes no more memory than its bytes."""
    many = saved(tmp_path, HEAD + '"changes":[\n' + ",\n" * (planfile.MAX_LINES + 1) + "\n]}\n")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="lines"):
            read_plan(many)
        assert tracemalloc.get_traced_memory()[1] < 4 * many.stat().st_size
    finally:
        tracemalloc.stop()


def test_a_sparse_file_is_not_read_whole(tmp_path: Path) -> None:
    """More bytes than a plan may have are refused."""
    large = tmp_path / "plan.json"
    with large.open("wb") as file:
        file.truncate(planfile.MAX_BYTES + 2)
    with pytest.raises(InputError, match="bytes"):
        read_plan(large)


@pytest.mark.parametrize(
    "value", [None, True, -1, 1e400, "x", [], {}, 10**30, "\ud800", [[]], {"a": 1}], ids=lambda value: repr(value)[:20]
)
@pytest.mark.parametrize("field", sorted(json.loads(text_of(make())).keys()))
def test_other_types_are_refused(tmp_path: Path, field: str, value: Any) -> None:
    """Each field of the document with any other type of value."""
    plan = json.loads(text_of(make()))
    if isinstance(value, type(plan[field])) and field in ("serial", "lineage", "partial", "capabilities"):
        return  # no part of the work: any value of the type is a plan's
    if value == plan[field] and type(value) is type(plan[field]) and field != "changes":
        return  # as it was written
    plan[field] = value
    changes = plan.pop("changes")
    lines = ",\n".join(map(json.dumps, changes)) if isinstance(changes, list) else json.dumps(changes)
    refused(tmp_path, json.dumps(plan)[:-1] + ',\n"changes":[\n' + lines + "\n]}\n")


@pytest.mark.parametrize("number", ["1" * 10_000, "-" + "9" * 5_000, "1e" + "9" * 5_000])
def test_a_number_of_many_digits_is_refused(tmp_path: Path, number: str) -> None:
    """Wherever it stands."""
    refused(tmp_path, text_of(make()).replace('"serial":7', f'"serial":{number}'))
    refused(tmp_path, text_of(make()).replace('"attempts":', f'"attempts":{number},"x":'))
