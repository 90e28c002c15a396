"""Moving published files, cycles included, so that a kill at any point loses nothing and the next run finishes.

First every picture that has to move gets a second name in the staging folder (a hard link, else a copy); then each is
put at its new path by rename; then the second names go; then the old paths. Each step looks at the bytes, so doing it
all again after a kill picks up where it stopped.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from pictify_sync.artifacts.foreign_files import in_the_way
from pictify_sync.artifacts.paths import parts
from pictify_sync.artifacts.staging import MOVES
from pictify_sync.artifacts.tree import Tree, copy_file, names_in
from pictify_sync.core.entries import FileMove
from pictify_sync.errors import ArtifactError

_NO_LINKS = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)
_SHA256 = frozenset("0123456789abcdef")


def carry(tree: Tree, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
    """Put every file at its new path and clear the old ones. Returns the moves whose bytes were nowhere to be found.

    Raises ArtifactError when two moves want one path, before anything is touched.
    """
    check_moves(moves)
    to_place = [move for move in moves if tree.hash(parts(move.new_path)) != move.sha256]
    missing = _stage(tree, to_place, moves)
    _make_room(tree, [move for move in moves if move not in missing and not keep(move.old_path)], moves)
    uses = Counter(move.sha256 for move in moves)
    for move in to_place:
        if move not in missing:
            _place(tree, move, copied=uses[move.sha256] > 1 or keep(move.old_path))
    tree.flush()
    _unstage(tree)
    _clear(tree, [move for move in moves if move not in missing and not keep(move.old_path)], moves)
    return tuple(move for move in moves if move in missing)


def check_moves(moves: Sequence[FileMove]) -> None:
    """Raise ArtifactError when two moves want one path, a path leaves the root, or a checksum is none."""
    seen = set()
    for move in moves:
        parts(move.old_path)
        if parts(move.new_path) in seen:
            raise ArtifactError(f"two files are to be moved to {move.new_path}")
        if len(move.sha256) != 64 or not _SHA256.issuperset(move.sha256):
            raise ArtifactError(f"the checksum of {move.old_path} is none")
        seen.add(parts(move.new_path))


def _stage(tree: Tree, to_place: Sequence[FileMove], moves: Sequence[FileMove]) -> set[FileMove]:
    """Return what has to move a second name; returns the moves whose bytes are gone."""
    if not to_place:
        return set()
    tree.folder(MOVES[:1], create=True, mode=0o700)
    folder = tree.existing(MOVES, create=True)
    for name in names_in(folder):
        if name.endswith(".tmp"):
            tree.ops.unlink(name, folder)
    places: dict[str, list[str]] = {}  # sha256 -> where its bytes may lie, the old paths first
    for move in moves:
        places.setdefault(move.sha256, []).append(move.old_path)
    for move in moves:
        places[move.sha256].append(move.new_path)
    found = {digest: _stage_one(tree, digest, places[digest]) for digest in sorted({move.sha256 for move in to_place})}
    tree.touched(MOVES)
    tree.flush()
    return {move for move in to_place if not found[move.sha256]}


def _stage_one(tree: Tree, digest: str, places: Sequence[str]) -> bool:
    staged = (*MOVES, digest)
    if tree.hash(staged) == digest:
        return True
    with suppress(FileNotFoundError):
        tree.ops.unlink(digest, tree.existing(MOVES))
    for path in dict.fromkeys(places):
        if tree.hash(parts(path)) == digest:
            _second_name(tree, parts(path), digest)
            return True
    return False


def _second_name(tree: Tree, names: tuple[str, ...], digest: str) -> None:
    source, folder = (names[-1], tree.existing(names[:-1])), tree.existing(MOVES)
    try:
        tree.ops.link(*source, digest, folder)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        temporary = f"{digest}.tmp"
        copy_file(tree.ops, source, (temporary, folder))
        tree.ops.rename(temporary, folder, digest, folder)


def _make_room(tree: Tree, leaving: Sequence[FileMove], moves: Sequence[FileMove]) -> None:
    """Remove old files, of which there is a second name by now, that are in the way of new folders; and old folders."""
    news = {parts(move.new_path) for move in moves}
    above = {new[:length] for new in news for length in range(1, len(new))}
    for move in leaving:
        old = parts(move.old_path)
        below = any(old[:length] in news for length in range(1, len(old)))
        if (old in above or below) and tree.hash(old) == move.sha256:
            tree.ops.unlink(old[-1], tree.existing(old[:-1]))
            tree.touched(old[:-1])
            tree.prune(old[:-1])
    tree.flush()


def _place(tree: Tree, move: FileMove, *, copied: bool) -> None:
    """Put staged bytes at the new path. Where other paths stay with the same bytes it is a copy: no inode is shared."""
    staging, names, temporary = tree.existing(MOVES), parts(move.new_path), move.sha256
    if copied:
        temporary = f"{move.sha256}.tmp"
        copy_file(tree.ops, (move.sha256, staging), (temporary, staging))
    target = tree.existing(names[:-1], create=True)
    with in_the_way(move.new_path):
        tree.ops.rename(temporary, staging, names[-1], target)
    tree.touched(names[:-1])


def _unstage(tree: Tree) -> None:
    folder = tree.folder(MOVES)
    if folder is not None:
        for name in names_in(folder):
            tree.ops.unlink(name, folder)
        tree.prune(MOVES)


def _clear(tree: Tree, done: Sequence[FileMove], moves: Sequence[FileMove]) -> None:
    """Remove old paths that still hold the moved bytes and are no other move's new path."""
    needed = {parts(move.new_path) for move in moves}
    for move in done:
        old = parts(move.old_path)
        if old in needed or tree.hash(old) != move.sha256:
            continue
        new = parts(move.new_path)
        folder, target = tree.existing(old[:-1]), tree.existing(new[:-1])
        if _same_file((old[-1], folder), (new[-1], target)):  # they differ by letter case on a drive that ignores it
            tree.ops.rename(old[-1], folder, new[-1], target)
            tree.touched(new[:-1])
            continue
        tree.ops.unlink(old[-1], folder)
        tree.touched(old[:-1])
        tree.prune(old[:-1])


def _same_file(one: tuple[str, int], other: tuple[str, int]) -> bool:
    first = os.stat(one[0], dir_fd=one[1], follow_symlinks=False)
    second = os.stat(other[0], dir_fd=other[1], follow_symlinks=False)
    return os.path.samestat(first, second) and first.st_nlink == 1
