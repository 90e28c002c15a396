"""Row data as a stream: inline lists, CSV, JSON, JSONL and YAML. Every row knows the line it came from.

CSV, JSONL and YAML are read as they are used, so that memory does not grow with the file; JSON is held as text.
This module must not know what is done with a row.
"""

from __future__ import annotations

import csv
import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn

from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.forms import UTF_16, normal_text, normal_value
from pictify_sync.manifest.places import MAX_ROWS, MAX_YAML, Unusable, require, why
from pictify_sync.yaml_reader import Spot, stream_items

Row = dict[str, Any]
Tell = Callable[[Problem], None]
MAX_CELL = 1 << 20  # characters of one CSV cell

_MAY_BE_EMPTY = (".jsonl", ".ndjson", ".yaml", ".yml")  # others say themselves what is missing
_RESTORE = "restore it, or write an empty line if there are no rows"
_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A file of rows. Its ending says how it is read."""

    path: Path
    file: str  # as shown in problems

    def read(self, tell: Tell) -> Iterator[tuple[Spot, Row]]:
        """Yield (where it starts, row). Tells of rows that are left out; raises InputError where reading must end."""
        with self._open() as stream:
            try:
                yield from _FORMATS[self.path.suffix.lower()](stream, self.file, tell)
            except UnicodeDecodeError as error:
                spot, reason = _first_fault(self.path)
                _refuse((self.file, *spot), f"not UTF-8: {reason or error.reason}", "save the file as UTF-8")
            except OSError as error:
                _refuse((self.file, 0, 0), f"the file of rows cannot be read: {why(error)}")

    def columns(self) -> tuple[str, ...] | None:
        """Return the columns of a CSV file; None where each row has names of its own."""
        if self.path.suffix.lower() not in (".csv", ".tsv"):
            return None
        with self._open() as stream:
            try:
                return tuple(
                    next(csv.reader(map(normal_text, stream), strict=True, delimiter=_delimiter(self.file)), ())
                )
            except (csv.Error, UnicodeDecodeError):
                return None  # told when the rows are read

    def _open(self) -> IO[str]:
        suffix = self.path.suffix.lower()
        if suffix not in _FORMATS:
            raise InputError([Problem(self.file, 0, 0, *unknown_kind(suffix))])
        try:
            require(self.path, MAX_YAML if suffix == ".json" else MAX_ROWS)
            if not self.path.stat().st_size and suffix in _MAY_BE_EMPTY:
                _refuse((self.file, 1, 1), "the file of rows is empty: it may have been cut off", _RESTORE)
            return self.path.open(encoding="utf-8-sig")  # every line end becomes LF, inside of cells too
        except FileNotFoundError:
            _refuse((self.file, 0, 0), "no such file of rows")
        except Unusable as error:
            _refuse((self.file, 0, 0), f"the file of rows {error}")
        except OSError as error:
            _refuse((self.file, 0, 0), f"the file of rows cannot be read: {why(error)}")


def other_sign(columns: Sequence[str]) -> str:
    """Return what separates the columns when commas were expected and none came, "" when nothing does."""
    return next((sign for sign in ";\t|" if len(columns) == 1 and sign in columns[0]), "")


def unknown_kind(suffix: str) -> tuple[str, str]:
    """Return why no rows can be read from a file of this ending, and what to use; ("", "") when they can."""
    if suffix.lower() in _FORMATS:
        return "", ""
    kind = f"'{suffix}'" if suffix else "without an ending"
    return f"rows of the kind {kind} are not known", f"use one of {', '.join(_FORMATS)}"


def _refuse(place: tuple[str, int, int], message: str, hint: str = "") -> NoReturn:
    raise InputError([Problem(*place, message, hint)])


def _first_fault(path: Path) -> tuple[Spot, str]:
    """Find the first byte of a file that is not UTF-8; with the reason, where it is a plain one."""
    decoder, spot = getincrementaldecoder("utf-8")(), (1, 1)
    with path.open("rb") as stream:
        if stream.read(2) in UTF_16:
            return spot, "it is UTF-16"
        stream.seek(0)
        while piece := stream.read(1 << 16):
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode()
                return _further(text, (0, len(text)), spot)[1], ""
            spot = _further(text, (0, len(text)), spot)[1]
    return spot, ""


def _delimiter(file: str) -> str:
    return "\t" if file.lower().endswith(".tsv") else ","


def _csv(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[Spot, Row]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(map(normal_text, stream), strict=True, delimiter=_delimiter(file))
    line = 1
    try:
        header = next(reader, None)
        if not header:
            _refuse((file, 1, 1), "the first line must name the columns")
        _check_header(header, file)
        width, line = len(header), reader.line_num + 1
        for cells in reader:
            if len(cells) == width:
                yield (line, 1), dict(zip(header, cells, strict=True))
            elif cells:
                message = f"{len(cells)} cell{'s'[: len(cells) - 1]} under {width} columns"
                tell(Problem(file, line, 1, message, "quote a cell that holds a comma"))
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse((file, line, 1), f"bad CSV: {error}")


def _check_header(header: list[str], file: str) -> None:
    seen: set[str] = set()
    for number, name in enumerate(header, 1):
        if not name.strip():
            _refuse((file, 1, 1), f"column number {number} has no name")
        if name in seen:
            _refuse((file, 1, 1), f"two columns are named '{name[:80]}'")
        seen.add(name)


def _jsonl(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[Spot, Row]]:
    for line, text in enumerate(map(normal_text, stream), 1):
        if text.isspace():
            continue
        spot = line, _skip(text, 0) + 1
        try:
            value, end = _decode(text, spot[1] - 1, (file, *spot))
        except InputError as error:
            tell(error.problems[0])
            continue
        if _skip(text, end) < len(text):
            tell(Problem(file, line, end + 1, "more than one JSON value in a line"))
        elif row := as_row(value, (file, *spot), tell):
            yield spot, row


def _json(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[Spot, Row]]:
    text = normal_text(stream.read())
    at, spot = _further(text, (0, _skip(text, 0)), (1, 1))
    if text[at : at + 1] != "[":
        _refuse((file, *spot), "the file is not a list of rows", "wrap the rows in [ ]")
    at, spot = _further(text, (at, _skip(text, at + 1)), spot)
    empty = text[at : at + 1] == "]"
    while not empty:
        value, end = _decode(text, at, (file, *spot))
        if row := as_row(value, (file, *spot), tell):
            yield spot, row
        at, spot = _further(text, (at, _skip(text, end)), spot)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            _refuse((file, *spot), "bad JSON: expected ',' or ']' after this row")
        at, spot = _further(text, (at, _skip(text, at + 1)), spot)
    at, spot = _further(text, (at, _skip(text, at + 1)), spot)
    if at < len(text):
        _refuse((file, *spot), "bad JSON: something follows the list")


def _further(text: str, way: tuple[int, int], spot: Spot) -> tuple[int, Spot]:
    """Go from one position to a later one; give it with its line and column."""
    start, end = way
    lines = text.count("\n", start, end)
    return end, (spot[0] + lines, end - text.rfind("\n", start, end) if lines else spot[1] + end - start)


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _yaml(stream: IO[str], file: str, tell: Tell) -> Iterator[tuple[Spot, Row]]:
    for spot, value in stream_items(stream, file):
        if row := as_row(normal_value(value), (file, *spot), tell):
            yield spot, row


def as_row(value: object, place: tuple[str, int, int], tell: Tell) -> Row | None:
    """Return a value that is a row; tell of any other."""
    if isinstance(value, dict) and value:
        return value
    tell(Problem(*place, "a row must be a mapping of columns to values"))
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


def _decode(text: str, start: int, place: tuple[str, int, int]) -> tuple[Any, int]:
    try:
        value, end = _raw_decode(text, start)
    except json.JSONDecodeError as error:
        _, spot = _further(text, (start, error.pos), place[1:])
        _refuse((place[0], *spot), f"bad JSON: {error.msg.lower()}")
    except RecursionError:
        _refuse(place, "bad JSON: too deeply nested")
    except ValueError as error:
        reason = "a number with too many digits" if "digits" in str(error) else str(error)[:200]
        _refuse(place, f"bad JSON: {reason}")
    return (value if text.find("\\", start, end) < 0 else normal_value(value)), end  # the text was made normal before


_FORMATS: dict[str, Callable[[IO[str], str, Tell], Iterator[tuple[Spot, Row]]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".yaml": _yaml,
    ".yml": _yaml,
}
