"""A server, a client of it and a state to make live checks with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.model import Capabilities
from pictify_sync.core.ports import StateStore
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.pictify.server.app import ServerApp, read_meter
from pictify_sync.providers.pictify.server.wire import digest
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from pictify_sync.workflows.apply.session import Ports, Session
from pictify_sync.workflows.doctor.live import Explored, probe
from tests.providers.clock import FakeClock
from tests.workflows.world import ListDesired

SERVICE = "https://api.test"
Change = Callable[[httpx.Request], httpx.Response | None]


class Patient(FakeClock):
    """A clock of its own that lets the server's workers go on while somebody waits."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(0.01)


class Changing(httpx.BaseTransport):
    """Passes requests on to an app with headers added, unless `answer` answers instead."""

    def __init__(self, app: ServerApp, headers: Mapping[str, str], answer: Change) -> None:
        self._inner = httpx.WSGITransport(app)
        self._headers = headers
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.update(self._headers)
        answer = self._answer(request)
        return self._inner.handle_request(request) if answer is None else answer


def nothing(_: httpx.Request) -> None:
    """Change nothing."""


@dataclass
class Place:
    """A server, its client, and a state."""

    folder: Path  # of the server
    provider: PictifyProvider
    store: SqliteStateStore
    clock: FakeClock
    team: str  # whose key it is, as the server names it
    stopped: bool = False

    def explore(self, store: StateStore | None = None) -> Explored:
        """Make a live check."""
        numbers = iter(range(100))
        ports = Ports(
            store=store or self.store,
            artifacts=FileArtifacts(self.folder / "none"),
            provider=lambda _: self.provider,
            payloads=ListDesired([]),
            asset=lambda _: None,
            clock=self.clock,
            sink=lambda _: None,
            stop=lambda: self.stopped,
            run="r",
            new_attempt=lambda: f"check-{self.store.serial()}-{next(numbers)}",
        )
        return probe(Session(ports), "pictify", SERVICE)

    def meter(self) -> int:
        """What the server has rendered for this key."""
        return sum(row["team"] == self.team for row in read_meter(self.folder))

    def templates(self) -> list[str]:
        """Names of the templates that the server holds."""
        return [one.name for one in self.provider.list_templates()]


@dataclass(frozen=True)
class Server:
    """One emulator for many tests: each has a team of its own, and sets dialects and faults by request."""

    app: ServerApp
    folder: Path

    @contextmanager
    def place(
        self, tmp_path: Path, options: str = "", faults: str = "", *, change: Change = nothing, pause: float = 0.1
    ) -> Iterator[Place]:
        """A client whose requests carry these options and faults; `pause`: seconds between polls."""
        clock, key = Patient(), f"key-of-{tmp_path}"
        headers = {"X-Emulator-Set": options, "X-Emulator-Fault": faults}
        transport = Changing(self.app, {name: value for name, value in headers.items() if value}, change)
        http = Http(SERVICE, SecretStr(key), transport=transport, rate=Rate(clock, None))
        client = Opened(http, Downloads(http.client, http.client, ()))
        provider = PictifyProvider("pictify", client, Capabilities(poll_seconds=pause), grace=0)
        store = open_store(tmp_path / "state.db", create=True)
        assert isinstance(store, SqliteStateStore)
        try:
            yield Place(self.folder, provider, store, clock, digest(key))
        finally:
            store.close()
            provider.close()
