"""Two pictures compared as a person sees them: equal bytes, then equal pixels, then the pixels that differ visibly.

Both files are held to be hostile: run it in a process that may die.
This module must not know plans, nor where pictures come from.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pictify_sync.core.preview import Comparison, PictureFile

if TYPE_CHECKING:
    from PIL.Image import Image

NEEDS = "comparison needs another package: pip install 'pictify-sync[review]'"
# Threshold of a colour's difference for pictures that differ where the library's own (0.1) sees nothing: that one
# passes over the noise of lossy formats, but over dark text on a dark ground too.
CLOSELY = 0.03
COMPRESSION = 3  # of the difference: 8 kB where the library's default makes 3 MB

_FORMATS = ("PNG", "JPEG", "WEBP")


def compare(before: PictureFile, after: PictureFile, difference: str) -> Comparison | str:
    """Describe how far two pictures differ, and draw where; a text says why that cannot be told."""
    if (before.width, before.height) != (after.width, after.height):
        return Comparison(1.0, None)
    if Path(before.path).read_bytes() == Path(after.path).read_bytes():
        return Comparison(0.0, None)
    try:
        old, new = _pixels(before), _pixels(after)
    except (OSError, SyntaxError, ValueError) as error:
        return f"the pictures cannot be compared: {error}"
    if old.size != new.size:
        return Comparison(1.0, None)
    if old.tobytes() == new.tobytes():
        return Comparison(0.0, None)
    return _told_apart(old, new, difference)


def _pixels(picture: PictureFile) -> Image:
    from PIL import Image  # noqa: PLC0415 - only where pictures differ

    with Image.open(picture.path, formats=_FORMATS) as image:
        return image.convert("RGBA")


def _told_apart(old: Image, new: Image, difference: str) -> Comparison | str:
    try:
        import blazediff  # noqa: PLC0415 - an extra
    except ImportError:
        return NEEDS
    with TemporaryDirectory() as folder:
        names = [str(Path(folder, name)) for name in ("old.png", "new.png")]
        for image, name in zip((old, new), names, strict=True):
            image.save(name, compress_level=0)  # the library reads neither WebP nor pixels
        try:
            found = blazediff.compare(*names, difference, compression=COMPRESSION)
            if not found.diff_count:
                found = blazediff.compare(*names, difference, compression=COMPRESSION, threshold=CLOSELY)
        except ValueError as error:
            return f"the pictures cannot be compared: {error}"
    if not found.diff_count:
        Path(difference).unlink(missing_ok=True)
        return Comparison(0.0, None)
    width, height = old.size
    return Comparison(found.diff_count / (width * height), PictureFile(difference, "image/png", width, height))
