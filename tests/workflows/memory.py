"""Published files in memory: for counts that a disk would be slow for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.core.model import Artifact
from pictify_sync.core.ports import Expectation, Staged


class MemoryArtifacts:
    """Published files in memory: for counts that a disk would be slow for. Carries and removes nothing."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._staged: dict[str, bytes] = {}

    def stage(self, chunks: Iterable[bytes], expect: Expectation) -> Staged:
        data = b"".join(chunks)
        assert data[16:24] == (expect.width or 0).to_bytes(4) + (expect.height or 0).to_bytes(4)
        found = Staged(sha256(data).hexdigest(), len(data))
        self._staged[found.sha256] = data
        return found

    def publish(self, staged: Staged, paths: Sequence[str]) -> tuple[Artifact, ...]:
        self.files.update(dict.fromkeys(paths, self._staged[staged.sha256]))
        return tuple(Artifact(path, staged.sha256, staged.size) for path in paths)

    def foreign_file(self, path: str, is_ours: Callable[[str], bool]) -> str | None:
        return None

    def move_aside(self, path: str, sha256: str) -> str | None:
        return None

    def move(self, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
        return tuple(moves)

    def remove(self, obsolete: Obsolete) -> bool:
        return False

    def check(self, artifact: Artifact) -> str:
        return "present" if artifact.path in self.files else "missing"

    def sweep(self) -> None:
        return
