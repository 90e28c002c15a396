"""A service that answers what it is told to, and notes what it was asked."""

from __future__ import annotations

import httpx
from pydantic import SecretStr

from pictify_sync.core.model import Capabilities
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from tests.providers.clock import FakeClock

KEY = "pk_live_" + "c0ffee" * 6


class Service:
    """A service that answers by a script, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.clock = FakeClock()

    @property
    def slept(self) -> list[float]:
        """What was waited for, in seconds."""
        return self.clock.slept

    def __call__(self, asked: httpx.Request) -> httpx.Response:
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def provider(self, grace: float = 0.0) -> PictifyProvider:
        """The provider that talks to it."""
        transport = httpx.MockTransport(self)
        http = Http("https://api.example/prefix", SecretStr(KEY), transport=transport, rate=Rate(self.clock, None))
        downloads = Downloads(http.client, http.client, ())
        return PictifyProvider("pictify", Opened(http, downloads), Capabilities(), grace=grace)


def said(status: int, body: object = None, **headers: str) -> httpx.Response:
    """An answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return httpx.Response(status, text=body, headers=named)
    return httpx.Response(status, json=body, headers=named)
