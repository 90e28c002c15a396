"""The provider `pictify`: an account at the real service, or at any server of the same API.

Importing this module does not import httpx; `connect` does.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from urllib.parse import urlsplit

from pictify_sync.core.ports import Provider
from pictify_sync.errors import AuthenticationFailed, UsageError
from pictify_sync.providers.registry import ProviderOptions, capabilities

FILE_HOSTS = ("cdn.pictify.io", "api.pictify.io")  # where the service keeps what it rendered
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def connect(options: ProviderOptions) -> Provider:
    """Open the account. Raises AuthenticationFailed without a key, UsageError when the key would travel in clear."""
    from pictify_sync.clients import client, direct_client
    from pictify_sync.providers.pictify.client import Opened, PictifyProvider
    from pictify_sync.providers.transport.downloads import Downloads
    from pictify_sync.providers.transport.http import TIMEOUT, Http
    from pictify_sync.providers.transport.rate import Rate, SystemClock

    if options.api_key is None or not options.api_key.get_secret_value():
        raise AuthenticationFailed("the provider pictify needs an API key", hint="set PICTIFY_API_KEY")
    url = urlsplit(options.base_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise UsageError(f"the base URL {url.scheme}://{url.hostname} is not https: the API key would travel in clear")
    allowed = capabilities("pictify", options)
    most = options.limits.get("requests_per_minute")
    rate = Rate(options.clock or SystemClock(), allowed.requests_per_minute, most=most)
    http = Http(options.base_url, options.api_key, rate=rate)
    http.post_seconds = allowed.post_seconds
    downloads = Downloads(http.client, direct_client(timeout=TIMEOUT), (*FILE_HOSTS, *options.allow_hosts))
    downloads.proxied = client(timeout=TIMEOUT)
    return PictifyProvider("pictify", Opened(http, downloads), allowed)
