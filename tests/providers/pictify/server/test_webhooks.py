"""Signed webhooks: what is sent, when it is sent again, and where it may go."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.webhooks.sender import WebhookClient, signature
from tests.providers.pictify.server.caller import Caller, opened
from tests.providers.pictify.server.receiver import Receiver, receiving

START = 1_790_000_000.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Something that listens."""
    with receiving() as made:
        yield made


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still."""
    return MovableClock(START)


@pytest.fixture
def call(tmp_path: Path, clock: MovableClock) -> Iterator[Caller]:
    """A server on that clock."""
    app = opened(tmp_path, now=clock, loopback_targets=True, faults=True)
    yield Caller(app)
    app.close()


def subscribe(call: Caller, receiver: Receiver, event: str = "render.completed", **filters: str) -> str:
    """A new subscription; gives its uid."""
    body = {"event": event, "targetUrl": receiver.url, "filters": filters}
    made = call.json("POST", "/webhook-subscriptions", body)["subscription"]
    receiver.secret = made["secret"]
    return str(made["uid"])


def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def test_the_secret_is_shown_once(call: Caller, receiver: Receiver) -> None:
    """Only the answer to the create carries the secret; the rest of a subscription's life goes by its uid."""
    uid = subscribe(call, receiver)
    path = f"/webhook-subscriptions/{uid}"
    assert receiver.secret.startswith("whsec_")
    shown = call.json("GET", path)["subscription"]
    assert "secret" not in shown
    assert (shown["status"], shown["deliveryCount"], shown["platform"]) == ("active", 0, "custom")
    assert call.json("GET", "/webhook-subscriptions?event=render.completed&status=active")["pagination"]["total"] == 1
    assert call.json("GET", "/webhook-subscriptions?platform=zapier")["subscriptions"] == []
    assert call.json("PUT", path, {"status": "paused"})["subscription"]["status"] == "paused"
    assert call.json("DELETE", path) == {"deleted": True}
    assert call("GET", path).status_code == 404
    assert call("PUT", path, {}).status_code == 404
    assert call("DELETE", path).status_code == 404


def test_each_picture_is_told(call: Caller, receiver: Receiver) -> None:
    """A delivery is signed, carries URL, size and variables, and neither batch nor index nor layout."""
    subscribe(call, receiver)
    uid = call.uid()
    call.finished(call.submit(uid, 3))
    eventually(lambda: len(receiver.bodies) == 3)
    assert sorted(one["data"]["variables"]["name"] for one in receiver.bodies) == ["0", "1", "2"]
    body = receiver.bodies[0]
    assert (body["event"], body["timestamp"]) == ("render.completed", "2026-09-21T14:13:20.000Z")
    assert (body["data"]["templateId"], body["data"]["width"], body["data"]["source"]) == (uid, 60, "api")
    assert not {"batchId", "index", "layout"} & set(body["data"])
    assert call("GET", body["data"]["url"].removeprefix("http://localhost")).data[:4] == b"\x89PNG"
    assert len(set(receiver.ids)) == 3
    assert receiver.headers[0]["x-pictify-event"] == "render.completed"


def test_failures_and_ends_are_told(call: Caller, receiver: Receiver) -> None:
    """`render.failed` carries the reason, and `batch.completed` counts under the names of the webhooks page."""
    subscribe(call, receiver, "render.failed")
    call.finished(call.submit(call.uid(), 2, fault="fail-items=IMAGE_FETCH_FAILED:1"))
    eventually(lambda: receiver.bodies)
    assert receiver.bodies[0]["data"]["errorCode"] == "IMAGE_FETCH_FAILED"
    subscribe(call, receiver, "batch.completed")
    batch = call.submit(call.uid(), 2)
    call.finished(batch)
    eventually(lambda: len(receiver.bodies) == 2)
    data = receiver.bodies[1]["data"]
    assert (data["batchId"], data["status"]) == (batch, "completed")
    assert (data["totalCount"], data["completedCount"], data["failedCount"]) == (2, 2, 0)


def test_filters_and_switches(call: Caller, receiver: Receiver) -> None:
    """A filter keeps other templates out, and variables are left out where the server is told so."""
    wanted, other = call.uid(), call.uid()
    subscribe(call, receiver, templateId=wanted)
    call.finished(call.submit(other))
    path, body = f"/templates/{wanted}/batch-render", {"variableSets": [{"name": "x"}]}
    call.finished(call.json("POST", path, body, X_Emulator_Set="webhook_variables=no")["batchId"])
    eventually(lambda: receiver.bodies)
    time.sleep(0.1)
    assert [one["data"]["templateId"] for one in receiver.bodies] == [wanted]
    assert "variables" not in receiver.bodies[0]["data"]


def test_it_is_sent_again_by_the_schedule(call: Caller, receiver: Receiver, clock: MovableClock) -> None:
    """After 1 min, 5 min, 30 min, 2 h and 24 h, under the same id with a new signature; then the target is paused."""
    uid = subscribe(call, receiver)
    receiver.answers = [500, 503, 404, 302, 500, 500]
    template = call.uid()
    call.finished(call.submit(template))
    eventually(lambda: len(receiver.bodies) == 1)
    at = START
    for count, wait in enumerate((60, 300, 1_800, 7_200, 86_400), start=2):
        clock.advance(wait - 1)
        call.app.sender.send_due()
        assert len(receiver.bodies) == count - 1
        clock.advance(1)
        at += wait
        call.app.sender.send_due()
        eventually(lambda count=count: len(receiver.bodies) == count)  # type: ignore[misc]
        assert receiver.signed[-1] == int(at)
    assert len(set(receiver.ids)) == 1
    path = f"/webhook-subscriptions/{uid}"
    eventually(lambda: call.json("GET", path)["subscription"]["status"] == "paused")
    assert call.json("GET", path)["subscription"]["failureCount"] == 6
    call.finished(call.submit(template))
    clock.advance(100_000)
    call.app.sender.send_due()
    assert len(receiver.bodies) == 6
    call.json("PUT", path, {"status": "active"})
    call.finished(call.submit(template))
    eventually(lambda: len(receiver.bodies) == 7)


@pytest.mark.parametrize(("fault", "count"), [("lose-webhooks", 0), ("repeat-webhooks=3", 6), ("reorder-webhooks", 2)])
def test_faulty_delivery(call: Caller, receiver: Receiver, clock: MovableClock, fault: str, count: int) -> None:
    """Webhooks are lost, come several times under one id, or come in the wrong order, when a test wants that."""
    subscribe(call, receiver)
    call.finished(call.submit(call.uid(), 2, fault=fault))
    clock.advance(1)
    call.app.sender.send_due()
    eventually(lambda: call.app.sender.waiting() == 0)
    assert len(receiver.bodies) == count
    assert len(set(receiver.ids)) == min(count, 2)
    if fault == "reorder-webhooks":
        assert [one["data"]["variables"]["name"] for one in receiver.bodies] == ["1", "0"]


def test_what_was_not_delivered_survives_a_restart(tmp_path: Path, receiver: Receiver, clock: MovableClock) -> None:
    """A server that stops before a receiver answers delivers when it is started again."""
    app = opened(tmp_path, now=clock, loopback_targets=True)
    call = Caller(app)
    subscribe(call, receiver)
    receiver.answers = [500]
    call.finished(call.submit(call.uid()))
    eventually(lambda: len(receiver.bodies) == 1)
    app.close()
    clock.advance(61)
    app = opened(tmp_path, now=clock, loopback_targets=True)
    eventually(lambda: len(receiver.bodies) == 2)
    assert len(set(receiver.ids)) == 1
    app.close()


def test_a_clock_that_was_set_back_delays_no_delivery_beyond_its_interval(tmp_path: Path, receiver: Receiver) -> None:
    """One that failed is due an hour from now, by what is stored: that is not what the schedule says."""
    now = [START]
    app = opened(tmp_path, now=lambda: now[0], loopback_targets=True)
    call = Caller(app)
    subscribe(call, receiver)
    receiver.answers = [500]
    call.finished(call.submit(call.uid()))
    eventually(lambda: len(receiver.bodies) == 1)
    eventually(lambda: app.sender.waiting() == 1)
    now[0] -= 3_600
    eventually(lambda: app.sender.send_due() or len(receiver.bodies) == 2)
    eventually(lambda: app.sender.waiting() == 0)
    app.close()


def test_a_silent_receiver_holds_up_nobody_else(tmp_path: Path, clock: MovableClock) -> None:
    """While one target does not answer, the events of others go out; each gets its own in order."""
    silent, answered = threading.Event(), []

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if "silent" in url:
            silent.wait(20)
            raise OSError("no answer")
        answered.append(json.loads(body)["data"]["variables"]["name"])
        return 200

    app = opened(tmp_path, now=clock, post=post)
    call = Caller(app)
    for name in ("silent", "good"):
        body = {"event": "render.completed", "targetUrl": f"https://{name}.example/"}
        call.json("POST", "/webhook-subscriptions", body)
    call.finished(call.submit(call.uid(), 10))
    eventually(lambda: len(answered) == 10)
    assert answered == [f"{n}" for n in range(10)]
    silent.set()
    app.close()


ADDRESSES = {"good.example": ["93.184.216.34"], "mixed.example": ["93.184.216.34", "10.0.0.1"], "odd.example": []}


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest", "https://100.64.0.1/", "https://localhost/", "https://u:p@good.example/",
        "ftp://good.example/", "https://", "//good.example", "", "https://good.example:0/", "https://a b/", "https://[",
        "https://mixed.example/", "https://odd.example/", "https://64:ff9b::1/", "http://127.0.0.1:1/",
    ],
)  # fmt: skip
def test_targets_that_are_not_public_are_never_called(url: str) -> None:
    """Whatever leads inside, or is not https, is refused before anything is sent."""
    import httpx

    def fail(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url} was called")

    poster = WebhookClient(loopback=False, resolve=lambda host: ADDRESSES[host], transport=httpx.MockTransport(fail))
    with pytest.raises((ValueError, OSError)):
        poster(url, b"{}", {})
    poster.close()


def test_a_public_target_is_called_by_its_checked_address() -> None:
    """The connection goes to the address that was checked, under the target's own name, and is not led elsewhere."""
    import httpx

    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["Host"], request.extensions["sni_hostname"]))
        return httpx.Response(302, headers={"Location": "http://127.0.0.1/"})

    poster = WebhookClient(loopback=False, resolve=lambda host: ADDRESSES[host], transport=httpx.MockTransport(answer))
    assert poster("https://good.example/hook", b"{}", {"X": "1"}) == 302
    assert seen == [("https://93.184.216.34/hook", "good.example", "good.example")]
    poster.close()


def test_targets_are_refused_when_subscribing(tmp_path: Path) -> None:
    """A server that is not on loopback takes no target on loopback."""
    app = opened(tmp_path)
    call = Caller(app)
    for target in ("http://127.0.0.1:9/", "http://example.com/", "https://10.0.0.1/", "nonsense"):
        body = {"event": "render.completed", "targetUrl": target}
        assert call("POST", "/webhook-subscriptions", body).status_code == 422
    app.close()


def test_a_known_signature() -> None:
    """The signature is the documented one: computed with openssl for this body, time and secret."""
    assert signature("whsec_test", 1_700_000_000, b'{"a":1}') == ("t=1700000000,v1=" + KNOWN)


KNOWN = "38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"
