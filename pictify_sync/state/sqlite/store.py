"""The state in one SQLite file: a numbered log, and tables derived from it in the same transaction.

Safe with several processes on one machine (WAL, full synchronisation, immediate transactions); a network drive is not
supported. A store belongs to one thread. This module must not know what a workflow does with what it reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self, TypeVar

from pictify_sync.core.entries import (
    Applied,
    Bound,
    Entry,
    Intended,
    Ledger,
    MovesIntended,
    Obsolete,
    OpenBatch,
    Probed,
    ProjectIdentity,
)
from pictify_sync.core.model import AssetKey, Fingerprint, Record
from pictify_sync.core.template import TemplateRecord
from pictify_sync.databases import Access, access
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.sqlite import log, schema
from pictify_sync.state.sqlite.fold import fold
from pictify_sync.state.sqlite.schema import translated
from pictify_sync.state.sqlite.tables import Tables, expect_types

T = TypeVar("T")
_MAX_OPEN = 64  # Intended entries kept in memory; more open batches are read again


def open_store(path: Path, *, create: bool) -> SqliteStateStore | EmptyStateStore:
    """Open the state, making folder and file if `create`; without it a missing file is an empty, read-only state.

    Raises StateError for a foreign, damaged or newer file.
    """
    if not schema.is_there(path):
        if not create:
            return EmptyStateStore()
        schema.make(path)
    how = Access(path) if create else access(path)
    with schema.reading(path, "cannot open"):
        connection = schema.connect(how)
        try:
            schema.check(connection, path)
            store = SqliteStateStore(path, connection, access=how)
            if not schema.has_current_layout(connection):
                store.rebuild()
            return store
        except BaseException:
            connection.close()
            raise


class SqliteStateStore:
    """A StateStore in a SQLite file. Each call reads the newest serial; a stream keeps to the serial it began with."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        sensitive_key: bytes | None = None,
        access: Access | None = None,
    ) -> None:
        self.path = path
        self._access = access or Access(path)
        self._connection = connection
        self._tables = Tables(connection)
        self.is_whole = True  # False: the log tells only a part of what the tables hold
        self._pinned = False
        self._intended: dict[int, Intended] = {}  # of open attempts, by serial; entries never change
        meta: dict[str, bytes] = dict(connection.execute("SELECT name, value FROM meta"))
        if not {"lineage", "sensitive_key"} <= meta.keys():
            raise schema.DamagedStateError(f"{path} holds no lineage", hint=schema.DAMAGED)
        self.lineage = meta["lineage"].decode()
        self._sensitive_key = meta["sensitive_key"] if sensitive_key is None else sensitive_key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Everything committed is durable already."""
        self._connection.close()

    def sync(self) -> tuple[Entry, ...]:
        """As in the port: a file is read where all runs see it."""
        return ()

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Keep all reads within to one serial. Nothing may be committed meanwhile; streams must end inside."""
        with translated(self.path, "cannot read"):
            self._connection.execute("BEGIN")
        self._pinned = True
        try:
            self.serial()  # the first read fixes it
            yield
        finally:
            self._pinned = False
            with translated(self.path, "cannot read"):
                self._connection.execute("ROLLBACK")

    # Reading -----------------------------------------------------------------------------------------------------

    def serial(self) -> int:
        with self._reading():
            return log.newest(self._connection)

    def records(self, prefix: str = "") -> Iterator[Record]:
        return self._stream(lambda connection: Tables(connection).records(prefix))

    def record(self, key: AssetKey) -> Record | None:
        with self._reading():
            return self._tables.record(key)

    def count(self) -> int:
        with self._reading():
            return self._tables.count()

    def find(self, fingerprint: Fingerprint) -> Record | None:
        with self._reading():
            return self._tables.find(fingerprint)

    def owners(self, path: str) -> tuple[AssetKey, ...]:
        with self._reading():
            return self._tables.owners(path)

    def variables(self, digest: str) -> str | None:
        with self._reading():
            return self._tables.variables(digest)

    def templates(self) -> tuple[TemplateRecord, ...]:
        with self._reading():
            return self._tables.templates()

    def probes(self) -> tuple[Probed, ...]:
        with self._reading():
            return self._tables.probes()

    def open_batches(self) -> tuple[OpenBatch, ...]:
        with self._reading():
            rows = self._connection.execute(
                "SELECT serial, batch_id, submitted_at, doubt FROM attempts WHERE closed IS NULL ORDER BY serial"
            ).fetchall()
            self._intended = {serial: self._read_intended(serial) for serial, *_ in rows}
            expect_types(rows, (int, str | None, str | None, str | None))
        return tuple(
            OpenBatch(self._intended[serial], serial, batch_id, submitted_at, doubt)
            for serial, batch_id, submitted_at, doubt in rows
        )

    def submitted_as(self, batch_id: str) -> tuple[Intended, ...]:
        with self._reading():
            found = self._connection.execute("SELECT serial FROM attempts WHERE batch_id = ?", (batch_id,)).fetchall()
            entries = [log.read(self._connection, serial) for (serial,) in found]
        return tuple(entry for entry in entries if isinstance(entry, Intended))

    def pending_moves(self) -> MovesIntended | None:
        with self._reading():
            serial = self._tables.pending()
            entry = None if serial is None else log.read(self._connection, serial)
        assert entry is None or isinstance(entry, MovesIntended)
        return entry

    def obsolete(self) -> tuple[Obsolete, ...]:
        with self._reading():
            return self._tables.obsolete()

    def entries(self, after: int = 0) -> Iterator[tuple[int, str, Entry]]:
        return self._stream(lambda connection: log.entries(connection, after))

    def sensitive_key(self) -> bytes:
        return self._sensitive_key

    def project(self) -> ProjectIdentity | None:
        with self._reading():
            entry = log.newest_of(self._connection, "bound")
        return entry.project if isinstance(entry, Bound) else None

    def applied(self) -> Applied | None:
        with self._reading():
            entry = log.newest_of(self._connection, "applied")
        return entry if isinstance(entry, Applied) else None

    def ledger(self) -> Ledger:
        """Sums over all attempts and live checks."""
        with self._reading():
            attempts, opened, pictures, certain, possible = self._connection.execute(
                "SELECT count(*), count(*) - count(closed), coalesce(sum(pictures) FILTER (WHERE closed IS NULL), 0), "
                "coalesce(sum(billed_min), 0), coalesce(sum(billed_max), 0) FROM attempts"
            ).fetchone()
            least, most = self._connection.execute(
                "SELECT coalesce(sum(billed_min), 0), coalesce(sum(billed_max), 0) FROM probes"
            ).fetchone()
            others, lower, upper = self._tables.spent()
        return Ledger(attempts + others, opened, pictures, certain + least + lower, possible + most + upper)

    # Writing -----------------------------------------------------------------------------------------------------

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        with self.writing():
            newest = log.newest(self._connection)
            if newest != after_serial:
                raise Conflict(expected=after_serial, serial=newest)
            return self.append(entries)

    def restore(self, lineage: str, entries: Iterable[Entry]) -> int:
        """Fill a state without history from entries under another lineage, all or nothing; returns the new serial."""
        with self.writing():
            if log.newest(self._connection):
                raise StateError(
                    f"{self.path} has a history already", hint="move it away, or choose another state file"
                )
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'lineage'", (lineage.encode(),))
            serial = self.append(entries)
        self.lineage = lineage
        return serial

    def rebuild(self) -> int:
        """Make the derived tables anew from the log, all or nothing; returns the number of entries folded."""
        with self.writing():
            return self.refold()

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the file: damaged pages, a log with gaps or altered entries, tables unlike their log."""
        with schema.reading(self.path, "cannot verify"), closing(schema.connect(self._access)) as connection:
            connection.execute("BEGIN")  # one serial for all that follows
            damaged = [row[0] for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]
            if damaged:
                return tuple(damaged)
            faults = list(log.faults(connection))
            return tuple(faults or (log.fold_faults(connection) if self.is_whole else ()))

    def append(self, entries: Iterable[Entry]) -> int:
        """Write entries after the newest and fold them in; only within `writing`. Returns the new serial."""
        for serial, entry in log.write(self._connection, log.newest(self._connection), entries):
            fold(self._tables, self._read_intended, serial, entry)
        return log.newest(self._connection)

    def begin_with(self, entries: Iterable[Entry]) -> None:
        """Write entries before the log's beginning and fold them in; only within `writing`, before any other."""
        for serial, entry in log.write(self._connection, log.FIRST - 1, entries):
            fold(self._tables, self._read_intended, serial, entry)

    def refold(self) -> int:
        """Make the derived tables anew; only within `writing`. Returns the number of entries folded."""
        self.forget()
        schema.drop_derived(self._connection)
        schema.create_derived(self._connection)
        schema.note_layout(self._connection)
        return log.refold(self._connection, self._tables)

    def forget(self) -> None:
        """Drop what is kept in memory: rows were taken back, or made anew."""
        self._tables.forget()
        self._intended.clear()

    def _read_intended(self, serial: int) -> Intended:
        known = self._intended.get(serial)
        if known is None:
            entry = log.read(self._connection, serial)
            assert isinstance(entry, Intended)
            if len(self._intended) >= _MAX_OPEN:
                self._intended.clear()
            known = self._intended[serial] = entry
        return known

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with schema.reading(self.path, "cannot read"):
            yield
        if self._access.has_changed():
            raise StateError(f"{self.path} was written while it was read", hint="run the command again")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock; what is done within is durable at the end, or leaves no trace."""
        assert not self._pinned, "a pinned state is only read"
        try:
            with translated(self.path, "cannot write"), schema.transaction(self._connection):
                schema.raise_format(self._connection)
                yield self._connection
        except BaseException:
            self.forget()
            raise

    def _stream(self, read: Callable[[sqlite3.Connection], Iterator[T]]) -> Iterator[T]:
        if self._pinned:
            with self._reading():
                yield from read(self._connection)
            return
        with self._reading(), closing(schema.connect(self._access)) as connection:
            connection.execute("BEGIN")
            yield from read(connection)
