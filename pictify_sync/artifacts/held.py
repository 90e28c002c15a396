"""What this machine has held of a project's pictures: published here, or seen here. A cache, never part of the state.

A file that is not where the state says was lost only where it has been; elsewhere it was never brought. Whatever goes
wrong with this memory is no error: it may be deleted at any time, and what is seen again is remembered again. A copy of
it, as in a copied folder or a cache of a runner, remembers nothing: the pictures may not have come along.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

_PENDING = 500  # that are written down together
_SECONDS = 5.0  # to wait for another process
_TABLES = (
    "CREATE TABLE IF NOT EXISTS held (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS place (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
)
_FIND = "SELECT sha256 FROM held WHERE path = ? AND EXISTS (SELECT 1 FROM place WHERE id = ?)"


class HeldFiles:
    """Paths of pictures and the bytes that they had when they were last published or seen here. Safe with threads."""

    def __init__(self, file: Path, place: Callable[[], str] = lambda: "") -> None:
        """`place` gives an id that no copy of the file's folder has; it is asked for when it is first needed."""
        self._file = file
        self.place = cache(place)
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        self._reader: sqlite3.Connection | None = None

    def begin(self) -> None:
        """Remember from now on; nothing was here before."""
        with self._lock:
            self._write({})

    def remember(self, path: str, sha256: str) -> None:
        """Note that a picture is here."""
        with self._lock:
            self._pending[path] = sha256
            if len(self._pending) >= _PENDING:
                self._flush()

    def holds(self, path: str, sha256: str) -> bool:
        """Whether the last picture that was at this path here is that one."""
        with self._lock:
            if path in self._pending:
                return self._pending[path] == sha256
            with suppress(sqlite3.Error, OSError):
                if self._reader is None and not self._file.exists():
                    return False
                self._reader = self._reader or self._open_reader()
                row = self._reader.execute(_FIND, (path, self.place())).fetchone()
                return row is not None and row[0] == sha256
        return False

    def flush(self) -> None:
        """Write down what is not yet."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Write down what is not yet, and let go of the file."""
        with self._lock:
            self._flush()
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _open_reader(self) -> sqlite3.Connection:
        """Open the file to read it; the lock keeps threads apart."""
        where = f"{self._file.resolve().as_uri()}?mode=ro"
        return sqlite3.connect(where, uri=True, timeout=_SECONDS, isolation_level=None, check_same_thread=False)

    def _flush(self) -> None:
        if self._pending:
            self._write(self._pending)
            self._pending = {}

    def _write(self, held: dict[str, str]) -> None:
        with suppress(sqlite3.Error, OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(self._file, timeout=_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous=OFF")
                connection.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    connection.execute(table)
                self._own(connection)
                connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", held.items())
                connection.execute("COMMIT")
            finally:
                connection.close()

    def _own(self, connection: sqlite3.Connection) -> None:
        """Forget what the file says of another place, from which it was copied."""
        if connection.execute("SELECT id FROM place").fetchall() != [(self.place(),)]:
            connection.execute("DELETE FROM held")
            connection.execute("DELETE FROM place")
            connection.execute("INSERT INTO place VALUES (?)", (self.place(),))
