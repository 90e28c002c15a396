"""The formats of files: which there are is open, and which of them a provider makes is its own matter.

A format is a name in manifests and records. What its files look like is known to whoever verifies them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaType:
    """What files of one format are."""

    name: str  # as manifests, specs and records have it
    endings: tuple[str, ...]  # of file names, in small letters and without the dot, the usual one first
    content_types: tuple[str, ...]  # the usual one first
    moving: bool = False  # True: it plays, so that it is no picture to be drawn, decoded or compared


PNG = MediaType("png", ("png",), ("image/png",))
JPEG = MediaType("jpeg", ("jpg", "jpeg"), ("image/jpeg",))
WEBP = MediaType("webp", ("webp",), ("image/webp",))
MP4 = MediaType("mp4", ("mp4",), ("video/mp4",), moving=True)

IMAGES = (PNG, JPEG, WEBP)
MEDIA = {media.name: media for media in (*IMAGES, MP4)}  # those that can be verified here
_BY_ENDING = {ending: media for media in MEDIA.values() for ending in media.endings}


def format_of(path: str) -> str | None:
    """Return the format that the ending of a file's name stands for, None for an ending of none."""
    found = _BY_ENDING.get(path.rpartition(".")[2].lower())
    return None if found is None else found.name


def is_moving(format_: str) -> bool:
    """Return whether files of a format play."""
    return format_ in MEDIA and MEDIA[format_].moving
