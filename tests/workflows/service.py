"""The real client over the real server in one process, on a clock that passes only when somebody waits for it.

Server, client, driver and state are those of the product; the engine and the way between client and server are fakes.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Set
from concurrent.futures import Executor, Future
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Protocol, TypeVar

import httpx
from pydantic import SecretStr

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.events import Event
from pictify_sync.core.journal import DoubtRules
from pictify_sync.core.model import Asset, AssetKey, Capabilities, Origin
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import ArtifactStore, Clock, Provider, StateStore
from pictify_sync.core.template import LayoutSize, TemplateSource, VariableRule
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.pictify.server.app import ServerApp, create_app, read_meter
from pictify_sync.providers.pictify.server.faults import ConnectionDropped
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from pictify_sync.wiring.session import new_attempt
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Ports, Session
from pictify_sync.workflows.apply.urls import UrlSources
from pictify_sync.workflows.collect import Collected, collect
from pictify_sync.workflows.plan import Choice, make_plan
from tests.core.assets import asset
from tests.providers.pictify.server.fake_engine import FakeRenderer
from tests.workflows.world import Killed, ListDesired

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

P = ParamSpec("P")
T = TypeVar("T")

START = 1_790_000_000.0
SIZES = {"default": LayoutSize(8, 6), "square": LayoutSize(7, 7, "Square")}
CARD = TemplateSource(
    "card", "pictify", "<b>{{v}}</b>", SIZES, (VariableRule("v"),), "d", {}, origin=Origin("card.yaml", 1)
)


class VirtualClock:
    """One time for client and server, in seconds since the epoch."""

    def __init__(self) -> None:
        self.time = START
        self.set_ahead = 0.0  # seconds by which somebody set the machine's clock ahead; below 0: back
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.time + self.set_ahead

    now = __call__

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.time += max(seconds, 0.001)


class InPlace(Executor):
    """Does each call at once, in the thread of whoever asks."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class Asked(NamedTuple):
    """A line of the server's log."""

    at: float
    method: str
    path: str
    status: int


class Logged:
    """The app, and what it was asked for; pictures are not counted."""

    def __init__(self, app: ServerApp, clock: VirtualClock) -> None:
        self.app, self._clock = app, clock
        self.log: list[Asked] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        at, method, path = self._clock.time, environ["REQUEST_METHOD"], environ["PATH_INFO"]

        def begun(status: str, *rest: Any) -> Any:
            if not path.startswith("/files/"):
                self.log.append(Asked(at, method, path, int(status[:3])))
            return start_response(status, *rest)

        return self.app(environ, begun)


class Line(httpx.BaseTransport):
    """The way to the server and back.

    `dies`: numbers of the POSTs of batches whose client dies before the answer. `breaks`: number -> what befalls it.
    """

    def __init__(self, served: Logged, clock: VirtualClock, latency: float) -> None:
        self._inner = httpx.WSGITransport(served)
        self._clock, self._latency = clock, latency
        self.posts = 0
        self.dies: set[int] = set()
        self.breaks: dict[int, str] = {}
        self.befalls: Callable[[], object] = lambda: None  # what happens with every request that is answered

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/files/"):
            return self._inner.handle_request(request)
        self._clock.time += self._latency / 2
        creates = request.method == "POST" and request.url.path.endswith("/batch-render")
        self.posts += creates
        if creates and self.posts in self.breaks:
            request.headers["X-Emulator-Fault"] = self.breaks[self.posts]
        try:
            response = self._inner.handle_request(request)
        except ConnectionDropped:
            raise httpx.ReadError("the connection was closed") from None
        finally:
            self._clock.time += self._latency / 2
        self.befalls()
        if creates and self.posts in self.dies:
            raise Killed
        return response


class Service:
    """A served emulator and a client of it. Options of the emulator by name; `close` it at the end."""

    def __init__(self, folder: Path, capabilities: Capabilities, *, latency: float = 0.0, **options: Any) -> None:
        self.clock = VirtualClock()
        self.folder = folder
        how = Options(FakeRenderer, workers=1, render_seconds=600, now=self.clock, pool=InPlace, **options)
        self.served = Logged(create_app(folder, how), self.clock)
        self.line = Line(self.served, self.clock, latency)
        self.provider = self._connected(capabilities)

    def reconnect(self, capabilities: Capabilities) -> None:
        """A client that knows nothing of what the one before did, as after its death."""
        self.provider.close()
        self.provider = self._connected(capabilities)

    def _connected(self, capabilities: Capabilities) -> PictifyProvider:
        rate = Rate(self.clock, capabilities.requests_per_minute)
        http = Http("http://service.invalid", SecretStr("k" * 64), transport=self.line, rate=rate)
        downloads = Downloads(http.client, http.client, ())
        return PictifyProvider("pictify", Opened(http, downloads), capabilities)

    @property
    def log(self) -> list[Asked]:
        """What the server was asked for, in order."""
        return self.served.log

    def meter(self) -> list[tuple[str, str]]:
        """(variables, layout) of every picture the server rendered, once it has nothing left to do."""
        end = time.monotonic() + 30
        while self._asked("SELECT 1 FROM items WHERE state=0 LIMIT 1"):
            assert time.monotonic() < end
            time.sleep(0.01)
        return [(row["variables"], row["layout"]) for row in read_meter(self.folder)]

    def _asked(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "emulator.db")) as database:
            return database.execute(query).fetchall()

    def batches(self) -> list[str]:
        """The ids of all batches that the server took, in order."""
        return [str(row[0]) for row in self._asked("SELECT id FROM batches WHERE kind='batch' ORDER BY number")]

    def close(self) -> None:
        """Close both."""
        self.provider.close()
        self.served.app.close()


class Offer(Protocol):
    """What a customer needs of a service."""

    @property
    def clock(self) -> Clock: ...

    @property
    def provider(self) -> Provider: ...


class Customer:
    """One project at a service: its state, its files, and the rules for batches in doubt."""

    def __init__(self, folder: Path, service: Offer, artifacts: ArtifactStore | None = None) -> None:
        self.folder, self.service = folder, service
        self.artifacts = artifacts or FileArtifacts(folder / "out")
        self.doubt = DoubtRules()
        self.events: list[Event] = []
        self.sources = UrlSources()
        self.stop: Callable[[], bool] = lambda: False  # whether the user asks to stop

    @contextmanager
    def store(self) -> Iterator[SqliteStateStore]:
        """The state."""
        opened = open_store(self.folder / "state.db", create=True)
        assert isinstance(opened, SqliteStateStore)
        try:
            yield opened
        finally:
            opened.close()

    def ports(self, desired: ListDesired, store: StateStore) -> Ports:
        """The outside of one run."""
        return Ports(
            store=store,
            artifacts=self.artifacts,
            provider=lambda _: self.service.provider,
            payloads=desired,
            asset=desired.get,
            clock=self.service.clock,
            sink=self.events.append,
            stop=self.stop,
            run="r",
            new_attempt=new_attempt,
            sources=lambda _: self.sources,
            doubt=self.doubt,
        )

    def plan(self, desired: ListDesired, store: StateStore, choice: Choice | None = None) -> Plan:
        """What would change."""
        return make_plan(desired, store, lambda _: self.service.provider.capabilities(), choice or Choice())

    def apply(self, desired: ListDesired, *, replaces: tuple[str, ...] = (), is_saved: bool = False) -> ApplySummary:
        """Recover, plan and carry out, as the command does."""
        with self.store() as store:
            ports = self.ports(desired, store)
            recovered = recover(ports)
            choice = Choice(replace=replaces)
            plan = self.plan(desired, store, choice)

            def again(lost: Set[AssetKey]) -> Plan | None:
                return None if is_saved else self.plan(desired, store, replace(choice, replace_only=frozenset(lost)))

            return carry_out(ports, plan, again, recovered)

    def collect(self, desired: ListDesired) -> Collected:
        """Look for pictures whose URL is not known yet."""
        with self.store() as store:
            return collect(Session(self.ports(desired, store)))


def card(item: str, layout: str = "default") -> Asset:
    """A picture of the template `CARD` at this service."""
    return asset(item, layout=layout, provider="pictify", engine="")


def cards(items: Iterable[str], layouts: Iterable[str] = ("default",)) -> ListDesired:
    """Manifests that ask for these items in each of the layouts."""
    chosen = tuple(layouts)
    return ListDesired([card(item, layout) for item in items for layout in chosen], (CARD,))
