"""Whether all pixels of a picture can be read, by decoding it: a sound structure may hold broken or missing pixels.

The structure was walked before (`sniff`), so that its size is known, and bounded, before a pixel is unpacked.
"""

from __future__ import annotations

import io
import zlib
from importlib import import_module
from mmap import mmap
from struct import unpack_from
from threading import BoundedSemaphore
from typing import IO, cast

from pictify_sync.artifacts.verify.structure import Picture
from pictify_sync.core.media import PNG
from pictify_sync.errors import DownloadError

MAX_PIXELS = 50_000_000  # of a picture; a template's largest layout has as many, and decoding them takes 200 MB
AT_ONCE = 2  # pictures in memory, whatever the number of downloads
PIECE = 256 * 1024  # bytes that are unpacked at once
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # samples of a pixel by colour type (PNG 3rd edition, table 9)
# First column and row, and steps, of the passes of an interlaced PNG (table 13)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_decoding = BoundedSemaphore(AT_ONCE)


def decode(content: bytes | mmap, picture: Picture) -> None:
    """Decode a picture as a whole. Raises DownloadError when that fails. Videos are left alone.

    `picture` is what the structure told; a decoder that finds another size is not given the pixels.
    """
    if picture.width is None or picture.height is None:
        return
    if picture.width * picture.height > MAX_PIXELS:
        raise DownloadError(f"{picture.width}x{picture.height} pixels, at most {MAX_PIXELS:,} are decoded")
    file = io.BytesIO(content) if isinstance(content, bytes) else cast("IO[bytes]", content)
    file.seek(0)
    with _decoding:
        try:
            _load(file, picture.format, (picture.width, picture.height))
            if picture.format == PNG.name:
                _count_rows(content)
        except Exception as error:  # decoders raise all kinds of errors for bytes that were made to break them
            raise DownloadError(f"a broken {picture.format} file: {_words(error)}") from None


def _load(file: IO[bytes], kind: str, size: tuple[int, int]) -> None:
    from PIL import Image  # noqa: PLC0415 - slow, and a plan publishes nothing

    import_module("PIL.WebPImagePlugin")  # registers its format; the others are there from the start
    with Image.open(file, formats=(kind.upper(),)) as image:
        if image.size != size:
            raise ValueError(f"its parts disagree on its size: {size[0]}x{size[1]} and {image.size[0]}x{image.size[1]}")
        image.load()


def _count_rows(content: bytes | mmap) -> None:
    """Raise ValueError when a PNG has fewer pixels than its header says: decoders leave the rest black in silence."""
    width, height, depth, colour, _, _, interlaced = unpack_from(">IIBBBBB", content, 16)
    bits = depth * _CHANNELS[colour]
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // right), -(-(height - y) // down)) for x, y, right, down in passes)
    left = sum(high * (1 + (wide * bits + 7) // 8) for wide, high in sizes if wide > 0 and high > 0)
    unpacker, at = zlib.decompressobj(), 8
    while left > 0 and at < len(content):
        length, kind = unpack_from(">I4s", content, at)
        piece = content[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        while piece and left > 0 and not unpacker.eof:
            left -= len(unpacker.decompress(piece, PIECE))
            piece = unpacker.unconsumed_tail
        at += 12 + length
    while left > 0 and not unpacker.eof and (rest := unpacker.decompress(b"", PIECE)):
        left -= len(rest)
    if left > 0:
        raise ValueError("some of its pixels are missing")


def _words(error: Exception) -> str:
    text = str(error).partition("\n")[0][:200]
    return "it cannot be decoded" if "cannot identify" in text else text or type(error).__name__
