"""The server as a process and on its sockets: who may call, what it refuses to start as, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_sync.errors import UsageError
from pictify_sync.providers.pictify.server.app import Options
from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.serving import ServeOptions, app_options, serving
from tests.providers.pictify.server.fake_engine import FakeRenderer

KEY = {"Authorization": "Bearer anything"}
TEMPLATE = {"html": "<h1>{{name}}</h1>", "width": 20, "height": 10}


def how(**changes: Any) -> Options:
    """Options of an app with the fake engine."""
    return Options(FakeRenderer, workers=1, **changes)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A served emulator below a path, with faults."""
    options = ServeOptions(folder=tmp_path, port=0, prefix="/vendor/v1")
    with (
        serving(how(faults=True, now=MovableClock()), options) as (url, _),
        httpx.Client(base_url=url + "/", headers=KEY) as made,
    ):
        yield made


def test_everything_is_below_the_prefix(client: httpx.Client) -> None:
    """URLs of files are below the server's prefix, and lead to the pictures without a key."""
    uid = client.post("templates", json=TEMPLATE).json()["template"]["uid"]
    found = client.post(f"templates/{uid}/render", json={"variables": {"name": "x"}}).json()
    url = found["results"][0]["url"]
    assert url.startswith(f"{client.base_url}files/")
    assert httpx.get(url).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("prefix", ["vendor", "/vendor/", "vendor/"])
def test_a_prefix_may_be_written_either_way(tmp_path: Path, prefix: str) -> None:
    """The URL that is told is the one that answers."""
    options = ServeOptions(folder=tmp_path, port=0, prefix=prefix)
    with serving(how(), options) as (url, _):
        assert url.endswith("/vendor")
        assert httpx.get(f"{url}/templates", headers=KEY).status_code == 200


def test_bodies_in_chunks(client: httpx.Client) -> None:
    """A body without a Content-Length is taken."""
    parts = [b'{"html": "<b>', b"x" * 1000, b'</b>"}']
    assert client.post("templates", content=iter(parts)).status_code == 200


def test_a_foreign_name_is_not_answered(client: httpx.Client) -> None:
    """A page whose own name was made to lead to loopback gets nothing."""
    for name, status in (("evil.example", 421), ("evil.example:80", 421), ("localhost:1", 200), ("[::1]", 200)):
        assert client.get("templates", headers={"Host": name}).status_code == status


def test_old_batches_are_tidied_away(tmp_path: Path) -> None:
    """Where `keep` is given, a started server forgets what ended before."""
    options = ServeOptions(folder=tmp_path, port=0)
    with serving(how(), options) as (url, _), httpx.Client(base_url=url, headers=KEY) as client:
        uid = client.post("templates", json=TEMPLATE).json()["template"]["uid"]
        assert client.post(f"templates/{uid}/render", json={}).json()["totalRendered"] == 1
        assert client.get("render").json()["pagination"]["total"] == 1
    with serving(how(now=MovableClock(time.time() + 100)), replace(options, keep=50.0)) as (url, _):
        end = time.monotonic() + 60
        while httpx.get(f"{url}/render", headers=KEY).json()["pagination"]["total"]:
            assert time.monotonic() < end, "the batch is still there"
            time.sleep(0.02)
        assert httpx.get(f"{url}/templates/{uid}", headers=KEY).status_code == 200


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
def test_a_dropped_connection_gives_no_byte(client: httpx.Client, fault: str) -> None:
    """The client sees a connection that ends without an answer, and the server goes on."""
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("templates", json=TEMPLATE, headers={"X-Emulator-Fault": fault})
    total = client.get("templates").json()["pagination"]["total"]
    assert total == (fault == "drop-after")


def test_the_clock_and_the_dialect_are_turned_from_outside(client: httpx.Client) -> None:
    """A test in another process can move the clock and change what the server speaks."""
    before = client.post("emulator/clock", json={}).json()["now"]
    assert client.post("emulator/clock", json={"advance": 3600}).json()["now"] - before >= 3600
    client.post("emulator/settings", json={"set": "errors=problem"})
    assert client.get("templates/none").headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"}, {"host": "::"}, {"host": "192.0.2.1"},
        {"host": "0.0.0.0", "tokens": ("k",), "faults": True},
        {"dialect": "klingon"}, {"plan": "gold"}, {"errors": "none"}, {"rules": ("explode",)},
        {"public_url": "render.example.org"},
    ],
)  # fmt: skip
def test_what_cannot_be_served(changes: dict[str, Any]) -> None:
    """Without a key only loopback is served, faults on request never leave it, and unknown words are refused."""
    with pytest.raises(UsageError):
        app_options(ServeOptions(**changes))


def test_what_is_chosen_by_where_it_listens() -> None:
    """On loopback webhooks may go to loopback; elsewhere they may not. Pages are fetched where hosts are allowed."""
    local, public = ServeOptions(), ServeOptions(host="0.0.0.0", tokens=("k" * 64,), allow_hosts=("cdn.example",))
    assert (app_options(local).loopback_targets, app_options(public).loopback_targets) == (True, False)
    assert app_options(local).fetch is None
    assert app_options(public).fetch is not None
    assert app_options(local).expiry == 7 * 86_400


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A port that somebody else has is an error with words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ServeOptions(folder=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="in use"), serving(how(), options):
            pass


SCRIPT = """
import sys
from pathlib import Path
from pictify_sync.providers.pictify.server.serving import ServeOptions, serve
serve(ServeOptions(folder=Path(sys.argv[1]), port=0, workers=1, started=lambda url: print(url, flush=True)))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_stopping_and_starting_again(tmp_path: Path, number: signal.Signals) -> None:
    """However the process ends, what it had accepted is there and goes on when it is started again."""
    batch, sets = "", [{"name": f"{n}"} for n in range(12)]
    for run in range(2):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers=KEY, timeout=60) as client:
            if not run:
                uid = client.post("/templates", json=TEMPLATE).json()["template"]["uid"]
                batch = client.post(f"/templates/{uid}/batch-render", json={"variableSets": sets}).json()["batchId"]
            else:
                _completed(client, batch)
        os.kill(process.pid, number if not run else signal.SIGTERM)
        assert process.wait(30) == (-9 if number == signal.SIGKILL and not run else 0)
        process.stdout.close()


def _completed(client: httpx.Client, batch: str) -> None:
    end = time.monotonic() + 60
    while client.get(f"/templates/batch/{batch}/results").json()["status"] != "completed":
        assert time.monotonic() < end, "the batch does not end"
        time.sleep(0.05)
