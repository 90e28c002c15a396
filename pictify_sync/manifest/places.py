"""Where files may lie, and how problems are gathered: many of a kind are told as a few and a count.

This module must not know what the files mean.
"""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pictify_sync.errors import InputError, Problem, Severity

MAX_OF_A_KIND = 100  # problems of one kind and file that are listed
MAX_YAML = 64 << 20  # bytes of one YAML or JSON file
MAX_ROWS = 4 << 30  # bytes of one streamed rows file
MAX_PICTURE = 20 << 20  # bytes of one local file that is inlined


class Unusable(Exception):
    """A file that may not or cannot be read; the text says why."""


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
        """Give them sorted by place, with "and N more" where some were left out."""
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
    """Give a path as problems show it: relative to the working directory where possible."""
    try:
        return path.relative_to(cwd).as_posix()
    except ValueError:
        return path.as_posix()


def beside(folder: Path, name: str, project: Path) -> Path:
    """Resolve a file named in a manifest of a folder. Raises Unusable when it leaves the project folder."""
    if "\0" in name:
        raise Unusable("holds a NUL character")
    path = (folder / name).resolve()
    if not path.is_relative_to(project):
        raise Unusable("lies outside the project folder")
    return path


def require(path: Path, limit: int) -> Path:
    """Check that a path is a plain file of at most so many bytes. Raises FileNotFoundError or Unusable."""
    try:
        found = path.stat()
    except (NotADirectoryError, FileNotFoundError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise Unusable(error.strerror or "cannot be read") from None
    if not stat.S_ISREG(found.st_mode):
        raise Unusable("is a folder" if stat.S_ISDIR(found.st_mode) else "is not a plain file")
    if found.st_size > limit:
        raise Unusable(f"is larger than {limit >> 20} MiB")
    return path


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file. Raises FileNotFoundError or Unusable."""
    try:
        return require(path, limit).read_bytes()
    except PermissionError:
        raise Unusable("cannot be read: permission denied") from None


def sha256(path: Path) -> str:
    """Give the sha256 of a local picture, hex. Raises FileNotFoundError or Unusable."""
    return hashlib.sha256(read_bytes(path, MAX_PICTURE)).hexdigest()
