"""The inbox of a receiver somewhere else, read over HTTP: a CI runner cannot be a webhook's target itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from pictify_sync import inflate
from pictify_sync.clients import client, header_value
from pictify_sync.core.ports import Delivery
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable, UsageError
from pictify_sync.webhooks.files import read_delivery

if TYPE_CHECKING:
    from pydantic import SecretStr

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
TIMEOUT = 30.0  # seconds
TRIES = 3
MAX_PAGE = 64 * 1024 * 1024  # bytes
MAX_REMOVED = 2_000  # ids in one request: an id has at most 200 characters, a request 1 MiB
REMOVED = {200, 405}  # 405: a receiver of an older version, which keeps everything
BUSY = {408, 425, 429, 500, 502, 503, 504}


class RemoteInbox:
    """An Inbox at a receiver's URL. Close it at the end."""

    def __init__(self, url: str, token: SecretStr | None, *, transport: httpx.BaseTransport | None = None) -> None:
        """Raises UsageError when the token is missing or would travel in clear."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise UsageError(f"the inbox at {parts.hostname} is not https: its token would travel in clear")
        if token is None:
            raise UsageError("reading a receiver's inbox needs its token", hint="set PICTIFY_INBOX_TOKEN")
        self._host = parts.hostname or ""
        self._url = url
        headers = {
            "Authorization": f"Bearer {header_value(token.get_secret_value(), 'the token of PICTIFY_INBOX_TOKEN')}",
            **inflate.PLAIN,
        }
        through = {} if transport is None else {"transport": transport}
        self._client = client(headers=headers, timeout=TIMEOUT, **through)

    def deliveries(self, since: float = 0.0) -> Iterator[Delivery]:
        cursor = ""
        while True:
            page = self._page({"after": cursor, "since": since})
            try:
                yield from (read_delivery(one) for one in page["deliveries"])
                following = page["next"]
            except (KeyError, TypeError, ValueError):
                raise ProviderError(f"the inbox at {self._host} answers something else than an inbox") from None
            if not isinstance(following, str) or following <= cursor:
                return
            cursor = following

    def remove(self, ids: Collection[str]) -> None:
        names = sorted(ids)
        for start in range(0, len(names), MAX_REMOVED):
            body = {"ids": names[start : start + MAX_REMOVED]}
            try:
                with self._client.stream("DELETE", self._url, json=body) as answer:
                    status = answer.status_code
            except httpx.TransportError as error:
                raise ProviderUnavailable(f"the inbox at {self._host}: {type(error).__name__}") from None
            if status not in REMOVED:
                raise ProviderUnavailable(f"the inbox at {self._host} answers {status}")

    def _page(self, query: dict[str, str | float]) -> Any:
        problem = ""
        for _ in range(TRIES):
            try:
                answer, content = self._asked(query)
            except (httpx.TransportError, httpx.DecodingError) as error:
                problem = type(error).__name__
                continue
            if answer.status_code in (401, 403):
                raise AuthenticationFailed(f"the inbox at {self._host} refuses the token", hint="PICTIFY_INBOX_TOKEN")
            if answer.status_code == 200:
                try:
                    return json.loads(content)
                except (ValueError, RecursionError):
                    raise ProviderError(f"the inbox at {self._host} answers something else than an inbox") from None
            if answer.status_code not in BUSY:
                raise ProviderError(f"the inbox at {self._host} answers {answer.status_code}")
            problem = f"status {answer.status_code}"
        raise ProviderUnavailable(f"the inbox at {self._host}: {problem}", hint="try again later")

    def _asked(self, query: dict[str, str | float]) -> tuple[httpx.Response, bytes]:
        """Ask once, and read no more than an inbox has. Raises httpx.RequestError."""
        parts, size = [], 0
        with self._client.stream("GET", self._url, params=query) as answer:
            try:
                for part in inflate.body(answer):
                    parts.append(part)
                    size += len(part)
                    if size > MAX_PAGE:
                        raise ProviderError(f"the inbox at {self._host} answers more than {MAX_PAGE:,} bytes")
            except ValueError as error:
                raise httpx.DecodingError(str(error)) from None
        return answer, b"".join(parts)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
