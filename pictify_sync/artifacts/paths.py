"""Which names a published file may have. Everything is checked again here, whoever checked it before."""

from __future__ import annotations

import unicodedata

from pictify_sync.errors import ArtifactError

STAGING = ".pictify-sync-staging"  # hidden folder below the root; nothing can be published into it
_KEPT = frozenset({".git", "git~1", ".pictify-sync", STAGING})  # where Git and we keep our own files, at any depth
_MAX_NAME = 255  # bytes of one name (ext4, APFS)


def parts(path: str) -> tuple[str, ...]:
    """Split a POSIX path below the root into its names. Raises ArtifactError when it could leave the root."""
    names = tuple(path.split("/"))
    fault = next((fault for fault in map(_fault, names) if fault), None)
    if fault is None and not unicodedata.is_normalized("NFC", path):
        fault = "is not in Unicode form NFC"
    if fault is None and any(name.casefold() in _KEPT for name in names):
        fault = "leads to where Git or pictify-sync keep their own files"
    if fault is not None:
        raise ArtifactError(f"the output path {path!r} {fault}", hint="give a plain relative path in `output`")
    return names


def _fault(name: str) -> str | None:
    if name in ("", ".", ".."):
        return "leaves the output folder or has an empty part"
    if "\\" in name or ":" in name or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "has a character that is not portable"
    if len(name.encode()) > _MAX_NAME:
        return "has a part that is too long"
    return None
