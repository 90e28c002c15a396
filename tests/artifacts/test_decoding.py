"""Pictures are decoded before they are published: broken or missing pixels are failures with the reason."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.verify.pixels import MAX_PIXELS
from pictify_sync.core.ports import Expectation
from pictify_sync.errors import DownloadError

NOISE = Image.effect_noise((90, 60), 50).convert("RGB")


def block(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with a right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    """A grey PNG of a right structure, whatever its pixels are."""
    header = block(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + block(b"IDAT", pixels) + block(b"IEND", b"")


def saved(kind: str) -> bytes:
    """A good picture."""
    file = io.BytesIO()
    NOISE.save(file, kind)
    return file.getvalue()


def stage(folder: Path, content: bytes, kind: str, size: tuple[int, int] | None = None) -> None:
    """Stage it, as every picture is before it is published."""
    width, height = size or (None, None)
    FileArtifacts(folder).stage([content], Expectation(kind, width, height))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_good_pictures_pass(tmp_path: Path, kind: str) -> None:
    """All pixels are there."""
    stage(tmp_path, saved(kind), kind.lower(), (90, 60))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 17), (90, 60)])
def test_pngs_of_all_kinds_pass(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    """Rows are counted as the kind of pixels has them."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    stage(tmp_path, file.getvalue(), "png", size)


@pytest.mark.parametrize("lacks", [0, 1])
def test_an_interlaced_png_passes_when_it_is_whole(tmp_path: Path, lacks: int) -> None:
    """The rows of its seven passes, for 5 x 5 grey pixels; each has one byte more than pixels."""
    rows = [[2], [2], [3], [2, 2], [4], [3, 3, 3], [6, 6]]
    pixels = zlib.compress(bytes(sum(map(sum, rows)) - lacks))
    header = block(b"IHDR", struct.pack(">IIBBBBB", 5, 5, 8, 0, 0, 0, 1))
    content = b"\x89PNG\r\n\x1a\n" + header + block(b"IDAT", pixels) + block(b"IEND", b"")
    if lacks:
        with pytest.raises(DownloadError, match="a broken png file"):
            stage(tmp_path, content, "png", (5, 5))
    else:
        stage(tmp_path, content, "png", (5, 5))


ROWS = (b"\0" + b"\x80" * 90) * 60


@pytest.mark.parametrize(
    "pixels",
    [
        zlib.compress(ROWS[: len(ROWS) // 2]),
        zlib.compress(b"".join(b"\0" + NOISE.convert("L").tobytes()[n * 90 : n * 90 + 90] for n in range(60)))[:-900],
        b"no stream of pixels",
        zlib.compress(ROWS)[:10] + b"\xff" * 30,
        zlib.compress(b"\x09" + ROWS[1:]),
        b"",
    ],
    ids=["half", "cut", "text", "broken", "filter", "none"],
)
def test_a_png_with_right_checksums_and_wrong_pixels_is_broken(tmp_path: Path, pixels: bytes) -> None:
    """Half of its rows, a cut or broken stream, an unknown filter, no pixel at all."""
    with pytest.raises(DownloadError, match="a broken png file"):
        stage(tmp_path, png(90, 60, pixels), "png", (90, 60))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".png"]


def test_a_webp_whose_frame_is_cut_is_broken(tmp_path: Path) -> None:
    """The lengths of the container are right, and half of its frame is missing."""
    good = saved("WEBP")
    frame = good[20 : 20 + (len(good) - 20) // 4 * 2]
    inner = b"WEBPVP8 " + struct.pack("<I", len(frame)) + frame
    with pytest.raises(DownloadError, match="a broken webp file"):
        stage(tmp_path, b"RIFF" + struct.pack("<I", len(inner)) + inner, "webp", (90, 60))


def test_more_pixels_than_any_layout_has_are_not_decoded(tmp_path: Path) -> None:
    """Where no size is declared there is a limit all the same, so that a bomb of pixels is refused unseen."""
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(DownloadError, match=f"at most {MAX_PIXELS:,} are decoded"):
        stage(tmp_path, png(side, side, zlib.compress(bytes(1000))), "png")


def test_more_pixels_than_declared_are_not_decoded(tmp_path: Path) -> None:
    """The declared size is checked first."""
    with pytest.raises(DownloadError, match="width 5000 instead of 90"):
        stage(tmp_path, png(5000, 5000, b"never looked at"), "png", (90, 60))


def test_a_second_header_does_not_change_the_size(tmp_path: Path) -> None:
    """Whatever a decoder makes of two headers, it gets no more pixels than were declared."""
    second = block(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0))
    with pytest.raises(DownloadError, match="a broken png file"):
        stage(tmp_path, png(90, 60, zlib.compress(ROWS), second), "png", (90, 60))


def test_a_bomb_in_a_text_is_no_picture(tmp_path: Path) -> None:
    """Compressed texts beside the pixels are bounded, too."""
    text = block(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000), 9))
    with pytest.raises(DownloadError, match="a broken png file"):
        stage(tmp_path, png(90, 60, zlib.compress(ROWS), text), "png", (90, 60))
