"""What answers and failures mean: classes of a submit, retries of safe calls, texts without secrets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pictify_sync.core.model import Capabilities
from pictify_sync.core.outcomes import Accepted, BatchStatus, Failed, InDoubt, NotSent, Refused, Rendered, Submission
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable, QuotaExhausted
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.transport.bodies import explain
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import wait_told
from tests.providers.answering import KEY, Service, said
from tests.providers.conformance import request, template

Answers = Callable[[httpx.Request], httpx.Response]


BATCH = request("uid", [{"name": "a"}])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(202, {"batchId": "b1", "status": "pending"}), Accepted("b1")),
        (said(200, {"id": "b1"}), Accepted("b1")),
        (said(202, {"batch": {"id": "b1"}}), Accepted("b1")),
        (said(202, {"status": "pending"}), InDoubt("status 202 without a batch id")),
        (said(202, "<html>"), InDoubt("status 202 without a batch id")),
        (said(204, ""), InDoubt("status 204 without a batch id")),
        (said(400, {"message": "no"}), Refused("400", "no")),
        (said(401, {"message": "Invalid Request"}), Refused("401", "Invalid Request", stops_run=True)),
        (said(402, {"message": "Quota exceeded"}), Refused("402", "Quota exceeded", stops_run=True)),
        (said(403, {"message": "verify"}), Refused("403", "verify", stops_run=True)),
        (said(404, {"message": "gone"}), Refused("404", "gone", template_missing=True)),
        (said(413, {"error": "big", "code": "TEMPLATE_TOO_LARGE"}), Refused("TEMPLATE_TOO_LARGE", "big")),
        (said(422, {"error": {"code": "X", "message": "no"}}), Refused("X", "no")),
        (said(429, {"message": "slow down"}), Refused("429", "slow down", 2.0)),
        (said(429, {"message": "slow down"}, Retry_After="7"), Refused("429", "slow down", 7.0)),
        (said(429, {"message": "slow down", "retryAfter": 0.5}), Refused("429", "slow down", 0.5)),
        (said(429, {"code": "quota_exceeded", "message": "m"}), Refused("quota_exceeded", "m", stops_run=True)),
        (
            said(429, {"message": "You have exhausted your plan limit"}),
            Refused("429", "You have exhausted your plan limit", stops_run=True),
        ),
        (said(408, {"message": "m"}), InDoubt("status 408 m")),
        (said(409, {"message": "m"}), InDoubt("status 409 m")),
        (said(425, {"message": "m"}), InDoubt("status 425 m")),
        (said(500, {"detail": "m"}), InDoubt("status 500 m")),
        (said(502, "<h1>Bad gateway</h1>"), InDoubt("status 502 <h1>Bad gateway</h1>")),
        (
            said(302, "", location="https://elsewhere.example"),
            InDoubt("status 302 it is elsewhere: https://elsewhere.example"),
        ),
        (httpx.ConnectError("refused"), NotSent("ConnectError: refused")),
        (httpx.ConnectTimeout("slow"), NotSent("ConnectTimeout: slow")),
        (httpx.PoolTimeout("busy"), NotSent("PoolTimeout: busy")),
        (httpx.WriteError("broken"), InDoubt("WriteError: broken")),
        (httpx.ReadTimeout("late"), InDoubt("ReadTimeout: late")),
        (httpx.ReadError("reset"), InDoubt("ReadError: reset")),
        (httpx.RemoteProtocolError("closed"), InDoubt("RemoteProtocolError: closed")),
    ],
)
def test_each_answer_to_a_submit_has_its_class(answer: httpx.Response | Exception, expected: Submission) -> None:
    """Accepted, refused, not sent or in doubt, and the POST leaves once whatever comes back."""
    service = Service(answer)
    assert service.provider().submit(BATCH) == expected
    assert len(service.asked) == 1
    assert service.slept == []


def test_a_submit_sends_what_the_contract_says() -> None:
    """Path below the prefix, key, idempotency key, layouts as a list; the same batch gives the same bytes."""
    service = Service(said(202, {"batchId": "b"}))
    provider = service.provider()
    for order in (("b", "a"), ("a", "b")):
        provider.submit(request("u/i d", [dict.fromkeys(order, 1)], ("default",), key="k1"))
    first, second = service.asked
    assert first.url.raw_path == b"/prefix/templates/u%2Fi%20d/batch-render"
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.headers["Idempotency-Key"] == "k1"
    assert json.loads(first.content) == {"variableSets": [{"a": 1, "b": 1}], "format": "png", "layouts": ["default"]}
    assert first.content == second.content


def test_waits_grow_while_turned_away() -> None:
    """A 429 that does not say how long is answered by longer and longer waits, until something else comes."""
    busy = said(429, {"message": "busy"})
    service = Service(busy, busy, busy, said(202, {"batchId": "b"}), busy)
    provider = service.provider()
    found = [provider.submit(BATCH) for _ in range(5)]
    assert [one.retry_after for one in found if isinstance(one, Refused)] == [2.0, 4.0, 8.0, 2.0]


def test_safe_calls_are_repeated() -> None:
    """A poll goes on after a reset, a 502 and a 429, waiting as long as it was told."""
    done = said(200, {"status": "completed", "results": [{"index": 0, "success": True}]})
    service = Service(httpx.ReadError("reset"), said(502, "x"), said(429, {}, Retry_After="3"), done)
    assert service.provider().poll("b", 1, ("default",)).status is BatchStatus.COMPLETED
    assert len(service.asked) == 4
    assert len(service.slept) == 3
    assert service.slept[2] == 3.0


def test_safe_calls_end() -> None:
    """What stays away is told after five attempts, without the key."""
    service = Service(httpx.ConnectError(f"no route for {KEY}"))
    with pytest.raises(ProviderUnavailable) as caught:
        service.provider().poll("b", 1, ("default",))
    assert len(service.asked) == 5
    assert KEY not in str(caught.value)


def test_quota_is_not_repeated() -> None:
    """A quota answer to a safe call ends at once."""
    service = Service(said(429, {"code": "quota_exceeded", "message": "used up"}))
    with pytest.raises(QuotaExhausted):
        service.provider().observe_template("u")
    assert len(service.asked) == 1


def test_errors_of_templates_have_their_classes() -> None:
    """401 is a key, 422 is a refusal with its text, 404 of an update becomes a create."""
    with pytest.raises(AuthenticationFailed):
        Service(said(401, {"message": "Invalid Request"})).provider().push_template(template(), None)
    with pytest.raises(ProviderError, match="HELPER"):
        Service(said(422, {"error": "HELPER is not allowed"})).provider().push_template(template(), None)
    service = Service(said(404, {"message": "x"}), said(200, {"template": {"uid": "new"}}))
    assert service.provider().push_template(template(), "old") == "new"
    assert [one.method for one in service.asked] == ["PUT", "POST"]
    with pytest.raises(ProviderUnavailable):
        Service(httpx.ReadError("reset")).provider().push_template(template(), None)


def test_an_unknown_batch_is_given_time() -> None:
    """Right after it was accepted a batch may be unknown: that is open; without grace, and by 410, it is expired."""
    gone = said(404, {"message": "Batch not found"})
    assert Service(gone).provider(grace=5.0).poll("b", 1, ("default",)).status is BatchStatus.OPEN
    assert Service(gone).provider().poll("b", 1, ("default",)).status is BatchStatus.EXPIRED
    assert Service(said(410, {})).provider(grace=5.0).poll("b", 1, ("default",)).status is BatchStatus.EXPIRED


def test_a_page_is_no_result() -> None:
    """200 with HTML is not an answer."""
    with pytest.raises(ProviderUnavailable):
        Service(said(200, "<html>hello</html>")).provider().poll("b", 1, ("default",))


def test_results_come_in_pages() -> None:
    """Where the results are paged all pages are asked for, each once, and no more than the batch can fill."""
    pages: list[dict[str, Any]] = [
        {
            "batch": {"status": "completed"},
            "results": [
                {"index": n, "status": "completed", "url": f"https://x/{n}.png"} for n in range(start, start + 2)
            ],
            "pagination": {"page": start // 2 + 1, "limit": 2, "total": 5} | more,
        }
        for start, more in ((0, {}), (2, {"totalPages": 3}), (4, {"hasNext": True}))
    ]
    service = Service(*(said(200, page) for page in pages))
    report = service.provider().poll("b", 5, ("default",))
    assert [dict(one.url.params) for one in service.asked] == [
        {},
        {"page": "2", "limit": "2"},
        {"page": "3", "limit": "2"},
    ]
    assert [one.url for one in report.outcomes.values() if isinstance(one, Rendered)] == [
        f"https://x/{n}.png" for n in range(5)
    ]


def test_a_poll_tells_how_long_to_wait() -> None:
    """A hint of the service reaches the report."""
    report = Service(said(200, {"status": "processing", "retryAfter": 1.5})).provider().poll("b", 1, ("default",))
    assert report.retry_after == 1.5


def test_cancel_has_no_body() -> None:
    """A cancel is sent once, without a body or a content type; an unknown batch is fine."""
    service = Service(said(404, {"message": "Batch not found"}))
    service.provider().cancel("b")
    assert len(service.asked) == 1
    assert service.asked[0].content == b""
    assert "content-type" not in service.asked[0].headers


def test_the_documented_order_of_an_error() -> None:
    """message, error as text or object, detail, title, then the list."""
    assert explain({"title": "t", "detail": "d", "error": "e", "message": "m"}) == "m"
    assert explain({"title": "t", "detail": "d", "error": {"message": "e"}}) == "e"
    assert explain({"title": "t", "detail": "d"}) == "d"
    assert explain({"errors": ["a", {"field": "f", "message": "b"}]}) == "a; b"
    assert explain(["x"]) == ""


def test_waits_are_read_in_every_form() -> None:
    """Seconds, an HTTP date, or a field of the body; nonsense is nothing."""
    assert wait_told({"retry-after": "12"}, None, 0.0) == 12.0
    assert wait_told({"retry-after": formatdate(100, usegmt=True)}, None, 40.0) == 60.0
    assert wait_told({"retry-after": formatdate(100, usegmt=True)}, None, 400.0) == 0.0
    assert wait_told({}, {"retry_after": "2"}, 0.0) == 2.0
    for nonsense in ("soon", "", "nan", "inf"):
        told = wait_told({"retry-after": nonsense}, None, 0.0)
        assert told is None or told <= 86_400


@given(st.text(), st.text())
def test_no_text_keeps_a_secret(before: str, after: str) -> None:
    """The key, keys of the known forms and queries of URLs are gone from whatever text they stand in."""
    http = Http("https://api.example", SecretStr(KEY), transport=httpx.MockTransport(lambda _: said(200, {})))
    other = "0123456789abcdef" * 4
    text = f"{before} {KEY} Bearer s3cr3t-word token=hush {other} https://x.example/r/1.png?sig=whisper {after}"
    cleaned = http.clean(text)
    http.close()
    for secret in (KEY, "s3cr3t-word", "hush", other, "whisper"):
        assert secret not in cleaned.removeprefix(before).removesuffix(after) or secret in before + after


def test_failures_of_items_are_cleaned() -> None:
    """A reason that the provider gives is recorded without the query of a URL in it."""
    body = {"status": "failed", "results": [{"index": 0, "error": "cannot fetch https://x.example/a.png?token=hush"}]}
    outcome = Service(said(200, body)).provider().poll("b", 1, ("default",)).outcomes[0, "default"]
    assert isinstance(outcome, Failed)
    assert outcome.message == "cannot fetch https://x.example/a.png?***"


@pytest.fixture
def port() -> Iterator[tuple[int, list[Any]]]:
    """A loopback port that reads a whole request and hangs up; it keeps what it read."""
    read: list[Any] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                read.append(connection.recv(65536))

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], read
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_real_sockets(port: tuple[int, list[Any]]) -> None:
    """A server that hangs up after reading leaves the batch in doubt, sent once; a closed port means not sent."""
    number, read = port
    http = Http(f"http://127.0.0.1:{number}", SecretStr(KEY))
    provider = PictifyProvider("p", Opened(http, Downloads(http.client, http.client, ())), Capabilities())
    assert isinstance(provider.submit(BATCH), InDoubt)
    assert len(read) == 1
    provider.close()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    http = Http(f"http://127.0.0.1:{free}", SecretStr(KEY))
    provider = PictifyProvider("p", Opened(http, Downloads(http.client, http.client, ())), Capabilities())
    assert isinstance(provider.submit(BATCH), NotSent)
    provider.close()


def test_the_time_of_a_post_bounds_its_time_outs() -> None:
    """What the capabilities promise of a POST holds on the wire; other calls have their own time."""
    asked: list[tuple[str, dict[str, float]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.extensions["timeout"]))
        return httpx.Response(202, json={"batchId": "b1"})

    http = Http("https://api.example", SecretStr(KEY), transport=httpx.MockTransport(answer))
    for seconds in (120.0, 4.0):
        http.post_seconds = seconds
        http.once("POST", "x", {})
        assert asked[-1] == (
            "POST",
            {"connect": seconds / 8, "read": seconds / 2, "write": seconds / 2, "pool": seconds / 2},
        )
    http.get("x")
    assert asked[-1][1]["read"] == 60.0
