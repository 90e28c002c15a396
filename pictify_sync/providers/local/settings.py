"""Settings of `providers.local`: the embedded server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pictify_sync.providers.limits import Count, Limits


class LocalSettings(Limits):
    """The server inside this process, which needs no account."""

    folder: str = Field(".pictify-sync/local", min_length=1, description="Folder of its batches and files.")
    engine: Literal["takumi", "chromium"] = Field("takumi", description="What draws the pictures.")
    fonts: list[str] = Field(
        ["Inter", "Noto Sans", "Heebo", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans SC", "Noto Sans KR"],
        description="Font families tried after those that a template names, in this order.",
    )
    workers: Count | None = Field(None, description="Processes that draw; null: one per core.")
    render_timeout: float = Field(30.0, gt=0, description="Seconds for one picture.")
