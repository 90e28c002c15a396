"""File systems that die, have no hard links, or are full, and what is published in a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.paths import STAGING
from pictify_sync.artifacts.tree import FileOps
from tests.artifacts.samples import expected, picture


def tree(root: Path, *, may_be_empty: bool = False) -> dict[str, bytes]:
    """Every file below root; no link, no empty folder unless allowed, nothing staged."""
    found = {}
    for folder, folders, names in os.walk(root):
        assert may_be_empty or Path(folder) == root or folders or names, f"{folder} is empty"
        for name in names:
            path = Path(folder, name)
            assert not path.is_symlink()
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    assert not any(name.startswith(STAGING) for name in found)
    return found


class Killed(BaseException):
    """The process is gone."""


class Dying(FileOps):
    """Works for `life` operations, then does nothing ever again: as a killed process."""

    def __init__(self, life: int) -> None:
        self.life = life

    def _live(self) -> None:
        self.life -= 1
        if self.life < 0:
            raise Killed

    def create(self, name: str, folder: int) -> int:
        self._live()
        return super().create(name, folder)

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        self._live()
        return super().write(file, chunk[: max(1, len(chunk) // 2)])  # and one call never writes all

    def fsync(self, file: int) -> None:
        self._live()

    def rename(self, old: str, old_folder: int, new: str, new_folder: int) -> None:
        self._live()
        super().rename(old, old_folder, new, new_folder)

    def link(self, old: str, old_folder: int, new: str, new_folder: int) -> None:
        self._live()
        super().link(old, old_folder, new, new_folder)

    def unlink(self, name: str, folder: int) -> None:
        self._live()
        super().unlink(name, folder)

    def mkdir(self, name: str, folder: int, mode: int) -> None:
        self._live()
        super().mkdir(name, folder, mode)

    def rmdir(self, name: str, folder: int) -> None:
        self._live()
        super().rmdir(name, folder)


class NoLinks(FileOps):
    """A drive without hard links."""

    def link(self, old: str, old_folder: int, new: str, new_folder: int) -> None:
        raise OSError(errno.EPERM, "no links here")


class FullDisk(FileOps):
    """A drive that takes so many bytes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(file, chunk[: self.room])
        self.room -= written
        return written


def publish(store: FileArtifacts, content: bytes, *paths: str) -> None:
    """Stage and publish."""
    store.publish(store.stage([content], expected()), paths)


def lives(attempt: Callable[[FileOps], object]) -> int:
    """Call with ever longer lives until it survives; gives the number of operations."""
    for life in range(10_000):
        try:
            attempt(Dying(life))
        except Killed:
            continue
        return life
    raise AssertionError("never survives")


A, B, C = (picture(seed=seed) for seed in (1, 2, 3))
