"""Sends webhooks by HTTP: signed, to public https addresses that were checked, without following anybody elsewhere.

A host name is resolved once, every address must be public, and the connection goes to the address that was checked.
Only a server that itself listens on loopback may also call http on loopback.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pictify_sync.addresses import Resolve, public, resolve

if TYPE_CHECKING:
    import httpx

SECONDS = 30.0  # that a receiver has (Pictify, Webhooks: Delivery)


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the value of X-Pictify-Signature: HMAC-SHA256 over `<seconds>.<body>` (Pictify, Webhooks: Security)."""
    found = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={found.hexdigest()}"


def on_loopback(host: str) -> bool:
    """Whether a host is this machine by name or number."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class WebhookClient:
    """Posts to one target after the other. `loopback`: http on loopback is allowed."""

    def __init__(
        self, *, loopback: bool, resolve: Resolve = resolve, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._transport = transport
        self._client: httpx.Client | None = None

    def check(self, url: str) -> None:
        """Raise ValueError for a target that will never be called, as far as its text tells."""
        try:
            found = urlsplit(url)
            host, port = found.hostname or "", found.port
        except ValueError:
            raise ValueError("not a URL") from None
        if not host or found.username is not None or any(one <= " " or one == "\x7f" for one in url):
            raise ValueError("not a plain URL")
        if self._loopback and found.scheme == "http" and on_loopback(host):
            return
        if found.scheme != "https":
            raise ValueError("only https targets are called")
        if on_loopback(host) or port == 0:
            raise ValueError("the target is not public")
        try:
            literal = str(ipaddress.ip_address(host))
        except ValueError:
            return
        if not public(literal):
            raise ValueError("the target is not public")

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], /) -> int:
        """Send and return the status. Raises ValueError for a target that is not allowed, OSError without an answer."""
        import httpx  # noqa: PLC0415 - a server without subscriptions does without

        self.check(url)
        try:
            target = httpx.URL(url)
            pinned = target if on_loopback(target.host) else target.copy_with(host=self._address(target.host))
            named = {**headers, "Host": target.netloc.decode("ascii")}
            how = {} if on_loopback(target.host) else {"sni_hostname": target.host}
            with self._opened().stream("POST", pinned, content=body, headers=named, extensions=how) as response:
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(f"no answer: {type(error).__name__}") from None

    def _address(self, host: str) -> str:
        found = self._resolve(host)
        if not found or not all(map(public, found)):
            raise ValueError(f"{host} has an address that is not public")
        return found[0]

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx  # noqa: PLC0415

            from pictify_sync.clients import direct_client  # noqa: PLC0415

            timeout = httpx.Timeout(SECONDS, connect=10.0)
            self._client = direct_client(transport=self._transport, timeout=timeout)
        self._client.cookies.clear()
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
