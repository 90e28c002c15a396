"""Streams the bytes behind a result's URL, which is untrusted: it may point anywhere.

Allowed are the provider's own origin and the hosts of an allow-list. A foreign host is reached by https only, gets no
key, and is resolved once: every address must be public, and the connection goes to the address that was checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from time import monotonic

import httpx

from pictify_sync import inflate
from pictify_sync.addresses import Resolve, is_address, public, resolve
from pictify_sync.clients import goes_by_proxy
from pictify_sync.errors import DownloadError, DownloadRefused, ProviderUnavailable

MAX_BYTES = 64 * 1024 * 1024  # of one picture
MAX_SECONDS = 600.0  # for one picture: bytes that trickle keep every timeout
MAX_REDIRECTS = 3
RETRIED = {408, 425, 429, 500, 502, 503, 504}
GONE = {404, 410}


class Downloads:
    """Downloads for one provider. `own` is its client, used for its own origin.

    `foreign` and `proxied` must carry no key. `proxied` may be set, for hosts that the environment names a proxy for:
    the proxy resolves the name, so that the check of addresses is the proxy's; None: there is none.
    """

    def __init__(
        self,
        own: httpx.Client,
        foreign: httpx.Client,
        allow_hosts: Sequence[str],
        *,
        resolve: Resolve = resolve,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._own = own
        self._foreign = foreign
        self.proxied: httpx.Client | None = None
        self._allowed = frozenset(one.lower().rstrip(".") for one in allow_hosts)
        self._resolve = resolve
        self._max_bytes = max_bytes
        self.max_seconds = MAX_SECONDS

    def stream(self, url: str) -> Iterator[bytes]:
        """Give the body in pieces.

        Raises DownloadRefused: not allowed; ProviderUnavailable: not now; DownloadError: gone, or too large.
        """
        with ExitStack() as stack:
            try:
                response = self._open(stack, url)
                yield from self._body(response)
            except httpx.InvalidURL:
                raise DownloadRefused(
                    f"download from {_parse(url).host}: it redirects to something that is not a URL"
                ) from None
            except ValueError as error:
                raise DownloadError(f"download from {_parse(url).host}: {error}") from None
            except httpx.RequestError as error:
                host = _parse(url).host
                raise ProviderUnavailable(f"download from {host}: {type(error).__name__}") from None

    def close(self) -> None:
        self._foreign.close()
        if self.proxied is not None:
            self.proxied.close()

    def _open(self, stack: ExitStack, url: str) -> httpx.Response:
        target = _parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = stack.enter_context(self._request(target))
            if response.is_redirect and (place := response.headers.get("location")):
                target = target.join(place)
                continue
            if response.status_code in RETRIED:
                raise ProviderUnavailable(f"download from {target.host}: status {response.status_code}")
            if response.status_code != 200:
                kind = DownloadError if response.status_code in GONE else DownloadRefused
                raise kind(f"download from {target.host}: status {response.status_code}")
            return response
        raise DownloadRefused(f"download from {target.host}: more than {MAX_REDIRECTS} redirects")

    def _request(self, target: httpx.URL) -> AbstractContextManager[httpx.Response]:
        if _origin(target) == _origin(self._own.base_url):
            return self._own.stream("GET", target, headers=inflate.PLAIN)
        host = target.host.lower().rstrip(".")
        if target.scheme != "https" or target.userinfo:
            raise DownloadRefused(f"a result's URL must be https: {_shown(target)}")
        if host not in self._allowed:
            hint = f"add {host} to allow_hosts in the settings if you trust it"
            raise DownloadRefused(f"a result's URL points to {host}, which is not allowed", hint=hint)
        if self.proxied is not None and goes_by_proxy(target):
            if is_address(host) and not public(host):
                raise DownloadRefused(f"download from {host}: the address is not public")
            return self.proxied.stream("GET", target, headers=inflate.PLAIN)
        pinned = target.copy_with(host=self._address(host))
        headers = {"Host": target.netloc.decode("ascii"), **inflate.PLAIN}
        return self._foreign.stream("GET", pinned, headers=headers, extensions={"sni_hostname": host})

    def _address(self, host: str) -> str:
        try:
            found = self._resolve(host)
        except OSError as error:
            raise ProviderUnavailable(f"download from {host}: the name cannot be resolved") from error
        if not found or not all(map(public, found)):
            raise DownloadRefused(f"download from {host}: it resolves to an address that is not public")
        return found[0]

    def _body(self, response: httpx.Response) -> Iterator[bytes]:
        declared = response.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > self._max_bytes:
            raise DownloadError(f"a picture of {declared} bytes, at most {self._max_bytes} are read")
        total, until = 0, monotonic() + self.max_seconds
        for piece in inflate.body(response):
            total += len(piece)
            if total > self._max_bytes:
                raise DownloadError(f"a picture of more than {self._max_bytes} bytes")
            if monotonic() > until:
                raise httpx.ReadTimeout(f"not complete after {self.max_seconds:.0f} s")
            yield piece


def _parse(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise DownloadRefused("a result's URL is not a URL") from None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme)


def _shown(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.host}{url.path}"
