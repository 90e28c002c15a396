"""A faithful S3 service on loopback (moto), for stores in the bucket `pictures`, and one that only fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import Request, urlopen

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/a-secret-that-nobody-may-see",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name there
        return


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Serve S3; gives its URL. The objects outlive the server, within this process."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    app = DomainDispatcherApplication(create_backend_app)
    with make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet) as server, _running(server):
        url = f"http://127.0.0.1:{server.server_port}"
        ask(f"{url}/pictures", "PUT")
        yield url


@contextmanager
def strict(url: str) -> Iterator[None]:
    """Refuse every key that the service does not know, which is all of them."""
    ask(f"{url}/moto-api/reset-auth", "POST", b"0")
    try:
        yield
    finally:
        ask(f"{url}/moto-api/reset-auth", "POST", b"inf")


@contextmanager
def failing(status: int, body: bytes = b"<Error><Code>InternalError</Code></Error>") -> Iterator[str]:
    """Answer everything with one status."""

    class Answer(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - their names there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _running(server: BaseWSGIServer | ThreadingHTTPServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def ask(url: str, method: str, body: bytes | None = None) -> None:
    """Make a request of the service that needs no key."""
    with urlopen(Request(url, data=body, method=method, headers={"Content-Type": "text/plain"})) as answer:
        answer.read()
