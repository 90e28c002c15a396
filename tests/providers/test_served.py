"""The client for the real service, over loopback HTTP against the served emulator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server

from pictify_sync.core.model import Capabilities
from pictify_sync.core.ports import Provider
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.pictify.server.app import Options, create_app, read_meter
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from tests.providers.conformance import ProviderConformance
from tests.providers.pictify.server.fake_engine import FakeRenderer


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path, **changes: Any) -> Iterator[str]:
    """Serve an emulator on a free port of loopback; gives its URL."""
    app = create_app(folder, Options(FakeRenderer, workers=2, render_seconds=5, **changes))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.close()


def client(url: str, capabilities: Capabilities | None = None) -> PictifyProvider:
    """The provider at that URL."""
    http = Http(url, SecretStr("k" * 64))
    downloads = Downloads(http.client, httpx.Client(), ())
    return PictifyProvider("pictify", Opened(http, downloads), capabilities or Capabilities(), grace=0.0)


DIALECTS = ("nested", "names", "flat", "legacy", "dashboard")
EVERYDAY = dict(zip(DIALECTS, ("plain", "problem", "plain", "problem", "plain"), strict=True))
BOTH = [(one, errors) for one in DIALECTS for errors in ("plain", "problem")]


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=() if EVERYDAY[one[0]] == one[1] else pytest.mark.full) for one in BOTH],
    ids="-".join,
)
def dialect(request: pytest.FixtureRequest) -> tuple[str, str]:
    """How the server shows results, and errors."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dialect: tuple[str, str]) -> Path:
    """Where the server keeps everything."""
    return tmp_path_factory.mktemp("-".join(dialect))


@pytest.fixture(scope="module")
def provider(folder: Path, dialect: tuple[str, str]) -> Iterator[Provider]:
    """One server and one client for the module."""
    shape, errors = dialect
    with served(folder, dialect=shape, errors=errors, lookup_variables=True) as url:
        made = client(url, Capabilities(many_layouts=shape == "nested"))
        yield made
        made.close()


@pytest.fixture
def renders(folder: Path) -> Callable[[], int]:
    """How many pictures were made so far."""
    return lambda: len(read_meter(folder))


class TestServed(ProviderConformance):
    """The whole suite."""
