"""SQLite files: looked at from outside, made whole before anybody sees them, and read where nothing can be written.

On POSIX, closing any descriptor of a file drops every lock that the process has on it, also those of SQLite; another
process then deletes the write-ahead log under a running one. So nothing may open the file of a database, or its log,
but SQLite. This module asks only for what the file system says of them, and makes new files under names of their own.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from secrets import token_hex

_ENDINGS = ("", "-wal", "-shm", "-journal")
_LEFT_BEHIND = 3600.0  # seconds after which a draft belongs to a process that was killed
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_AFTER_CHECKPOINT = "?mode=ro&immutable=1"
_BESIDE_LOG = "?mode=ro&vfs=unix-none"


class UnusableFileError(Exception):
    """What stands in the place of a database cannot be one. The message says what it is."""


def exists(path: Path) -> bool:
    """Whether a database may be there; False where nothing is.

    Raises UnusableFileError for what is no database for certain, and for a log without its file: neither is nothing.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return _is_left_alone(path)
    except OSError as error:
        raise UnusableFileError((error.strerror or str(error)).lower()) from error
    if stat.S_ISDIR(found.st_mode):
        raise UnusableFileError("it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise UnusableFileError("it is not a regular file")
    if found.st_size == 0:  # SQLite would take it for a new one, and delete the log beside it
        raise UnusableFileError("it is empty (0 bytes)")
    return True


def _is_left_alone(path: Path) -> bool:
    if path.is_symlink():
        raise UnusableFileError(f"it is a link to {path.readlink()}, which does not exist")
    if _size(log_of(path)) and not os.path.lexists(path):  # it may have been made just now
        raise UnusableFileError(f"it is missing, but its write-ahead log {log_of(path).name} is there")
    return path.exists()


def log_of(path: Path) -> Path:
    """The write-ahead log beside a database's file."""
    place = path.resolve()
    return place.with_name(place.name + "-wal")


def make(
    path: Path, fill: Callable[[sqlite3.Connection], object], link: Callable[[Path, Path], object] = os.link
) -> None:
    """Make a database, whole or not at all; if another process was faster, its own stays.

    Raises OSError and sqlite3.Error. It is filled under another name and then linked into place: a kill leaves nothing,
    or a file that nobody looks at.
    """
    _sweep(path)
    draft = path.with_name(f".{path.name}.{token_hex(8)}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # SQLite has not opened it yet
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            fill(connection)
        _put(draft, path, link)
    finally:
        for ending in _ENDINGS:
            with suppress(OSError):
                draft.with_name(draft.name + ending).unlink()
    sync_folder(path.parent)


def _put(draft: Path, path: Path, link: Callable[[Path, Path], object]) -> None:
    """Give the draft its name unless that is taken."""
    try:
        link(draft, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        from filelock import FileLock  # noqa: PLC0415 - for drives that know no links

        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
            if not os.path.lexists(path):
                draft.rename(path)


def _sweep(path: Path) -> None:
    """Remove what processes left that were killed while they made the database."""
    for left in path.parent.glob(f".{escape(path.name)}.*.new*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                left.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass(frozen=True, slots=True)
class Access:
    """How a database is opened where it lies.

    Where no log and no index of it can be made (a read-only file system, a folder of somebody else), SQLite opens no
    database that keeps a log. It is then read without locks, but only as long as nothing about its files changes:
    whatever is read is what was committed last when they were looked at, and never older or torn.
    """

    path: Path
    _words: str = "?mode=rw"
    _seen: tuple[object, ...] = ()

    def connect(self, seconds: float) -> sqlite3.Connection:
        """Open it, in autocommit mode. Raises sqlite3.Error."""
        uri = f"{self.path.resolve().as_uri()}{self._words}"
        connection = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None)
        if self._words == _BESIDE_LOG:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # the index of the log is kept in memory
        return connection

    def has_changed(self) -> bool:
        """Whether what was read without locks may be torn: somebody else can write there, and did."""
        return bool(self._seen) and self._seen != _look(self.path)


def access(path: Path) -> Access:
    """How to open an existing database for reading: as everybody does wherever that is possible."""
    log = log_of(path)
    index = log.with_name(log.name.removesuffix("-wal") + "-shm")
    if os.access(log.parent, os.W_OK) or (log.exists() and index.exists()):
        return Access(path)
    seen = _look(path)
    return Access(path, _BESIDE_LOG if _size(log) else _AFTER_CHECKPOINT, seen)


def _look(path: Path) -> tuple[object, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _size(log_of(path))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
