"""What this machine has held of a project's pictures: published here, or seen here. A cache, never part of the state.

A file that is not where the state says was lost only where it has been; elsewhere it was never brought. Whatever goes
wrong with this memory is no error: it may be deleted at any time, and what is seen again is remembered again.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

_PENDING = 500  # that are written down together
_SECONDS = 5.0  # to wait for another process
_TABLE = "CREATE TABLE IF NOT EXISTS held (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID"


class HeldFiles:
    """Paths of pictures and the bytes that they had when they were last published or seen here. Safe with threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}

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
                connection = sqlite3.connect(f"{self._file.resolve().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)
                try:
                    row = connection.execute("SELECT sha256 FROM held WHERE path = ?", (path,)).fetchone()
                finally:
                    connection.close()
                return row is not None and row[0] == sha256
        return False

    def flush(self) -> None:
        """Write down what is not yet."""
        with self._lock:
            self._flush()

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
                connection.execute(_TABLE)
                connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", held.items())
                connection.execute("COMMIT")
            finally:
                connection.close()
