"""Compressed bodies are never asked for; one that comes all the same is unpacked piece by piece, within the limits."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync import inflate
from pictify_sync.errors import DownloadError, ProviderError
from pictify_sync.providers.transport import bodies
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.images import Fetcher
from pictify_sync.webhooks.remote import RemoteInbox

OWN = "https://api.example"
BOMB = gzip.compress(bytes(80_000_000), 9)


def gz(content: bytes) -> bytes:
    """Packed, the same at all times."""
    return gzip.compress(content, mtime=0)


class Sent(httpx.SyncByteStream):
    """A body as it comes from a socket: not read before somebody asks. Counts what was taken."""

    def __init__(self, content: bytes, size: int = 1000) -> None:
        self._content, self._size = content, size
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), self._size):
            self.taken += 1
            yield self._content[start : start + self._size]


def answer(content: bytes, encoding: str = "gzip") -> httpx.Response:
    """An answer in a content coding."""
    return httpx.Response(200, headers={"Content-Encoding": encoding} if encoding else {}, stream=Sent(content))


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gz(b"picture" * 99), "gzip"),
        (gz(b"picture" * 50) + gz(b"picture" * 49), "GZIP"),
        (gz(b"picture" * 99) + bytes(100), "x-gzip"),
        (zlib.compress(b"picture" * 99), "deflate"),
        (b"picture" * 99, ""),
        (b"picture" * 99, "identity"),
    ],
)
def test_what_is_packed_well_is_unpacked(packed: bytes, encoding: str) -> None:
    """Members of a gzip file follow each other, and padding after it is no part of it."""
    assert b"".join(inflate.body(answer(packed, encoding))) == b"picture" * 99


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (b"no gzip at all", "gzip"),
        (gz(b"x" * 9999)[:-20], "gzip"),
        (b"anything", "br"),
        (b"anything", "zstd"),
        (gz(gz(b"x")), "gzip, gzip"),
    ],
)
def test_what_is_packed_badly_or_in_an_unknown_way_is_refused(packed: bytes, encoding: str) -> None:
    """Broken, cut off, not known, or packed twice."""
    with pytest.raises(ValueError, match="compressed"):
        list(inflate.body(answer(packed, encoding)))
    own = httpx.Client(base_url=OWN, transport=httpx.MockTransport(lambda _: answer(packed, encoding)))
    with pytest.raises(DownloadError, match="compressed"):
        list(Downloads(own, own, ()).stream(f"{OWN}/a.png"))


def test_a_bomb_is_never_whole_in_memory() -> None:
    """However much a piece of the body unpacks to, no more than one bounded piece of it exists at a time."""
    assert max(map(len, inflate.body(answer(BOMB)))) <= inflate.PIECE


def test_a_bomb_ends_every_reader_at_its_limit() -> None:
    """Downloads, answers of the API, an inbox and pictures of templates: each is an error, read no further."""
    kept: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        kept.append(request)
        return answer(BOMB)

    transport = httpx.MockTransport(respond)
    own = httpx.Client(base_url=OWN, transport=transport)
    with pytest.raises(DownloadError, match="more than 1000 bytes"):
        list(Downloads(own, own, (), max_bytes=1000).stream(f"{OWN}/a.png"))
    http = Http(OWN, SecretStr("k" * 64), transport=transport)
    with pytest.raises(ProviderError, match=f"more than {bodies.MAX_BODY:,} bytes"):
        http.get("templates")
    with pytest.raises(ProviderError, match="more than"):
        list(RemoteInbox(f"{OWN}/inbox", SecretStr("t"), transport=transport).deliveries())
    with pytest.raises(ValueError, match="larger than"):
        Fetcher(["api.example"], resolve=lambda _: ["93.184.215.14"], transport=transport)(f"{OWN}/a.png")


def test_nobody_asks_for_compression() -> None:
    """Each of our requests says that it wants the body as it is."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Accept-Encoding"])
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(respond)
    http = Http(OWN, SecretStr("k" * 64), transport=transport)
    http.get("templates")
    http.once("POST", "templates", {})
    foreign = httpx.Client(transport=transport)
    list(Downloads(http.client, foreign, ("cdn.example",), resolve=lambda _: ["93.184.215.14"]).stream(f"{OWN}/a.png"))
    cdn = Downloads(http.client, foreign, ("cdn.example",), resolve=lambda _: ["93.184.215.14"])
    list(cdn.stream("https://cdn.example/a.png"))
    with suppress(ProviderError):
        list(RemoteInbox(f"{OWN}/inbox", SecretStr("t"), transport=transport).deliveries())
    Fetcher(["api.example"], resolve=lambda _: ["93.184.215.14"], transport=transport)(f"{OWN}/a.png")
    assert asked == ["identity"] * len(asked)
    assert len(asked) == 6


def test_a_packed_answer_is_read() -> None:
    """A proxy that packs what it was not asked to pack does no harm."""
    packed = gzip.compress(json.dumps({"templates": []}).encode())
    http = Http(OWN, SecretStr("k" * 64), transport=httpx.MockTransport(lambda _: answer(packed)))
    assert http.get("templates").body == {"templates": []}
