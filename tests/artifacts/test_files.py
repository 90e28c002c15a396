"""The folder of pictures: the port's contract, kills at every operation, links, and full disks."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.paths import STAGING, parts
from pictify_sync.core.entries import Obsolete
from pictify_sync.core.model import Artifact
from pictify_sync.core.ports import ArtifactStore
from pictify_sync.errors import ArtifactError, DownloadError
from tests.artifacts.conformance import ArtifactStoreContract, move
from tests.artifacts.dying import A, B, publish, tree
from tests.artifacts.samples import expected, picture, sha


class TestFileArtifacts(ArtifactStoreContract):
    """The contract, for a folder."""

    def open(self, tmp_path: Path) -> ArtifactStore:
        return FileArtifacts(tmp_path / "out")

    def files(self, tmp_path: Path) -> dict[str, bytes]:
        self.open(tmp_path)
        store = FileArtifacts(tmp_path / "out")
        store.sweep()
        own = tmp_path / "out" / STAGING
        if own.exists():  # of a store that is still open
            assert all(run.name.startswith("run-") and not list(run.iterdir()) for run in own.iterdir())
            for run in own.iterdir():
                run.rmdir()
            own.rmdir()
        return tree(tmp_path / "out")

    def plant(self, tmp_path: Path, path: str, content: bytes) -> None:
        (tmp_path / "out" / path).write_bytes(content)


def test_the_size_of_a_download_is_limited(tmp_path: Path) -> None:
    """An endless download ends at the limit and leaves nothing."""
    store = FileArtifacts(tmp_path, max_bytes=1000)
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 100
            yield bytes(100)

    with pytest.raises(DownloadError, match="1000"):
        store.stage(endless(), expected())  # type: ignore[arg-type]
    assert taken == 1100
    store.sweep()
    assert tree(tmp_path) == {}


def test_an_output_folder_that_cannot_be_looked_at_is_not_absent(tmp_path: Path) -> None:
    """Its pictures are not missing and not removed: it is an error, also for what only looks."""
    (tmp_path / "loop").symlink_to("loop")
    store = FileArtifacts(tmp_path / "loop" / "out")
    looks: list[Callable[[], object]] = [
        lambda: store.check(Artifact("a.png", sha(b"x"), 1)),
        lambda: store.remove(Obsolete("a.png", sha(b"x"))),
        lambda: store.foreign_file("a.png", lambda _: True),
        store.sweep,
    ]
    for look in looks:
        with pytest.raises(ArtifactError, match="Too many levels"):
            look()


def test_nothing_is_made_before_the_first_picture(tmp_path: Path) -> None:
    """Looking at a folder that is not there does not make it."""
    store = FileArtifacts(tmp_path / "out")
    store.sweep()
    assert store.check(Artifact("x", sha(A), 1)) == "missing"
    assert store.remove(Obsolete("x", sha(A)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", [".git/config", "a/.GIT/x.png", ".pictify-sync/state.db", f"{STAGING}/x.png"])
def test_nothing_is_published_where_git_and_we_keep_our_own_files(path: str) -> None:
    """Whatever a plan file or a state says."""
    with pytest.raises(ArtifactError, match="keep their own files"):
        parts(path)


@pytest.mark.parametrize("where", ["out", "out/a", "out/a/b", "out/a/b/x.png", f"out/{STAGING}"])
@pytest.mark.parametrize("dangling", [False, True])
def test_links_are_never_followed(tmp_path: Path, where: str, dangling: bool) -> None:
    """With a symbolic link at any place of the path nothing outside is read, written or removed."""
    outside = tmp_path / "outside"
    link = tmp_path / where
    link.parent.mkdir(parents=True, exist_ok=True)
    if not dangling:
        target = outside if where != "out/a/b/x.png" else outside / "x.png"
        outside.mkdir()
        for path in ("a/b/x.png", "b/x.png", "x.png"):
            (outside / path).parent.mkdir(parents=True, exist_ok=True)
            (outside / path).write_bytes(A)
        link.symlink_to(target)
        before = tree(outside)
    else:
        link.symlink_to(outside)
        before = {}
    store = FileArtifacts(tmp_path / "out")
    calls: list[Callable[[], object]] = [
        lambda: publish(store, B, "a/b/x.png"),
        lambda: store.check(Artifact("a/b/x.png", sha(A), len(A))),
        lambda: store.remove(Obsolete("a/b/x.png", sha(A))),
        lambda: store.move([move(A, "a/b/x.png", "new.png")], lambda _: False),
        lambda: store.move([move(A, "new.png", "a/b/x.png")], lambda _: False),
        store.sweep,
    ]
    for call in (*calls[1:], calls[0]):
        with suppress(ArtifactError):
            assert call() != "present"
    assert (tree(outside) if outside.exists() else {}) == before


def test_a_folder_swapped_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    """While a thread swaps a folder for a link to the outside again and again, no picture gets out."""
    race(tmp_path, 150)


@pytest.mark.full
def test_a_folder_swapped_for_a_link_leads_nowhere_at_length(tmp_path: Path) -> None:
    """The same, five thousand times."""
    race(tmp_path, 5_000)


def race(tmp_path: Path, rounds: int) -> None:
    """Publish against a swapping thread."""
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (out / "a").mkdir(parents=True)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():  # each step may fail when a picture was published in between
            for step in (
                lambda: (out / "a").rename(out / "real"),
                lambda: (out / "a").symlink_to(outside),
                lambda: (out / "a").unlink(missing_ok=True),
                lambda: (out / "real").rename(out / "a"),
                lambda: shutil.rmtree(out / "real"),
            ):
                with suppress(OSError):
                    step()

    thread = threading.Thread(target=swap)
    thread.start()
    store = FileArtifacts(out)
    written = 0
    try:
        for _ in range(rounds):
            try:
                publish(store, A, "a/x.png")
                written += 1
            except ArtifactError:
                pass
    finally:
        stop.set()
        thread.join()
    assert list(outside.iterdir()) == []
    assert written


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text(min_size=1, max_size=12) | st.lists(st.sampled_from(["..", ".", "a", "", "b c", "é"])).map("/".join)
)
def test_accepted_paths_stay_below_the_root(tmp_path: Path, path: str) -> None:
    """Any text is either refused or names a place below the root, by itself alone."""
    try:
        names = parts(path)
    except ArtifactError:
        return
    resolved = Path(os.path.normpath(tmp_path / path))
    assert resolved.is_relative_to(tmp_path)
    assert resolved != tmp_path
    assert resolved.relative_to(tmp_path).parts == names


def test_strange_files_in_the_way_are_told(tmp_path: Path) -> None:
    """A folder where a picture should go, a file where a folder should be, a pipe: an error, or another file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"mine")
    os.mkfifo(tmp_path / "pipe")
    store = FileArtifacts(tmp_path)
    for path in ("folder", "file/x.png"):
        with pytest.raises(ArtifactError):
            publish(store, A, path)
    for path in ("folder", "pipe"):
        assert store.check(Artifact(path, sha(A), len(A))) == "changed"
        assert not store.remove(Obsolete(path, sha(A)))
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_many_folders_do_not_use_up_descriptors(tmp_path: Path) -> None:
    """Hundreds of folders in one call keep few descriptors open."""
    store = FileArtifacts(tmp_path)
    staged = store.stage([A], expected())
    paths = [f"d{number}/e/x.png" for number in range(150)]
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    (published,) = store.publish_many([(staged, paths)])
    assert [artifact.path for artifact in published] == paths
    moves = [move(A, path, f"n{path}") for path in paths]
    assert store.move(moves, lambda _: False) == ()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
    store.sweep()
    assert tree(tmp_path) == {f"n{path}": A for path in paths}


def test_a_name_with_the_other_letter_case_is_told_from_its_twin(tmp_path: Path) -> None:
    """Two names of one file are two files: what is removed is the one that was named."""
    store = FileArtifacts(tmp_path)
    publish(store, picture(), "a/x.png")
    (tmp_path / "a/X.PNG").hardlink_to(tmp_path / "a/x.png")
    assert store.remove(Obsolete("a/x.png", sha(picture())))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["X.PNG"]
