"""Pictures by http: from allowed hosts, by addresses that were checked, within bytes, redirects and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
import pytest

from pictify_sync.addresses import public
from pictify_sync.providers.transport import images as fetching
from pictify_sync.providers.transport.images import Fetcher
from pictify_sync.rendering.page.images import MAX_BYTES
from tests.rendering.pages.studio import picture

PUBLIC = "93.184.215.14"
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "not an address", "",
]  # fmt: skip


class World(httpx.BaseTransport):
    """A web of pages, by address and path; it remembers who was called."""

    def __init__(self, pages: dict[str, Callable[[httpx.Request], httpx.Response]]) -> None:
        self.pages = pages
        self.calls: list[tuple[str, str, object]] = []  # address, Host header, name for TLS

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append((request.url.host, request.headers["host"], request.extensions.get("sni_hostname")))
        return self.pages[request.url.path](request)


def gives(content: bytes, status: int = 200, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    """An answer with a body."""
    return lambda request: httpx.Response(status, content=content, headers=headers)


def moved(place: str) -> Callable[[httpx.Request], httpx.Response]:
    """A redirect."""
    return lambda request: httpx.Response(302, headers={"location": place, "set-cookie": "a=b"})


def fetcher(world: World, addresses: Sequence[str] = (PUBLIC,), hosts: Sequence[str] = ("Pics.Example",)) -> Fetcher:
    """A fetcher of that world, where every host has these addresses."""
    return Fetcher(hosts, resolve=lambda host: addresses, transport=world)


def test_an_allowed_host_is_reached_by_its_checked_address() -> None:
    """The connection goes to the address that was checked, under the host's name, without cookies."""
    world = World({"/a.png": gives(picture()), "/b": moved("https://pics.example./a.png?x=1")})
    fetch = fetcher(world)
    assert fetch("https://PICS.example/a.png") == picture()
    assert fetch("http://pics.example/b") == picture()
    assert [one[0] for one in world.calls] == [PUBLIC] * 3
    assert [one[1] for one in world.calls] == ["pics.example", "pics.example", "pics.example."]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_never_called(address: str) -> None:
    """One address that is not public is enough to refuse, also beside public ones."""
    assert not public(address)
    for addresses in ([address], [PUBLIC, address], []):
        world = World({"/": gives(picture())})
        with pytest.raises(ValueError, match="not public"):
            fetcher(world, addresses)("https://pics.example/")
        assert not world.calls


def test_a_name_that_changes_its_mind() -> None:
    """A host is asked for once per request, so that a second answer leads nowhere."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    world = World({"/": gives(picture()), "/again": moved("/")})
    fetch = Fetcher(["pics.example"], resolve=lambda host: next(answers), transport=world)
    with pytest.raises(ValueError, match="not public"):
        fetch("https://pics.example/again")
    assert [one[0] for one in world.calls] == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/", "https://pics.example.evil.example/", "https://xpics.example/", "https://sub.pics.example/",
        "https://pics.example:8443/", "http://pics.example:443/", "https://user:pass@pics.example/",
        "https://pics.example@evil.example/", "http://2130706433/", "http://0x7f.1/", "https://[::1]/", "https:///a",
        "https://", "http:pics.example", "ftp://pics.example/", "https://pics.example\\@evil.example/",
    ],
)  # fmt: skip
def test_other_places_are_refused(url: str) -> None:
    """Only exact hosts, at their usual port, without names and passwords."""
    world = World({})
    with pytest.raises(ValueError):  # noqa: PT011 - the reasons differ
        fetcher(world)(url)
    assert not world.calls


@pytest.mark.parametrize(
    "place",
    ["https://evil.example/", "http://127.0.0.1/", "file:///etc/passwd", "//evil.example/", "https://[bad/", "/loop"],
)
def test_redirects_stay_on_the_list(place: str) -> None:
    """A redirect is held to the same rules, and a few are enough."""
    world = World({"/": moved(place), "/loop": moved("/loop")})
    with pytest.raises(ValueError):  # noqa: PT011 - the reasons differ
        fetcher(world)("https://pics.example/")
    assert {one[0] for one in world.calls} == {PUBLIC}
    assert len(world.calls) <= fetching.MAX_REDIRECTS + 1


def test_answers_are_bounded() -> None:
    """A body that does not end, a status that is no success, a host that does not answer: each is refused."""

    def endless(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no answer", request=request)

    served = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            while True:
                served.append(1 << 20)
                yield bytes(1 << 20)

    world = World({"/": endless, "/404": gives(b"", 404), "/silent": silent})
    with pytest.raises(ValueError, match="larger"):
        fetcher(world)("https://pics.example/")
    assert sum(served) <= MAX_BYTES + (2 << 20)
    with pytest.raises(ValueError, match="404"):
        fetcher(world)("https://pics.example/404")
    with pytest.raises(OSError, match=r"pics\.example cannot be reached"):
        fetcher(world)("https://pics.example/silent")
