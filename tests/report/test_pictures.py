"""Pictures compared: what is equal, what looks equal, how much differs, and what cannot be compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from pictify_sync.core.preview import Comparison, PictureFile
from pictify_sync.report.pages.images import NEEDS, compare

SIZE = (60, 40)


def save(folder: Path, name: str, image: Image.Image, **options: Any) -> PictureFile:
    """Write an image; its ending decides the format."""
    image.save(folder / name, **options)
    kind = {"jpg": "jpeg"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
    return PictureFile(str(folder / name), f"image/{kind}", *image.size)


def card(words: str = "", ground: str = "white", ink: str = "black") -> Image.Image:
    """A small card with some words."""
    image = Image.new("RGB", SIZE, ground)
    ImageDraw.Draw(image).text((5, 10), words, fill=ink)
    return image


def told(folder: Path, before: PictureFile, after: PictureFile) -> Comparison:
    """What a comparison found, which could be made."""
    found = compare(before, after, str(folder / "difference.png"))
    assert isinstance(found, Comparison), found
    return found


def test_equal_bytes_are_equal(tmp_path: Path) -> None:
    """Nothing is decoded: not even a picture is needed."""
    (tmp_path / "a").write_bytes(b"no picture")
    one = PictureFile(str(tmp_path / "a"), "image/png", *SIZE)
    assert told(tmp_path, one, one) == Comparison(0.0, None)


def test_equal_pixels_are_equal_in_any_format(tmp_path: Path) -> None:
    """A png and a lossless webp of one picture."""
    before = save(tmp_path, "a.png", card("same"))
    assert told(tmp_path, before, save(tmp_path, "b.webp", card("same"), lossless=True)) == Comparison(0.0, None)


def test_the_share_is_that_of_the_changed_pixels(tmp_path: Path) -> None:
    """A black square on white, and its place in red in the picture of the difference."""
    after = card()
    ImageDraw.Draw(after).rectangle((10, 10, 19, 21), fill="black")
    found = told(tmp_path, save(tmp_path, "a.png", card()), save(tmp_path, "b.png", after))
    assert found.changed == pytest.approx(120 / 2400)
    assert found.difference is not None
    assert (found.difference.media_type, found.difference.width, found.difference.height) == ("image/png", *SIZE)
    with Image.open(found.difference.path) as difference:
        pixels = difference.convert("RGB")
    assert pixels.getpixel((15, 15)) == (255, 0, 0)
    assert pixels.getpixel((40, 30)) != (255, 0, 0)


@pytest.mark.parametrize(("ground", "ink"), [("white", "#eeeeee"), ("#000040", "black"), ("black", "#222222")])
def test_faint_words_that_change_are_seen(tmp_path: Path, ground: str, ink: str) -> None:
    """Low contrast is no reason to call two pictures equal."""
    before, after = (save(tmp_path, f"{words}.png", card(words, ground, ink)) for words in ("Title 0", "Another"))
    assert told(tmp_path, before, after).changed > 0.01


def test_the_noise_of_a_lossy_format_is_no_change(tmp_path: Path) -> None:
    """Where words change, a jpeg differs around them too."""
    before, after = (save(tmp_path, f"{words}.jpg", card(words), quality=80) for words in ("Title 0", "Title 1"))
    lossless = [save(tmp_path, f"{words}.png", card(words)) for words in ("Title 0", "Title 1")]
    assert told(tmp_path, before, after).changed < 2 * told(tmp_path, *lossless).changed


def test_a_tint_that_nobody_sees_is_equal(tmp_path: Path) -> None:
    """One level of one channel; no picture of a difference lies about afterwards."""
    before, after = save(tmp_path, "a.png", card(ground="#808080")), save(tmp_path, "b.png", card(ground="#818080"))
    assert told(tmp_path, before, after) == Comparison(0.0, None)
    assert not (tmp_path / "difference.png").exists()


def test_another_size_is_all_different(tmp_path: Path) -> None:
    """There is nothing to lay over each other."""
    before, after = save(tmp_path, "a.png", card()), save(tmp_path, "b.png", card().resize((30, 20)))
    assert told(tmp_path, before, after) == Comparison(1.0, None)


@pytest.mark.parametrize("kept", [40, 90, 0])
def test_a_broken_picture_is_told(tmp_path: Path, kept: int) -> None:
    """Cut off anywhere."""
    before, after = save(tmp_path, "a.png", card("one")), save(tmp_path, "b.png", card("two"))
    Path(after.path).write_bytes(Path(after.path).read_bytes()[:kept])
    found = compare(before, after, str(tmp_path / "difference.png"))
    assert isinstance(found, str)
    assert found.startswith("the pictures cannot be compared: ")


def test_without_the_library_only_equality_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said where pictures differ."""
    monkeypatch.setitem(sys.modules, "blazediff", None)
    before, after = save(tmp_path, "a.png", card("one")), save(tmp_path, "b.png", card("two"))
    assert compare(before, after, str(tmp_path / "difference.png")) == NEEDS
    same = save(tmp_path, "c.webp", card("one"), lossless=True)
    assert compare(before, same, str(tmp_path / "difference.png")) == Comparison(0.0, None)
