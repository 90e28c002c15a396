"""The staging folder: verified bytes on their way to their paths.

Each store has a folder of its own in it, held by a lock that ends with the process, so that a sweep can tell what a
killed run left from what a running one needs. `moves` is shared: it outlives a killed run, for the next one to finish.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from threading import RLock

from pictify_sync.artifacts.paths import STAGING
from pictify_sync.artifacts.tree import FileOps, Tree, copy_file, names_in
from pictify_sync.errors import ArtifactError

MOVES = (STAGING, "moves")


class Staging:
    """One store's own folder in the staging area. Safe with threads."""

    def __init__(self, root: Path, ops: FileOps) -> None:
        self._root = root
        self._ops = ops
        self._names = (STAGING, f"run-{token_hex(8)}")
        self._own: int | None = None
        self._closing: Callable[[], object] = lambda: None  # also called when the store is dropped
        self._uses: Counter[str] = Counter()  # sha256 -> stagings not yet published: two downloads may be equal
        self._numbers = count()
        self._lock = RLock()

    @contextmanager
    def temporary(self) -> Iterator[tuple[int, str]]:
        """A new file (descriptor, name) in the own folder; what still bears that name afterwards is removed."""
        folder = self.folder()
        name = f"{next(self._numbers)}.tmp"
        file = self._ops.create(name, folder)
        try:
            yield file, name
        finally:
            os.close(file)
            with suppress(FileNotFoundError):
                self._ops.unlink(name, folder)

    def keep(self, name: str, digest: str) -> None:
        """A temporary file is verified and durable: keep it by its digest."""
        with self._lock:
            folder = self.folder()
            self._ops.rename(name, folder, digest, folder)
            self._uses[digest] += 1

    def take(self, digest: str) -> str | None:
        """A file of these bytes for the caller alone, by its name in the own folder; None when nothing is staged."""
        with self._lock:
            if not self._uses[digest]:
                return None
            folder = self.folder()
            name = f"{next(self._numbers)}.take"
            if self._uses[digest] == 1:
                self._ops.rename(digest, folder, name, folder)
            else:
                self.copy(digest, name)
            self._uses[digest] -= 1
            return name

    def give_back(self, name: str, digest: str) -> None:
        """What was taken could not be used."""
        with self._lock:
            self._ops.rename(name, self.folder(), digest, self.folder())
            self._uses[digest] += 1

    def copy(self, old: str, new: str) -> None:
        """A durable copy within the own folder: equal pictures never share an inode, so editing one spares the rest."""
        copy_file(self._ops, (old, self.folder()), (new, self.folder()))

    def folder(self) -> int:
        """Descriptor of the own folder, made and locked at the first need."""
        with self._lock:
            if self._own is None:
                with Tree(self._root, self._ops, exclusive=False, create=True) as tree:
                    tree.folder(self._names[:1], create=True, mode=0o700)
                    self._own = os.dup(
                        tree.existing(self._names, create=True)
                    )  # shares the lock, and outlives the walk
                    self._closing = weakref.finalize(self, os.close, self._own)
                    fcntl.flock(self._own, fcntl.LOCK_EX)  # nobody else knows the name yet
            return self._own

    def release(self) -> None:
        """Let go of the own folder; the next sweep of anybody clears it."""
        with self._lock:
            self._closing()
            self._own = None
            self._uses.clear()


def sweep(tree: Tree) -> None:
    """Clear the folders of stores that are gone, and the staging folder itself when it is empty.

    What lies in `moves` stays: it may be the only copy of a picture whose move was interrupted.
    """
    top = tree.folder((STAGING,))
    if top is None:
        return
    for name in names_in(top):
        with suppress(ArtifactError):  # a link or a file is none of ours
            folder = tree.folder((STAGING, name)) if name.startswith("run-") else None
            if folder is not None and _is_abandoned(folder):
                for file in names_in(folder):
                    tree.ops.unlink(file, folder)
                tree.prune((STAGING, name))
    tree.prune(MOVES)
    tree.prune((STAGING,))


def _is_abandoned(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
