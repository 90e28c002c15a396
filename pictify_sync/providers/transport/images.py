"""Fetches pictures by http(s) for an engine that must not: from allowed hosts only, by addresses that were checked.

A host name is resolved once, every address must be public, and the connection goes to the address that was checked, so
that a name which changes its mind leads nowhere. Redirects are followed to allowed hosts only. No cookies. Where the
environment names a proxy for a host, the proxy resolves the name, and decides where it may lead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pictify_sync import inflate
from pictify_sync.addresses import Resolve, is_address, public, resolve
from pictify_sync.rendering.page.images import MAX_BYTES

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 3
SECONDS = 15.0  # for one picture, redirects included
PORTS = {"http": 80, "https": 443}


class Fetcher:
    """Gives the bytes behind a URL. Raises ValueError: not allowed, or no good answer; OSError: not reachable.

    `allow_hosts` are exact host names. `resolve` and `transport` are the outside world.
    """

    def __init__(
        self, allow_hosts: Sequence[str], *, resolve: Resolve = resolve, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._allowed = frozenset(one.lower().rstrip(".") for one in allow_hosts)
        self._resolve = resolve
        self._transport = transport
        self._direct: httpx.Client | None = None
        self._proxied: httpx.Client | None = None

    def __call__(self, url: str, /) -> bytes:
        import httpx  # noqa: PLC0415 - most pages bring their pictures along

        until = time.monotonic() + SECONDS
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError("not a URL") from None
        try:
            for _ in range(MAX_REDIRECTS + 1):
                body, place = self._get(target, until)
                if place is None:
                    return body
                target = target.join(place)
        except httpx.InvalidURL:
            raise ValueError(f"{target.host} redirects to something that is not a URL") from None
        except httpx.HTTPError as error:
            raise OSError(f"{target.host} cannot be reached: {type(error).__name__}") from None
        raise ValueError(f"more than {MAX_REDIRECTS} redirects")

    def _get(self, target: httpx.URL, until: float) -> tuple[bytes, str | None]:
        """Give a body, or the place to look at instead."""
        client, pinned = self._way(target)
        headers = {"Host": target.netloc.decode("ascii"), "Accept": "image/*", **inflate.PLAIN}
        how = {"sni_hostname": target.host, "timeout": dict.fromkeys(("connect", "read", "write", "pool"), 5.0)}
        with client.stream("GET", pinned, headers=headers, extensions=how) as response:
            if response.is_redirect and (place := response.headers.get("location")):
                return b"", str(place)
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            parts, total = [], 0
            for part in inflate.body(response):
                parts.append(part)
                total += len(part)
                if total > MAX_BYTES:
                    raise ValueError(f"larger than {MAX_BYTES} bytes")
                if time.monotonic() > until:
                    raise ValueError(f"not complete within {SECONDS:g} seconds")
            return b"".join(parts), None

    def _way(self, target: httpx.URL) -> tuple[httpx.Client, httpx.URL]:
        """Give the client to ask, and whom: an address that was checked, or by name whoever a proxy makes of it."""
        from pictify_sync.clients import client, direct_client, goes_by_proxy  # noqa: PLC0415 - as httpx

        host = self._allowed_host(target)
        if self._transport is None and goes_by_proxy(target):
            if is_address(host) and not public(host):
                raise ValueError(f"{host} is an address that is not public")
            self._proxied = self._proxied or client(max_redirects=0)
            self._proxied.cookies.clear()
            return self._proxied, target
        self._direct = self._direct or direct_client(transport=self._transport, max_redirects=0)
        self._direct.cookies.clear()
        return self._direct, target.copy_with(host=self._address(host))

    def _allowed_host(self, target: httpx.URL) -> str:
        host = target.host.lower().rstrip(".")
        if host not in self._allowed:
            raise ValueError(
                f"{host or 'it'} is not an allowed host: add it to allow_hosts in the settings if you trust it"
            )
        if target.scheme not in PORTS or target.userinfo or target.port not in (None, PORTS[target.scheme]):
            raise ValueError("only plain http(s) URLs can be fetched")
        return host

    def _address(self, host: str) -> str:
        found = self._resolve(host)
        if not found or not all(map(public, found)):
            raise ValueError(f"{host} has an address that is not public")
        return found[0]
