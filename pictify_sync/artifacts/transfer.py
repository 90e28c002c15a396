"""Moving objects, which have no rename: copy, look, then delete. Cycles included, and safe to do again after a crash.

First every picture whose object another move is about to replace gets a second copy in the staging folder; then each is
copied to its new path; then the second copies go; then the old objects. Each step looks at what lies there, so that
doing it all again picks up where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pictify_sync.artifacts.bucket import Bucket, each
from pictify_sync.artifacts.moves import check_moves
from pictify_sync.artifacts.staging import MOVES
from pictify_sync.core.entries import FileMove
from pictify_sync.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class _Place:
    """What was seen at a move's new path before anything was done."""

    move: FileMove
    checksum: str | None  # as Bucket.checksum
    version: str | None


def transfer(bucket: Bucket, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
    """Put every object at its new path and clear the old ones. Returns the moves whose bytes were nowhere to be found.

    Raises ArtifactError when two moves want one path, before anything is touched.
    """
    check_moves(moves)
    olds = {move.old_path: move.sha256 for move in moves if not keep(move.old_path)}
    final = {move.new_path: move.sha256 for move in moves}
    to_place = [place for place in each(lambda move: _seen(bucket, move), moves) if place.checksum != place.move.sha256]
    sources = _sources(bucket, {place.move.sha256 for place in to_place}, moves)
    missing = {place.move for place in to_place if place.move.sha256 not in sources}
    each(
        lambda place: _place(bucket, place, sources[place.move.sha256]),
        [place for place in to_place if place.move not in missing],
    )
    tangled = {move.sha256 for move in moves if final.get(move.old_path, move.sha256) != move.sha256}
    each(bucket.delete, [_staged(digest) for digest in sorted(tangled)])
    done = {move.old_path for move in moves if move not in missing} & olds.keys() - final.keys()
    each(lambda path: _clear(bucket, path, olds[path]), sorted(done))
    return tuple(move for move in moves if move in missing)


def _seen(bucket: Bucket, move: FileMove) -> _Place:
    seen = bucket.look(move.new_path)
    known = None if seen is None else seen.sha256 or bucket.checksum(move.new_path)
    return _Place(move, known, None if seen is None else seen.version)


def _sources(bucket: Bucket, digests: set[str], moves: Sequence[FileMove]) -> dict[str, str]:
    """Where the bytes of each digest lie and stay until all are placed; those that lie nowhere are left out."""
    final = {move.new_path: move.sha256 for move in moves}
    places: dict[str, list[str]] = {digest: [] for digest in sorted(digests)}
    for path, digest in [(move.old_path, move.sha256) for move in moves] + list(final.items()):
        if digest in places:
            places[digest].append(path)

    def find(digest: str) -> str | None:
        paths = dict.fromkeys(places[digest])
        doomed = [path for path in paths if final.get(path, digest) != digest]
        steady = [path for path in paths if path not in doomed]
        if doomed:
            steady.append(_staged(digest))  # an earlier run may have got as far
        for path in steady:
            if bucket.checksum(path) == digest:
                return path
        for path in doomed:
            if bucket.checksum(path) == digest and bucket.copy(path, _staged(digest)):
                return _staged(digest)
        return None

    found = zip(places, each(find, places), strict=True)
    return {digest: path for digest, path in found if path is not None}


def _place(bucket: Bucket, place: _Place, source: str) -> None:
    """Copy to the new path, unless another run has been there since it was looked at."""
    path, digest = place.move.new_path, place.move.sha256
    now = bucket.look(path)
    if (None if now is None else now.version) == place.version:
        bucket.copy(source, path)
    if bucket.checksum(path) != digest:
        raise ArtifactError(f"{path} was changed while it was moved", hint="run the command again")


def _clear(bucket: Bucket, path: str, digest: str) -> None:
    if bucket.checksum(path) == digest:
        bucket.delete(path)


def _staged(digest: str) -> str:
    return "/".join((*MOVES, digest))
