"""YAML 1.2 core, read strictly."""

from __future__ import annotations

import io
import json
import math
import re
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.errors import InputError
from pictify_sync.scalars import read_scalar
from pictify_sync.yaml_reader import MAX_DEPTH, holds_list, read_document, stream_items

AMBIGUOUS: dict[str, Any] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **{
        word: word
        for word in re.split(" ", "yes Yes YES no No NO on On ON off Off OFF y Y n N nUll tRue fAlse none None")
    },
    **{
        word: word
        for word in re.split(" ", "1:30 22:22 190:20:30 1:30.5 2001-12-14 2001-12-14t21:59:43Z 1_000 0b101 1,000")
    },
    **{
        word: word
        for word in re.split(" ", "0x 0xG 0o8 0o -0x1 . + e 1e 1e+ .e1 +. 1.2.3 .1. inf nan Infinity .Nan .iNF")
    },
    "0": 0,
    "010": 10,
    "-010": -10,
    "+1": 1,
    "-0": 0,
    "08": 8,
    "0o10": 8,
    "0x1F": 31,
    "1e3": 1000.0,
    "1.": 1.0,
    ".5": 0.5,
    "-.5": -0.5,
    "+1.5e-3": 0.0015,
    "1.5E+3": 1500.0,
    ".inf": math.inf,
    "-.INF": -math.inf,
    "+.Inf": math.inf,
    "00": 0,
}

# YAML has no way to hold a control character or half of a surrogate pair unescaped
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff\ufffe\uffff"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def read(text: str) -> object:
    """Read a document for its value."""
    return read_document(text, "f.yaml").value


@pytest.mark.parametrize(("text", "value"), AMBIGUOUS.items())
def test_ambiguous_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """A plain scalar has the value and type of YAML 1.2 core, not of YAML 1.1."""
    found = read_scalar(text)
    assert (type(found), found) == (type(value), value)
    assert read(f"a: {text}") == {"a": value}


def test_quoted_scalars_are_texts() -> None:
    """Quotes make any scalar a text, and a number that is not one stays a text."""
    assert read("[\"1\", 'null', '', \"true\"]") == ["1", "null", "", "true"]
    assert math.isnan(float(str(read_scalar(".nan"))))


@given(json_values)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    """A JSON text, which YAML 1.2 contains, is read to the same value."""
    text = json.dumps({"v": value}, ensure_ascii=False).translate({0x7F: "\\u007f"})
    assert read(text) == {"v": value}


@given(json_values)
def test_what_pyyaml_dumps_is_read_back(value: object) -> None:
    """What PyYAML writes, with every text quoted, is read back unchanged."""
    text = yaml.safe_dump({"v": value}, default_style='"', allow_unicode=True)
    if "!!" in text:  # numbers written as tagged texts
        with pytest.raises(InputError):
            read(text)
    else:
        assert read(text) == {"v": value}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever the text, the reader gives a value or an InputError."""
    with suppress(InputError):
        read(text)


def test_places_are_those_of_keys_and_values() -> None:
    """Every path is found at the line and column of its key and of its value; an absent one at its parent."""
    document = read_document("a: 1\nrows:\n  - {x: 1}\n  - y: 2\n    z: [a, b]\n", "f.yaml")
    places = document.places([("a",), ("rows", 0, "x"), ("rows", 1, "z", 1), ("rows", 1, "gone"), ()])
    assert places == {
        ("a",): (1, 1, 1, 4),
        ("rows", 0, "x"): (3, 6, 3, 9),
        ("rows", 1, "z", 1): (5, 12, 5, 12),
        ("rows", 1, "gone"): (4, 5, 4, 5),
        (): (1, 1, 1, 1),
    }
    assert document.item_spots == {"rows": [(3, 5), (4, 5)]}


def test_items_are_streamed_with_their_places() -> None:
    """The items of a top-level list come one by one with the places they start at."""
    assert list(stream_items(io.StringIO("# rows\n- a: 1\n\n- b: [1, {c: 2}]\n-\n  c: 2\n- 4\n"), "f")) == [
        ((2, 3), {"a": 1}),
        ((4, 3), {"b": [1, {"c": 2}]}),
        ((6, 3), {"c": 2}),
        ((7, 3), 4),
    ]
    assert list(stream_items(io.StringIO(""), "f")) == []


@pytest.mark.parametrize("text", ["a: 1", "word", "{a: [1]}"])
def test_a_file_that_is_no_list_is_refused(text: str) -> None:
    """Row data must be a list."""
    with pytest.raises(InputError, match=r"not a list|mapping"):
        list(stream_items(io.StringIO(text), "f"))


@pytest.mark.parametrize(("text", "answer"), [("- a", True), ("[", True), ("a: 1", False), ("", False), ("\0", False)])
def test_lists_are_told_from_manifests_by_their_start(text: str, answer: bool) -> None:
    """Only the first node decides whether a file is row data."""
    assert holds_list(text) is answer


def _merge_bomb(levels: int) -> str:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, levels + 1)]
    return "\n".join(lines)


def _alias_bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


ATTACKS = {
    **{f"merge {n}": _merge_bomb(n) for n in (1, 10, 30)},
    **{f"alias {n}": _alias_bomb(n) for n in (1, 8, 30)},
    **{f"flow {n}": "[" * n for n in (MAX_DEPTH + 1, 1_000, 60_000, 1_000_000)},
    **{f"maps {n}": "{a: " * n for n in (MAX_DEPTH + 1, 60_000)},
    "block": "\n".join("  " * n + "a:" for n in range(2_000)),
    "block lists": "- " * 60_000 + "x",
    "questions": "? " * 60_000,
    "digits": "a: " + "9" * 100_000,
    "anchor without alias": "a: &x 1",
    "alias without anchor": "a: *x",
    "python tag": "!!python/object/apply:os.system ['true']",
    "binary": "a: !!binary aGk=",
    "set": "!!set {a, b}",
    "local tag": "a: !x 1",
    "non-specific tag": "a: ! 1",
    "tag directive": "%TAG ! tag:x,2000:\n---\na: 1",
    "merge of a mapping": "a: {<<: {b: 1}}",
    "duplicate": "a: 1\nb: 2\na: 3",
    "duplicate after quotes": 'a: 1\n"a": 2',
    "list as key": "? [a]\n: 1",
    "documents": "a: 1\n---\nb: 2",
    "control": "a: \x07",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_yaml_is_refused_at_once(name: str) -> None:
    """Each attack is refused within 50 ms of CPU, with a place."""
    began = time.process_time()
    with pytest.raises(InputError):
        read(ATTACKS[name])
    assert time.process_time() - began < 0.05


def test_too_many_values_are_refused_in_bounded_memory() -> None:
    """A flat document of ten million values ends in an error under 256 MB of address space, not in a crash."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (256 << 20,) * 2)\n"
        "from pictify_sync.yaml_reader import read_document\n"
        "from pictify_sync.errors import InputError\n"
        "try: read_document('[' + 'a,' * 1_000_000 + ']', 'f')\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "more than 500,000 values" in done.stdout) == (0, True), done.stderr


@given(json_values)
def test_a_document_never_grows(value: object) -> None:
    """The canonical JSON of an accepted document is at most four times its source."""
    text = yaml.safe_dump(value, allow_unicode=True)
    try:
        found = read(text)
        size = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")))
    except (InputError, ValueError):
        return
    assert size <= 4 * len(text) + 8
