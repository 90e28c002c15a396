"""Options of a manifest whose pictures Pictify, or a server like it, renders."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PictureOptions(BaseModel):
    """How a picture is encoded."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    quality: float | None = Field(None, gt=0, le=1, description="Of jpeg and webp [0.9].")
