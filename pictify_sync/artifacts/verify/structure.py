"""What a file is and how large its picture is, from its structure alone: no pixel is ever decoded.

The whole structure is walked (by lengths, not by reading pixels), so that a file cut off at any byte is refused.
Sources: PNG 3rd edition (chunks, IHDR, IEND), ITU-T T.81 annex B (JPEG markers, SOF, SOS, EOI), WebP container
specification (RIFF, VP8, VP8L, VP8X), ISO/IEC 14496-12 (boxes; ftyp, moov). Libraries for this stop at
the header, so they cannot tell that the end is missing.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from mmap import mmap
from struct import unpack_from

from pictify_sync.core.media import JPEG, MEDIA, MP4, PNG, WEBP
from pictify_sync.core.ports import Expectation
from pictify_sync.errors import DownloadError

_PNG = b"\x89PNG\r\n\x1a\n"
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that hold the size (T.81 table B.1)
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_MAX_SIDE = 1 << 20  # pixels; more is nonsense


class _Broken(Exception):
    """The structure ends early or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file turned out to be."""

    format: str
    width: int | None  # pixels; None for a video
    height: int | None


def verify(content: bytes | mmap, expect: Expectation) -> Picture:
    """Return what the bytes are if they are whole and as expected. Raise DownloadError otherwise.

    Width and height are not checked for videos.
    """
    if expect.format not in _READERS:
        raise DownloadError(f"{expect.format} files cannot be verified: there are {', '.join(_READERS)}")
    found = _kind(content)
    if found is None:
        raise DownloadError(f"not a {expect.format} file: {_guess(content)}")
    if found != expect.format:
        raise DownloadError(f"a {found} file instead of a {expect.format} file")
    picture = _read(content, found)
    if picture.width is None or picture.height is None:
        return picture
    sides = (("width", picture.width, expect.width), ("height", picture.height, expect.height))
    if wrong := [f"{name} {got} instead of {wanted}" for name, got, wanted in sides if wanted not in (None, got)]:
        raise DownloadError(", ".join(wrong))
    for name, got, _ in sides:
        if not 0 < got <= _MAX_SIDE:
            raise DownloadError(f"a {name} of {got} pixels")
    return picture


def identify(content: bytes) -> Picture:
    """Return what the bytes are if they are a whole file of any known kind. Raises DownloadError otherwise."""
    found = _kind(content)
    if found is None:
        raise DownloadError(f"not a picture: {_guess(content)}")
    return verify(content, Expectation(found, None, None))


def _read(content: bytes | mmap, kind: str) -> Picture:
    try:
        return _READERS[kind](content)
    except _Broken as error:
        raise DownloadError(f"a broken {kind} file: {error}") from None


def media_type(start: bytes) -> str:
    """The media type of a file by its first 12 bytes; `application/octet-stream` for what is no picture of ours."""
    found = _kind(start)
    return "application/octet-stream" if found is None else MEDIA[found].content_types[0]


def _kind(content: bytes | mmap) -> str | None:
    if content[:8] == _PNG:
        return PNG.name
    if content[:3] == b"\xff\xd8\xff":
        return JPEG.name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP.name
    if content[4:8] == b"ftyp":
        return MP4.name
    return None


def _guess(content: bytes | mmap) -> str:
    start = content[:64].lstrip().lower()
    if not len(content):
        return "nothing came"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        return "it looks like a web page or SVG"
    if start.startswith((b"{", b"[")):
        return "it looks like JSON"
    if start.startswith(b"gif8"):
        return "it looks like a GIF"
    return "its first bytes are not those of a known image format"


def _png(content: bytes | mmap) -> Picture:
    width, height = _png_size(content)
    at, pixels = 8, False
    while True:
        if at + 12 > len(content):
            raise _Broken("it ends early")
        (length,) = unpack_from(">I", content, at)
        end = at + 12 + length
        if end > len(content):
            raise _Broken("it ends early")
        kind = content[at + 4 : at + 8]
        if zlib.crc32(content[at + 4 : end - 4]) != unpack_from(">I", content, end - 4)[0]:
            raise _Broken(f"a checksum is wrong at byte {at}")
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
        at = end
    if not pixels:
        raise _Broken("it has no pixels")
    return Picture(PNG.name, width, height)


def _png_size(content: bytes | mmap) -> tuple[int, int]:
    if content[8:16] != b"\x00\x00\x00\x0dIHDR" or len(content) < 24:
        raise _Broken("it has no header")
    width, height = unpack_from(">II", content, 16)
    return width, height


def _jpeg(content: bytes | mmap) -> Picture:
    at, size, marker = 2, None, 0
    while marker != 0xDA:  # start of scan: the pixels follow
        at, marker = _jpeg_marker(content, at)
        (length,) = unpack_from(">H", content, at + 2)
        if length < 2 or at + 2 + length > len(content):
            raise _Broken("it ends early")
        if marker in _SOF and length >= 8:
            height, width = unpack_from(">HH", content, at + 5)
            size = width, height
        at += 2 + length
    if size is None:
        raise _Broken("it has no header")
    if content.rfind(b"\xff\xd9") < at:  # within pixels FF is always followed by 00 or a restart marker
        raise _Broken("it ends early")
    return Picture(JPEG.name, *size)


def _jpeg_marker(content: bytes | mmap, at: int) -> tuple[int, int]:
    """Place and number of the next marker that has a length."""
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xD9:
            raise _Broken("it has no pixels")
        if marker not in _BARE and marker != 0xFF:
            return at, marker
        at += 1 if marker == 0xFF else 2  # FF FF: a fill byte
    raise _Broken("it ends early")


def _webp(content: bytes | mmap) -> Picture:
    (length,) = unpack_from("<I", content, 4)
    end = 8 + length
    if end > len(content) or length < 4:
        raise _Broken("it ends early")
    at, size, pixels = 12, None, False
    while at + 8 <= end:
        kind, (length,) = content[at : at + 4], unpack_from("<I", content, at + 4)
        if at + 8 + length > end:
            raise _Broken("it ends early")
        size = size or _webp_size(content, kind, at + 8, length)
        pixels = pixels or kind in (b"VP8 ", b"VP8L", b"ANMF")
        at += 8 + length + length % 2
    if size is None or not pixels:
        raise _Broken("it has no pixels")
    return Picture(WEBP.name, *size)


def _webp_size(content: bytes | mmap, kind: bytes, at: int, length: int) -> tuple[int, int] | None:
    if kind == b"VP8X" and length >= 10:  # canvas, 24 bits each, minus one
        low = (*unpack_from("<HB", content, at + 4), *unpack_from("<HB", content, at + 7))
        return 1 + low[0] + (low[1] << 16), 1 + low[2] + (low[3] << 16)
    if kind == b"VP8 " and length >= 10 and content[at + 3 : at + 6] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", content, at + 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and length >= 5 and content[at] == 0x2F:  # 14 bits each, minus one
        (bits,) = unpack_from("<I", content, at + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def _mp4(content: bytes | mmap) -> Picture:
    at, kinds = 0, set()
    while at < len(content):
        if at + 8 > len(content):
            raise _Broken("it ends early")
        length, kind = unpack_from(">I4s", content, at)
        if length == 1 and at + 16 <= len(content):
            (length,) = unpack_from(">Q", content, at + 8)
        elif length == 0:  # to the end of the file
            length = len(content) - at
        if length < 8 or at + length > len(content):
            raise _Broken("it ends early")
        kinds.add(kind)
        at += length
    if not {b"moov", b"mdat"} <= kinds:
        raise _Broken("it has no film")
    return Picture(MP4.name, None, None)


_READERS = {PNG.name: _png, JPEG.name: _jpeg, WEBP.name: _webp, MP4.name: _mp4}
