"""The folder of pictures, killed at every operation and on a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.tree import FileOps
from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.errors import ArtifactError
from tests.artifacts.conformance import move
from tests.artifacts.dying import A, B, C, Dying, FullDisk, Killed, NoLinks, lives, publish, tree
from tests.artifacts.samples import sha

MOVES: dict[str, tuple[dict[str, bytes], list[FileMove], set[str], dict[str, bytes]]] = {
    "swap": ({"a": A, "b": B}, [move(A, "a", "b"), move(B, "b", "a")], set(), {"a": B, "b": A}),
    "ring in folders": (
        {"x/a": A, "y/b": B, "z/c": C},
        [move(A, "x/a", "y/b"), move(B, "y/b", "z/c"), move(C, "z/c", "x/a")],
        set(),
        {"y/b": A, "z/c": B, "x/a": C},
    ),
    "chain into new folders": (
        {"a": A, "b": B},
        [move(A, "a", "b"), move(B, "b", "n/m/c")],
        set(),
        {"b": A, "n/m/c": B},
    ),
    "copies and a move": (
        {"a": A, "b": B},
        [move(A, "a", "c"), move(A, "a", "d"), move(B, "b", "e")],
        {"a"},
        {"a": A, "c": A, "d": A, "e": B},
    ),
    "equal bytes": (
        {"a": A, "b": A, "c": B},
        [move(A, "a", "c"), move(A, "b", "d"), move(B, "c", "a")],
        set(),
        {"c": A, "d": A, "a": B},
    ),
}


@pytest.mark.parametrize("case", MOVES)
def test_moves_killed_at_every_operation_are_finished(tmp_path: Path, case: str) -> None:
    """Whatever operation was the last of a run, the next one brings every file to its place, with nothing left over."""
    before, moves, kept, after = MOVES[case]

    def attempt(ops: FileOps) -> None:
        assert isinstance(ops, Dying)
        root = tmp_path / f"life-{ops.life}"
        for path, content in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        try:
            FileArtifacts(root, ops=ops).move(moves, kept.__contains__)
        finally:
            killed_again = Dying(ops.life // 2 if ops.life >= 0 else 5)
            for again in (killed_again, FileOps()):
                store = FileArtifacts(root, ops=again)
                try:
                    store.sweep()
                    assert store.move(moves, kept.__contains__) == ()
                    store.sweep()
                except Killed:
                    continue
            assert tree(root) == after

    assert lives(attempt) > 10


def test_moves_without_hard_links(tmp_path: Path) -> None:
    """Where links are refused, copies do."""
    store = FileArtifacts(tmp_path, ops=NoLinks())
    publish(store, A, "a")
    publish(store, B, "b")
    assert store.move([move(A, "a", "b"), move(B, "b", "a")], lambda _: False) == ()
    store.sweep()
    assert tree(tmp_path) == {"a": B, "b": A}


def test_publishing_killed_at_every_operation_leaves_old_or_new(tmp_path: Path) -> None:
    """At each path lies the old picture or the new one, whole; a sweep clears the rest; doing it again succeeds."""

    def attempt(ops: FileOps) -> None:
        assert isinstance(ops, Dying)
        root = tmp_path / f"life-{ops.life}"
        publish(FileArtifacts(root), A, "x/one", "two")
        dying = FileArtifacts(root, ops=ops)
        try:
            publish(dying, B, "x/one", "two", "new/three")
        except Killed:
            dying.close()  # as the end of its process does
            FileArtifacts(root).sweep()
            left = tree(root, may_be_empty=True)
            assert set(left) <= {"x/one", "two", "new/three"}
            assert left["x/one"] in (A, B)
            assert left["two"] in (A, B)
            raise
        finally:
            dying.close()
            store = FileArtifacts(root)
            publish(store, B, "x/one", "two", "new/three")
            store.sweep()
            assert tree(root) == dict.fromkeys(("x/one", "two", "new/three"), B)

    assert lives(attempt) > 10


def test_removing_killed_at_every_operation_is_finished(tmp_path: Path) -> None:
    """The next run removes what is left, folders too."""

    def attempt(ops: FileOps) -> None:
        assert isinstance(ops, Dying)
        root = tmp_path / f"life-{ops.life}"
        publish(FileArtifacts(root), A, "a/b/c", "d")
        try:
            FileArtifacts(root, ops=ops).remove(Obsolete("a/b/c", sha(A)))
        finally:
            assert FileArtifacts(root).remove(Obsolete("a/b/c", sha(A)))
            FileArtifacts(root).sweep()
            assert tree(root) == {"d": A}

    assert lives(attempt) == 4


@pytest.mark.parametrize("room", [0, 1, 50, len(A), len(A) + 10])
def test_a_full_disk_is_an_error_with_a_hint(tmp_path: Path, room: int) -> None:
    """No half picture is published, and the message says what to do."""
    store = FileArtifacts(tmp_path, ops=FullDisk(room))
    with pytest.raises(ArtifactError) as caught:
        publish(store, A, "a", "b")
    assert "disk is full" in caught.value.hint
    store.sweep()
    assert tree(tmp_path) == {}
