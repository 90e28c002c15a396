"""The webhook receiver behind `webhooks serve`: checks the signature over the raw body, keeps the delivery, answers.

Whatever it keeps is a hint that `collect` checks. It sends nothing anywhere and must not know state or providers.
"""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from pictify_sync.connections import Watch, server_limits
from pictify_sync.core.abilities import WebhookFormat
from pictify_sync.core.ports import Clock, Delivery
from pictify_sync.errors import BadSignature, StateError, UsageError
from pictify_sync.webhooks.files import FileInbox

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from pydantic import SecretStr

MAX_BODY = 1 << 20  # bytes of a delivery
PAGE, PAGE_BYTES = 500, 4 << 20  # deliveries of one answer, and about how many bytes
INBOX = "/inbox"  # where deliveries are read, beside /
DELIVERY_ID = re.compile(r"[\x21-\x7e]{1,200}")
THREADS = 4
HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0  # until the head of a delivery has come, and all of it
USE_POLL = hasattr(select, "poll")  # select takes no descriptor above 1023
LOOK_AGAIN = 0.1  # seconds until the loop notices that it is to stop


@dataclass(frozen=True, slots=True)
class ReceiverOptions:
    """What `webhooks serve` is given."""

    folder: Path  # of the inbox
    secrets: tuple[SecretStr, ...]  # one per subscription
    format: WebhookFormat  # of the provider that sends them
    token: SecretStr | None = None  # who may read the inbox; None: nobody
    host: str = "127.0.0.1"
    port: int = 8572  # 0: any free one
    path: str = "/webhook"  # where deliveries are posted, beside /
    started: Callable[[str], None] = field(default=lambda _: None)  # is told the URL once connections are taken
    kept: Callable[[Delivery], None] = field(default=lambda _: None)  # is told each new delivery


class Receiver:
    """The WSGI app: POST takes a delivery; whoever knows the token reads them with GET and removes them with DELETE.

    Each works at / and at its own path.
    """

    def __init__(self, options: ReceiverOptions, clock: Clock) -> None:
        """Raises UsageError without a secret: anybody could fill the inbox then."""
        self._secrets = tuple(one.get_secret_value() for one in options.secrets if one.get_secret_value())
        if not self._secrets:
            hint = "set PICTIFY_WEBHOOK_SECRET to what `webhooks subscribe` showed (several: between commas)"
            raise UsageError("a receiver needs the secret of its subscription", hint=hint)
        self._options = options
        self._clock = clock
        self._inbox = FileInbox(options.folder)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            path = request.path.rstrip("/")
            takes, gives = path in ("", self._options.path), path in ("", INBOX)
            if takes and request.method == "POST":
                return self._take(request)
            if gives and request.method in ("GET", "DELETE"):
                if not self._may_read(request.headers.get("Authorization", "")):
                    return _said(401, "the inbox needs its token")
                return self._give(request) if request.method == "GET" else self._remove(request)
            return _said(405, "POST a delivery, or GET the inbox") if takes or gives else _said(404, "Not found")
        except BadSignature as error:
            return _said(401, error.message)
        except RequestEntityTooLarge:
            return _said(413, f"at most {MAX_BODY} bytes")
        except HTTPException as error:
            return _said(error.code or 400, error.name)
        except StateError:
            return _said(500, "the inbox cannot be used: send it again")

    def _take(self, request: Request) -> Response:
        request.max_content_length = MAX_BODY
        raw = request.get_data(cache=False)
        now = self._clock.now()
        headers = {name.lower(): value for name, value in request.headers.items()}
        name = self._options.format.verify(headers, raw, self._secrets, now)
        name = name or f"sha256:{sha256(raw).hexdigest()}"
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            return _said(400, "the body is not UTF-8")
        if not DELIVERY_ID.fullmatch(name):
            return _said(400, "the delivery id is not readable")
        delivery = Delivery(name, now, self._options.format.without_values(body))
        kept = self._inbox.put(delivery)
        if kept:
            self._options.kept(delivery)
        return _json(200, {"kept": kept})

    def _give(self, request: Request) -> Response:
        cursor, shown, size = request.args.get("after", ""), list[dict[str, Any]](), 0
        following = None
        for found, delivery in self._inbox.after(cursor, request.args.get("since", 0.0, type=float)):
            if len(shown) >= PAGE or size >= PAGE_BYTES:
                following = cursor
                break
            shown.append(asdict(delivery))
            size += len(delivery.body)
            cursor = found
        return _json(200, {"deliveries": shown, "next": following})

    def _remove(self, request: Request) -> Response:
        request.max_content_length = MAX_BODY
        try:
            body = json.loads(request.get_data(cache=False))
        except (ValueError, RecursionError):
            body = None
        ids = body.get("ids") if isinstance(body, dict) else None
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            return _said(400, "ids must be a list of texts")
        self._inbox.remove(ids)
        return _json(200, {})

    def _may_read(self, header: str) -> bool:
        token = self._options.token.get_secret_value() if self._options.token else ""
        kind, _, given = header.partition(" ")
        same = compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
        return bool(token) and kind.lower() == "bearer" and same


def _json(status: int, body: object) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _said(status: int, message: str) -> Response:
    return _json(status, {"message": message})


def serve(options: ReceiverOptions, clock: Clock) -> None:
    """Receive until SIGINT or SIGTERM. Call it in the main thread. Raises UsageError for what cannot be served so.

    Everything that was answered with 200 is durable: it may be killed at any time.
    """
    told: list[int] = []
    known = {
        number: signal.signal(number, lambda got, _: told.append(got)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with receiving(options, clock) as url:
            options.started(url)
            while not told:  # a signal that comes just before a wait for ever would end it never
                time.sleep(LOOK_AGAIN)
    finally:
        for number, before in known.items():
            signal.signal(number, before)


@contextmanager
def receiving(options: ReceiverOptions, clock: Clock) -> Iterator[str]:
    """Receive in threads of this process while the block runs; gives the URL, without a path."""
    from waitress import wasyncore  # noqa: PLC0415 - the app is of use without it
    from waitress.server import create_server  # noqa: PLC0415

    app = Receiver(options, clock)
    try:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        listener = socket.create_server((options.host, options.port), family=family)
    except OSError as error:
        raise UsageError(f"{options.host}:{options.port}: {error.strerror or error}") from None
    port = listener.getsockname()[1]
    sockets: dict[Any, Any] = {}
    limits: dict[str, Any] = {
        **server_limits(),
        "threads": THREADS,
        "max_request_body_size": MAX_BODY + 1,
        "ident": None,
    }
    server = create_server(app, map=sockets, sockets=[listener], clear_untrusted_proxy_headers=True, **limits)
    stop = threading.Event()
    watch = Watch(server, head=HEAD_SECONDS, body=BODY_SECONDS)

    def run() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=LOOK_AGAIN, use_poll=USE_POLL, map=sockets, count=1)
            watch()

    thread = threading.Thread(target=run, name="receiver")
    thread.start()
    shown = f"[{options.host}]" if ":" in options.host else options.host
    try:
        yield f"http://{shown}:{port}"
    finally:
        stop.set()
        thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)
