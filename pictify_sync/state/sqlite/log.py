"""The log itself: reading entries back, the chain of checksums over them, and the proof that the tables are their fold.

Each row's chain value covers the row and the value before it, so a lost, altered or inserted row is found. A log that
was cut begins with rows below zero that make the tables as they were at its base; they are no history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import zip_longest
from typing import Literal

from pictify_sync.core.entries import Entry, Intended
from pictify_sync.errors import StateError
from pictify_sync.state import codec
from pictify_sync.state.sqlite import schema
from pictify_sync.state.sqlite.fold import fold
from pictify_sync.state.sqlite.tables import Tables

_MAX_FAULTS = 20  # enough to see what happened
_MAX_OPEN = 64  # Intended entries kept in memory while folding
FIRST = -(1 << 40)  # serial of the first row of a log that was cut


def newest(connection: sqlite3.Connection) -> int:
    """The serial of the newest entry, 0 when there is none."""
    (serial,) = connection.execute("SELECT max(serial) FROM log").fetchone()
    return int(serial) if serial is not None and serial > 0 else base(connection)


def base(connection: sqlite3.Connection) -> int:
    """The serial after which the log begins: 0, but for one that was cut."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'base'").fetchone()
    return 0 if row is None else int(row[0])


def cut(connection: sqlite3.Connection, serial: int) -> None:
    """Forget all entries up to a serial; rows below zero have to stand for them."""
    connection.execute("DELETE FROM log WHERE serial BETWEEN 0 AND ?", (serial,))
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('base', ?)", (b"%d" % serial,))


def read(connection: sqlite3.Connection, serial: int) -> Entry:
    """The entry of a serial."""
    row = connection.execute("SELECT body FROM log WHERE serial = ?", (serial,)).fetchone()
    if row is None:
        raise StateError(f"the log has no entry {serial}", hint="run `pictify-sync doctor`")
    return codec.decode_entry(row[0])


def entries(connection: sqlite3.Connection, after: int = 0) -> Iterator[tuple[int, str, Entry]]:
    """(serial, ISO time, entry) after a serial, in order, streamed."""
    for serial, at, body in connection.execute(
        "SELECT serial, at, body FROM log WHERE serial > ? ORDER BY serial", (after,)
    ):
        entry = codec.decode_entry(body)
        if entry.at != at:
            raise StateError(f"entry {serial} of the log is labelled wrongly", hint="run `pictify-sync doctor`")
        yield serial, at, entry


def newest_of(connection: sqlite3.Connection, kind: Literal["bound", "applied"]) -> Entry | None:
    """The newest entry of a kind that the index `log_marks` covers."""
    row = connection.execute(
        f"SELECT body FROM log WHERE {schema.MARKS} AND kind = ? ORDER BY serial DESC LIMIT 1",  # noqa: S608
        (kind,),
    ).fetchone()
    return None if row is None else codec.decode_entry(row[0])


def write(connection: sqlite3.Connection, after: int, entries: Iterable[Entry]) -> Iterator[tuple[int, Entry]]:
    """Write entries under the serials that follow `after`, lazily, and yield them with their serials."""
    chain = _chain_at(connection, after)
    for serial, entry in enumerate(entries, start=after + 1):
        body = codec.encode_entry(entry)
        chain = _next_chain(chain, serial, entry.at, body)
        connection.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?)", (serial, entry.at, entry.kind, body, chain))
        yield serial, entry


def _chain_at(connection: sqlite3.Connection, serial: int) -> bytes:
    """The chain value of the newest row up to a serial; empty when there is none."""
    row = connection.execute(
        "SELECT chain FROM log WHERE serial <= ? ORDER BY serial DESC LIMIT 1", (serial,)
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def _next_chain(chain: bytes, serial: int, at: str, body: str) -> bytes:
    """The chain value of a row, from that of the row before."""
    return blake2b(b"%d\n%s\n%s" % (serial, at.encode(), body.encode()), digest_size=16, key=chain).digest()


def refold(source: sqlite3.Connection, tables: Tables) -> int:
    """Fold the whole log of `source` into empty tables; returns the number of entries."""
    opened: dict[int, Intended] = {}
    count = 0

    def intended(serial: int) -> Intended:
        if serial not in opened:
            entry = read(source, serial)
            assert isinstance(entry, Intended)
            if len(opened) > _MAX_OPEN:
                opened.clear()
            opened[serial] = entry
        return opened[serial]

    for serial, _, entry in entries(source, FIRST - 1):
        fold(tables, intended, serial, entry)
        count += 1
    return count


def faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Gaps and altered rows of the log."""
    chain, begin = b"", base(connection)
    (least,) = connection.execute("SELECT coalesce(min(serial), 0) FROM log").fetchone()
    expected = FIRST if least < 0 else begin + 1
    for serial, at, kind, body, found in connection.execute(
        "SELECT serial, at, kind, body, chain FROM log ORDER BY serial"
    ):
        if serial > 0 > expected:
            expected = begin + 1
        if serial != expected:
            yield f"the log jumps from entry {expected - 1} to {serial}"
            return
        chain = _next_chain(chain, serial, at, body)
        if chain != found:
            yield f"entry {serial} of the log was altered, or one before it was lost"
            return
        entry = codec.decode_entry(body)
        if (entry.kind, entry.at) != (kind, at):
            yield f"entry {serial} of the log is labelled wrongly"
        expected += 1


def fold_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Rows of the derived tables that are not what the log says. Needs temporary disk space like the state's own."""
    with closing(sqlite3.connect("", isolation_level=None)) as fresh:  # "": a temporary file, gone when closed
        fresh.execute("BEGIN")
        schema.create_derived(fresh)
        refold(connection, Tables(fresh))
        found = 0
        for table in schema.DERIVED_TABLES:
            for is_row, should_be in zip_longest(*(_rows(side, table) for side in (connection, fresh))):
                if is_row != should_be:
                    yield f"table {table} has {_name(is_row)} instead of {_name(should_be)}: rebuild the state"
                    found += 1
                if found >= _MAX_FAULTS:
                    return


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    return connection.execute(f"SELECT * FROM {table} ORDER BY {schema.DERIVED_TABLES[table]}")  # noqa: S608


def _name(row: tuple[object, ...] | None) -> str:
    return "nothing" if row is None else repr(row[:2])
