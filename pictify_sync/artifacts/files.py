"""Pictures as files below one folder: staged and verified first, then put in place by rename, durably.

What a kill leaves behind is either the old picture or the new one at every path, and in the staging folder nothing
that a sweep or the next move would not clear away. This module must not know records, batches or providers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from pictify_sync.artifacts.foreign_files import in_the_way, move_aside
from pictify_sync.artifacts.moves import carry
from pictify_sync.artifacts.paths import parts
from pictify_sync.artifacts.staging import Staging, sweep
from pictify_sync.artifacts.tree import FileOps, Tree, explain, hash_file, read_file, write_all
from pictify_sync.artifacts.verify import structure as sniff
from pictify_sync.artifacts.verify.pixels import decode
from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.core.media import is_moving
from pictify_sync.core.model import Artifact
from pictify_sync.core.ports import Expectation, Staged
from pictify_sync.errors import ArtifactError, DownloadError

MAX_BYTES, MAX_MOVING = 64 << 20, 2 << 30  # of a picture, and of what plays


def _nobody(path: str, sha256: str) -> None:  # noqa: ARG001 - nobody remembers
    return


class FileArtifacts:
    """An ArtifactStore in a local folder. Safe with threads, and with other processes on the same folder."""

    def __init__(
        self,
        root: Path,
        *,
        ops: FileOps | None = None,
        max_bytes: int | None = None,
        remember: Callable[[str, str], object] = _nobody,
        elsewhere: Sequence[FileArtifacts] = (),
    ) -> None:
        """Nothing is made before the first picture. `max_bytes` replaces the limits of all formats.

        `remember` is told the path and the sha256 of whatever is published or seen here. What lies `elsewhere` is not
        missing: a move from there, or to there, is not finished.
        """
        self.root = root
        self._elsewhere = elsewhere
        self._remember = remember
        self._ops = ops or FileOps()
        self._max_bytes = max_bytes
        self._staging = Staging(root, self._ops)

    def stage(self, chunks: Iterable[bytes], expect: Expectation) -> Staged:
        limit = self._max_bytes or (MAX_MOVING if is_moving(expect.format) else MAX_BYTES)
        digest, size = sha256(), 0
        with self._told(), self._staging.temporary() as (file, name):
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise DownloadError(f"more than {limit} bytes")
                digest.update(chunk)
                write_all(self._ops, file, chunk)
            if not size:
                raise DownloadError("nothing came")
            with mmap(file, size, access=ACCESS_READ) as content:
                picture = sniff.verify(content, expect)
                if digest.hexdigest() != expect.made_as:  # else they are what an encoder wrote: decoding tells no more
                    decode(content, picture)
            self._ops.fsync(file)
            self._staging.keep(name, digest.hexdigest())
        return Staged(digest.hexdigest(), size)

    def publish(self, staged: Staged, paths: Sequence[str]) -> tuple[Artifact, ...]:
        return self.publish_many([(staged, paths)])[0]

    def publish_many(self, items: Sequence[tuple[Staged, Sequence[str]]]) -> tuple[tuple[Artifact, ...], ...]:
        """Publish several pictures, making each folder durable once. Returns when all of them are durable."""
        for _, paths in items:
            for path in paths:
                parts(path)
        with self._told(), self._tree(create=True) as tree:
            for staged, paths in items:
                self._put(tree, staged, tuple(dict.fromkeys(paths)))
        for staged, paths in items:
            for path in paths:
                self._remember(path, staged.sha256)
        return tuple(tuple(Artifact(path, staged.sha256, staged.size) for path in paths) for staged, paths in items)

    def foreign_file(self, path: str, is_ours: Callable[[str], bool]) -> str | None:
        if not self._is_there():
            return None
        names = parts(path)
        with self._told(), self._tree() as tree:
            folder = tree.folder(names[:-1])
            found = None if folder is None else hash_file(names[-1], folder)
        return None if found is None or is_ours(found) else found

    def move_aside(self, path: str, sha256: str) -> str | None:
        with self._told(), self._tree(exclusive=True) as tree:
            return move_aside(tree, parts(path), sha256)

    def move(self, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
        if not moves:
            return ()
        with self._told(), self._tree(exclusive=True, create=True) as tree:
            missing = carry(tree, moves, keep)
        for move in moves:
            if move not in missing:
                self._remember(move.new_path, move.sha256)
        return missing

    def remove(self, obsolete: Obsolete) -> bool:
        names = parts(obsolete.path)
        if not self._is_there():
            return True
        with self._told(), self._tree(exclusive=True) as tree:
            found = tree.hash(names)
            if found is None:
                tree.prune(names[:-1])
                return True
            if found != obsolete.sha256:
                return False
            if not tree.is_spelled(names):
                return True
            self._ops.unlink(names[-1], tree.existing(names[:-1]))
            tree.touched(names[:-1])
            tree.prune(names[:-1])
            return True

    def check(self, artifact: Artifact) -> str:
        seen = self._check(artifact)
        if seen == "missing" and any(one.check(artifact) == "present" for one in self._elsewhere):
            return "present"
        return seen

    def _check(self, artifact: Artifact) -> str:
        names = parts(artifact.path)
        if not self._is_there():
            return "missing"
        with self._told(), self._tree() as tree:
            found = tree.hash(names, artifact.size)
        if found is None:
            return "missing"
        if found != artifact.sha256:
            return "changed"
        self._remember(artifact.path, artifact.sha256)
        return "present"

    def read(self, artifact: Artifact) -> bytes:
        """What is published at its path now, whole. Raises ArtifactError: not there, or no plain file."""
        names = parts(artifact.path)
        limit = self._max_bytes or MAX_BYTES
        try:
            with self._tree() as tree:
                return read_file(names[-1], tree.existing(names[:-1]), limit)
        except OSError as error:
            raise ArtifactError((error.strerror or str(error)).lower(), hint=explain(error)) from error

    def chunks(self, artifact: Artifact) -> Iterator[bytes]:
        """The bytes of a published file, in parts."""
        names = parts(artifact.path)
        with self._told(), self._tree() as tree:
            file = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree.existing(names[:-1]))
        with os.fdopen(file, "rb") as opened:
            while chunk := opened.read(1 << 20):
                yield chunk

    @contextmanager
    def lend(self, staged: Staged) -> Iterator[BinaryIO | None]:
        """Staged bytes to read, for a store elsewhere; None when nothing is staged.

        They are gone afterwards, unless an error is raised meanwhile.
        """
        with self._told():
            name = self._staging.take(staged.sha256)
            if name is None:
                yield None
                return
            folder = self._staging.folder()
            try:
                with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
                    yield file
            except BaseException:
                self._staging.give_back(name, staged.sha256)
                raise
            self._ops.unlink(name, folder)

    def sweep(self) -> None:
        """Drop what is staged and no longer needed: all of this store's, and what killed runs left."""
        self._staging.release()
        if self._is_there():
            with self._told(), self._tree(exclusive=True) as tree:
                sweep(tree)

    def close(self) -> None:
        """Let go of what is staged; the next sweep of anybody clears it."""
        self._staging.release()

    def _put(self, tree: Tree, staged: Staged, paths: Sequence[str]) -> None:
        name = self._staging.take(staged.sha256) if paths else None
        if name is None:  # called again after it had succeeded
            if any(tree.hash(parts(path), staged.size) != staged.sha256 for path in paths):
                raise ArtifactError("the staged bytes were removed", hint="run the command again")
            return
        try:
            for path in paths[:-1]:
                copy = f"{name}.copy"
                self._staging.copy(name, copy)
                self._place(tree, copy, path)
            self._place(tree, name, paths[-1])
        except (OSError, ArtifactError):
            self._staging.give_back(name, staged.sha256)
            raise

    def _place(self, tree: Tree, name: str, path: str) -> None:
        *above, last = parts(path)
        folder = tree.existing(tuple(above), create=True)
        with in_the_way(path):
            self._ops.rename(name, self._staging.folder(), last, folder)
        tree.touched(tuple(above))

    def _tree(self, *, exclusive: bool = False, create: bool = False) -> Tree:
        return Tree(self.root, self._ops, exclusive=exclusive, create=create)

    def _is_there(self) -> bool:
        """Whether there is an output folder. What keeps us from looking does not make it absent: ArtifactError."""
        with self._told():
            try:
                os.lstat(self.root)
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the operating system refuses into an ArtifactError."""
        try:
            yield
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
            raise ArtifactError(f"cannot write below {self.root}: {what}", hint=explain(error)) from error
