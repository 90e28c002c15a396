"""A state file without its history: the fewest entries that make the same tables, in place of the log."""

from __future__ import annotations

from contextlib import closing

from pictify_sync.errors import StateError
from pictify_sync.state.snapshot.reader import read_lines
from pictify_sync.state.snapshot.writer import lines_of
from pictify_sync.state.sqlite import log
from pictify_sync.state.sqlite.schema import translated
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from pictify_sync.state.untrusted import Faults


def compact(store: SqliteStateStore) -> int:
    """Forget what happened, keep what is: all or nothing. Returns the number of entries forgotten.

    The serial goes on, and the file gives back its free space. Needs temporary disk space like the state's own.
    """
    with store.writing() as connection, closing(open_store(store.path, create=False)) as before:
        if not isinstance(before, SqliteStateStore):
            raise StateError(f"{store.path} is gone")
        serial = log.newest(connection)
        forgotten = serial - log.base(connection)
        row = connection.execute("SELECT at FROM log ORDER BY serial DESC LIMIT 1").fetchone()
        connection.execute("DELETE FROM log WHERE serial < 0")
        with closing(lines_of(before)) as lines:
            numbered = enumerate(lines, start=1)
            entries = read_lines(numbered, Faults(str(store.path)), lineage=store.lineage, at=row[0] if row else "")
            for _ in log.write(connection, log.FIRST - 1, entries):
                pass  # the tables are as they should be
        log.cut(connection, serial)
        store.refold()
    with translated(store.path, "cannot shrink"):
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return forgotten
