"""A receiver of webhooks on loopback that checks signatures as the documentation says, written without our code."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What came in, in order. `answers` are the statuses to give, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.answers: list[int] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.signed: list[int] = []  # the t of each signature

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Check and keep one delivery; gives the status to answer."""
        found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["x-pictify-signature"])
        assert found
        wanted = hmac.new(self.secret.encode(), found[1].encode() + b"." + body, hashlib.sha256).hexdigest()
        assert wanted == found[2]
        self.signed.append(int(found[1]))
        self.headers.append(headers)
        self.bodies.append(json.loads(body))
        return self.answers.pop(0) if self.answers else 200

    @property
    def ids(self) -> list[str]:
        """Delivery ids in order."""
        return [one["x-pictify-delivery-id"] for one in self.headers]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port of loopback."""
    receiver = Receiver()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
