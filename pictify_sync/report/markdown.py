"""A review as Markdown, for a comment or a job summary on GitHub."""

from __future__ import annotations

from collections.abc import Mapping

from pictify_sync.core.model import AssetKey
from pictify_sync.core.preview import Preview
from pictify_sync.report.review import Review

COMMENT = 65_000  # bytes; GitHub takes 65,536 characters, and a comment needs room for a marker
JOB_SUMMARY = 1_000_000  # bytes; GitHub takes 1 MiB per step


def markdown(review: Review, previews: Mapping[AssetKey, Preview], limit: int) -> str:  # noqa: ARG001 - the rest of the page follows
    """Give at most `limit` bytes of UTF-8."""
    return f"**{review.headline}**\n"[:limit]
