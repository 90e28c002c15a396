"""Serves the server over HTTP by waitress until it is stopped: the server behind `pictify-sync serve`.

Loopback by default. On any other address a key is required, pages are fetched from allowed hosts only, and webhooks
leave for public https addresses only.
"""

from __future__ import annotations

import secrets
import select
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pictify_sync.connections import Watch, server_limits
from pictify_sync.errors import UsageError
from pictify_sync.providers.pictify.server.app import ServerApp, create_app
from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.faults import ConnectionDropped, parse
from pictify_sync.providers.pictify.server.options import DAY, Options
from pictify_sync.providers.pictify.server.store.retention import purge
from pictify_sync.providers.pictify.server.webhooks.sender import on_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EXPIRY = 7 * DAY  # of results (Pictify, Batch operations)
HEAD_SECONDS, BODY_SECONDS = 20.0, 600.0  # until the head of a request has come, and all of it
USE_POLL = hasattr(select, "poll")  # select takes no descriptor above 1023
WORK_THREADS = 16  # a synchronous render holds one until its picture is made
PASSED_ON = (
    "dialect", "errors", "rate_headers", "plan", "plan_table", "quota", "quota_status",
    "tokens", "strict_keys", "teams", "idempotent", "workers",
    "webhook_variables", "batch_events", "lookup_variables", "batch_seconds", "expiry", "faults", "rules",
)  # fmt: skip
TIDY_AGAIN = 3600.0  # seconds
LOOK_AGAIN = 0.1  # seconds until the loop notices that it is to stop


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of `serve`. Names and words of the dialects, plans and faults: `options` and `faults`."""

    folder: Path = Path(".pictify-sync/server")  # templates, batches, files and subscriptions live here
    host: str = "127.0.0.1"
    port: int = 8571  # 0: any free one
    prefix: str = ""  # path below which everything is served
    public_url: str = ""  # how clients reach the server, where it stands behind a proxy
    tokens: tuple[str, ...] = field(
        default=(), repr=False
    )  # bearer keys that are used twice; needed when `host` is not loopback
    strict_keys: bool = False
    teams: bool = False
    engine: str = "takumi"
    families: tuple[str, ...] = ()  # of fonts, in the order of fallback
    allow_hosts: tuple[str, ...] = ()  # hosts that pictures, and pages of POST /image, may come from
    workers: int = 0  # 0: one per core
    render_timeout: float = 30.0  # seconds for one picture
    dialect: str = "nested"
    errors: str = "plain"
    rate_headers: str = "documented"
    plan: str = ""
    plan_table: str = "batch"
    quota: int | None = None
    quota_status: int = 429
    idempotent: bool = False
    webhook_variables: bool = True
    batch_events: bool = True
    lookup_variables: bool = False
    batch_seconds: float = 0.0
    expiry: float | None = EXPIRY  # seconds
    keep: float | None = None  # seconds for which ended batches and their files are kept; None: for ever
    faults: bool = False  # for tests: X-Emulator-Fault, X-Emulator-Set, /emulator/...; never on a public address
    rules: tuple[str, ...] = ()  # faults that befall every request
    started: Callable[[str], None] = field(default=lambda _: None)  # gets the URL once connections are taken


def serve(options: ServeOptions) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError for what cannot be served so.

    Call it in the main thread. Everything is durable: it may be killed at any time.
    """
    signals: list[int] = []
    known = {
        number: signal.signal(number, lambda got, _: signals.append(got)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with serving(app_options(options), options) as (url, _):
            options.started(url)
            while not signals:  # a signal that comes just before a wait for ever would end it never
                time.sleep(LOOK_AGAIN)
    finally:
        for number, before in known.items():
            signal.signal(number, before)


def app_options(options: ServeOptions) -> Options:
    """Choose the embedded engine and everything else for an app. Raises UsageError."""
    from pictify_sync.providers.transport.images import Fetcher  # noqa: PLC0415 - these are heavy
    from pictify_sync.rendering.renderer import Renderer  # noqa: PLC0415

    local = on_loopback(options.host)
    if not local and not options.tokens:
        hint = f"give a key, for example {secrets.token_hex(32)}"
        raise UsageError(f"a server on {options.host} needs a key that clients must send", hint=hint)
    if not local and options.faults:
        raise UsageError("faults on request are for tests on loopback only")
    renderer = partial(Renderer, options.engine, options.families, Fetcher(options.allow_hosts))
    shared: dict[str, Any] = {name: getattr(options, name) for name in PASSED_ON}
    shared |= {"render_seconds": options.render_timeout, "key_seconds": DAY, "loopback_targets": local}
    if options.public_url:
        if not options.public_url.startswith(("http://", "https://")):
            raise UsageError(f"the public URL {options.public_url} is neither http nor https")
        shared["public_url"] = options.public_url.rstrip("/") + "/"
    if options.allow_hosts:
        shared["fetch"] = Fetcher(options.allow_hosts)
    if options.faults:
        shared["now"] = MovableClock()
    try:
        parse(",".join(options.rules))
        # The engine itself is not preloaded: it starts threads, and threads do not survive the fork of a worker.
        return Options(renderer, preload=("pictify_sync.rendering.renderer",), **shared)
    except ValueError as error:
        raise UsageError(str(error)) from None


@contextmanager
def serving(how: Options, options: ServeOptions) -> Iterator[tuple[str, ServerApp]]:
    """Serve an app in threads of this process while the block runs and return its URL, without a slash at the end."""
    from waitress import wasyncore  # noqa: PLC0415
    from waitress.server import create_server  # noqa: PLC0415 - the embedded server does without

    listening = _listen(options.host, options.port)
    port = listening.getsockname()[1]
    app = create_app(options.folder, how)
    sockets: dict[Any, Any] = {}
    limits: dict[str, Any] = {**server_limits(), "threads": WORK_THREADS, "max_request_body_size": how.max_body}
    limits |= {"clear_untrusted_proxy_headers": True, "ident": None, "url_prefix": options.prefix}
    server = create_server(_served(app, _names(options)), map=sockets, sockets=[listening], **limits)
    stop = threading.Event()
    watch = Watch(server, head=HEAD_SECONDS, body=BODY_SECONDS)
    threads = [threading.Thread(target=_run, args=(sockets, stop, watch), name="server")]
    if options.keep is not None:
        tidying = (options.folder, options.keep, how.now, stop)
        threads.append(threading.Thread(target=_tidy, args=tidying, name="tidy", daemon=True))
    for thread in threads:
        thread.start()
    shown = f"[{options.host}]" if ":" in options.host else options.host
    try:
        yield f"http://{shown}:{port}{f'/{options.prefix}'.replace('//', '/').rstrip('/')}", app
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)
        app.close()


def _run(sockets: dict[Any, Any], stop: threading.Event, watch: Watch) -> None:
    from waitress import wasyncore  # noqa: PLC0415

    while not stop.is_set():
        wasyncore.loop(timeout=LOOK_AGAIN, use_poll=USE_POLL, map=sockets, count=1)
        watch()


def _tidy(folder: Path, keep: float, now: Callable[[], float], stop: threading.Event) -> None:
    while True:
        with suppress(sqlite3.Error, OSError):  # busy: an hour later it is done all the same
            purge(folder, now() - keep)
        if stop.wait(TIDY_AGAIN):
            return


def _listen(host: str, port: int) -> socket.socket:
    """Open the socket; a name such as localhost is asked for its first address."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise UsageError(f"{host}:{port}: {error.strerror or error}") from None


def _names(options: ServeOptions) -> Collection[str]:
    """Names by which a server on loopback is called; none elsewhere, where a key is needed."""
    if not on_loopback(options.host):
        return ()
    own = {options.host.lower(), "localhost", "127.0.0.1", "::1", urlsplit(options.public_url).hostname}
    return frozenset(filter(None, own))


def _served(app: ServerApp, known: Collection[str]) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Wrap the app for waitress. `known`: the only host names it is to be called by; none: any.

    A page in a browser can give its own host name this machine's address; its requests still carry that name. Where
    a fault wants the connection closed, waitress closes it without an answer.
    """
    from waitress.channel import ClientDisconnected  # noqa: PLC0415

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if known and urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname not in known:
            body = b'{"message":"This server answers to its own name only"}'
            start_response("421 Misdirected Request", [("Content-Type", "application/json")])
            return [body]
        try:
            return app(environ, start_response)
        except ConnectionDropped:
            raise ClientDisconnected from None

    return served
