"""Pictures that stay at their provider: nothing is downloaded, verified or stored, and the record keeps the URL.

An artifact that is published nowhere has a path, for moves and names, but no bytes: its sha256 is one that no file
has. So a store that takes over later finds it missing, and never removes or moves a file on its behalf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pictify_sync.artifacts.paths import parts
from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.core.model import NO_BYTES, Artifact
from pictify_sync.core.ports import Expectation, Staged
from pictify_sync.errors import ArtifactError


class NoArtifacts:
    """An ArtifactStore that keeps nothing and touches nothing."""

    def stage(self, chunks: Iterable[bytes], expect: Expectation) -> Staged:  # noqa: ARG002 - nothing is fetched
        return Staged(NO_BYTES, 0)

    def publish(self, staged: Staged, paths: Sequence[str]) -> tuple[Artifact, ...]:
        for path in paths:
            parts(path)
        return tuple(Artifact(path, staged.sha256, staged.size) for path in paths)

    def move(self, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:  # noqa: ARG002
        return ()

    def remove(self, obsolete: Obsolete) -> bool:  # noqa: ARG002 - there is nothing of ours
        return True

    def foreign_file(self, path: str, is_ours: Callable[[str], bool]) -> None:  # noqa: ARG002 - nothing is put there
        return None

    def move_aside(self, path: str, sha256: str) -> None:  # noqa: ARG002
        return None

    def check(self, artifact: Artifact) -> str:  # noqa: ARG002 - nobody looks
        return "present"

    def read(self, artifact: Artifact) -> bytes:
        """Raise ArtifactError: nothing is kept."""
        raise ArtifactError(f"{artifact.path} is not kept", hint="the setting `artifacts` says `none`")

    def sweep(self) -> None:
        return
