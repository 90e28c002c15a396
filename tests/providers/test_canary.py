"""A canary key on every failure path: a service that echoes it everywhere never gets it into a text, log or record."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pictify_sync.core.abilities import Made
from pictify_sync.core.model import Capabilities
from pictify_sync.credentials import forms
from pictify_sync.errors import PictifySyncError
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.providers.registry import find
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from pictify_sync.webhooks.receiver import Receiver, ReceiverOptions
from pictify_sync.webhooks.remote import RemoteInbox
from tests.providers.clock import FakeClock
from tests.providers.conformance import request, template
from tests.providers.connecting import connection

CANARY = "cAnary+Key/0123456789=abcdef"
SPELLINGS = {
    "clear": CANARY,
    "header": f"Authorization: Bearer {CANARY}",
    "url": f"https://x.example/r/a.png?token={quote(CANARY, safe='')}&x=1",
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "basic": base64.urlsafe_b64encode(f"user:{CANARY}:".encode()).decode(),
    "json": json.dumps({"key": CANARY}),
}
STATUSES = (200, 201, 204, 301, 400, 401, 402, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504, 599)


def shapes(said: str) -> Iterator[dict[str, Any]]:
    """Answers that say it in every documented and some other places."""
    yield {"json": {"message": said, "code": said}}
    yield {"json": {"error": said, "code": "x", "retriable": True}}
    yield {"json": {"error": {"code": said, "message": said}}}
    yield {"json": {"type": said, "title": said, "detail": said, "errors": [{"field": said, "message": said}]}}
    yield {"json": {"errors": [said, {"code": said}]}}
    yield {"text": f"<html><h1>Bad gateway</h1>{said}</html>"}
    item = {
        "index": 0,
        "success": False,
        "error": said,
        "errors": [{"layout": "default", "error": f"IT_FAILED: {said}"}],
    }
    yield {"json": {"status": "failed", "results": [item], "errors": [{"index": 0, "error": said, "code": said}]}}
    yield {"text": "{", "headers": {"location": "/elsewhere", "retry-after": "not a time"}}


def downloaded(provider: PictifyProvider, url: str) -> int:
    """Download; gives how many bytes came."""
    return sum(map(len, provider.download(url)))


CALLS: dict[str, Callable[[PictifyProvider], object]] = {
    "push": lambda one: one.push_template(template(), "UID"),
    "create": lambda one: one.push_template(template(), None),
    "observe": lambda one: one.observe_template("UID"),
    "list": lambda one: list(one.list_templates()),
    "delete": lambda one: one.delete_template("UID"),
    "submit": lambda one: one.submit(request("UID", [{"a": 1}])),
    "poll": lambda one: one.poll("b", 1, ("default",)),
    "cancel": lambda one: one.cancel("b"),
    "render": lambda one: one.render_one(request("UID", [{"a": 1}])),
    "seen": lambda one: list(one.found_renders("UID", 0.0)),
    "subscribe": lambda one: one.subscribe("render.completed", "https://x.example"),
    "subscriptions": lambda one: list(one.subscriptions()),
    "unsubscribe": lambda one: one.unsubscribe("wh"),
    "download": lambda one: downloaded(one, "https://api.example/prefix/files/a.png"),
    "foreign": lambda one: downloaded(one, "https://cdn.example/a.png"),
    "disallowed": lambda one: downloaded(one, f"https://other.example/a.png?token={CANARY}"),
    "clear": lambda one: downloaded(one, f"http://cdn.example/a.png?token={CANARY}"),
}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> PictifyProvider:
    """A provider with the canary as its key."""
    transport = httpx.MockTransport(answer)
    http = Http("https://api.example/prefix", SecretStr(CANARY), transport=transport, rate=Rate(FakeClock(), None))
    foreign = httpx.Client(transport=transport)
    downloads = Downloads(http.client, foreign, ("cdn.example",), resolve=lambda _: ("93.184.216.34",))
    return PictifyProvider("pictify", Opened(http, downloads), Capabilities(), grace=0.0)


def answered(status: int, shape: dict[str, Any], _: httpx.Request) -> httpx.Response:
    """One answer, made anew for each request."""
    return httpx.Response(status, **shape)


def told(call: Callable[[PictifyProvider], object], provider: PictifyProvider) -> str:
    """Everything that a call tells: what it gives, or its error with all that is behind it."""
    try:
        given = call(provider)
    except PictifySyncError as error:
        behind = [error, error.__cause__, error if error.__suppress_context__ else error.__context__]
        texts = ["".join(traceback.format_exception(error)), error.hint, *map(repr, behind), repr(vars(error))]
        return "\n".join(texts)
    return repr(given.outcomes if isinstance(given, Made) else given)


def leaks(text: str) -> bool:
    """Whether the key can be read from a text, in any spelling."""
    return any(one in text for one in forms(CANARY))


@pytest.mark.parametrize("name", CALLS)
def test_answers_that_echo_the_key(name: str, caplog: pytest.LogCaptureFixture, pytestconfig: pytest.Config) -> None:
    """Whatever a service answers, with any status, in any spelling: nothing that comes out of the client has it."""
    caplog.set_level(logging.DEBUG)
    every = [
        (status, shape)
        for spelling, status in itertools.product(SPELLINGS.values(), STATUSES)
        for shape in shapes(spelling)
    ]
    for status, shape in every if pytestconfig.getoption("--full") else every[::5]:
        provider = client(partial(answered, status, shape))
        text = told(CALLS[name], provider)
        provider.close()
        assert not leaks(text), (status, shape, text)
    assert not leaks(caplog.text)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.UnsupportedProtocol,
        httpx.ProxyError,
        httpx.DecodingError,
    ],
)
def test_errors_that_say_the_key(name: str, error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    """Errors of the connection are told without it, whatever their texts are."""
    caplog.set_level(logging.DEBUG)
    for spelling in SPELLINGS.values():

        def fail(_: httpx.Request, spelling: str = spelling) -> httpx.Response:
            raise error(f"cannot send {spelling}")

        provider = client(fail)
        assert not leaks(told(CALLS[name], provider))
        provider.close()
    assert not leaks(caplog.text)


def test_an_answer_that_cannot_be_unpacked_is_in_doubt() -> None:
    """A 202 whose body is broken gzip leaves the batch in doubt: the service has taken it."""
    provider = client(lambda _: httpx.Response(202, headers={"content-encoding": "gzip"}, stream=Garbage()))
    assert "InDoubt" in told(CALLS["submit"], provider)
    provider.close()


class Garbage(httpx.SyncByteStream):
    """Bytes that are no gzip."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"\x1f\x8b\x08garbage"


def test_options_and_errors_of_an_account() -> None:
    """Neither the options of an account nor the refusal of a bad URL show it."""
    options = connection("pictify", key=SecretStr(CANARY), base_url=f"http://user:{CANARY}@api.example/{CANARY}")
    assert not leaks(repr(options).replace(options.base_url, ""))
    with pytest.raises(PictifySyncError) as caught:
        find("pictify").connect(options)
    assert not leaks("".join(traceback.format_exception(caught.value)))


@given(st.text(min_size=8), st.text(), st.text())
def test_any_key_in_any_spelling(key: str, before: str, after: str) -> None:
    """A key of any characters is found for URLs and in base64, wherever it begins in it."""
    key = key.encode("utf-8", "replace").decode()
    found = forms(key)
    assert quote(key, safe="") in found
    text = base64.b64encode((before + key + after).encode("utf-8", "replace")).decode()
    assert any(one in text for one in found)


def test_the_inbox_keeps_its_secrets(tmp_path: Any) -> None:
    """The token of a receiver and the secrets of its subscriptions are in no text."""
    options = ReceiverOptions(tmp_path, (SecretStr(CANARY),), PictifyWebhooks(), token=SecretStr(CANARY))
    assert not leaks(repr(options))
    Receiver(options, FakeClock())
    for status in STATUSES:
        for shape in shapes(CANARY):
            transport = httpx.MockTransport(partial(answered, status, shape))
            inbox = RemoteInbox("https://r.example/inbox", SecretStr(CANARY), transport=transport)
            text = ""
            try:
                list(inbox.deliveries())
            except PictifySyncError as error:
                text = "".join(traceback.format_exception(error))
            inbox.close()
            assert not leaks(text)
