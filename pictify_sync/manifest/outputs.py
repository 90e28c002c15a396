"""Which output paths are fit to be published at, on any file system.

This module must not know rows or manifests.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pictify_sync.core.paths import folded

MAX_NAME = 255  # bytes of one part of a path, on every usual file system
MAX_PATH = 1_000  # bytes of a whole path below the output root

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_PLAIN = re.compile(
    r"(?=.{1,200}\Z)[A-Za-z0-9_-][A-Za-z0-9_/-]*\.[a-z]{3,4}\Z"
)  # most paths; the rest is looked at closely
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_KEPT = frozenset({".git", "git~1", ".pictify-sync", ".pictify-sync-staging"})  # of Git and of ours, folded


def normal(path: str) -> str:
    """Return the NFC form of a path."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def kept_part(part: str) -> bool:
    """Whether a name is, on some file system, that of a folder where Git or pictify-sync keep their own files."""
    return folded(part).partition(":")[0].rstrip(". ") in _KEPT


def fault(path: str) -> str:
    """Return why a path cannot be an output, "" when it can: it must be relative, plain and portable."""
    if _PLAIN.match(path) and not _RESERVED.match(path.rpartition("/")[2]):
        return _faulty_folder(path.rpartition("/")[0])
    if path.startswith("/"):
        return "is an absolute path"
    if len(path.encode(errors="replace")) > MAX_PATH:
        return f"is longer than {MAX_PATH} bytes"
    folder, _, name = path.rpartition("/")
    return _faulty_folder(folder) or _faulty_part(name)


@lru_cache(maxsize=4096)
def _faulty_folder(folder: str) -> str:
    return next((why for part in folder.split("/") if (why := _faulty_part(part))), "") if folder else ""


def _faulty_part(part: str) -> str:
    if part in ("", ".", ".."):
        return {"": "has an empty part", ".": "has the part '.'", "..": "leaves the output folder"}[part]
    if found := _FORBIDDEN.search(part):
        return f"holds the character {found[0]!r}"
    if part[-1] in ". " or part[0] == " ":
        return f"has a part with a blank or dot at its end: {part[:40]!r}"
    if _RESERVED.match(part):
        return f"has the part {part[:40]!r}, which Windows reserves"
    if folded(part) in _KEPT:
        return f"has the part {part[:40]!r}, where Git or pictify-sync keep their own files"
    too_long = len(part) > MAX_NAME // 4 and len(part.encode(errors="replace")) > MAX_NAME
    return f"has a part longer than {MAX_NAME} bytes" if too_long else ""
