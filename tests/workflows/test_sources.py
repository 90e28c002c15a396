"""Sources of URLs that cannot be asked: passed over, told, and no hindrance to the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.model import Capabilities
from pictify_sync.errors import AuthenticationFailed
from tests.workflows.scripted import Scripted
from tests.workflows.service import Customer, cards

NAMES = Capabilities(max_items=1, urls_in_results=False, many_layouts=False)


def without_urls(body: dict[str, Any]) -> None:
    """The shape `names`."""
    for item in body["results"]:
        item.pop("results")


@pytest.fixture
def service() -> Scripted:
    """A service that tells no URLs at first."""
    made = Scripted(NAMES)
    made.bend = without_urls
    return made


@pytest.mark.parametrize("status", [403, 422, 302, 503])
def test_a_look_up_that_is_refused_ends_no_apply(tmp_path: Path, service: Scripted, status: int) -> None:
    """All is recorded as rendered, and the collect says which source could not be asked."""
    service.lookup = status
    customer, desired = Customer(tmp_path, service), cards("abc")
    done = customer.apply(desired)
    assert (done.unresolved, done.billed_min, done.stopped) == (3, 3, None)
    assert set(customer.collect(desired).silent) == {"lookup"}


@pytest.mark.parametrize("status", [403, 500])
def test_one_batch_that_gives_no_answer_does_not_hide_the_others(
    tmp_path: Path, service: Scripted, status: int
) -> None:
    """Its pictures wait; those of the others are published."""
    customer, desired = Customer(tmp_path, service), cards("abc")
    customer.apply(desired)
    service.bend = lambda body: None
    service.refused, service.refused_batch = status, "b1"
    done = customer.collect(desired)
    assert (done.stored, done.unresolved, set(done.silent)) == (2, 1, {"results"})


def test_a_service_that_is_down_is_not_asked_for_every_batch(tmp_path: Path, service: Scripted) -> None:
    """Two batches without an answer are enough."""
    customer, desired = Customer(tmp_path, service), cards("abcdefgh")
    customer.apply(desired)
    service.refused, service.polls = 503, 0
    assert customer.collect(desired).unresolved == 8
    assert service.polls == 10  # five attempts each


def test_a_refused_key_is_an_error(tmp_path: Path, service: Scripted) -> None:
    """An apply tells what it did before it; a collect has nothing else to tell."""
    service.lookup = 401
    customer, desired = Customer(tmp_path, service), cards("ab")
    done = customer.apply(desired)
    assert (done.billed_min, done.unresolved) == (2, 2)
    assert "check the API key" in (done.stopped or "")
    with pytest.raises(AuthenticationFailed):
        customer.collect(desired)
