"""The vendor's two clients behind one face, so that each test drives both: `ask("render", uid, ...)`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from pictify import AsyncPictify, Pictify

KEY = "a" * 64


class Ask(Protocol):
    """Calls a method of the client by its name."""

    def __call__(self, method: str, /, *args: Any, **named: Any) -> Any: ...


@contextmanager
def sync_client(url: str, **changes: Any) -> Iterator[Ask]:
    """The blocking client."""
    with Pictify(KEY, base_url=url, **changes) as client:
        yield lambda method, *args, **named: getattr(client, method)(*args, **named)


@contextmanager
def async_client(url: str, **changes: Any) -> Iterator[Ask]:
    """The asynchronous client, on a loop of its own.

    In a thread of its own too: a browser that another test left open keeps a loop running in this one.
    """
    with ThreadPoolExecutor(1) as thread:
        runner = thread.submit(asyncio.Runner).result()
        client = AsyncPictify(KEY, base_url=url, **changes)

        async def call(method: str, *args: Any, **named: Any) -> Any:
            return await getattr(client, method)(*args, **named)

        def ask(method: str, /, *args: Any, **named: Any) -> Any:
            return thread.submit(lambda: runner.run(call(method, *args, **named))).result()

        try:
            yield ask
        finally:
            ask("close")
            thread.submit(runner.close).result()


CLIENTS = {"sync": sync_client, "async": async_client}
