"""The emulator's own SQLite file: what is durable before a request is answered.

One `Store` is one connection behind one lock; threads share it, processes open their own. Nothing here knows HTTP or
how anything is rendered.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from pictify_sync import databases
from pictify_sync.rendering.failure import of_the_machine

SCHEMA_VERSION = 2

# A source is what shapes pictures, by digest: a batch keeps the one it was accepted with when its template is edited.
# An item's `run` is the process that claimed it; `state` is one of the three numbers below.
SCHEMA = """
CREATE TABLE sources(digest TEXT PRIMARY KEY, html TEXT NOT NULL, shape TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE templates(uid TEXT PRIMARY KEY, source TEXT NOT NULL, fields TEXT NOT NULL, created REAL NOT NULL,
  updated REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE batches(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, template TEXT NOT NULL, source TEXT NOT NULL,
  request TEXT NOT NULL, total INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, started REAL, completed REAL);
CREATE TABLE items(batch INTEGER NOT NULL, position INTEGER NOT NULL, names TEXT NOT NULL,
  variables TEXT NOT NULL, run TEXT, state INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(batch, position)) WITHOUT ROWID;
CREATE INDEX waiting ON items(run, batch, position) WHERE state = 0;
CREATE TABLE pictures(batch INTEGER NOT NULL, position INTEGER NOT NULL, layout TEXT NOT NULL, file TEXT, size INTEGER,
  width INTEGER, height INTEGER, code TEXT, message TEXT, PRIMARY KEY(batch, position, layout)) WITHOUT ROWID;
CREATE TABLE meter(number INTEGER PRIMARY KEY, batch TEXT NOT NULL, position INTEGER NOT NULL, layout TEXT NOT NULL,
  template TEXT NOT NULL, variables TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE answers(key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
  at REAL NOT NULL) WITHOUT ROWID;
"""

# What came after version 1. `kind`: batch, render, image or gif. `base`: URL of the server as the creator named it.
# `ends`: before then, by the server's clock, the batch is shown as going on. `picture`: id of a render.
SECOND = """
ALTER TABLE templates ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN kind TEXT NOT NULL DEFAULT 'batch';
ALTER TABLE batches ADD COLUMN base TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN play TEXT NOT NULL DEFAULT '{}';
ALTER TABLE batches ADD COLUMN ends REAL NOT NULL DEFAULT 0;
ALTER TABLE meter ADD COLUMN picture TEXT NOT NULL DEFAULT '';
ALTER TABLE meter ADD COLUMN team TEXT NOT NULL DEFAULT '';
CREATE INDEX meter_picture ON meter(picture);
CREATE INDEX meter_team ON meter(team, template, number);
CREATE TABLE subscriptions(uid TEXT PRIMARY KEY, team TEXT NOT NULL, event TEXT NOT NULL, target TEXT NOT NULL,
  platform TEXT NOT NULL, status TEXT NOT NULL, secret TEXT NOT NULL, filters TEXT NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, last REAL, created REAL NOT NULL
  ) WITHOUT ROWID;
CREATE TABLE deliveries(number INTEGER PRIMARY KEY, id TEXT NOT NULL, subscription TEXT NOT NULL,
  batch INTEGER NOT NULL, body TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX deliveries_due ON deliveries(due, number)
"""

WAITING, FINISHED, SKIPPED = 0, 1, 2
CHECKPOINT_EVERY = 32  # commits: what they wrote goes from the write-ahead log into the file


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    _raise(connection, 0)
    connection.execute("COMMIT")


def _raise(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of a version to this one, within a transaction."""
    for statement in ";".join((SCHEMA, SECOND)[version:]).split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def missing(error: BaseException) -> str:
    """Return what the machine or the database lacks, "" when an error is another one."""
    if isinstance(error, sqlite3.OperationalError):
        return f"the server's own database cannot be used: {error}"
    return of_the_machine(error)


class Store:
    """One connection to `emulator.db`; opening creates it. `close` may be called twice."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._commits = 0  # of this connection
        try:
            if not databases.exists(path):
                databases.make(path, _fill)
        except databases.UnusableFileError as error:
            raise sqlite3.DatabaseError(f"{path} is not a database: {error}") from error
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # Two processes that bring the same old file to this version would lock each other out, whatever the timeout.
        try:
            with FileLock(path.with_suffix(".lock"), timeout=60):
                self._prepare(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")  # values that were dropped leave no trace in the file
        # A checkpoint of its own would report a full disk as the failure of a commit that is durable by then.
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        with self.write() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"{path} has format {version}, this version reads {SCHEMA_VERSION}")
            if version < 1:
                raise sqlite3.DatabaseError(f"{path} is a database, but not one of the embedded server")
            if version < SCHEMA_VERSION:
                _raise(connection, version)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open one transaction: durable when the block ends, undone when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # on a full disk SQLite has undone it already
                    self._connection.execute("ROLLBACK")
                raise
            self._commits += 1
            if self._commits % CHECKPOINT_EVERY == 0:
                with suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """See one committed state."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
