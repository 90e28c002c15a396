"""A folder tree that is walked by descriptor, name by name, and never through a symbolic link.

`FileOps` is the seam to the operating system: tests pass one that dies after n operations.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from pictify_sync.errors import ArtifactError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_MAX_OPEN_FOLDERS = 64


class FileOps:
    """Every operation that changes the file system, one method each."""

    def create(self, name: str, folder: int) -> int:
        """A new file for reading and writing; fails when the name exists."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o666, dir_fd=folder)

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        return os.write(file, chunk)

    def fsync(self, file: int) -> None:
        """Durable when it returns. macOS needs a word of its own for that."""
        if hasattr(fcntl, "F_FULLFSYNC"):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        else:
            os.fsync(file)

    def rename(self, old: str, old_folder: int, new: str, new_folder: int) -> None:
        os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)

    def link(self, old: str, old_folder: int, new: str, new_folder: int) -> None:
        os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)

    def unlink(self, name: str, folder: int) -> None:
        os.unlink(name, dir_fd=folder)

    def mkdir(self, name: str, folder: int, mode: int) -> None:
        os.mkdir(name, mode, dir_fd=folder)

    def rmdir(self, name: str, folder: int) -> None:
        os.rmdir(name, dir_fd=folder)


class Tree:
    """The root, opened and locked for one call: shared by publishers, exclusive for who removes or moves.

    Folders are opened once and kept open; `flush` makes what was renamed into them durable. The lock is advisory and
    between our own processes and threads; it ends with the process.
    """

    def __init__(self, root: Path, ops: FileOps, *, exclusive: bool, create: bool) -> None:
        self.ops = ops
        self._root = root
        self._folders: dict[tuple[str, ...], int] = {}
        self._touched: set[tuple[str, ...]] = set()
        self.top = _open_root(root, create=create)
        try:
            fcntl.flock(self.top, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        except OSError as error:
            os.close(self.top)
            raise ArtifactError(f"cannot lock the output folder {root}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._close_folders()
            os.close(self.top)

    def folder(self, names: tuple[str, ...], *, create: bool = False, mode: int = 0o777) -> int | None:
        """Descriptor of a folder below the root; None when it is not there (and is not to be made).

        It is good until the next call of `hash`, `touched` or `prune`, which may close it.
        Raises ArtifactError when a symbolic link or a file is in the way.
        """
        if not names:
            return self.top
        if names in self._folders:
            return self._folders[names]
        parent = self.folder(names[:-1], create=create)
        if parent is None:
            return None
        found = self._open_folder(names, parent)
        if found is None and create:
            with suppress(FileExistsError):
                self.ops.mkdir(names[-1], parent, mode)
            self._touched.add(names[:-1])
            found = self._open_folder(names, parent)
        if found is not None:
            self._folders[names] = found
        return found

    def existing(self, names: tuple[str, ...], *, create: bool = False) -> int:
        """As `folder`, for one that is known to be there or is to be made."""
        folder = self.folder(names, create=create)
        if folder is None:
            raise ArtifactError(f"{'/'.join(names)} below {self._root} was removed meanwhile", hint="run it again")
        return folder

    def touched(self, names: tuple[str, ...]) -> None:
        """Something was renamed, made or removed in that folder."""
        self._touched.add(names)
        self._trim()

    def flush(self) -> None:
        """Make the changed folders durable, the deepest first."""
        for names in sorted(self._touched, key=len, reverse=True):
            folder = self.folder(names)
            if folder is not None:
                self.ops.fsync(folder)
        self._touched.clear()

    def hash(self, names: tuple[str, ...], size: int | None = None) -> str | None:
        """The sha256 of a file; None when it is not there, "" when it is not a plain file or has another size."""
        self._trim()
        try:
            folder = self.folder(names[:-1])
        except ArtifactError:
            return ""
        return None if folder is None else hash_file(names[-1], folder, size)

    def is_spelled(self, names: tuple[str, ...]) -> bool:
        """Whether a file bears exactly that name: where letter case does not count, it may be another's by now."""
        for length in range(1, len(names) + 1):
            folder, name = self.folder(names[: length - 1]), names[length - 1]
            if folder is not None and _is_alias(name, folder) and name not in names_in(folder):
                return False
        return True

    def prune(self, names: tuple[str, ...]) -> None:
        """Remove that folder and those above it as long as they are empty; never the root."""
        while names:
            parent = self.folder(names[:-1])
            folder = self._folders.pop(names, None)
            if folder is not None:
                os.close(folder)
            if parent is None:
                return
            try:
                self.ops.rmdir(names[-1], parent)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EBUSY):
                    return
                raise
            self._touched.discard(names)
            names = names[:-1]
            self._touched.add(names)

    def _open_folder(self, names: tuple[str, ...], parent: int) -> int | None:
        try:
            return os.open(names[-1], _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
                where = "/".join(names)
                hint = "remove it: pictures are never written through symbolic links"
                raise ArtifactError(f"{where} below {self._root} is not a plain folder", hint=hint) from error
            raise

    def _trim(self) -> None:
        if len(self._folders) > _MAX_OPEN_FOLDERS:
            self.flush()
            self._close_folders()

    def _close_folders(self) -> None:
        for folder in self._folders.values():
            os.close(folder)
        self._folders.clear()


def _is_alias(name: str, folder: int) -> bool:
    """Whether the same file is found with the letter case turned."""
    other = name.swapcase()
    try:
        found = (os.stat(one, dir_fd=folder, follow_symlinks=False) for one in (name, other))
        return other != name and os.path.samestat(*found)
    except FileNotFoundError:
        return False


def hash_file(name: str, folder: int, size: int | None = None) -> str | None:
    """The sha256 of a file in a folder; None when there is none, "" when it is not a plain file of that size."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            return ""
        raise
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or size not in (None, found.st_size):
            return ""
        total = sha256()
        while chunk := os.read(file, _CHUNK):
            total.update(chunk)
        return total.hexdigest()
    finally:
        os.close(file)


def read_file(name: str, folder: int, limit: int) -> bytes:
    """The bytes of a file in a folder. Raises OSError, and ArtifactError when it is not a plain file or larger."""
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ArtifactError("it is not a plain file")
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise ArtifactError(f"it has more than {limit} bytes")
    return content


def names_in(folder: int) -> list[str]:
    """The names in a folder, sorted."""
    return sorted(os.listdir(folder))


def write_all(ops: FileOps, file: int, chunk: bytes) -> None:
    """Write every byte: one call may write less."""
    view = memoryview(chunk)
    while view:
        view = view[ops.write(file, view) :]


def copy_file(ops: FileOps, old: tuple[str, int], new: tuple[str, int]) -> None:
    """Copy (name, folder) to a new (name, folder), durable apart from the name."""
    source = os.open(old[0], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=old[1])
    try:
        copy = ops.create(*new)
        try:
            while chunk := os.read(source, _CHUNK):
                write_all(ops, copy, chunk)
            ops.fsync(copy)
        finally:
            os.close(copy)
    finally:
        os.close(source)


def _open_root(root: Path, *, create: bool) -> int:
    try:
        if create:
            root.mkdir(parents=True, exist_ok=True)
        return os.open(root, _FOLDER)
    except OSError as error:
        hint = (
            "give a real folder, not a link or a file"
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EEXIST)
            else explain(error)
        )
        raise ArtifactError(f"cannot open the output folder {root}: {error.strerror}", hint=hint) from error


def explain(error: OSError) -> str:
    """What to do about what the operating system says."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: make room and run the command again"
    return "check the permissions of the output folder" if error.errno in (errno.EACCES, errno.EPERM) else ""
