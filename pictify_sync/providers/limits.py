"""What the settings may say of any provider's account. Each provider's settings model is a subclass.

A field that is named as one of `Capabilities` stands over what the provider declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pictify_sync.core.model import Capabilities

Count = Annotated[int, Field(ge=1)]
UrlSource = Literal["results", "inbox", "lookup", "single"]


def _free_first(sources: list[UrlSource]) -> list[UrlSource]:
    if "single" in sources[:-1]:
        raise ValueError("'single' is billed, so it stands last")
    return sources


class Limits(BaseModel):
    """What an account at a provider allows; absent values are what the provider documents."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    url_sources: Annotated[list[UrlSource], AfterValidator(_free_first)] = Field(
        ["results", "inbox", "lookup"],
        description="Where the URLs of pictures are looked for, in this order. `single`, which may stand last, makes "
        "`collect` render what none of the others has once more by the synchronous route, and that is billed again.",
    )
    max_items: Count | None = Field(None, description="Items in one batch.")
    max_open: Count | None = Field(None, description="Batches open at once.")
    max_bytes: Count | None = Field(None, description="Bytes of one request.")
    requests_per_minute: Count | None = Field(None, description="Requests in a minute.")
    many_layouts: bool | None = Field(None, description="Whether a batch may render several layouts.")
    urls_in_results: bool | None = Field(None, description="Whether results carry the URLs of the pictures.")
    honours_idempotency_key: bool | None = Field(None, description="Whether a batch sent twice is rendered once.")
    poll_seconds: float | None = Field(
        None,
        gt=0,
        description="Seconds between polls of one batch, at most: one that should be over is asked for sooner.",
    )
    post_seconds: float | None = Field(
        None, gt=0, description="Seconds that sending a batch may take: what is left of it by then never arrived."
    )
    stall_seconds: float | None = Field(
        None, gt=0, description="Seconds that a batch may show nothing new before it is cancelled."
    )
    item_seconds: float | None = Field(None, gt=0, description="Seconds that one item of a batch takes at most.")
    turnaround_seconds: float | None = Field(
        None,
        gt=0,
        description="Seconds that a batch takes in all before it is cancelled; null: `stall_seconds`, and "
        "`item_seconds` for each of its items.",
    )

    def given(self) -> Mapping[str, object]:
        """Fields of Capabilities that the settings decide."""
        names = (one.name for one in fields(Capabilities))
        return {name: value for name in names if (value := getattr(self, name, None)) is not None}
