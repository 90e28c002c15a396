"""What stands behind the routes: store, templates, batches, dispatcher, webhooks; opened and closed together.

Nothing is rendered and no process is started before the first batch. It knows no HTTP request.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from pictify_sync.providers.pictify.server.batches.accepted import Batches, Order
from pictify_sync.providers.pictify.server.batches.claims import Claims
from pictify_sync.providers.pictify.server.batches.dialects import BatchView
from pictify_sync.providers.pictify.server.batches.dispatch import Dispatcher, RenderSetup
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.store.database import Store
from pictify_sync.providers.pictify.server.store.renders import Renders
from pictify_sync.providers.pictify.server.store.templates import Source, Templates
from pictify_sync.providers.pictify.server.webhooks.events import EventQueue
from pictify_sync.providers.pictify.server.webhooks.sender import WebhookClient, WebhookSender
from pictify_sync.providers.pictify.server.webhooks.subscriptions import Subscriptions
from pictify_sync.providers.pictify.server.wire import WireError
from pictify_sync.rendering.engines.pool import RenderPool

FIRST_PACE = 0.002  # seconds per picture that a hint assumes before anything was rendered: look again soon
RENDERING_STOPPED = "RENDERING_STOPPED"  # code of an error that ends only when the server is started anew
LATE = 60.0  # seconds that rendering may be behind the server's clock before results are shown as they are


class ServerContext:
    """One folder, open. Several processes may open the same folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self._options = options
        for name in ("files", "runs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._store = Store(folder / "emulator.db")
        now = options.now
        self.templates = Templates(self._store, max_html=options.max_html, now=now)
        self.batches = Batches(self._store, now=now, key_seconds=options.key_seconds, keep_values=options.keep_values)
        self.renders = Renders(self._store)
        self._webhooks = WebhookClient(loopback=options.loopback_targets)
        self.subscriptions = Subscriptions(self._store, self._webhooks.check, now)
        self.sender = WebhookSender(self._store, folder / "courier.lock", options.post or self._webhooks, now)
        self.source: Callable[[str], Source] = lru_cache(maxsize=16)(self.templates.source)
        self._workers = options.workers or _cores()
        self._dispatcher: Dispatcher | None = None
        self._lock = threading.Lock()
        self._closed = False
        if self.sender.waiting():
            self.sender.wake()

    def dispatch(self) -> Dispatcher:
        """The thread that renders; it starts with the first call."""
        options = self._options
        with self._lock:
            if self._closed:
                raise WireError(500, "The server is closed")
            if self._dispatcher is None:
                journals = self.folder / "runs"
                announce = EventQueue(options.now, self.sender.wake)
                claims = Claims(self._store, journals, announce, keep_values=options.keep_values, now=options.now)
                longest = options.render_seconds + options.start_seconds
                how = (options.renderer, self.folder / "files", journals, options.render_seconds)
                pool = options.pool or partial(RenderPool, self._workers, options.preload, longest=longest)
                self._dispatcher = Dispatcher(claims, self.source, RenderSetup(*how, self._workers, longest), pool)
            return self._dispatcher

    def view(self, batch: str, team: str, *, values: bool = False) -> BatchView:
        """See a batch, going on with it if need be. Waits while rendering is behind the server's clock."""
        view = self.batches.view(batch, self.source, values=values, team=team)
        if view.late:
            self.wait(batch, team, LATE)
            view = self.batches.view(batch, self.source, values=values, team=team)
        if view.open:
            self._alive()
        return view

    def _alive(self) -> Dispatcher:
        dispatcher = self.dispatch()
        if dispatcher.failure or self._closed:
            raise WireError(500, f"Rendering stopped: {dispatcher.failure}", RENDERING_STOPPED)
        return dispatcher

    def wait(self, batch: str, team: str, seconds: float = float("inf")) -> None:
        """Sleep until everything of a batch is rendered, or about that time is over."""
        while self.batches.rendering(batch, team) and seconds > 0:
            dispatcher = self._alive()
            seen = dispatcher.recorded
            if self.batches.rendering(batch, team):
                dispatcher.wait(seen, 1.0)
                seconds -= 1.0 if dispatcher.recorded == seen else 0.0

    def render_now(self, order: Order) -> BatchView:
        """Render at once: what a synchronous route answers with."""
        batch = str(self.batches.create(order).body["batchId"])
        self.dispatch().wake()
        self.wait(batch, order.team)
        return self.batches.view(batch, self.source, team=order.team)

    def hint(self, batch: str) -> float:
        """Seconds after which it is worth to ask for an open batch again."""
        seconds = self.batches.ahead(batch) * (self.dispatch().pace or FIRST_PACE) / self._workers
        return round(min(max(seconds, 0.05), 1.0), 3)

    def close(self) -> None:
        """Stop rendering (what is not finished goes on when the folder is opened again) and let go of the folder."""
        with self._lock:
            closed, self._closed = self._closed, True
        if closed:
            return
        if self._dispatcher is not None:
            self._dispatcher.close()
        self.sender.close()
        self._webhooks.close()
        self._store.close()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
