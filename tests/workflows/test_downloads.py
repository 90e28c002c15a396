"""Pictures that were rendered and cannot be fetched: billed once, whatever befalls their download."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.model import Capabilities, Status
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.reconcile import NotMade, Published
from pictify_sync.workflows.apply.clear_path import Replaceable
from pictify_sync.workflows.apply.downloads import fetch
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.refresh import Observation, refresh
from tests.artifacts.test_decoding import png
from tests.workflows.scripted import HOST, Scripted
from tests.workflows.service import Customer, cards

KEYS = ["m/a@default", "m/b@default"]


def statuses(customer: Customer) -> set[Status]:
    """The statuses of all records."""
    with customer.store() as store:
        return {record.status for record in store.records()}


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503, text="busy"),
        httpx.Response(403, text="the signature is too old"),
        httpx.Response(302, headers={"Location": "http://169.254.169.254/latest/meta-data"}),
        httpx.Response(302, headers={"Location": "https://new-cdn.example/a.png"}),
    ],
)
def test_what_cannot_be_fetched_now_is_fetched_later_and_not_rendered_again(
    tmp_path: Path, trouble: httpx.Response
) -> None:
    """A host that is down or not allowed costs no second render: the next apply, or a collect, fetches again."""
    service = Scripted(Capabilities(max_items=2))
    customer, desired = Customer(tmp_path, service), cards("ab")
    service.trouble = trouble
    for _ in range(2):
        done = customer.apply(desired)
        assert [(key, code) for key, code, _ in done.failed] == [(key, "DOWNLOAD_FAILED") for key in KEYS]
        assert (done.stored, done.unresolved) == (0, 0)
        assert statuses(customer) == {Status.RENDERED}
    failed = customer.collect(desired)
    assert (failed.stored, failed.unresolved, len(failed.failed)) == (0, 0, 2)
    service.trouble = None
    done = customer.apply(desired)
    assert done == ApplySummary(stored=2)
    assert (len(service.posts), statuses(customer)) == (1, {Status.STORED})


@pytest.mark.parametrize("trouble", [httpx.Response(404), httpx.Response(200, text="<html>not a picture")])
def test_what_is_gone_or_no_picture_is_rendered_again(tmp_path: Path, trouble: httpx.Response) -> None:
    """Asking again for it would give the same."""
    service = Scripted(Capabilities(max_items=2))
    customer, desired = Customer(tmp_path, service), cards("ab")
    service.trouble = trouble
    done = customer.apply(desired)
    assert [(key, code) for key, code, _ in done.failed] == [(key, "BAD_DOWNLOAD") for key in KEYS]
    assert done.billed_min == 2
    service.trouble = None
    assert customer.apply(desired).stored == 2
    assert (len(service.posts), statuses(customer)) == (2, {Status.STORED})


def test_a_host_that_is_not_allowed_is_named_with_what_to_do(tmp_path: Path) -> None:
    """The setting that would allow it stands in the failure."""
    service = Scripted(Capabilities(max_items=2))
    service.host = "https://new-cdn.example"
    (failure, _) = Customer(tmp_path, service).apply(cards("ab")).failed
    assert "add new-cdn.example to allow_hosts" in failure[2]


def test_a_batch_of_a_dead_run_whose_pictures_cannot_be_fetched_is_counted_once(tmp_path: Path) -> None:
    """What a recovery could not fetch and the apply after it could is no longer told as missing."""
    service = Scripted(Capabilities(max_items=2))
    customer, desired = Customer(tmp_path, service), cards("ab")
    service.silent_polls = 1_000
    assert customer.apply(desired).stopped is not None
    service.silent_polls, service.trouble, service.healed_after = 0, httpx.Response(503), 6
    done = customer.apply(desired)
    assert done == ApplySummary(stored=2, billed_min=2, billed_max=2)


def test_a_lost_file_is_asked_for_again_before_it_is_rendered(tmp_path: Path) -> None:
    """A host that is busy for a moment costs no render."""
    service = Scripted(Capabilities(max_items=2))
    customer, desired = Customer(tmp_path, service), cards("a")
    customer.apply(desired)
    for file in (tmp_path / "out").rglob("*.png"):
        file.unlink()
    with customer.store() as store:
        refresh(Session(customer.ports(desired, store)), Observation(tells=lambda _: False))
    service.trouble, service.healed_after = httpx.Response(503), 2
    assert customer.apply(desired).refetched == 1
    assert len(service.posts) == 1


@pytest.mark.parametrize("embedded", [True, False])
def test_only_the_embedded_server_vouches_for_its_pictures(tmp_path: Path, embedded: bool) -> None:
    """Bytes as its own worker made them need no decoding; a URL of a service proves nothing, whatever it names."""
    broken = png(8, 6, b"no pixels")
    service = Scripted(Capabilities(), instance="here" if embedded else "")
    service.trouble = httpx.Response(200, content=broken)
    url = f"{HOST}/files/{sha256(broken).hexdigest()}.png"
    artifacts = FileArtifacts(tmp_path)
    found = fetch(service.provider, artifacts, Rendered(url, 8, 6), "png", {"a.png": Replaceable()})
    assert isinstance(found, Published) is embedded
    other = f"{HOST}/files/{'0' * 64}.png"
    found = fetch(service.provider, artifacts, Rendered(other, 8, 6), "png", {"b.png": Replaceable()})
    assert isinstance(found, NotMade)
