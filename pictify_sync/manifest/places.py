"""Where files may lie, and how problems are gathered: many of a kind are told as a few and a count.

This module must not know what the files mean.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pictify_sync.errors import InputError, Problem, Severity
from pictify_sync.manifest.forms import normal_file, normal_text
from pictify_sync.manifest.outputs import kept_part

_BESIDE = ("-wal", "-shm", "-journal")  # SQLite's files are named after the database
MAX_OF_A_KIND = 100  # problems of one kind and file that are listed
MAX_YAML = 64 << 20  # bytes of one YAML or JSON file
MAX_ROWS = 4 << 30  # bytes of one streamed rows file
MAX_PICTURE = 20 << 20  # bytes of one local file that is inlined


class Unusable(Exception):
    """A file that may not or cannot be read; the text says why. `outside`: because it is not the project's."""

    def __init__(self, message: str, *, outside: bool = False) -> None:
        super().__init__(message)
        self.outside = outside


@dataclass(slots=True)
class Problems:
    """Gathers problems. `errors` counts those that stop the command."""

    errors: int = 0
    _listed: list[Problem] = field(default_factory=list)
    _kinds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, problem: Problem, kind: str = "") -> None:
        """Take a problem; of more than 100 of one kind in one file only the count is kept."""
        self.errors += problem.severity is Severity.ERROR
        seen = (problem.file, kind or problem.message)
        self._kinds[seen] += 1
        if self._kinds[seen] <= MAX_OF_A_KIND:
            self._listed.append(problem)

    def extend(self, error: InputError) -> None:
        """Take all problems of an error."""
        for problem in error.problems:
            self.add(problem)

    def listed(self) -> tuple[Problem, ...]:
        """Return them sorted by place, with "and N more" where some were left out."""
        more = [
            Problem(file, 0, 0, f"and {count - MAX_OF_A_KIND:,} more: {kind}", severity=self._severity(file, kind))
            for (file, kind), count in self._kinds.items()
            if count > MAX_OF_A_KIND
        ]
        return tuple(sorted({*self._listed, *more}))

    def _severity(self, file: str, kind: str) -> Severity:
        severities = {p.severity for p in self._listed if p.file == file and kind in (p.message, kind)}
        return Severity.WARNING if severities == {Severity.WARNING} else Severity.ERROR


def shown(path: Path, cwd: Path) -> str:
    """Return a path as problems show it: relative to the working directory where possible."""
    try:
        return path.relative_to(cwd).as_posix()
    except ValueError:
        return path.as_posix()


def beside(folder: Path, name: str, project: Path, kept: Sequence[Path] = ()) -> Path:
    """Resolve a file named in a manifest of a folder. Raises Unusable where it may not be read.

    `kept`: files and folders of pictify-sync's own that lie elsewhere than in `.pictify-sync`.
    """
    if "\0" in name:
        raise Unusable("holds a NUL character")
    path = in_other_form(folder / name)
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        raise Unusable("cannot be read: too many levels of symbolic links") from None
    admit(path, real, project, kept)
    return real


def admit(path: Path, real: Path, project: Path, kept: Sequence[Path]) -> None:
    """Check where a path lies, and what it leads to. Raises Unusable."""
    if not real.is_relative_to(project):
        raise Unusable("lies outside the project folder", outside=True)
    plain = Path(os.path.normpath(path))
    named = plain.relative_to(project).parts if plain.is_relative_to(project) else ()
    if part := next(filter(kept_part, (*real.relative_to(project).parts, *named)), ""):
        raise Unusable(f"lies in {part[:40]!r}, where Git or pictify-sync keep their own files")
    if any(real.is_relative_to(one) or str(real) in (f"{one}{ending}" for ending in _BESIDE) for one in kept):
        raise Unusable("is a file of pictify-sync's own")
    above = real
    while above != project:
        above = above.parent
        if above != project and _holds_repository(above):
            raise Unusable(f"lies in {above.name[:40]!r}, where Git keeps its own files")


def _holds_repository(folder: Path) -> bool:
    """Whether Git keeps its files in a folder, whatever its name: a bare repository, or that of a `.git` file."""
    return all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs"))


def in_other_form(path: Path) -> Path:
    """Return the path of a file whose name is written in another Unicode form; the path itself where there is none."""
    if str(path).isascii() or os.path.lexists(path):
        return path
    above, wanted = in_other_form(path.parent), normal_text(path.name)
    try:
        return next((one for one in sorted(above.iterdir()) if normal_text(one.name) == wanted), above / path.name)
    except OSError:
        return above / path.name  # told when it is read


def require(path: Path, limit: int) -> Path:
    """Check that a path is a plain file of at most so many bytes. Raises FileNotFoundError or Unusable."""
    try:
        found = path.stat()
    except (NotADirectoryError, FileNotFoundError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise Unusable(f"cannot be read: {why(error)}") from None
    if not stat.S_ISREG(found.st_mode):
        raise Unusable("is a folder" if stat.S_ISDIR(found.st_mode) else "is not a plain file")
    if found.st_size > limit:
        raise Unusable(f"is larger than {_size(limit)}")
    return path


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file. Raises FileNotFoundError or Unusable."""
    try:
        return require(path, limit).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(f"cannot be read: {why(error)}") from None


def why(error: OSError) -> str:
    """Return what the operating system said, in lower case."""
    return (error.strerror or str(error)).lower()


def read_picture(path: Path) -> bytes:
    """Read a local picture; one that is text comes in its normal form. Raises FileNotFoundError or Unusable."""
    return normal_file(path.name, read_bytes(path, MAX_PICTURE))


def sha256(path: Path) -> str:
    """Return the sha256 of a local picture, hex. Raises FileNotFoundError or Unusable."""
    return hashlib.sha256(read_picture(path)).hexdigest()


def _size(limit: int) -> str:
    """Write a number of bytes in the unit that people know it in."""
    for unit, size in (("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("KB", 1_000)):
        if limit >= size and limit % size == 0:
            return f"{limit // size:,} {unit}"
    return f"{limit:,} bytes"
