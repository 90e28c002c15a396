"""Small real pictures of every kind, and what is expected of them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from io import BytesIO
from struct import pack
from typing import Any

from PIL import Image

from pictify_sync.core.ports import Expectation

WIDTH, HEIGHT = 21, 13
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "png": ("png", "RGB", {}),
    "png-palette": ("png", "P", {"optimize": True}),
    "jpeg": ("jpeg", "RGB", {"quality": 80}),
    "jpeg-progressive": ("jpeg", "RGB", {"progressive": True}),
    "jpeg-grey": ("jpeg", "L", {}),
    "jpeg-profile": ("jpeg", "RGB", {"icc_profile": b"profile \xff\xd9 with an end marker in it"}),
    "jpeg-restarts": ("jpeg", "RGB", {"restart_marker_blocks": 1}),
    "webp": ("webp", "RGB", {"quality": 70}),
    "webp-lossless": ("webp", "RGB", {"lossless": True}),
    "webp-alpha": ("webp", "RGBA", {"quality": 70}),
    "webp-profile": ("webp", "RGB", {"icc_profile": b"profile"}),
}


@cache
def picture(kind: str = "png", seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """The bytes of a picture; every seed gives another."""
    format_, mode, options = KINDS[kind]
    image = Image.new("RGBA", size, (seed % 256, seed // 256, 99, 128))
    image.putpixel((3, 4), (255, 0, 0, 255))
    file = BytesIO()
    image.convert(mode).save(file, format_, **options)
    return file.getvalue()


def film() -> bytes:
    """The skeleton of an mp4 file."""
    boxes = ((b"ftyp", b"isom\0\0\2\0isom"), (b"moov", bytes(40)), (b"free", b""), (b"mdat", bytes(range(50))))
    return b"".join(pack(">I", 8 + len(body)) + kind + body for kind, body in boxes)


def expected(format_: str = "png") -> Expectation:
    """The size of all samples."""
    return Expectation(format_, WIDTH, HEIGHT)


def sha(content: bytes) -> str:
    """Its sha256."""
    return sha256(content).hexdigest()
