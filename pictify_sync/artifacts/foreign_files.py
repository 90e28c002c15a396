"""What lies where a picture goes and is none of ours: a file gets another name, a folder is told of.

This module must not know records.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from pictify_sync.artifacts.tree import Tree, hash_file
from pictify_sync.errors import ArtifactError

KEPT = ".kept"  # at the end of a spared file's name; then `.kept-2`, ...


def move_aside(tree: Tree, names: tuple[str, ...], sha256: str) -> str | None:
    """Rename what lies there, under an exclusive lock and return its new path, None when it is gone."""
    folder, name = tree.existing(names[:-1]), names[-1]
    if hash_file(name, folder) != sha256:
        return None
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise _folder_in_the_way("/".join(names))
    new = next(new for new in kept_names(name) if not _is_there(new, folder))
    tree.ops.rename(name, folder, new, folder)
    tree.touched(names[:-1])
    return "/".join((*names[:-1], new))


@contextmanager
def in_the_way(path: str) -> Iterator[None]:
    """Name the path when it is a folder."""
    try:
        yield
    except IsADirectoryError as error:
        raise _folder_in_the_way(path) from error


def _folder_in_the_way(path: str) -> ArtifactError:
    hint = "move it away and run the command again: nothing was lost, and nothing is rendered twice"
    return ArtifactError(f"a picture goes to {path} below the output folder, and a folder is there", hint=hint)


def kept_names(name: str) -> Iterator[str]:
    """Return the names that a file may have which is set aside, in the order in which they are tried."""
    yield f"{name}{KEPT}"
    for number in count(2):
        yield f"{name}{KEPT}-{number}"


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
