"""Pictures as objects in a bucket: verified in a local folder first, then stored whole, one object per path.

A put replaces an object at once, so readers see the old picture or the new one. Nothing here locks: what is about to
be replaced or deleted is looked at right before, and every step may be done again. This module must not know records,
batches or providers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pictify_sync.artifacts.bucket import Bucket, each, path_of
from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.foreign_files import kept_names
from pictify_sync.artifacts.paths import STAGING
from pictify_sync.artifacts.transfer import transfer
from pictify_sync.artifacts.verify import structure as sniff
from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.core.model import Artifact
from pictify_sync.core.ports import Expectation, Staged
from pictify_sync.errors import ArtifactError

FORGOTTEN = timedelta(days=7)  # what a move left in the staging folder so long ago is no longer waited for


def _now() -> datetime:
    return datetime.now(UTC)


class ObjectArtifacts:
    """An ArtifactStore in a bucket. Safe with threads."""

    def __init__(
        self, bucket: Bucket, staging: Path, *, deep: bool = False, now: Callable[[], datetime] = _now
    ) -> None:
        """`staging` is a local folder for what is not verified yet. Looking `deep`, every check reads the bytes."""
        self._bucket = bucket
        self._local = FileArtifacts(staging)
        self._deep = deep
        self._now = now

    def reach(self) -> None:
        """Make sure that the bucket is there. Raises StorageUnavailable."""
        self._bucket.reach()

    def stage(self, chunks: Iterable[bytes], expect: Expectation) -> Staged:
        return self._local.stage(chunks, expect)

    def publish(self, staged: Staged, paths: Sequence[str]) -> tuple[Artifact, ...]:
        wanted = tuple(dict.fromkeys(map(path_of, paths)))
        if wanted:
            with self._local.lend(staged) as file:
                if file is None:  # called again after it had succeeded
                    if any(self._bucket.checksum(path, staged.size) != staged.sha256 for path in wanted):
                        raise ArtifactError("the staged bytes were removed", hint="run the command again")
                else:
                    media_type = sniff.media_type(file.read(12))
                    for path in wanted:
                        file.seek(0)
                        self._bucket.put(path, file, staged.sha256, media_type)
        return tuple(Artifact(path, staged.sha256, staged.size) for path in paths)

    def foreign_file(self, path: str, is_ours: Callable[[str], bool]) -> str | None:
        found = self._bucket.checksum(path_of(path))
        return None if found is None or is_ours(found) else found

    def move_aside(self, path: str, sha256: str) -> str | None:
        """Copy the object to another name: what takes its path replaces it."""
        if self._bucket.checksum(path_of(path)) != sha256:
            return None
        new = next(new for new in kept_names(path) if self._bucket.look(new) is None)
        return new if self._bucket.copy(path, new) else None

    def move(self, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
        return transfer(self._bucket, moves, keep) if moves else ()

    def remove(self, obsolete: Obsolete) -> bool:
        path = path_of(obsolete.path)
        found = self._bucket.checksum(path)
        if found == obsolete.sha256:
            self._bucket.delete(path)
        return found in (None, obsolete.sha256)

    def check(self, artifact: Artifact) -> str:
        found = self._bucket.checksum(path_of(artifact.path), artifact.size, deep=self._deep)
        if found is None:
            return "missing"
        return "present" if found == artifact.sha256 else "changed"

    def read(self, artifact: Artifact) -> bytes:
        """What is published at its path now, whole. Raises ArtifactError: not there."""
        return self._bucket.read(path_of(artifact.path))

    def sweep(self) -> None:
        """Drop what is staged here, and what moves that nobody finished left in our folder of the bucket."""
        self._local.sweep()
        before = self._now() - FORGOTTEN
        each(self._bucket.delete, [path for path, stored in self._bucket.below(STAGING) if stored < before])

    def close(self) -> None:
        """Let go of what is staged."""
        self._local.close()
