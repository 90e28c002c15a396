"""What a service says is no proof: sizes, URLs and ids of batches are held against what is known already."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_sync.core.entries import Submitted
from pictify_sync.core.events import SharedUrl
from pictify_sync.core.journal import certain_at
from pictify_sync.core.model import AssetKey, Capabilities
from pictify_sync.errors import UsageError
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.resolve import Resolution, resolve
from tests.providers.pictify.server.fake_engine import png
from tests.workflows.scripted import Scripted
from tests.workflows.service import START, Customer, cards

ALLOWED = Capabilities(max_items=3, max_open=1, requests_per_minute=None)


class Painted(Scripted):
    """A service whose pictures are of any size, and show their URL."""

    def __init__(self, capabilities: Capabilities = ALLOWED, size: tuple[int, int] = (8, 6)) -> None:
        super().__init__(capabilities)
        self.size = size
        self.fetched: list[str] = []
        self.name = ""  # what every picture shows; "": its own path

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/files/"):
            self.fetched.append(request.url.path)
            return httpx.Response(200, content=png(*self.size, self.name or request.url.path))
        return super()._answer(request)


def says(body: dict[str, Any], width: int, height: int) -> None:
    """Let the results tell that size."""
    for item in body["results"]:
        item["results"][0].update(width=width, height=height)


def test_a_picture_of_another_size_than_declared_fails_whatever_is_said(tmp_path: Path) -> None:
    """The answer and the bytes agree on a size, and it is not that of the template."""
    service = Painted(size=(5, 5))
    service.bend = lambda body: says(body, 5, 5)
    done = Customer(tmp_path, service).apply(cards("a"))
    assert [(code, message) for _, code, message in done.failed] == [
        ("BAD_DOWNLOAD", "width 5 instead of 8, height 5 instead of 6")
    ]


@pytest.mark.parametrize("told", [(5, 5), (0, 0)])
def test_a_picture_as_declared_is_published_whatever_is_said(tmp_path: Path, told: tuple[int, int]) -> None:
    """A wrong number in an answer does not make a right picture wrong."""
    service = Painted()
    service.bend = lambda body: says(body, *told)
    assert Customer(tmp_path, service).apply(cards("ab")).stored == 2


def test_a_url_that_changed_when_the_batch_ended_is_fetched_again(tmp_path: Path) -> None:
    """What was shown while the batch was at work may have been a draft; nobody's file was in the way."""
    service = Painted()

    def draft_first(body: dict[str, Any]) -> None:
        if service.polls < 3:
            body.update(status="processing", completedItems=1)
            for item in body["results"]:
                item["results"][0]["url"] += "?draft" if item["index"] else "-draft.png"

    service.bend = draft_first
    customer = Customer(tmp_path, service)
    done = customer.apply(cards("ab"))
    assert (done.stored, done.failed) == (2, ())
    assert len(service.fetched) == 4
    published = [path for path in (tmp_path / "out").rglob("*.*") if path.is_file() and path.parent.name == "m"]
    assert sorted(path.name for path in published) == ["a.default.png", "b.default.png"]
    assert not any(b"draft" in path.read_bytes() for path in published)


@pytest.mark.parametrize("capabilities", [ALLOWED, Capabilities(max_items=3, max_open=2, requests_per_minute=None)])
def test_the_id_of_another_batch_is_no_id(tmp_path: Path, capabilities: Capabilities) -> None:
    """A second batch under the first one's id is in doubt: its pictures are not taken from the first one's results."""
    service = Painted(capabilities)
    service.created = {"batchId": "b1"}
    customer, desired = Customer(tmp_path, service), cards("abcd")
    done = customer.apply(desired)
    assert (done.stored, done.in_doubt, done.billed_max) == (3, 1, 3)
    assert "the id of another batch" in (done.stopped or "")
    with customer.store() as store:
        (opened,) = store.open_batches()
        assert opened.batch_id is None
        with pytest.raises(UsageError, match="the id of another batch"):
            resolve(Session(customer.ports(desired, store)), opened.intended.attempt, Resolution.ADOPT, "b1")
    service.created = {}
    service.clock.time = certain_at(START, ALLOWED, customer.doubt) + 60
    service.posts.append(service.posts[-1])
    done = customer.apply(desired)
    assert (done.stored, done.failed, done.stopped) == (1, (), None)


def test_two_open_batches_of_one_id_are_not_both_settled_by_it(tmp_path: Path) -> None:
    """As an older version may have recorded them: the second one is judged as in doubt."""
    service = Painted(Capabilities(max_items=1, max_open=2, requests_per_minute=None))
    service.silent_polls, service.created = 1_000, {"batchId": "b1"}
    customer, desired = Customer(tmp_path, service), cards("ab")
    customer.apply(desired)
    with customer.store() as store:
        second = store.open_batches()[1].intended.attempt
        store.commit(store.serial(), [Submitted(second, "b1", "2026-01-01T00:00:00Z")])
    service.silent_polls = 0
    done = customer.apply(desired)
    assert (done.stored, done.in_doubt) == (1, 1)


def test_one_url_for_different_inputs_is_told_and_no_failure(tmp_path: Path) -> None:
    """A service may address pictures by what they look like; across batches, too."""
    service = Painted(Capabilities(max_items=1, max_open=1, requests_per_minute=None))

    def same(body: dict[str, Any]) -> None:
        for item in body["results"]:
            item["results"][0]["url"] = "http://service.invalid/files/same.png?secret=1"

    service.bend = same
    customer = Customer(tmp_path, service)
    assert customer.apply(cards("ab")).stored == 2
    told = [event for event in customer.events if isinstance(event, SharedUrl)]
    assert told == [SharedUrl((AssetKey("m/a@default"), AssetKey("m/b@default")))]


IDS = ["../x", "..", "", "b" * 10_000, "ä€", "a b", "a\0b", "a/b?c#d", "\ud800", "%2e%2e"]


class Odd(Painted):
    """Answers a POST with an id that is made to break clients, and knows nothing of it afterwards."""

    def __init__(self, batch_id: str, status: int) -> None:
        super().__init__()
        self.batch_id, self.status = batch_id, status

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/results") and not request.url.path.endswith("/b2/results"):
            return httpx.Response(self.status, json={"message": "bad path"}, headers={"Location": "/"})
        if request.url.path.endswith("/batch-render") and not self.posts:
            self.posts.append(json.loads(request.content))
            return httpx.Response(202, content=json.dumps({"batchId": self.batch_id}))
        return super()._answer(request)


@pytest.mark.parametrize("status", [400, 404, 414, 422, 301, 200])
@pytest.mark.parametrize(
    "batch_id", ["../x", "..", "", "b" * 10_000, "ä€", "a b", "a\0b", "a/b?c#d", "\ud800", "%2e%2e"]
)
def test_a_batch_that_cannot_be_asked_for_ends_after_its_quarantine(tmp_path: Path, batch_id: str, status: int) -> None:
    """It is left alone while an answer may come, then given up with its possible cost, and rendered once more."""
    service = Odd(batch_id, status)
    customer, desired = Customer(tmp_path, service), cards("a")
    done = customer.apply(desired)
    assert (len(service.posts), bool(done.stopped)) == (1, True)
    service.clock.time = certain_at(START, ALLOWED, customer.doubt) + 600
    done = customer.apply(desired)
    assert (done.stored, done.failed, done.stopped, done.in_doubt) == (1, (), None, 0)
    assert (len(service.posts), done.billed_min, done.billed_max) == (2, 1, 2)
    with customer.store() as store:
        assert store.open_batches() == ()


def test_a_url_that_names_its_content_may_be_shared(tmp_path: Path) -> None:
    """Equal pictures lie at one URL where it is made of the sha256 of the bytes: that is no mix-up, and not told."""
    service = Painted()
    digest = sha256(png(8, 6, "/files/same.png")).hexdigest()

    def same(body: dict[str, Any]) -> None:
        for item in body["results"]:
            item["results"][0]["url"] = f"http://service.invalid/files/{digest.upper()}.png"

    service.bend, service.name = same, "/files/same.png"
    customer = Customer(tmp_path, service)
    assert customer.apply(cards("ab")).stored == 2
    assert not [event for event in customer.events if isinstance(event, SharedUrl)]


def test_one_url_that_is_found_later_for_different_inputs_is_told_too(tmp_path: Path) -> None:
    """A collect says it as an apply does, once, with how many more there are."""
    service = Painted(Capabilities(max_items=3, urls_in_results=False, many_layouts=False))
    service.bend = lambda body: [item.pop("results") for item in body["results"]]
    customer, desired = Customer(tmp_path, service), cards("abc")
    assert customer.apply(desired).unresolved == 3

    def same(body: dict[str, Any]) -> None:
        for item in body["results"]:
            item["results"][0]["url"] = "http://service.invalid/files/same.png"

    service.bend = same
    assert customer.collect(desired).stored == 3
    told = [event for event in customer.events if isinstance(event, SharedUrl)]
    assert told == [SharedUrl((AssetKey("m/a@default"), AssetKey("m/b@default")), 1)]
