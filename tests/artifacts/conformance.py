"""What every ArtifactStore promises. An adapter's test subclasses ArtifactStoreContract and gives ways around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pictify_sync.core.entries import FileMove, Obsolete
from pictify_sync.core.model import Artifact, AssetKey
from pictify_sync.core.ports import ArtifactStore, Expectation, Staged
from pictify_sync.errors import ArtifactError, DownloadError
from tests.artifacts.samples import HEIGHT, KINDS, WIDTH, expected, film, picture, sha

BAD_PATHS = [
    *("", ".", "..", "/abs", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "a\\b", "C:\\x", "c:x", "a\0b", "a\nb"),
    *("e\u0301.png", ".pictify-sync-staging/x", ".Pictify-Sync-Staging/x", "x" * 256, "\ud800", "a/\x7f"),
]


def move(content: bytes, old: str, new: str) -> FileMove:
    """One file's move."""
    return FileMove(AssetKey(f"m/{new}@default"), sha(content), old, new)


class ArtifactStoreContract(ABC):
    """The port's promises, one test each."""

    @abstractmethod
    def open(self, tmp_path: Path) -> ArtifactStore:
        """Another store over the same place."""

    @abstractmethod
    def files(self, tmp_path: Path) -> dict[str, bytes]:
        """Everything published, by path; raises AssertionError when there is anything else."""

    @abstractmethod
    def plant(self, tmp_path: Path, path: str, content: bytes) -> None:
        """Put a file there, past the store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return self.open(tmp_path)

    def put(self, store: ArtifactStore, content: bytes, *paths: str, format_: str = "png") -> Staged:
        staged = store.stage([content], Expectation(format_, None, None))
        store.publish(staged, paths)
        return staged

    @pytest.mark.parametrize("kind", KINDS)
    def test_pictures_are_published_as_they_came(self, store: ArtifactStore, tmp_path: Path, kind: str) -> None:
        """Every kind of picture is verified, and its bytes lie at every path, named by their digest."""
        format_, content = KINDS[kind][0], picture(kind)
        staged = store.stage([content[:7], b"", content[7:]], expected(format_))
        assert staged == Staged(sha(content), len(content))
        published = store.publish(staged, ["a/b/ü.x", "c.x"])
        assert published == tuple(Artifact(path, staged.sha256, staged.size) for path in ("a/b/ü.x", "c.x"))
        assert self.files(tmp_path) == {"a/b/ü.x": content, "c.x": content}

    def test_films_are_published(self, store: ArtifactStore, tmp_path: Path) -> None:
        """An mp4 file is checked for its structure; its size in pixels is not."""
        self.put(store, film(), "film.mp4", format_="mp4")
        assert self.files(tmp_path) == {"film.mp4": film()}

    @pytest.mark.parametrize("kind", [*KINDS, "mp4"])
    def test_what_is_cut_off_is_never_published(self, store: ArtifactStore, tmp_path: Path, kind: str) -> None:
        """A picture cut off at any byte is refused and leaves nothing."""
        content = film() if kind == "mp4" else picture(kind)
        format_ = "mp4" if kind == "mp4" else KINDS[kind][0]
        whole = {72} if kind == "mp4" else set()  # an empty box at the end may be left out: no film without mdat
        for length in range(len(content)):
            if length in whole:
                continue
            with pytest.raises(DownloadError):
                store.stage([content[:length]], Expectation(format_, None, None))
        store.sweep()
        assert self.files(tmp_path) == {}

    @pytest.mark.parametrize(
        ("content", "expect"),
        [
            (picture(), Expectation("webp", None, None)),
            (picture(), Expectation("png", WIDTH + 1, HEIGHT)),
            (picture(), Expectation("png", WIDTH, HEIGHT + 1)),
            (picture("jpeg"), Expectation("jpeg", HEIGHT, WIDTH)),
            (picture("webp-alpha"), Expectation("webp", WIDTH, 1)),
            (picture(), Expectation("gif", None, None)),
            (b"", expected()),
            (b"<!DOCTYPE html><title>502</title>", expected()),
            (b'{"error":"gone"}', expected()),
            (b"GIF89a" + bytes(99), expected()),
            (picture()[:40] + b"\xff" + picture()[41:], expected()),
        ],
    )
    def test_what_was_not_asked_for_is_refused(
        self, store: ArtifactStore, tmp_path: Path, content: bytes, expect: Expectation
    ) -> None:
        """Another type, another size, a web page or damaged bytes are a DownloadError that leaves nothing."""
        with pytest.raises(DownloadError):
            store.stage([content], expect)
        store.sweep()
        assert self.files(tmp_path) == {}

    def test_a_broken_stream_leaves_nothing(self, store: ArtifactStore, tmp_path: Path) -> None:
        """When the download itself fails, its error comes through and nothing stays."""

        def chunks() -> Iterator[bytes]:
            yield picture()[:50]
            raise DownloadError("connection lost")

        with pytest.raises(DownloadError, match="lost"):
            store.stage(chunks(), expected())
        store.sweep()
        assert self.files(tmp_path) == {}

    @pytest.mark.parametrize("path", BAD_PATHS)
    def test_paths_that_leave_the_root_are_refused(self, store: ArtifactStore, tmp_path: Path, path: str) -> None:
        """No method touches a path that is not plainly below the root, whoever checked it before."""
        staged = store.stage([picture()], expected())
        with pytest.raises(ArtifactError):
            store.publish(staged, ["fine.png", path])
        with pytest.raises(ArtifactError):
            store.check(Artifact(path, staged.sha256, staged.size))
        with pytest.raises(ArtifactError):
            store.remove(Obsolete(path, staged.sha256))
        for one in (move(picture(), path, "new"), move(picture(), "fine.png", path)):
            with pytest.raises(ArtifactError):
                store.move([one], lambda _: False)
        store.sweep()
        assert self.files(tmp_path) == {}

    def test_publishing_replaces(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A newer picture takes the place of an older one."""
        self.put(store, picture(seed=1), "x.png", "y.png")
        self.put(store, picture(seed=2), "x.png")
        assert self.files(tmp_path) == {"x.png": picture(seed=2), "y.png": picture(seed=1)}

    def test_what_is_not_ours_gets_another_name(self, store: ArtifactStore, tmp_path: Path) -> None:
        """It is found by its bytes, set aside under the first free name, and nothing is where nothing lies."""
        self.put(store, picture(seed=1), "x.png", "x.png.kept")
        assert store.foreign_file("x.png", sha(picture(seed=1)).__eq__) is None
        assert store.foreign_file("y.png", lambda _: False) is None
        found = store.foreign_file("x.png", lambda _: False)
        assert found == sha(picture(seed=1))
        assert store.move_aside("x.png", sha(picture(seed=3))) is None
        assert store.move_aside("x.png", found) == "x.png.kept-2"
        self.put(store, picture(seed=2), "x.png")
        kept = {name: picture(seed=1) for name in ("x.png.kept", "x.png.kept-2")}
        assert self.files(tmp_path) == {"x.png": picture(seed=2), **kept}

    def test_publishing_again_is_harmless(self, store: ArtifactStore, tmp_path: Path) -> None:
        """The same call after a success does nothing; after a failure it goes on; without bytes it is an error."""
        staged = self.put(store, picture(), "x.png")
        store.publish(staged, ["x.png"])
        with pytest.raises(ArtifactError):
            store.publish(staged, ["other.png"])
        assert self.files(tmp_path) == {"x.png": picture()}

    def test_equal_pictures_are_staged_apart(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Two downloads with the same bytes can each be published, in any order."""
        first, second = (store.stage([picture()], expected()) for _ in range(2))
        store.publish(second, ["b.png"])
        store.publish(first, ["a.png"])
        assert self.files(tmp_path) == {"a.png": picture(), "b.png": picture()}

    def test_paths_do_not_share_their_bytes(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Changing one of two equal pictures in place leaves the other alone, after publish and after copy."""
        self.put(store, picture(), "a.png", "b.png")
        store.move([move(picture(), "a.png", "c.png")], lambda _: True)
        self.plant(tmp_path, "a.png", b"changed")
        assert self.files(tmp_path) == {"a.png": b"changed", "b.png": picture(), "c.png": picture()}

    def test_check_tells_what_lies_there(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Present, changed (in size or in bytes alone) or missing."""
        artifact = Artifact("d/x.png", sha(picture()), len(picture()))
        assert store.check(artifact) == "missing"
        self.put(store, picture(), "d/x.png")
        assert store.check(artifact) == "present"
        self.plant(tmp_path, "d/x.png", picture()[:-1] + b"!")
        assert store.check(artifact) == "changed"
        self.plant(tmp_path, "d/x.png", b"")
        assert store.check(artifact) == "changed"

    def test_remove_takes_only_what_it_was_told(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A file goes only with the recorded bytes, with the folders that it leaves empty; absence is success."""
        self.put(store, picture(), "a/b/c/x.png", "a/y.png")
        self.plant(tmp_path, "a/z.png", b"mine")
        gone = Obsolete("a/b/c/x.png", sha(picture()))
        assert store.remove(gone)
        assert store.remove(gone)
        assert not store.remove(Obsolete("a/z.png", sha(picture())))
        assert self.files(tmp_path) == {"a/y.png": picture(), "a/z.png": b"mine"}
        assert store.remove(Obsolete("a/y.png", sha(picture())))
        assert self.files(tmp_path) == {"a/z.png": b"mine"}

    def test_moves_rename(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A moved file is at its new path alone; doing it again changes nothing."""
        self.put(store, picture(), "a/x.png")
        for _ in range(2):
            assert store.move([move(picture(), "a/x.png", "b/c/y.png")], lambda _: False) == ()
            assert self.files(tmp_path) == {"b/c/y.png": picture()}

    def test_kept_paths_are_copied(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A path that must stay keeps its file; several copies may be made at once."""
        self.put(store, picture(), "x.png")
        moves = [move(picture(), "x.png", "y.png"), move(picture(), "x.png", "z.png")]
        assert store.move(moves, lambda path: path == "x.png") == ()
        assert self.files(tmp_path) == dict.fromkeys(("x.png", "y.png", "z.png"), picture())

    def test_cycles_and_chains_are_carried(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A and B swap, C to D to E to F shift, all at once."""
        pictures = {name: picture(seed=number) for number, name in enumerate("ABCDE")}
        for name, content in pictures.items():
            self.put(store, content, name)
        pairs = [("A", "B"), ("B", "A"), ("C", "D"), ("D", "E"), ("E", "F")]
        assert store.move([move(pictures[old], old, new) for old, new in pairs], lambda _: False) == ()
        assert self.files(tmp_path) == {new: pictures[old] for old, new in pairs}

    def test_moves_without_bytes_are_told(self, store: ArtifactStore, tmp_path: Path) -> None:
        """A move whose file is gone or changed is given back; the others are done, and nothing else is touched."""
        self.put(store, picture(seed=1), "fine.png")
        self.plant(tmp_path, "changed.png", b"mine")
        lost = [move(picture(seed=2), "gone.png", "n1"), move(picture(seed=3), "changed.png", "n2")]
        moves = [lost[0], move(picture(seed=1), "fine.png", "n3"), lost[1]]
        assert store.move(moves, lambda _: False) == tuple(lost)
        assert self.files(tmp_path) == {"n3": picture(seed=1), "changed.png": b"mine"}

    def test_two_moves_to_one_path_are_refused(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Before anything is touched."""
        self.put(store, picture(), "a", "b")
        with pytest.raises(ArtifactError):
            store.move([move(picture(), "a", "c"), move(picture(), "b", "c")], lambda _: False)
        assert self.files(tmp_path) == {"a": picture(), "b": picture()}

    def test_equal_bytes_move_from_anywhere(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Two files with the same bytes can swap folders with a third."""
        self.put(store, picture(seed=1), "a", "b")
        self.put(store, picture(seed=2), "c")
        pairs = (("a", "c", 1), ("b", "d", 1), ("c", "a", 2))
        assert store.move([move(picture(seed=seed), old, new) for old, new, seed in pairs], lambda _: False) == ()
        assert self.files(tmp_path) == {new: picture(seed=seed) for _, new, seed in pairs}

    def test_sweep_leaves_only_what_is_published(self, store: ArtifactStore, tmp_path: Path) -> None:
        """What is staged and never published goes; the store can be used afterwards."""
        store.stage([picture(seed=1)], expected())
        store.sweep()
        assert self.files(tmp_path) == {}
        self.put(store, picture(), "x.png")
        store.sweep()
        assert self.files(tmp_path) == {"x.png": picture()}

    def test_a_sweep_spares_the_stagings_of_others(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Another store's sweep does not take away what this one is about to publish."""
        staged = store.stage([picture()], expected())
        self.open(tmp_path).sweep()
        store.publish(staged, ["x.png"])
        store.sweep()
        assert self.files(tmp_path) == {"x.png": picture()}

    def test_threads_share_a_store(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Many threads stage and publish at once, equal pictures among them, while others remove and sweep nothing."""

        def work(number: int) -> None:
            self.put(store, picture(seed=number % 5), f"d{number % 3}/{number}.png")
            assert store.remove(Obsolete(f"d{number % 3}/none.png", sha(picture())))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(80)))
        store.sweep()
        assert self.files(tmp_path) == {f"d{n % 3}/{n}.png": picture(seed=n % 5) for n in range(80)}
