"""Downloads go where they are allowed to, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from pictify_sync.addresses import public
from pictify_sync.errors import DownloadError, ProviderUnavailable
from pictify_sync.providers.transport.downloads import Downloads

OWN = "https://api.example"


class Web:
    """A web that keeps who was asked for what."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.answer = answer or httpx.Response(200, content=b"picture")
        self.own: list[httpx.Request] = []
        self.foreign: list[httpx.Request] = []

    def downloads(self, addresses: Sequence[str] = ("93.184.215.14",), *hosts: str) -> Downloads:
        """Downloads over it; every name resolves to the addresses."""

        def to(kept: list[httpx.Request]) -> httpx.MockTransport:
            def answer(asked: httpx.Request) -> httpx.Response:
                kept.append(asked)
                return self.answer

            return httpx.MockTransport(answer)

        own = httpx.Client(base_url=OWN, headers={"Authorization": "Bearer key"}, transport=to(self.own))
        foreign = httpx.Client(transport=to(self.foreign))
        return Downloads(own, foreign, hosts or ("cdn.example",), resolve=lambda _: addresses, max_bytes=100)


def test_own_origin() -> None:
    """The provider's own origin is asked as it is."""
    web = Web()
    assert b"".join(web.downloads().stream(f"{OWN}/files/a.png?x=1")) == b"picture"
    assert [str(one.url) for one in web.own] == [f"{OWN}/files/a.png?x=1"]


def test_an_allowed_host_is_pinned_and_gets_no_key() -> None:
    """The connection goes to the address that was checked, under the name of the host, without the key."""
    web = Web()
    assert b"".join(web.downloads().stream("https://CDN.example/r/a.png?sig=1")) == b"picture"
    (asked,) = web.foreign
    assert str(asked.url) == "https://93.184.215.14/r/a.png?sig=1"
    assert asked.headers["Host"].lower() == "cdn.example"
    assert asked.extensions["sni_hostname"] == "cdn.example"
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/a.png",
        "https://other.example/a.png",
        "https://cdn.example.evil.example/a.png",
        "https://cdn.example@evil.example/a.png",
        "https://user@cdn.example/a.png",
        "http://api.example/a.png",
        "https://api.example:8443/a.png",
        "https://127.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://cdn.example/a.png",
        "data:image/png;base64,AAAA",
        "",
        "not a url",
        "https://[::1",
        "//cdn.example/a.png",
        "http://metadata.google.internal/",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    """Other hosts, plain http, other schemes and nonsense are refused before a connection."""
    web = Web()
    with pytest.raises(DownloadError):
        list(web.downloads().stream(url))
    assert web.own == web.foreign == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "ff02::1", "nonsense",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(address: str) -> None:
    """A name of the allow-list that resolves to a private address, even beside a public one, is refused."""
    web = Web()
    assert not public(address)
    with pytest.raises(DownloadError):
        list(web.downloads(("93.184.215.14", address)).stream("https://cdn.example/a.png"))
    assert web.foreign == []


def test_redirects_are_checked_like_urls() -> None:
    """A redirect to a place that is not allowed is refused, and a circle ends."""
    away = Web(httpx.Response(302, headers={"location": "https://evil.example/a.png"}))
    with pytest.raises(DownloadError, match=r"evil\.example"):
        list(away.downloads().stream(f"{OWN}/a.png"))
    circle = Web(httpx.Response(302, headers={"location": "/a.png"}))
    with pytest.raises(DownloadError, match="redirects"):
        list(circle.downloads().stream(f"{OWN}/a.png"))
    assert len(circle.own) == 4


def test_sizes_are_capped() -> None:
    """More bytes than allowed are refused by their declaration, else while they come."""
    for answer in (
        httpx.Response(200, content=b"x" * 101),
        httpx.Response(200, stream=httpx.ByteStream(b"x" * 101)),
    ):
        with pytest.raises(DownloadError, match=r"at most 100|more than 100"):
            list(Web(answer).downloads().stream(f"{OWN}/a.png"))
    assert len(b"".join(Web(httpx.Response(200, content=b"x" * 100)).downloads().stream(f"{OWN}/a.png"))) == 100


def test_answers_have_their_errors() -> None:
    """A 5xx is worth another try, a 404 is not."""
    with pytest.raises(ProviderUnavailable):
        list(Web(httpx.Response(503)).downloads().stream(f"{OWN}/a.png"))
    with pytest.raises(DownloadError):
        list(Web(httpx.Response(404)).downloads().stream(f"{OWN}/a.png"))


def test_errors_show_no_query() -> None:
    """A refused URL is named without its query, which may be a signature."""
    with pytest.raises(DownloadError) as caught:
        list(Web().downloads().stream("http://cdn.example/a.png?sig=hush"))
    assert "hush" not in str(caught.value)
