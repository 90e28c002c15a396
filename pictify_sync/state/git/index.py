"""The local index of a state on a Git ref: a state file of its own, filled from the ref, and what is not there yet.

It is never the truth, but for the entries in its outbox: those made here and not pushed yet. A damaged index, one of
another lineage, or one made by another version is made anew. This module must not know how commits travel.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pictify_sync.core.entries import Entry
from pictify_sync.databases import Access, access
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state import codec
from pictify_sync.state.git.checkpoint import load
from pictify_sync.state.git.rebase import fits
from pictify_sync.state.git.tree import FORMAT_VERSION, Tree, TreeReader, Written
from pictify_sync.state.sqlite import log, schema
from pictify_sync.state.sqlite.store import SqliteStateStore

FORMAT = 1  # of what is ours in the index
_OUTBOX = "CREATE TABLE outbox (serial INTEGER PRIMARY KEY) STRICT"


@dataclass(frozen=True, slots=True)
class Known:
    """The ref as the index last saw it."""

    tip: str = ""  # commit; "": there is no such ref
    serial: int = 0  # of the newest entry there
    run: str = ""  # content of the file of the log that ends with it; "" when there is none
    checkpoint: int = 0  # serial
    key_check: str = ""
    format_version: int = FORMAT_VERSION


class GitIndex:
    """An open index. `store` reads it; what is written goes through here."""

    def __init__(self, store: SqliteStateStore, connection: sqlite3.Connection) -> None:
        self.store = store
        self.store.is_whole = False  # the rest is the checkpoint's
        self.connection = connection

    def known(self) -> Known | None:
        """What it reflects; None when it has to be made anew."""
        with schema.reading(self.store.path, "cannot read"):
            row = self.connection.execute("SELECT value FROM meta WHERE name = 'git'").fetchone()
        value = {} if row is None else json.loads(row[0])
        if (value.pop("format", 0), value.pop("layout", "")) != (FORMAT, schema.layout()):
            return None
        return Known(**{"format_version": 1, **value})

    def outbox(self) -> list[Written]:
        """Entries that are not at the remote yet, as far as the index was told, in order."""
        with schema.reading(self.store.path, "cannot read"):
            rows = self.connection.execute("SELECT body FROM outbox JOIN log USING (serial) ORDER BY serial").fetchall()
        return [Written(body, codec.decode_entry(body)) for (body,) in rows]

    @contextmanager
    def appending(self, after_serial: int, entries: Sequence[Entry], *, queued: bool) -> Iterator[list[Written]]:
        """Fold entries in and give them as written; they are durable at the end of the block, or leave no trace.

        `queued`: they go into the outbox. Raises Conflict when the newest serial is another.
        """
        with self.store.writing() as connection:
            newest = log.newest(connection)
            if newest != after_serial:
                raise Conflict(expected=after_serial, serial=newest)
            self.store.append(entries)
            rows = connection.execute("SELECT body FROM log WHERE serial > ? ORDER BY serial", (newest,))
            written = [Written(body, entry) for (body,), entry in zip(rows, entries, strict=True)]
            if queued:
                connection.executemany(
                    "INSERT INTO outbox VALUES (?)", ((newest + place,) for place in range(1, len(written) + 1))
                )
            yield written

    def learn(self, known: Known, sent: int, theirs: Sequence[Written] = ()) -> None:
        """Note what was pushed (the first `sent` of the outbox) and fold in what others did."""
        with self.store.writing():
            self.store.append(one.entry for one in theirs)
            self.note(known, sent)

    def note(self, known: Known, sent: int) -> None:
        """Write down what the index reflects; only within a transaction."""
        self.connection.execute(
            "DELETE FROM outbox WHERE serial IN (SELECT serial FROM outbox ORDER BY serial LIMIT ?)", (sent,)
        )
        value = json.dumps({**asdict(known), "format": FORMAT, "layout": schema.layout()})
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('git', ?)", (value.encode(),))

    def forget(self) -> None:
        """Reflect nothing: the index has to be made anew before it is read."""
        with self.store.writing() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'git'")

    def reflect(self, tree: Tree | None, reader: TreeReader, left: Sequence[Written]) -> list[Written]:
        """Make everything anew from a commit (None: there is none), all or nothing and return what it kept of `left`.

        What is left over of our own goes on top, but for entries that can no longer follow: another run was first.
        """
        with self.store.writing() as connection:
            self._empty(connection)
            if tree is not None:
                connection.execute("UPDATE meta SET value = ? WHERE name = 'lineage'", (tree.meta.lineage.encode(),))
                self._fill(connection, tree, reader)
            kept = []
            for one in left:
                if fits(connection, one.entry):
                    serial = self.store.append([one.entry])
                    connection.execute("INSERT INTO outbox VALUES (?)", (serial,))
                    kept.append(one)
            self.note(known_of(tree), 0)
        self.store.lineage = "" if tree is None else tree.meta.lineage
        return kept

    def refill(self, lineage: str, entries: Iterable[Entry]) -> int:
        """Hold these entries alone, under a lineage; it reflects no commit until it is told one. Returns the serial."""
        with self.store.writing() as connection:
            self._empty(connection)
            connection.execute("UPDATE meta SET value = ? WHERE name = 'lineage'", (lineage.encode(),))
            serial = self.store.append(entries)
        self.store.lineage = lineage
        return serial

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    def _empty(self, connection: sqlite3.Connection) -> None:
        self.store.forget()
        schema.drop_derived(connection)
        schema.create_derived(connection)
        for table in ("log", "outbox"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
        connection.execute("DELETE FROM meta WHERE name IN ('base', 'git')")

    def _fill(self, connection: sqlite3.Connection, tree: Tree, reader: TreeReader) -> None:
        load(self.store, connection, tree, reader)
        log.cut(connection, tree.meta.base)
        before = [run for run in tree.runs if run.last <= tree.meta.checkpoint]
        for _ in log.write(connection, tree.meta.base, (one.entry for one in reader.entries(before))):
            pass  # history: the checkpoint holds their effect
        for run in tree.runs[len(before) :]:
            entries = list(reader.entries([run]))
            try:
                self.store.append(one.entry for one in entries)
            except StateError as error:
                hint = f"it does not fit the entries before it: inspect {reader.place}"
                raise StateError(f"{reader.file(run.path)}: {error.message}", hint=hint) from None


def known_of(tree: Tree | None) -> Known:
    """What an index knows that reflects a commit."""
    if tree is None:
        return Known()
    run = tree.runs[-1].oid if tree.runs else ""
    meta = tree.meta
    return Known(tree.tip, tree.serial, run, meta.checkpoint, meta.key_check, meta.format_version)


def check_key(given: str, known: Known) -> None:
    """Refuse a sensitive key other than the state's: all sensitive values would seem to have changed."""
    if given and known.key_check and given != known.key_check:
        raise StateError(
            "PICTIFY_STATE_KEY is not the key that this state was made with",
            hint="use that one; or give it up, and render what is sensitive again: pictify-sync state compact",
        )


def open_index(path: Path, sensitive_key: bytes, *, create: bool) -> GitIndex | None:
    """Open the index; None when there is none and it is not to be made.

    With `create` a damaged file is thrown away. Raises StateError for one without it, and for what may be whole.
    """
    if create:
        try:
            return _made(path, sensitive_key)
        except schema.DamagedStateError:
            _throw_away(path)
            return _made(path, sensitive_key)
    try:
        return _opened(path, sensitive_key, access(path)) if schema.is_there(path) else None
    except schema.DamagedStateError as error:
        raise StateError(
            error.message, hint="this file is a cache: recreate it with pictify-sync state fetch"
        ) from error


def _throw_away(path: Path) -> None:
    try:
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"{path} is damaged and cannot be removed: {error.strerror}", hint="remove it") from error


def _made(path: Path, sensitive_key: bytes) -> GitIndex:
    if not schema.is_there(path):
        schema.make(path, _OUTBOX)
    index = _opened(path, sensitive_key, Access(path))
    try:
        with schema.reading(path, "cannot open"):
            if any(row[0] != "ok" for row in index.connection.execute("PRAGMA quick_check(1)")):
                raise schema.DamagedStateError(f"{path} is damaged")
    except BaseException:
        index.close()
        raise
    return index


def _opened(path: Path, sensitive_key: bytes, how: Access) -> GitIndex:
    with schema.reading(path, "cannot open"):
        connection = schema.connect(how)
        try:
            schema.check(connection, path)
            return GitIndex(SqliteStateStore(path, connection, sensitive_key, how), connection)
        except BaseException:
            connection.close()
            raise
