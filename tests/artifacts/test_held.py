"""What this machine remembers of the pictures that it held."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.held import HeldFiles
from pictify_sync.core.entries import FileMove
from pictify_sync.core.model import Artifact, AssetKey


def test_the_last_picture_at_a_path_is_remembered(tmp_path: Path) -> None:
    """Across processes, and only with the bytes that it had last."""
    held = HeldFiles(tmp_path / "x/held.db")
    assert not held.holds("a.png", "1")
    held.remember("a.png", "1")
    assert held.holds("a.png", "1")
    held.remember("a.png", "2")
    held.close()
    again = HeldFiles(tmp_path / "x/held.db")
    assert (again.holds("a.png", "1"), again.holds("a.png", "2"), again.holds("b.png", "2")) == (False, True, False)


def test_a_copy_remembers_nothing(tmp_path: Path) -> None:
    """What was held where a file was copied from is not held here; what comes here is."""
    one = HeldFiles(tmp_path / "one.db", lambda: "one")
    one.remember("a.png", "1")
    one.close()
    (tmp_path / "two.db").write_bytes((tmp_path / "one.db").read_bytes())
    two = HeldFiles(tmp_path / "two.db", lambda: "two")
    assert not two.holds("a.png", "1")
    two.remember("b.png", "2")
    two.flush()
    assert (two.holds("a.png", "1"), two.holds("b.png", "2")) == (False, True)
    two.close()
    assert one.holds("a.png", "1")
    one.close()


def test_threads_and_other_processes_share_it(tmp_path: Path) -> None:
    """Nothing that several write at once is lost."""
    stores = [HeldFiles(tmp_path / "held.db") for _ in range(3)]

    def fill(number: int) -> None:
        for index in range(700):
            stores[number].remember(f"{number}/{index}", "x")
        stores[number].flush()

    threads = [Thread(target=fill, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = HeldFiles(tmp_path / "held.db")
    assert all(fresh.holds(f"{number}/{index}", "x") for number in range(3) for index in (0, 499, 500, 699))


def test_a_memory_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    """A damaged file, a folder in its place, a folder that cannot be written to: nothing is known, nothing fails."""
    damaged = tmp_path / "held.db"
    damaged.write_bytes(os.urandom(5000))
    (tmp_path / "folder").mkdir()
    for file in (damaged, tmp_path / "folder", damaged / "below"):
        held = HeldFiles(file)
        held.begin()
        held.remember("a.png", "1")
        held.flush()
        assert not held.holds("a.png", "1")


def test_files_tell_what_is_here(tmp_path: Path) -> None:
    """What a check finds as recorded, and what a move brings to its new path, is remembered; what is missing is not."""
    (tmp_path / "a.png").write_bytes(b"a")
    digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    told: dict[str, str] = {}
    store = FileArtifacts(tmp_path, remember=told.__setitem__)
    assert store.check(Artifact("b.png", digest, 1)) == "missing"
    assert store.check(Artifact("a.png", "0" * 64, 1)) == "changed"
    assert told == {}
    store.check(Artifact("a.png", digest, 1))
    moves = [FileMove(AssetKey("m/a@default"), digest, "a.png", "c.png")]
    moves.append(FileMove(AssetKey("m/b@default"), "1" * 64, "x.png", "y.png"))
    store.move(moves, lambda _: False)
    assert told == {"a.png": digest, "c.png": digest}
