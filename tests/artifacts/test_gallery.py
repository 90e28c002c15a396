"""Pictures to look at: only whole ones of a sensible size, under names that stay in their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.gallery import FolderGallery
from pictify_sync.core.model import Artifact
from pictify_sync.errors import ArtifactError, DownloadError
from tests.artifacts.samples import HEIGHT, KINDS, WIDTH, film, picture


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_kept_as_it_is(tmp_path: Path, kind: str) -> None:
    """Its bytes, with its kind and size."""
    found = FolderGallery(tmp_path / "new").keep("0001-a@default.after", [picture(kind)[:9], picture(kind)[9:]])
    assert Path(found.path).read_bytes() == picture(kind)
    assert Path(found.path).is_absolute()
    assert (found.media_type, found.width, found.height) == (f"image/{kind.partition('-')[0]}", WIDTH, HEIGHT)


@pytest.mark.parametrize("content", [b"", b"<svg/>", picture()[:-5], film(), picture(size=(8000, 7000))])
def test_what_is_no_whole_picture_of_a_sensible_size_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing is written of it."""
    with pytest.raises(DownloadError):
        FolderGallery(tmp_path / "new").keep("a", [content])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "x" * 500, "nul\0", "\u202e\x1b[2J", ".."])
def test_a_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever a state written by a stranger calls its items."""
    gallery = FolderGallery(tmp_path / "new")
    for path in (gallery.keep(name, [picture()]).path, gallery.place(name)):
        assert Path(path).parent == tmp_path / "new"
        assert len(Path(path).name) <= 120


def test_published_bytes_are_read_back_and_never_through_a_link(tmp_path: Path) -> None:
    """A pull request may bring a link to anything."""
    store, outside = FileArtifacts(tmp_path / "output"), tmp_path / "secret.png"
    outside.write_bytes(picture())
    folder = tmp_path / "output/cards"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(picture(seed=1))
    (folder / "link.png").symlink_to(outside)
    (folder / "folder.png").mkdir()
    (tmp_path / "output/away").symlink_to(tmp_path)
    assert store.read(Artifact("cards/a.png", "", 0)) == picture(seed=1)
    for path in (
        "cards/link.png",
        "cards/folder.png",
        "cards/none.png",
        "none/a.png",
        "away/secret.png",
        "../secret.png",
    ):
        with pytest.raises(ArtifactError):
            store.read(Artifact(path, "", 0))
