"""The provider `pictify`: an account at the real service, or at any server of the same API."""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pictify_sync.core.abilities import WebhookFormat
from pictify_sync.core.model import Capabilities
from pictify_sync.core.ports import Provider
from pictify_sync.credentials import KeyForm
from pictify_sync.errors import AuthenticationFailed, UsageError
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.providers.spec import Connection, ProviderSpec

if TYPE_CHECKING:
    from pydantic import BaseModel

FILE_HOSTS = ("cdn.pictify.io", "api.pictify.io")  # where the service keeps what it rendered
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SCHEMA_ITEMS = 100  # items that the API's schema takes whatever the plan (Pictify, Batch render: maxItems)
# plan -> (items in a batch, batches open at once, requests a minute) (Pictify, Batch operations: Limits; Rate limits)
PLANS: Mapping[str, tuple[int, int | None, int | None]] = {
    "free": (10, 1, 60),
    "basic": (50, 1, 60),  # Pictify, Dashboard: Usage, where `free` has no batches and `pro` has 250
    "pro": (100, 3, 300),
    "business": (1_000, 10, 1_000),
    "enterprise": (10_000, None, None),
}


def connect(connection: Connection) -> Provider:
    """Open the account. Raises AuthenticationFailed without a key, UsageError when the key would travel in clear."""
    from pictify_sync.clients import client, direct_client
    from pictify_sync.providers.pictify.client import Opened, PictifyProvider
    from pictify_sync.providers.transport.downloads import Downloads
    from pictify_sync.providers.transport.http import TIMEOUT, Http
    from pictify_sync.providers.transport.rate import Rate, SystemClock

    key, allowed = connection.key, connection.capabilities
    if key is None or not key.get_secret_value():
        raise AuthenticationFailed("the provider pictify needs an API key", hint=f"set {SPEC.key_variable}")
    url = urlsplit(connection.base_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise UsageError(
            f"the base URL {url.scheme}://{url.hostname} is not https: the API key would be sent unencrypted"
        )
    clock, most = connection.clock or SystemClock(), connection.settings.requests_per_minute
    http = Http(connection.base_url, key, rate=Rate(clock, allowed.requests_per_minute, most=most))
    http.post_seconds = allowed.post_seconds
    downloads = Downloads(http.client, direct_client(timeout=TIMEOUT), (*FILE_HOSTS, *connection.allow_hosts))
    downloads.proxied = client(timeout=TIMEOUT)
    return PictifyProvider(SPEC.name, Opened(http, downloads), allowed)


def _capabilities(settings: Any) -> Capabilities:
    """What the account's plan allows; more items than the API's schema takes are left to whoever knows better."""
    declared = Capabilities(max_open=1, requests_per_minute=60)
    if settings.plan is None:
        return declared
    items, opened, requests = PLANS[settings.plan]
    return replace(declared, max_items=min(items, SCHEMA_ITEMS), max_open=opened, requests_per_minute=requests)


def _settings() -> type[BaseModel]:
    from pictify_sync.providers.pictify.settings import PictifySettings

    return PictifySettings


def _webhooks(settings: Any, header: str) -> WebhookFormat:
    from pictify_sync.providers.pictify.webhooks import PictifyWebhooks

    return PictifyWebhooks(header or settings.signature_header)


def options() -> type[BaseModel]:
    """The model of a manifest's options."""
    from pictify_sync.providers.pictify.options import PictureOptions

    return PictureOptions


SPEC = ProviderSpec(
    name="pictify",
    title="Pictify",
    settings=_settings,
    options=options,
    capabilities=_capabilities,
    connect=connect,
    remedies=REMEDIES,
    key_variable="PICTIFY_API_KEY",
    key_form=KeyForm(r"p(?:ic|k)_(?:live|test)_[\w-]{6,}", ("_live_", "_test_")),  # now, and until early 2026
    url_variable="PICTIFY_BASE_URL",
    url="https://api.pictify.io",
    webhooks=_webhooks,
    former={"signature_header": "signature_header"},
)
