"""Which project a command runs in: the one that its paths belong to, else that of the working directory.

Settings are looked for upwards, as far as the root of the Git repository and never past a folder of another user, so
that no run begins a second project beside the one that it stands in. This module must not know what settings mean.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from stat import S_ISDIR, S_ISREG, S_IWOTH

from pictify_sync.errors import UsageError
from pictify_sync.settings import FILE

KEPT = ".pictify-sync"  # what commands keep in a project folder, also of one without settings
_MANIFESTS = (".yaml", ".yml")
_CHOOSE = "choose one with --settings FILE"


@dataclass(frozen=True, slots=True)
class Place:
    """A project: its folder, and its settings file if it has one."""

    folder: Path
    file: Path | None


def find_place(paths: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Place:
    """Return the one project that all paths belong to; without paths that of the working directory.

    Raises UsageError where they belong to more than one, or where the settings are another user's.
    """
    here = _search(cwd, environ) or Place(cwd, None)
    found: dict[Path, tuple[str, Place]] = {}
    for path in paths:
        start = _start(path, cwd)
        place = here if start is None else _search(start, environ) or here
        found.setdefault(place.folder.resolve(), (path, place))
    if len(found) > 1:
        (one, first), (other, second) = list(found.values())[:2]
        message = f"{one} belongs to the project in {first.folder}, and {other} to the one in {second.folder}"
        raise UsageError(message, hint=f"run the command once for each of them, or {_CHOOSE}")
    return next((place for _, place in found.values()), here)


def _start(path: str, cwd: Path) -> Path | None:
    """Return the folder that a path names or lies in; None for a file that is no manifest, such as a saved plan."""
    whole = Path(os.path.normpath(cwd / path))
    mode = _mode(whole)
    if mode == 0 and has_magic(path):
        return before_magic(whole)
    if S_ISDIR(mode):
        return whole
    return None if S_ISREG(mode) and whole.suffix not in _MANIFESTS else whole.parent


def before_magic(path: str | Path) -> Path:
    """Return the folder below which a glob looks; a path without wildcards as it is."""
    return Path(*takewhile(lambda part: not has_magic(part), Path(path).parts))


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0  # told when it is read


def _search(start: Path, environ: Mapping[str, str]) -> Place | None:
    """Return the nearest project upwards: of the nearest settings file, else of what commands keep; None: neither."""
    folders, beyond = _levels(start, environ)
    for folder in folders:
        if _holds(folder, FILE):
            return Place(folder, folder / FILE)
    for folder in beyond:
        if _holds(folder, FILE):
            message = f"{folder / FILE} is above a folder of another user, so it is not used unasked"
            raise UsageError(message, hint=f"name it with --settings {folder / FILE}, or change the owner of {start}")
    return next((Place(folder, None) for folder in folders if _mode(folder / KEPT)), None)


def _holds(folder: Path, name: str) -> bool:
    """Whether a folder has something of that name, be it a link to nothing. Raises UsageError: it cannot be seen."""
    try:
        (folder / name).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UsageError(f"{folder / name} cannot be looked for: {(error.strerror or str(error)).lower()}") from None
    return True


def _levels(start: Path, environ: Mapping[str, str]) -> tuple[Sequence[Path], Sequence[Path]]:
    """Return the folders to look in, nearest first, and those up to the Git root that another user's keep us from."""
    users = _users(environ)
    folders = [folder for folder in (start, *start.parents) if _mode(folder)] or [start]
    device = folders[0].stat().st_dev if _mode(folders[0]) else 0
    near: list[Path] = []
    for folder in folders:
        if near and folder.stat().st_dev != device:
            break
        near.append(folder)
        if _holds(folder, ".git"):
            return _own(near, users)
    own, _ = _own(near, users)
    home = Path(environ.get("HOME") or "/")
    ends = (number for number, one in enumerate(own) if number and (one == home or one.stat().st_mode & S_IWOTH))
    return own[: next(ends, len(own))], ()


def _own(folders: Sequence[Path], users: frozenset[int]) -> tuple[Sequence[Path], Sequence[Path]]:
    """Split folders at the first that is not ours; the nearest is looked in whosever it is."""
    foreign = (number for number, one in enumerate(folders) if _mode(one) and one.stat().st_uid not in users)
    first = next(foreign, len(folders))
    return folders[: max(1, first)], folders[max(1, first) :]


def _users(environ: Mapping[str, str]) -> frozenset[int]:
    """Return who we are; under sudo also who called it, as Git does."""
    me, caller = os.geteuid(), environ.get("SUDO_UID", "")
    return frozenset((me, int(caller)) if me == 0 and caller.isdecimal() else (me,))
