"""The checkpoint of a state on a Git ref: a snapshot in parts, written from an index and read into one.

A part ends where a key's digest says so, not after so many lines: what did not change between two checkpoints is the
same part, which Git keeps and sends once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import NoReturn
from zlib import crc32

from pictify_sync.errors import InputError, StateError
from pictify_sync.state.git.tree import Tree, TreeReader
from pictify_sync.state.snapshot.reader import read_lines
from pictify_sync.state.snapshot.writer import Source, lines_of
from pictify_sync.state.sqlite import schema
from pictify_sync.state.sqlite.bulk import ASSET, Bulk, Unsound
from pictify_sync.state.sqlite.store import SqliteStateStore
from pictify_sync.state.sqlite.tables import Tables
from pictify_sync.state.untrusted import Faults

_MEAN = 1024  # lines of a part
_MAX_BYTES = 16 << 20  # after which a part ends anyway


def parts_of(store: Source) -> Iterator[tuple[str, bytes]]:
    """(path, content) of each part of a checkpoint of the state as it is."""
    number, size, waiting = 0, 0, list[bytes]()
    with closing(lines_of(store)) as lines:
        for line in lines:
            waiting.append(line.encode())
            size += len(waiting[-1])
            if size > _MAX_BYTES or crc32(_key(waiting[-1])) % _MEAN == 0:
                yield f"checkpoint/{number:04}.jsonl", b"".join(waiting)
                number, size = number + 1, 0
                waiting.clear()
    if waiting:
        yield f"checkpoint/{number:04}.jsonl", b"".join(waiting)


def _key(line: bytes) -> bytes:
    """What names a line: the text of its key, or of all that is not an asset."""
    _, mark, rest = line.partition(b'"key":"')
    return rest.partition(b'"')[0] if mark else b"-"


def load(store: SqliteStateStore, connection: sqlite3.Connection, tree: Tree, reader: TreeReader) -> None:
    """Put a checkpoint into an empty index, within `writing`. Raises InputError that says what is wrong where."""
    if not tree.parts:
        return
    others: list[tuple[int, str]] = []
    try:
        with schema.filling(connection):
            bulk = Bulk(Tables(connection))
            for number, line in enumerate(_all(tree, reader), start=1):
                if line.startswith(ASSET):
                    bulk.add(line)
                else:
                    others.append((number, line))
            bulk.finish()
        faults = Faults(reader.file("checkpoint"))
        store.begin_with(read_lines(iter(others), faults, lineage=tree.meta.lineage, at=tree.meta.at))
    except (Unsound, InputError):
        _explain(tree, reader)


def _all(tree: Tree, reader: TreeReader) -> Iterator[str]:
    for _, lines in reader.lines(tree.parts):
        yield from lines


def _explain(tree: Tree, reader: TreeReader) -> NoReturn:
    """Read once more, slowly, and say what is wrong in which line of which part."""
    ends: list[tuple[int, str]] = []  # (number of the last line, path)

    def counted() -> Iterator[tuple[int, str]]:
        number = 0
        for path, lines in reader.lines(tree.parts):
            ends.append((number + len(lines), path))
            for number, line in enumerate(lines, start=number + 1):  # noqa: B020 - it goes on counting
                yield number, line

    try:
        for _ in read_lines(counted(), Faults(""), lineage=tree.meta.lineage, at=tree.meta.at):
            pass
    except InputError as error:
        found = []
        for problem in error.problems:
            at = next((place for place, (end, _) in enumerate(ends) if problem.line <= end), len(ends) - 1)
            before = ends[at - 1][0] if at else 0
            found.append(replace(problem, file=reader.file(ends[at][1]), line=problem.line - before))
        raise InputError(found) from None
    raise StateError(f"{reader.file('checkpoint')} contradicts itself", hint="its lines are read in two ways")
