"""Settings of `providers.pictify`, and what the plans of an account allow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pictify_sync.providers.limits import Limits


class PictifySettings(Limits):
    """An account at Pictify; absent limits are those of its plan."""

    plan: Literal["free", "basic", "pro", "business", "enterprise"] | None = Field(
        None, description="The account's plan."
    )
    signature_header: str = Field(
        "X-Pictify-Signature", pattern="^[A-Za-z0-9-]{1,64}$", description="Header that signs a webhook."
    )
