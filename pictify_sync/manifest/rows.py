"""Row data as a stream: inline lists, CSV, JSON, JSONL and YAML. Every row knows the line it came from.

CSV, JSONL and YAML are read as they are used, so that memory does not grow with the file; JSON is held as text.
This module must not know what is done with a row.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn

from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.places import MAX_ROWS, MAX_YAML, Unusable, require
from pictify_sync.yaml_reader import stream_items

Row = dict[str, Any]
Tell = Callable[[Problem], None]
MAX_CELL = 1 << 20  # characters of one CSV cell

_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A file of rows. Its ending says how it is read."""

    path: Path
    file: str  # as shown in problems

    def read(self, tell: Tell) -> Iterator[tuple[int, Row]]:
        """Yield (line, row). Tells of rows that are left out; raises InputError where nothing more can be read."""
        with self._open() as stream:
            try:
                yield from _FORMATS[self.path.suffix.lower()](stream, self.file, tell)
            except UnicodeDecodeError as error:
                _refuse(self.file, 0, f"not UTF-8: {error.reason}", "save the file as UTF-8")

    def columns(self) -> tuple[str, ...] | None:
        """Give the columns of a CSV file; None where each row has names of its own."""
        if self.path.suffix.lower() not in (".csv", ".tsv"):
            return None
        with self._open() as stream:
            try:
                return tuple(next(csv.reader(stream, strict=True, delimiter=_delimiter(self.file)), ()))
            except (csv.Error, UnicodeDecodeError):
                return None  # told when the rows are read

    def _open(self) -> IO[str]:
        suffix = self.path.suffix.lower()
        if suffix not in _FORMATS:
            _refuse(self.file, 0, f"rows of the kind '{suffix}' are not known", f"use one of {', '.join(_FORMATS)}")
        try:
            require(self.path, MAX_YAML if suffix == ".json" else MAX_ROWS)
            return self.path.open(encoding="utf-8-sig", newline="" if suffix in (".csv", ".tsv") else None)
        except FileNotFoundError:
            _refuse(self.file, 0, "no such file of rows")
        except (Unusable, PermissionError) as error:
            _refuse(self.file, 0, f"the file of rows {error}")


def _refuse(file: str, line: int, message: str, hint: str = "", column: int = 0) -> NoReturn:
    raise InputError([Problem(file, line, column, message, hint)])


def _delimiter(file: str) -> str:
    return "\t" if file.lower().endswith(".tsv") else ","


def _csv(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(stream, strict=True, delimiter=_delimiter(file))
    line = 1
    try:
        header = next(reader, None)
        if not header:
            _refuse(file, 1, "the first line must name the columns")
        _check_header(header, file)
        width, line = len(header), reader.line_num + 1
        for cells in reader:
            if len(cells) == width:
                yield line, dict(zip(header, cells, strict=True))
            elif cells:
                message = f"{len(cells)} cells under {width} columns"
                tell(Problem(file, line, 0, message, "quote a cell that holds a comma"))
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(file, line, f"bad CSV: {error}")


def _check_header(header: list[str], file: str) -> None:
    seen: set[str] = set()
    for number, name in enumerate(header, 1):
        if not name.strip():
            _refuse(file, 1, f"column number {number} has no name")
        if name in seen:
            _refuse(file, 1, f"two columns are named '{name[:80]}'")
        seen.add(name)


def _jsonl(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[int, Row]]:
    for line, text in enumerate(stream, 1):
        if text.isspace():
            continue
        try:
            value, end = _decode(text, _skip(text, 0), (file, line))
        except InputError as error:
            tell(error.problems[0])
            continue
        if _skip(text, end) < len(text):
            tell(Problem(file, line, end + 1, "more than one JSON value in a line"))
        elif row := as_row(value, (file, line), tell):
            yield line, row


def _json(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[int, Row]]:
    text = stream.read()
    position, line = _skip(text, 0), 1 + text.count("\n", 0, _skip(text, 0))
    if text[position : position + 1] != "[":
        _refuse(file, line, "the file is not a list of rows", "wrap the rows in [ ]")
    start, position = 0, _skip(text, position + 1)
    if text[position : position + 1] == "]":
        position += 1
    else:
        while True:
            line, start = (
                1 + text.count("\n", 0, position) if start == 0 else line + text.count("\n", start, position),
                position,
            )
            value, position = _decode(text, position, (file, line))
            if row := as_row(value, (file, line), tell):
                yield line, row
            position = _skip(text, position)
            mark = text[position : position + 1]
            position = _skip(text, position + 1)
            if mark == "]":
                break
            if mark != ",":
                _refuse(file, line, "bad JSON: expected ',' or ']' after this row")
    if text[position:].strip():
        _refuse(file, line, "bad JSON: something follows the list")


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _yaml(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[int, Row]]:
    for line, value in stream_items(stream, file):
        if row := as_row(value, (file, line), tell):
            yield line, row


def as_row(value: object, place: tuple[str, int], tell: Tell) -> Row | None:
    """Give a value that is a row; tell of any other."""
    if isinstance(value, dict) and value:
        return value
    tell(Problem(*place, 0, "a row must be a mapping of columns to values"))
    return None


def _pairs(pairs: list[tuple[str, Any]]) -> Row:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next((a for a, b in pairwise(sorted(name for name, _ in pairs)) if a == b), "")
        raise ValueError(f"duplicate name '{twice[:80]}'")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_raw_decode = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant).raw_decode


def _decode(text: str, start: int, place: tuple[str, int]) -> tuple[Any, int]:
    try:
        return _raw_decode(text, start)
    except json.JSONDecodeError as error:
        line = place[1] + text.count("\n", start, error.pos)
        _refuse(place[0], line, f"bad JSON: {error.msg.lower()}", column=error.colno)
    except RecursionError:
        _refuse(*place, "bad JSON: too deeply nested")
    except ValueError as error:
        _refuse(*place, f"bad JSON: {str(error)[:200]}")


_FORMATS: dict[str, Callable[[IO[str], str, Tell], Iterator[tuple[int, Row]]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".yaml": _yaml,
    ".yml": _yaml,
}
