"""Webhook deliveries that a collect folded in: removed once their pictures are stored, never before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync.core.ports import Delivery, Inbox, StateStore
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.webhooks.files import FileInbox
from pictify_sync.webhooks.receiver import Receiver, ReceiverOptions
from pictify_sync.webhooks.remote import RemoteInbox
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.apply.urls import UrlSources
from pictify_sync.workflows.collect import collect
from tests.providers.clock import FakeClock
from tests.workflows.scripted import HOST, Scripted
from tests.workflows.service import Customer, cards
from tests.workflows.test_sources import NAMES, without_urls
from tests.workflows.world import DyingStore, Killed

TOKEN = SecretStr("inbox-token")


class Counting:
    """An inbox that counts what is read from it. `dies`: it is killed before it removes anything."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.read: list[str] = []
        self.dies = False

    def deliveries(self, since: float = 0.0) -> Iterator[Delivery]:
        for one in self.inbox.deliveries(since):
            self.read.append(one.id)
            yield one

    def remove(self, ids: Collection[str]) -> None:
        if self.dies:
            raise Killed
        self.inbox.remove(ids)

    def close(self) -> None:
        self.inbox.close()


def direct(root: Path) -> Inbox:
    """The folder itself."""
    return FileInbox(root)


def remote(root: Path) -> Inbox:
    """The folder through a receiver."""
    app = Receiver(ReceiverOptions(root, (SecretStr("whsec"),), PictifyWebhooks(), token=TOKEN), FakeClock())
    return RemoteInbox("https://receiver.example/inbox", TOKEN, transport=httpx.WSGITransport(app))


class Room:
    """A customer of a service without URLs in its results, and the inbox that its webhooks come to."""

    def __init__(self, folder: Path, opened: Callable[[Path], Inbox] = direct) -> None:
        self.service = Scripted(NAMES)
        self.service.bend = without_urls
        self.customer = Customer(folder, self.service)
        self.folder = FileInbox(folder / "inbox")
        self.inbox = Counting(opened(folder / "inbox"))
        self.customer.sources = UrlSources(("inbox",), self.inbox)
        self._told = 0

    def deliver(self, *, received: float = 0.0) -> None:
        """Put a delivery for each picture that was requested since the last call."""
        for number, post in enumerate(self.service.posts[self._told :], self._told + 1):
            picture = {"url": f"{HOST}/files/b{number}-0.png", "width": 8, "height": 6, "templateUid": "T1"}
            self.put(f"del_{number}", {**picture, "variables": post["variableSets"][0]}, received)
        self._told = len(self.service.posts)

    def put(self, name: str, data: dict[str, object], received: float = 0.0) -> None:
        """Put a delivery about a picture that is rendered now; `received`: seconds before that."""
        now = self.service.clock.now()
        body = json.dumps({"event": "render.completed", "timestamp": now + 1, "data": data})
        before = set((self.customer.folder / "inbox").rglob("*.json"))
        assert self.folder.put(Delivery(name, now - received, body))
        for path in {*(self.customer.folder / "inbox").rglob("*.json")} - before:
            os.utime(path, (now - received, now - received))

    def left(self) -> set[str]:
        """Ids of the deliveries in the inbox."""
        return {one.id for one in self.folder.deliveries()}


@pytest.mark.parametrize("opened", [direct, remote])
def test_a_second_collect_reads_only_what_is_new(tmp_path: Path, opened: Callable[[Path], Inbox]) -> None:
    """Deliveries whose pictures are stored are removed; one of before what is looked for is not even read."""
    room = Room(tmp_path, opened)
    room.customer.apply(cards("ab"))
    room.deliver()
    room.put("others", {"url": f"{HOST}/files/x.png", "templateUid": "T2", "variables": {}}, received=3_600.0)
    assert room.customer.collect(cards("ab")).stored == 2
    assert room.left() == {"others"}
    room.service.clock.sleep(10.0)
    room.customer.apply(cards("abc"))
    room.deliver()
    room.inbox.read.clear()
    assert room.customer.collect(cards("abc")).stored == 1
    assert room.inbox.read == ["del_3"]
    assert room.left() == {"others"}


def test_a_picture_that_cannot_be_fetched_keeps_its_delivery(tmp_path: Path) -> None:
    """It is needed again by the next collect, which stores the picture and removes it then."""
    room = Room(tmp_path)
    room.customer.apply(cards("a"))
    room.deliver()
    room.service.trouble = httpx.Response(503)
    assert room.customer.collect(cards("a")).stored == 0
    assert room.left() == {"del_1"}
    room.service.trouble = None
    assert room.customer.collect(cards("a")).stored == 1
    assert room.left() == set()


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_killed_collect_loses_none(tmp_path: Path, commit: int, place: str) -> None:
    """Whichever commit it dies before or after, every delivery whose picture is not stored is still there."""
    room = Room(tmp_path)
    desired = cards("abc")
    room.customer.apply(desired)
    room.deliver()
    with room.customer.store() as store:
        dying = DyingStore(store, **{place: commit})
        with pytest.raises(Killed):
            collect(Session(room.customer.ports(desired, cast("StateStore", dying))))
    assert room.left() == {"del_1", "del_2", "del_3"}
    done = room.customer.collect(desired)
    assert (done.stored, done.unresolved) == (3 - commit + (place == "before"), 0)
    room.customer.collect(desired)
    assert len(room.service.posts) == 3


def test_killed_before_anything_is_removed(tmp_path: Path) -> None:
    """The pictures are stored all the same, and what stays in the inbox does no harm."""
    room = Room(tmp_path)
    room.customer.apply(cards("ab"))
    room.deliver()
    room.inbox.dies = True
    with pytest.raises(Killed):
        room.customer.collect(cards("ab"))
    room.inbox.dies = False
    assert room.customer.collect(cards("ab")).unresolved == 0
    assert room.left() == {"del_1", "del_2"}


def test_a_receiver_of_an_older_version_keeps_everything(tmp_path: Path) -> None:
    """It answers 405 to a removal, and the collect is as good as before."""
    room = Room(tmp_path)

    def older(request: httpx.Request) -> httpx.Response:
        listed = [{"id": one.id, "received_at": one.received_at, "body": one.body} for one in room.folder.deliveries()]
        if request.method == "GET":
            return httpx.Response(200, json={"deliveries": [{**one, "late": False} for one in listed], "next": None})
        return httpx.Response(405, json={"message": "POST a delivery, or GET the inbox"})

    room.inbox.inbox = RemoteInbox("https://r.example/inbox", TOKEN, transport=httpx.MockTransport(older))
    room.customer.apply(cards("a"))
    room.deliver()
    assert room.customer.collect(cards("a")).stored == 1
    assert room.left() == {"del_1"}
