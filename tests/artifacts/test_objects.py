"""Pictures in a bucket: the port's contract in memory and on S3, crashes, foreign objects, and services that fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore, ObjectStore, S3Store

from pictify_sync.artifacts.bucket import Bucket, path_of
from pictify_sync.artifacts.objects import ObjectArtifacts
from pictify_sync.artifacts.paths import STAGING
from pictify_sync.core.entries import Obsolete
from pictify_sync.core.model import Artifact
from pictify_sync.core.ports import ArtifactStore, Expectation
from pictify_sync.errors import ArtifactError
from tests.artifacts.conformance import ArtifactStoreContract, move
from tests.artifacts.samples import expected, film, picture, sha
from tests.artifacts.service import KEYS, serving

if TYPE_CHECKING:
    from obstore.store import S3Config


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """One S3 service for all tests of this module."""
    with serving() as url:
        yield url


def everything(store: ObjectStore) -> dict[str, bytes]:
    """All objects below the prefix."""
    paths = [found["path"] for page in obstore.list(store, chunk_size=1000) for found in page]
    return {path: bytes(obstore.get(store, path).bytes()) for path in paths}


def s3(service: str, prefix: str) -> S3Store:
    """The bucket of the service, below a prefix."""
    config: S3Config = {
        "endpoint": service,
        "access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
        "secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
        "region": KEYS["AWS_REGION"],
    }
    return S3Store("pictures", prefix=prefix, config=config, client_options={"allow_http": True})


class BucketContract(ArtifactStoreContract):
    """The contract, for a bucket; what is staged locally must be gone too."""

    place: ObjectStore

    def open(self, tmp_path: Path) -> ArtifactStore:
        return ObjectArtifacts(Bucket(self.place, "s3://pictures/prefix"), tmp_path / "staging")

    def files(self, tmp_path: Path) -> dict[str, bytes]:
        found = everything(self.place)
        assert not any(path.startswith(STAGING) for path in found)
        assert not [path for path in (tmp_path / "staging").rglob("*") if path.is_file()]
        return found

    def plant(self, tmp_path: Path, path: str, content: bytes) -> None:
        obstore.put(self.place, path, content)


class TestInMemory(BucketContract):
    """In the memory of this process."""

    @pytest.fixture(autouse=True)
    def _place(self) -> None:
        self.place = MemoryStore()


class TestS3(BucketContract):
    """On a service that speaks S3, with a prefix for each test."""

    @pytest.fixture(autouse=True)
    def _place(self, service: str, tmp_path: Path) -> None:
        self.place = s3(service, str(tmp_path).strip("/"))


URL = "s3://pictures/prefix"


def opened(place: ObjectStore, tmp_path: Path, *, deep: bool = False) -> ObjectArtifacts:
    """A store over a place."""
    return ObjectArtifacts(Bucket(place, URL), tmp_path / "staging", deep=deep)


def put(store: ObjectArtifacts, content: bytes, path: str) -> Artifact:
    """Stage and publish."""
    return store.publish(store.stage([content], expected()), [path])[0]


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty place, twice."""
    memory = request.param == "memory"
    return MemoryStore() if memory else s3(request.getfixturevalue("service"), str(tmp_path).strip("/"))


def test_objects_tell_what_they_are(place: ObjectStore, tmp_path: Path) -> None:
    """The media type and the sha256 are kept beside the bytes, and go with them when they move."""
    store = opened(place, tmp_path)
    kinds = {"x.bin": ("webp", picture("webp"), "image/webp"), "y": ("mp4", film(), "video/mp4")}
    for path, (format_, content, media_type) in kinds.items():
        store.publish(store.stage([content], Expectation(format_, None, None)), [path])
        store.move([move(content, path, f"moved/{path}")], lambda _: False)
        attributes = obstore.get(place, f"moved/{path}", options={"head": True}).attributes
        assert attributes == {"Content-Type": media_type, "sha256": sha(content)}


def test_the_written_checksum_spares_a_download(tmp_path: Path) -> None:
    """A look believes what was written down when the object was stored; a deep one reads the bytes."""
    place = MemoryStore()
    fine = put(opened(place, tmp_path), picture(), "fine.png")
    lying = Artifact("lying.png", fine.sha256, fine.size)
    obstore.put(place, "lying.png", picture()[:-1] + b"!", attributes={"sha256": fine.sha256})
    assert [opened(place, tmp_path).check(one) for one in (fine, lying)] == ["present", "present"]
    assert [opened(place, tmp_path, deep=True).check(one) for one in (fine, lying)] == ["present", "changed"]


@pytest.mark.parametrize("written", [None, "", "x" * 64, "0123"])
def test_objects_of_others_are_read(place: ObjectStore, tmp_path: Path, written: str | None) -> None:
    """Where no checksum was written down, as after a copy by other tools, the bytes decide, moves included."""
    store = opened(place, tmp_path)
    attributes = {} if written is None else {"sha256": written}
    obstore.put(place, "a.png", picture(), attributes=attributes)
    assert store.check(Artifact("a.png", sha(picture()), len(picture()))) == "present"
    assert store.check(Artifact("a.png", sha(b"x"), len(picture()))) == "changed"
    assert not store.remove(Obsolete("a.png", sha(b"x")))
    assert store.move([move(picture(), "a.png", "b.png")], lambda _: False) == ()
    assert everything(place) == {"b.png": picture()}


def test_what_is_large_goes_in_parts(place: ObjectStore, tmp_path: Path) -> None:
    """A film over the size of a part is stored whole, with the same sha256."""
    store = opened(place, tmp_path)
    content = film() + (9 << 20).to_bytes(4, "big") + b"free" + bytes((9 << 20) - 8)
    artifact = store.publish(store.stage([content], Expectation("mp4", None, None)), ["a.mp4", "b.mp4"])[0]
    assert store.check(artifact) == "present"
    assert everything(place) == {"a.mp4": content, "b.mp4": content}


def test_keys_are_limited(tmp_path: Path) -> None:
    """A path that makes the key longer than services allow is refused by name."""
    long = "/".join(["n" * 200] * 5)
    with pytest.raises(ArtifactError, match="too long"):
        put(opened(MemoryStore(), tmp_path), picture(), long + "n" * 20)


def test_a_sweep_takes_only_what_is_long_forgotten(tmp_path: Path) -> None:
    """In our folder alone, and nothing that a move of these days may need; over several pages."""
    place = MemoryStore()
    for number in range(1100):
        obstore.put(place, f"{STAGING}/moves/{number}", b"")
        obstore.put(place, f"{STAGING}-not/{number}", b"")
    store = opened(place, tmp_path)
    store.sweep()
    assert len(everything(place)) == 2200
    later = datetime.now(UTC) + timedelta(days=8)
    ObjectArtifacts(Bucket(place, URL), tmp_path / "staging", now=lambda: later).sweep()
    assert set(everything(place)) == {f"{STAGING}-not/{number}" for number in range(1100)}


def test_reading_gives_the_bytes(place: ObjectStore, tmp_path: Path) -> None:
    """A published picture can be read whole; what is not there is an error that says so."""
    store = opened(place, tmp_path)
    assert store.read(put(store, picture(), "a.png")) == picture()
    with pytest.raises(ArtifactError, match="not there"):
        store.read(Artifact("b.png", sha(b""), 0))


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), min_size=1, max_size=4))
def test_any_path_means_itself_or_is_refused(names: list[str]) -> None:
    """No path is read as another one: what was put is what is there, under exactly that key."""
    place, path = MemoryStore(), "/".join(names)
    bucket = Bucket(place, URL)
    try:
        checked = path_of(path)
    except ArtifactError:
        return
    with BytesIO(b"x") as file:
        bucket.put(checked, file, sha(b"x"), "image/png")
    assert everything(place) == {path: b"x"}
    assert bucket.checksum(path) == sha(b"x")


class Killed(BaseException):
    """Stands for a kill: nothing after it runs."""


class DyingBucket(Bucket):
    """A real bucket that dies at one of its changes, and stays dead."""

    def __init__(self, place: ObjectStore, left: int) -> None:
        super().__init__(place, URL)
        self.left = left
        self._lock = Lock()

    def _count(self) -> None:
        with self._lock:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def put(self, path: str, file: BinaryIO, sha256: str, media_type: str) -> None:
        self._count()
        super().put(path, file, sha256, media_type)

    def copy(self, old: str, new: str) -> bool:
        self._count()
        return super().copy(old, new)

    def delete(self, path: str) -> None:
        self._count()
        super().delete(path)


PAIRS = [("A", "B"), ("B", "A"), ("C", "D"), ("D", "E"), ("F", "G"), ("F", "H"), ("K", "L")]
KEPT = "K"


@pytest.mark.parametrize("deaths", range(16))
def test_a_killed_move_is_finished_by_the_next(tmp_path: Path, deaths: int) -> None:
    """Wherever a run dies within swaps, chains and copies, doing it again ends as if nothing had happened."""
    place = MemoryStore()
    names = sorted({old for old, _ in PAIRS})
    pictures = {name: picture(seed=number) for number, name in enumerate(names)}
    for name, content in pictures.items():
        put(opened(place, tmp_path), content, name)
    moves = [move(pictures[old], old, new) for old, new in PAIRS]
    bucket = DyingBucket(place, deaths)
    try:
        ObjectArtifacts(bucket, tmp_path / "staging").move(moves, lambda path: path == KEPT)
    except Killed:
        again = DyingBucket(place, deaths // 2)
        with suppress(Killed):
            ObjectArtifacts(again, tmp_path / "staging").move(moves, lambda path: path == KEPT)
    assert opened(place, tmp_path).move(moves, lambda path: path == KEPT) == ()
    assert everything(place) == {new: pictures[old] for old, new in PAIRS} | {KEPT: pictures[KEPT]}
    assert (bucket.left < 0) == (deaths < 15)


def test_a_killed_publish_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """Each path has one of the two, and publishing again after a failure goes on."""
    place = MemoryStore()
    put(opened(place, tmp_path), picture(seed=1), "a.png")
    store = ObjectArtifacts(DyingBucket(place, 1), tmp_path / "staging")
    staged = store.stage([picture(seed=2)], expected())
    with pytest.raises(Killed):
        store.publish(staged, ["b.png", "a.png"])
    assert everything(place) == {"a.png": picture(seed=1), "b.png": picture(seed=2)}
    with pytest.raises(Killed):
        store.publish(staged, ["a.png"])  # the staged bytes are still there


def test_another_run_that_was_faster_is_not_undone(tmp_path: Path) -> None:
    """A move whose new path was filled by somebody else in the meantime leaves what they put there."""
    place = MemoryStore()
    put(opened(place, tmp_path), picture(seed=1), "a.png")

    class Crowded(Bucket):
        def checksum(self, path: str, size: int | None = None, *, deep: bool = False) -> str | None:
            found = super().checksum(path, size, deep=deep)
            if path == "a.png":  # its bytes are being looked for: the new path was looked at before
                put(opened(place, tmp_path / "other"), picture(seed=2), "b.png")
            return found

    with pytest.raises(ArtifactError, match="changed while"):
        ObjectArtifacts(Crowded(place, URL), tmp_path / "staging").move(
            [move(picture(seed=1), "a.png", "b.png")], lambda _: False
        )
    assert everything(place) == {"a.png": picture(seed=1), "b.png": picture(seed=2)}
