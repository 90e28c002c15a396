"""Pictures made small enough to stand inside a page, as `data:` addresses.

The more pictures, the smaller each; together they never take more than `ROOM`. The files are held to be hostile: they
are read as PNG, JPEG or WebP or not at all, and one that cannot be read is left out. This module must not know pages.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from pictify_sync.core.preview import PictureFile

ROOM = 24 * 1024 * 1024  # bytes of all pictures in a page, as they stand there
WHOLE = 60_000  # bytes of a file that is taken as it is; less when so many would not fit
MAX_PIXELS = 50_000_000  # more is not decoded: that takes 200 MB
_WIDTHS = ((200, 1200), (700, 800), (1400, 480))  # (up to so many pictures, pixels in width): cards then fit
_LEAST = 360  # pixels in width of still more pictures
_KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_AT_ONCE = 32


def embedded(pictures: Iterable[PictureFile], room: int = ROOM) -> Iterator[tuple[PictureFile, str]]:
    """Yield each picture with its address, in order, until the room is used up; what cannot be read is left out."""
    wanted = list(dict.fromkeys(pictures))
    width = next((width for most, width in _WIDTHS if len(wanted) <= most), _LEAST)
    whole = min(WHOLE, room * 3 // 4 // max(1, len(wanted)))
    with ThreadPoolExecutor(4) as pool:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            for picture, address in zip(some, pool.map(lambda one: _address(one, width, whole), some), strict=True):
                room -= len(address)
                if room < 0:
                    return
                if address:
                    yield picture, address


def _address(picture: PictureFile, width: int, whole: int) -> str:
    """Return a `data:` address; "" when the file is no picture of the kinds that a browser may be given."""
    kind = _KINDS.get(picture.media_type)
    if kind is None or picture.width * picture.height > MAX_PIXELS:
        return ""
    try:
        media_type, content = _fitting(Path(picture.path), kind, width, whole)
    except (OSError, SyntaxError, ValueError):
        return ""
    return f"data:{media_type};base64,{b64encode(content).decode()}"


def _fitting(file: Path, kind: str, width: int, whole: int) -> tuple[str, bytes]:
    """Return a small picture as it is; else scale it down, and encode anew nothing but its pixels.

    Raises what Pillow raises for a bad file: OSError, SyntaxError, ValueError.
    """
    from PIL import Image  # noqa: PLC0415 - a page without pictures needs no decoder

    try:
        with Image.open(file, formats=[kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("too many pixels")
            if image.width <= width and file.stat().st_size <= whole:
                return f"image/{kind.lower()}", file.read_bytes()
            image.draft("RGB", (width, width))
            image.thumbnail((width, 4 * width), reducing_gap=2.0)
            made = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(str(error)) from None
    content = BytesIO()
    made.save(content, "WEBP", quality=82, method=2)
    return "image/webp", content.getvalue()
