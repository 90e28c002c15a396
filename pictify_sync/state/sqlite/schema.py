"""The layout of the state file: its tables, how it is opened, and how it is told from a foreign file.

`log` and `meta` are the truth; every other table is a fold of the log and can be rebuilt from it.
This module must not know what the rows mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes, token_hex

from pictify_sync import databases
from pictify_sync.errors import StateError

APPLICATION_ID = 0x50535943  # "PSYC", in the file's header
FORMAT = 3  # in the file's header; a reader refuses a larger one, and reads all smaller ones
_LAYOUT_OF_FORMAT_1 = "d2091a281182d623"  # its files do not say which derived tables they hold
BUSY_SECONDS = 30.0  # how long a writer waits for another; a commit takes milliseconds

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, OverflowError)
DAMAGED = "the file is damaged or is not a state: restore it from a snapshot (`state import`) or a copy"
_RESTORE = (
    "restore it from a copy; or move it away, then read a snapshot: pictify-sync state import FILE; "
    "or, if nothing was ever applied here, remove it"
)

_TRUTH = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE log (serial INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  chain BLOB NOT NULL) STRICT;
"""

MARKS = "kind IN ('bound', 'applied')"  # entries of which the newest counts
_INDEX = f"CREATE INDEX IF NOT EXISTS log_marks ON log (kind, serial) WHERE {MARKS}"  # states made before have none

_DERIVED = """
CREATE TABLE specs (id INTEGER PRIMARY KEY, digest TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (digest, body)) STRICT;
CREATE TABLE records (key TEXT PRIMARY KEY, status TEXT NOT NULL, spec INTEGER, variables TEXT, path TEXT, sha256 TEXT,
  size INTEGER, output TEXT, url TEXT, failure TEXT, attempt TEXT, rendered_at TEXT, attempts INTEGER NOT NULL,
  tainted INTEGER NOT NULL, drift TEXT, protect INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX records_path ON records (path) WHERE path IS NOT NULL;
CREATE INDEX records_fingerprint ON records (variables, spec) WHERE path IS NOT NULL;
CREATE TABLE tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER record_added AFTER INSERT ON records BEGIN
  UPDATE tally SET value = value + 1 WHERE name = 'records'; END;
CREATE TRIGGER record_removed AFTER DELETE ON records BEGIN
  UPDATE tally SET value = value - 1 WHERE name = 'records'; END;
CREATE TABLE variables (digest TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE templates (provider TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (provider, name)) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (attempt TEXT PRIMARY KEY, serial INTEGER NOT NULL, batch_id TEXT, submitted_at TEXT, doubt TEXT,
  pictures INTEGER NOT NULL, billed_min INTEGER, billed_max INTEGER, closed INTEGER, status TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_open ON attempts (serial) WHERE closed IS NULL;
CREATE TABLE probes (run TEXT PRIMARY KEY, serial INTEGER NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL,
  billed_min INTEGER NOT NULL, billed_max INTEGER NOT NULL, body TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE pending (serial INTEGER PRIMARY KEY) STRICT;
CREATE TABLE obsolete (path TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (path, sha256)) STRICT, WITHOUT ROWID;
"""

DERIVED_TABLES = {  # and the order in which two files are compared
    "specs": "id",
    "records": "key",
    "tally": "name",
    "variables": "digest",
    "templates": "provider, name",
    "attempts": "attempt",
    "probes": "run",
    "pending": "serial",
    "obsolete": "path, sha256",
}
_HANGING = ("CREATE INDEX records_", "CREATE TRIGGER record_")
_FRESH = "INSERT INTO tally VALUES ('records', 0)"


class DamagedStateError(StateError):
    """What is in the file is no state, or no longer: nothing of it can be relied on."""


@contextmanager
def translated(path: Path | str, doing: str) -> Iterator[None]:
    """Turn what SQLite raises into a StateError that names the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "decode" in str(error):  # the message would quote all of what it could not read
            raise DamagedStateError(f"{doing} {path}: it holds bytes that are not text", hint=DAMAGED) from error
        hint = "the disk may be full or read-only, or another run holds the state; network drives are not supported"
        raise StateError(f"{doing} {path}: {error}", hint=hint) from error
    except sqlite3.DatabaseError as error:
        raise DamagedStateError(f"{doing} {path}: {error}", hint=DAMAGED) from error


@contextmanager
def reading(path: Path | str, doing: str) -> Iterator[None]:
    """The same where only our own code runs, and for whatever bytes make of it that were changed by nobody of us."""
    try:
        with translated(path, doing):
            yield
    except StateError as error:
        if str(path) in error.message:
            raise
        raise DamagedStateError(f"{doing} {path}: {error.message}", hint=DAMAGED) from error
    except UnicodeEncodeError:
        raise  # what is looked for is no text: the fault of the caller's word, not of the file
    except _UNREADABLE as error:
        raise DamagedStateError(
            f"{doing} {path}: it holds an invalid value ({type(error).__name__})", hint=DAMAGED
        ) from error


def is_there(path: Path) -> bool:
    """Whether there is a state file; False where nothing is. Raises StateError for what cannot be one."""
    try:
        return databases.exists(path)
    except databases.UnusableFileError as error:
        raise DamagedStateError(f"{path} is not readable as a state: {error}", hint=_RESTORE) from error


def connect(access: databases.Access) -> sqlite3.Connection:
    """Open an existing state file, in autocommit mode, for durable commits. Tells nothing about its contents."""
    connection = access.connect(BUSY_SECONDS)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA fullfsync=ON")  # macOS: ask the drive as well
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection, path: Path | str) -> None:
    """Raise StateError for a foreign file, one that was never filled, or a newer format."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise DamagedStateError(
            f"{path} is a database, but not a state of pictify-sync",
            hint=f"point `state` at another file; or {_RESTORE}",
        )
    if version > FORMAT:
        raise StateError(
            f"{path} has state format {version}, this version reads up to {FORMAT}", hint="upgrade pictify-sync"
        )


def make(path: Path, more: str = "") -> None:
    """Make a state file with a lineage and a sensitive key, and its folder, unless another process is faster.

    `more`: a statement for a table of somebody else's. Raises StateError.
    """

    def fill(connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise StateError("the drive of the state cannot hold a write-ahead log", hint="use a local drive")
        with transaction(connection):
            for statement in (*_statements(_TRUTH), _INDEX, *_statements(_DERIVED), _FRESH, more):
                connection.execute(statement)
            values = (token_hex(16).encode(), token_bytes(32), layout().encode())
            meta = zip(("lineage", "sensitive_key", "layout"), values, strict=True)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={FORMAT}")

    prepare_folder(path)
    try:
        with translated(path, "cannot make"):
            databases.make(path, fill)
    except OSError as error:
        raise _unmade(path, error) from error


def create_derived(connection: sqlite3.Connection) -> None:
    """Make the derived tables alone, empty."""
    for statement in (*_statements(_DERIVED), _FRESH):
        connection.execute(statement)


@contextmanager
def filling(connection: sqlite3.Connection) -> Iterator[None]:
    """Within it records are only inserted, many of them: what hangs on each is made at the end."""
    later = [one for one in _statements(_DERIVED) if one.startswith(_HANGING)]
    for statement in later:
        kind, name = statement.split()[1:3]
        connection.execute(f"DROP {kind} {name}")
    yield
    for statement in later:
        connection.execute(statement)
    connection.execute("UPDATE tally SET value = (SELECT count(*) FROM records) WHERE name = 'records'")


def layout() -> str:
    """A digest of the derived tables' definition."""
    return blake2b(_DERIVED.encode(), digest_size=8).hexdigest()


def has_current_layout(connection: sqlite3.Connection) -> bool:
    """Whether the derived tables are those of this version; others have to be rebuilt from the log."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'layout'").fetchone()
    return layout().encode() == (_LAYOUT_OF_FORMAT_1.encode() if row is None else row[0])


def note_layout(connection: sqlite3.Connection) -> None:
    """Write down that the derived tables are those of this version; only within a transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('layout', ?)", (layout().encode(),))


def raise_format(connection: sqlite3.Connection) -> None:
    """Refuse the file to older versions from now on: they would drop what they do not know. Only in a transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < FORMAT:
        connection.execute(_INDEX)
        connection.execute(f"PRAGMA user_version={FORMAT}")


def drop_derived(connection: sqlite3.Connection) -> None:
    """Drop the derived tables and what hangs on them."""
    for table in DERIVED_TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock; commit durably at the end, or leave no trace."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def prepare_folder(path: Path) -> None:
    """Make the state's folder (0700, with a `.gitignore` of everything), durably."""
    folder = path.parent
    try:
        made = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if made or (folder.name == ".pictify-sync" and not ignore.exists()):
            ignore.write_text("*\n")
        if made:
            databases.sync_folder(folder.parent)
    except OSError as error:
        raise _unmade(path, error) from error


def _unmade(path: Path, error: OSError) -> StateError:
    return StateError(f"cannot make the state {path}: {error.strerror}", hint="check `state` and its folder")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
