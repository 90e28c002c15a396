"""A service whose results carry no URLs: pictures are found by webhook or by look-up, never mixed up."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync.core.collect import Place, Sent, Wanted, want
from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import AssetKey, RenderSpec
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.ports import Delivery
from pictify_sync.errors import ProviderUnavailable
from pictify_sync.providers.pictify.client import PictifyProvider
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.providers.transport.rate import SystemClock
from pictify_sync.webhooks.files import FileInbox
from pictify_sync.webhooks.receiver import ReceiverOptions, receiving
from pictify_sync.webhooks.remote import RemoteInbox
from pictify_sync.workflows.apply.urls import FoundUrls, UrlSources, find_urls
from tests.providers.conformance import accepted, finish, request, template
from tests.providers.pictify.server.caller import opened
from tests.providers.test_account import over

ROWS = [{"name": f"row {n}", "price": price} for n, price in enumerate((1, 1.0, 2.5, 1e20, -0.0, "1", None, True))]


class Service:
    """A server without URLs in its results, a client of it, and what was rendered there."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.app = opened(folder / "server", **{"dialect": "names", "loopback_targets": True, **changes})
        self.provider: PictifyProvider = over(self.app)
        self.uid = self.provider.push_template(template("{{name}} {{price}}"), None)

    def rendered(self, layouts: Sequence[str] = ("default", "square")) -> list[Wanted]:
        """Render all rows, one batch per layout; gives what is looked for."""
        made = []
        for layout in layouts:
            at = time.time()
            batch = request(self.uid, ROWS, (layout,), key=f"{layout} {at}")
            name = accepted(self.provider, batch)
            report = finish(self.provider, name, batch)
            assert {one.url for one in report.outcomes.values() if isinstance(one, Rendered)} == {None}
            made += [self.wanted(index, layout, at, name) for index in range(len(ROWS))]
        return made

    def wanted(self, index: int, layout: str, at: float, batch: str) -> Wanted:
        """One picture."""
        spec = RenderSpec("pictify", "card", "r", layout, "png", "{}", "")
        record = self.provider.observe_template(self.uid)
        assert record is not None
        place = Place(batch, index, len(ROWS), (layout,))
        key = AssetKey(f"m/{index}@{layout}")
        return want(key, fingerprint(spec, canonical(ROWS[index])), spec, record, Sent(ROWS[index], at, place))

    def check(self, found: FoundUrls, wanted: Sequence[Wanted]) -> None:
        """Every picture was found, and shows its own row in its own layout."""
        assert {one.key for one in wanted} == set(found.urls)
        for one in wanted:
            url = found.urls[one.key].url
            assert url
            data = b"".join(self.provider.download(url))
            index = int(one.key.partition("/")[2].partition("@")[0])
            assert f"row {index} ".encode() in data
            assert data[16:24] == (one.width or 0).to_bytes(4) + (one.height or 0).to_bytes(4)

    def close(self) -> None:
        """Close both."""
        self.provider.close()
        self.app.close()


@contextmanager
def service(folder: Path, **changes: Any) -> Iterator[Service]:
    """A service."""
    made = Service(folder, **changes)
    try:
        yield made
    finally:
        made.close()


def test_by_webhook(tmp_path: Path) -> None:
    """A subscription, a receiver, an inbox: all pictures are found, from the folder and from the receiver's URL."""
    with service(tmp_path) as place:
        made = place.provider.subscribe("render.completed", "http://127.0.0.1:9/none", place.uid)
        options = ReceiverOptions(
            tmp_path / "inbox", (SecretStr(made.secret),), PictifyWebhooks(), token=SecretStr("reader"), port=0
        )
        with receiving(options, SystemClock()) as url:
            body = {"targetUrl": f"{url}/webhook"}
            key = {"Authorization": f"Bearer {'k' * 64}"}
            client = httpx.Client(transport=httpx.WSGITransport(place.app), base_url="http://emulator.invalid")
            assert client.put(f"/webhook-subscriptions/{made.uid}", json=body, headers=key).status_code == 200
            client.close()
            wanted = place.rendered()
            inbox = FileInbox(options.folder)
            wait_for(inbox, len(wanted))
            place.check(find_urls(place.provider, wanted, UrlSources(("inbox",), inbox)), wanted)
            remote = RemoteInbox(f"{url}/inbox", SecretStr("reader"))
            place.check(find_urls(place.provider, wanted, UrlSources(("inbox",), remote)), wanted)
            remote.close()


def wait_for(inbox: FileInbox, count: int) -> None:
    """Wait until so many deliveries came."""
    end = time.monotonic() + 60
    while (found := sum(1 for _ in inbox.deliveries())) < count:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_by_look_up(tmp_path: Path) -> None:
    """Rows that carry variables find all pictures; rows without find none and cost nothing."""
    with service(tmp_path, lookup_variables=True) as place:
        wanted = place.rendered()
        place.check(find_urls(place.provider, wanted, UrlSources(("lookup",))), wanted)
    with service(tmp_path / "other") as place:
        wanted = place.rendered()
        assert find_urls(place.provider, wanted, UrlSources()).urls == {}


def test_by_the_results(tmp_path: Path) -> None:
    """When the results come to carry URLs, asking for them again is enough."""
    with service(tmp_path, dialect="nested") as place:
        at = time.time()
        batch = request(place.uid, ROWS, ("default",), key="b")
        name = accepted(place.provider, batch)
        finish(place.provider, name, batch)
        wanted = [place.wanted(index, "default", at, name) for index in range(len(ROWS))]
        place.check(find_urls(place.provider, wanted, UrlSources(("results",))), wanted)


def test_a_picture_of_an_older_template_is_never_taken(tmp_path: Path) -> None:
    """After a change of the template only what was rendered since counts, although all the rest is equal."""
    with service(tmp_path, lookup_variables=True) as place:
        old = place.rendered()
        place.provider.push_template(template("new {{name}} {{price}}"), place.uid)
        asked = [place.wanted(index, "default", time.time(), "none") for index in range(len(ROWS))]
        assert find_urls(place.provider, asked, UrlSources(("lookup",))).urls == {}
        new = place.rendered(("default",))
        found = find_urls(place.provider, new, UrlSources(("lookup",)))
        place.check(found, new)
        for one in new:
            url = found.urls[one.key].url
            assert url
            assert b"new row" in b"".join(place.provider.download(url))
        assert find_urls(place.provider, old, UrlSources(("lookup",))).urls.keys() == {one.key for one in old}


class Silent:
    """An inbox that cannot be reached."""

    def deliveries(self, since: float = 0.0) -> Iterator[Delivery]:
        raise ProviderUnavailable("the inbox is away")

    def remove(self, ids: Collection[str]) -> None:
        raise ProviderUnavailable("the inbox is away")

    def close(self) -> None: ...


def test_a_silent_source_is_passed_over(tmp_path: Path) -> None:
    """A source that cannot be asked is told, and the next one is asked."""
    with service(tmp_path, lookup_variables=True) as place:
        wanted = place.rendered(("square",))
        found = find_urls(place.provider, wanted, UrlSources(("inbox", "lookup"), Silent()))
        place.check(found, wanted)
        assert found.silent == {"inbox": "the inbox is away"}


@pytest.mark.parametrize("body", ["", "{}", json.dumps({"event": "batch.completed", "data": {}}), "[1]"])
def test_other_deliveries_are_passed_over(body: str) -> None:
    """What describes no picture changes nothing."""
    assert PictifyWebhooks().read(Delivery("d", 0.0, body)) is None
