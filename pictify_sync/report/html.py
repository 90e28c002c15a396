"""A review as one HTML page that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pictify_sync.core.model import AssetKey
from pictify_sync.core.preview import Preview
from pictify_sync.report.review import Review


def write_html(review: Review, previews: Mapping[AssetKey, Preview], file: Path) -> None:  # noqa: ARG001 - the rest of the page follows
    """Write the page, whole or not at all. Raises OSError when the file cannot be written."""
    file.write_text(f"<!doctype html><title>{review.title}</title>", encoding="utf-8")
