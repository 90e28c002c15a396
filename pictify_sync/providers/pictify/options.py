"""Options of a manifest whose pictures Pictify, or a server like it, renders."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

DEFAULT_QUALITY = 0.9  # of jpeg and webp (Pictify, Batch render)


class PictureOptions(BaseModel):
    """How a picture is encoded. Asks for the `format` that it is encoded in."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    quality: Annotated[float, Field(ge=0.1, le=1.0)] | None = Field(
        None, validate_default=True, description=f"Of jpeg and webp [{DEFAULT_QUALITY}]."
    )

    @field_validator("quality")
    @classmethod
    def _fits(cls, quality: float | None, given: ValidationInfo) -> float | None:
        format_ = (given.context or {}).get("format", "png")
        if format_ != "png":
            return quality or DEFAULT_QUALITY
        if quality is not None:
            raise ValueError("should not be set for png: remove it, or choose jpeg or webp")
        return None
