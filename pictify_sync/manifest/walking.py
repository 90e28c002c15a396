"""Which files are below a folder or match a pattern. What cannot be read is told: it is not the same as nothing.

Links are followed inside the project; one that leads out of it is wrong at its place. This module must not know what
the files hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from stat import S_ISDIR

from pictify_sync.errors import Problem
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.forms import normal_text
from pictify_sync.manifest.places import Problems, Unusable, shown, why

ENDINGS = (".yaml", ".yml")
_AGAIN = "run the command again"
_ELSEWHERE = "run the command in its folder, or choose the settings file with --settings"
_TARGET = "restore its target, or remove the link"
_APART = "run the command for that project by itself, or choose the settings file with --settings"

Scan = Callable[[Path], Sequence["os.DirEntry[str]"]]


def scan(folder: Path) -> Sequence[os.DirEntry[str]]:
    """Return the entries of a folder, sorted by name. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


@dataclass(frozen=True, slots=True)
class Walker:
    """Looks for YAML files. Names that start with a dot are passed over; every problem is put into `problems`."""

    context: ReadContext
    problems: Problems
    scan: Scan = scan

    def walk(self, folder: Path) -> Iterator[Path]:
        """Yield the YAML files below a folder, each folder entered once."""
        for inside, entries in self._folders(folder):
            yield from (inside / entry.name for entry in entries if self._is_yaml(inside / entry.name, entry))

    def matches(self, pattern: Path) -> Iterator[Path]:
        """Yield the folders and YAML files that a glob pattern matches; `**` stands for any number of folders."""
        parts = pattern.parts
        base = Path(parts[0]) if pattern.is_absolute() else Path()
        yield from self._match(base, parts[pattern.is_absolute() :])

    def is_refused(self, path: Path) -> bool:
        """Report a file or folder that may not be read because of where it lies, or leads to."""
        link = path.is_symlink()
        try:
            real = Path(os.path.realpath(path, strict=True))
        except FileNotFoundError:
            self._tell(path, "the link is broken" if link else "the file vanished", _TARGET if link else _AGAIN)
            return True
        except OSError as error:
            self._tell(path, f"cannot be read: {why(error)}")
            return True
        try:
            self.context.admit(path, real)
        except Unusable as error:
            where = f" {self.context.project}" if error.outside else ""
            hint = _ELSEWHERE if error.outside and not link else ""
            self._tell(path, f"the link leads to {real}, which {error}{where}" if link else f"{error}{where}", hint)
            return True
        return self._is_foreign(path, real)

    def _is_foreign(self, path: Path, real: Path) -> bool:
        """Report what belongs to another project, whose settings and guard are not those of this run."""
        if self.context.over_all:
            return False
        below = (one for one in (real, *real.parents) if one != self.context.project)
        for folder in below:
            if not folder.is_relative_to(self.context.project):
                return False
            if os.path.lexists(folder / self.context.settings_name):
                self._tell(path, f"belongs to another project, that of {folder / self.context.settings_name}", _APART)
                return True
        return False

    def _folders(self, folder: Path) -> Iterator[tuple[Path, Sequence[os.DirEntry[str]]]]:
        seen: set[str] = set()
        waiting = [folder]
        while waiting:
            inside = waiting.pop()
            real = os.path.realpath(inside)
            if real in seen:
                continue
            seen.add(real)
            if self._is_foreign(inside, Path(real)):
                continue
            entries = self._entries(inside)
            yield inside, entries
            waiting += [inside / entry.name for entry in reversed(entries) if self._is_folder(inside, entry)]

    def _entries(self, folder: Path, *, hidden: bool = False) -> Sequence[os.DirEntry[str]]:
        try:
            return [entry for entry in self.scan(folder) if hidden or not entry.name.startswith(".")]
        except FileNotFoundError:
            self._tell(folder, "the folder vanished while it was read", _AGAIN)
        except OSError as error:
            self._tell(folder, f"the folder cannot be read: {why(error)}")
        return ()

    def _is_folder(self, inside: Path, entry: os.DirEntry[str]) -> bool:
        path = inside / entry.name
        try:
            if not entry.is_symlink():
                return entry.is_dir(follow_symlinks=False) and self._is_text(path)
            return S_ISDIR(path.stat().st_mode) and self._is_text(path) and not self.is_refused(path)
        except FileNotFoundError:
            if not _is_other_file(entry.name) and not entry.name.endswith(ENDINGS):
                self._tell(path, "the link is broken", _TARGET)
        except OSError as error:
            if not _is_other_file(entry.name):
                self._tell(path, f"cannot be read: {why(error)}")
        return False

    def _is_yaml(self, path: Path, entry: os.DirEntry[str]) -> bool:
        if not entry.name.endswith(ENDINGS) or entry.name == self.context.settings_name:
            return False
        try:
            if entry.is_dir() or not self._is_text(path):
                return False
        except OSError:
            return False  # told when its folder is looked for
        return not (entry.is_symlink() and self.is_refused(path))

    def _is_text(self, path: Path) -> bool:
        """Report a name that is not UTF-8: nothing could be recorded of what is found there."""
        try:
            path.name.encode()
        except UnicodeEncodeError:
            self._tell(path, "the name is not UTF-8", "rename it")
            return False
        return True

    def _match(self, base: Path, parts: Sequence[str]) -> Iterator[Path]:
        if not parts:
            if base.is_dir() or base.name.endswith(ENDINGS):
                yield base
            return
        head, rest = parts[0], parts[1:]
        if head == "**":
            for folder, entries in self._folders(base):
                yield from self._match(folder, rest)
                if not rest:
                    yield from (folder / entry.name for entry in entries if self._is_yaml(folder / entry.name, entry))
        elif not has_magic(head):
            if os.path.lexists(base / head):
                yield from self._match(base / head, rest)
        else:
            for entry in self._entries(base, hidden=head.startswith(".")):
                path = base / entry.name
                if fnmatchcase(normal_text(entry.name), normal_text(head)) and (
                    self._is_folder(base, entry) or (not rest and self._is_yaml(path, entry))
                ):
                    yield from self._match(path, rest)

    def _tell(self, path: Path, message: str, hint: str = "") -> None:
        name = os.fsencode(shown(path, self.context.cwd)).decode(errors="backslashreplace")
        self.problems.add(Problem(name, 0, 0, message, hint))


def _is_other_file(name: str) -> bool:
    """Whether a name is that of a file that no walk is after, such as a picture."""
    ending = os.path.splitext(name)[1].removeprefix(".")  # noqa: PTH122 - of a name
    return ending.isalpha() and f".{ending}" not in ENDINGS
