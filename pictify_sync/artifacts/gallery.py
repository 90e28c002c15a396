"""Pictures to look at, in a folder of their own: what a preview draws, and copies of what is published.

This module must not know who draws, nor what is done with the pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pictify_sync.artifacts.verify import structure as sniff
from pictify_sync.core.preview import PictureFile
from pictify_sync.errors import DownloadError

MAX_PIXELS = 50_000_000  # more than any engine of ours draws; decoding them takes 200 MB
LONGEST = 100  # characters of a file's name before its ending

_MEDIA = {"png": ("image/png", ".png"), "jpeg": ("image/jpeg", ".jpg"), "webp": ("image/webp", ".webp")}
_ODD = re.compile(r"[^A-Za-z0-9._~@-]")


class FolderGallery:
    """A Gallery in a folder, which is made when the first picture comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def keep(self, name: str, chunks: Iterable[bytes]) -> PictureFile:
        content = b"".join(chunks)
        found = sniff.identify(content)
        if found.format not in _MEDIA or found.width is None or found.height is None:
            raise DownloadError(f"a {found.format} file is no picture")
        if found.width * found.height > MAX_PIXELS:
            raise DownloadError(f"{found.width}x{found.height} pixels are too many to look at")
        media_type, ending = _MEDIA[found.format]
        path = self._path(name, ending)
        path.write_bytes(content)
        return PictureFile(str(path), media_type, found.width, found.height)

    def place(self, name: str) -> str:
        return str(self._path(name, ".png"))

    def _path(self, name: str, ending: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{_ODD.sub('_', name)[:LONGEST]}{ending}"
