"""Row data: every format gives the same rows, with the lines they come from."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from time import process_time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.forms import normal_text
from pictify_sync.manifest.rows.sources import RowsFile

cells = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=20)
tables = st.lists(st.tuples(cells, cells | st.just("two\nlines"), cells), min_size=1, max_size=10)


def read(path: Path) -> tuple[list[tuple[tuple[int, int], dict[str, object]]], list[Problem]]:
    """Give the rows of a file and what was told."""
    told: list[Problem] = []
    return list(RowsFile(path, path.name).read(told.append)), told


@given(tables)
def test_csv_gives_every_cell_back(tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]]) -> None:
    """Texts, quotes, commas and line breaks come through; each row has the line it starts at."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *table])
    path = tmp_path_factory.mktemp("rows") / "r.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    rows, told = read(path)
    assert ([tuple(row.values()) for _, row in rows], told) == ([tuple(map(normal_text, row)) for row in table], [])
    lines = text.getvalue().split("\r\n")
    starts = [2 + sum(row[1].count("\n") + 1 for row in table[:number]) for number in range(len(table))]
    assert [spot for spot, _ in rows] == [(line, 1) for line in starts] or len(lines) == 0


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".yaml"])
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str) -> None:
    """JSON, JSONL and YAML give native values and their lines."""
    data = [{"a": 1, "b": "x"}, {"a": 2.5, "b": None}, {"a": True, "c": [1, {"d": "é"}]}]
    texts = {
        ".json": "\n[" + ",\n".join(map(json.dumps, data)) + "]\n",
        ".jsonl": "\n".join(map(json.dumps, data)),
        ".yaml": "".join(yaml.safe_dump([row], default_flow_style=True, width=999) for row in data),
    }
    path = tmp_path / f"r{ending}"
    text = texts[ending] if ending != ".yaml" else "\n".join(f"- {json.dumps(row)}" for row in data)
    path.write_text(text, encoding="utf-8")
    first = 2 if ending == ".json" else 1
    column = {".json": [2, 1, 1], ".jsonl": [1, 1, 1], ".yaml": [3, 3, 3]}[ending]
    assert read(path) == ([((first + number, column[number]), row) for number, row in enumerate(data)], [])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", b"", "must name the columns"),
        ("r.csv", b"a,,b\n", "column number 2 has no name"),
        ("r.csv", b"a\n\xff\n", "not UTF-8"),
        ("r.csv", b'a\n"' + b"x" * (2 << 20), "bad CSV: field larger"),
        ("r.json", b"", "not a list of rows"),
        ("r.jsonl", b"", "the file of rows is empty"),
        ("r.ndjson", b"", "the file of rows is empty"),
        ("r.yaml", b"", "the file of rows is empty"),
        ("r.json", b"[{}", "bad JSON"),
        ("r.json", b'[{"a": 1}] x', "something follows"),
        ("r.json", b'[{"a": 1} {"a": 2}]', "expected ',' or ']'"),
        ("r.json", b"[" * 100_000, "bad JSON"),
        ("r.json", b'[{"a":' * 100_000, "bad JSON: too deeply nested"),
        ("r.json", b'[{"a": ' + b"9" * 5000 + b"}]", "bad JSON"),
        ("r.json", b'[{"a": Infinity}]', "Infinity is not JSON"),
        ("r.yaml", b"a: 1", "not a list"),
        ("r.txt", b"", "not known"),
        ("gone.csv", None, "no such file"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    """A file that is not rows is an InputError that says why."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("r.csv", b"a\nb\n\xc3\xa9\xff\n", (3, 2)),
        ("r.csv", b"a\n" + b"\xc3\xa9\n" * 50_000 + b"x\xe9", (50_002, 2)),
        ("r.jsonl", b'{"a": 1}\n{"a": "\xff"}', (2, 8)),
        ("r.json", b'[{"a": 1},\n {"a": 1} 2]', (2, 11)),
        ("r.json", b'[{"a": 1}, {"a": 1}]\n\n 2', (3, 2)),
        ("r.json", b'[{"a": 1},\n {"a": x}]', (2, 8)),
        ("r.json", b'[{"a": 1},\n {"a": ' + b"9" * 5_000 + b"}]", (2, 2)),
        ("r.json", b' {"a": 1}', (1, 2)),
        ("r.csv", b'a\nb\n"c" d\n', (3, 1)),
    ],
)
def test_what_ends_the_reading_has_its_place(tmp_path: Path, name: str, content: bytes, place: tuple[int, int]) -> None:
    """A broken file is told with line and column, far into it as well."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(tmp_path / name)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == place
    assert "set_int_max" not in problem.message


def test_blanks_cost_next_to_nothing(tmp_path: Path) -> None:
    """A JSON file of 20 MB of blanks is read at the speed of the text."""
    path = tmp_path / "r.json"
    path.write_bytes(b"[" + b" " * 20_000_000 + b"]")
    began = process_time()
    assert read(path) == ([], [])
    assert process_time() - began < 1


def test_folders_and_devices_are_no_rows(tmp_path: Path) -> None:
    """Only plain files are read."""
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path / "r.csv")
    (tmp_path / "null.csv").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="not a plain file"):
        read(tmp_path / "null.csv")


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".yaml"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    """Whatever a file holds, it gives rows, problems, or an InputError."""
    path = tmp_path_factory.mktemp("rows") / f"r{ending}"
    path.write_bytes(content)
    try:
        rows, _ = read(path)
    except InputError:
        return
    assert all(isinstance(row, dict) for _, row in rows)
