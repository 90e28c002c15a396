"""Bodies of answers: without end, byte by byte, half characters, pages of somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync.core.model import Capabilities
from pictify_sync.core.outcomes import BatchStatus, Failed, InDoubt, NotSent
from pictify_sync.errors import ProviderError, ProviderUnavailable
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.transport.bodies import MAX_BODY, parse
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from tests.providers.clock import FakeClock
from tests.providers.conformance import request

BATCH = request("uid", [{"name": "a"}])
PIECE = b"x" * 1_000_000


def endless() -> Iterator[bytes]:
    """A body that never ends."""
    while True:
        yield PIECE


class Stream(httpx.SyncByteStream):
    """What a server sends, counted."""

    def __init__(self) -> None:
        self.pieces = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in endless():
            self.pieces += 1
            yield piece


def provider(answer: httpx.Response, *, seconds: float = 90.0) -> PictifyProvider:
    """A provider whose service always answers so, and that waits so long for the whole of it."""
    transport = httpx.MockTransport(lambda _: answer)
    http = Http("https://api.example", SecretStr("k" * 64), transport=transport, rate=Rate(FakeClock(), None))
    http.answer_seconds = http.post_seconds = seconds
    return PictifyProvider("pictify", Opened(http, Downloads(http.client, http.client, ())), Capabilities(), grace=0.0)


def test_an_answer_without_end_is_read_once_and_not_to_the_end() -> None:
    """Asking again would bring the same; after a create nobody can tell."""
    stream = Stream()
    with pytest.raises(ProviderUnavailable, match=f"more than {MAX_BODY:,} bytes"):
        provider(httpx.Response(200, stream=stream)).poll("b", 1, ("default",))
    assert stream.pieces == MAX_BODY // len(PIECE) + 1
    assert isinstance(provider(httpx.Response(202, stream=Stream())).submit(BATCH), InDoubt)


def test_an_answer_that_trickles_is_given_up() -> None:
    """The time is that of the whole answer."""
    doubt = provider(httpx.Response(202, stream=Stream()), seconds=0.0).submit(BATCH)
    assert doubt == InDoubt("ReadTimeout: the answer is not complete after 0 s")


def test_a_picture_that_trickles_is_given_up() -> None:
    """It may be fetched another time."""
    own = httpx.Client(
        base_url="https://api.example",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Stream())),
    )
    downloads = Downloads(own, own, ())
    downloads.max_seconds = 0.0
    with pytest.raises(ProviderUnavailable, match="ReadTimeout"):
        list(downloads.stream("https://api.example/files/a.png"))


@pytest.mark.parametrize("half", [rb"\ud800", rb"\uDFFF x", b"\xed\xa0\x80"])
def test_half_characters_do_not_get_in(half: bytes) -> None:
    """No state and no report could hold them, so that the batch would never be settled."""
    body = b'{"batchId": "b", "status": "partial", "results": [{"index": 0, "error": "no %s"}]}' % half
    report = provider(httpx.Response(200, content=body)).poll("b", 1, ("default",))
    assert report.status is BatchStatus.PARTIAL
    (outcome,) = report.outcomes.values()
    assert isinstance(outcome, Failed)
    assert outcome.message.encode().startswith(b"no ?")


def test_whole_characters_stay() -> None:
    """A pair of escapes is one character."""
    assert parse(rb'["\ud83d\ude00", "\u00e9", 1.5, null]') == ["\N{GRINNING FACE}", "é", 1.5, None]
    assert parse(b"[" * 100_000) is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(200, text="<html>Sign in</html>"), "the answer is not that of the API"),
        (
            httpx.Response(301, text="moved", headers={"Location": "https://new.example/templates/uid?key=abc"}),
            r"it is elsewhere: https://new.example/templates/uid\?\*\*\*",
        ),
    ],
)
def test_the_page_of_somebody_else_is_told_as_such(answer: httpx.Response, message: str) -> None:
    """A wrong base URL is the usual reason, and is named."""
    for ask in (lambda: provider(answer).observe_template("uid"), lambda: list(provider(answer).list_templates())):
        with pytest.raises(ProviderError, match=message) as caught:
            ask()
        assert "base URL" in caught.value.hint


def test_an_id_too_long_for_a_url_is_not_sent() -> None:
    """It is no crash: nothing leaves."""
    found = provider(httpx.Response(202, json={"batchId": "b"})).submit(request("u" * 70_000, [{"name": "a"}]))
    assert isinstance(found, NotSent)
