"""Refresh and then apply, killed in between: a template that somebody changed by hand makes no picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pictify_sync.core.model import Capabilities
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.refresh import Observation, refresh
from tests.workflows.service import CARD, Customer, Service, cards
from tests.workflows.world import DyingStore, Killed

WANTED = cards(["one", "two"], ["default", "square"])
BY_HAND = CARD.html.replace("{{v}}", "{{v}}?")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service in one process."""
    service = Service(tmp_path / "service", Capabilities())
    yield service
    service.close()


def html(service: Service, new: str | None = None) -> str:
    """The html that the service holds, changed by hand if told."""
    key = {"Authorization": f"Bearer {'k' * 64}"}
    with httpx.Client(transport=service.line, base_url="http://service.invalid", headers=key) as http:
        (template,) = http.get("templates").json()["templates"]
        if new is not None:
            http.put(f"templates/{template['uid']}", json={"html": new}).raise_for_status()
        return str(http.get(f"templates/{template['uid']}").json()["template"]["html"])


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_refresh_that_is_killed_leads_to_no_picture_of_a_wrong_template(
    tmp_path: Path, service: Service, side: str, number: int
) -> None:
    """An apply after it either renders nothing, or pushes the template first."""
    customer = Customer(tmp_path, service)
    customer.apply(WANTED)
    assert html(service, BY_HAND) == BY_HAND
    with customer.store() as store:
        dying = DyingStore(store, **{side: number})
        try:
            refresh(Session(customer.ports(WANTED, dying)), Observation())  # type: ignore[arg-type]
        except Killed:
            assert dying.commits == number
    before = len(service.meter())
    customer.apply(WANTED)
    assert len(service.meter()) == before or html(service) == CARD.html
    with customer.store() as store:
        refresh(Session(customer.ports(WANTED, store)), Observation())
    customer.apply(WANTED)
    assert html(service) == CARD.html
    assert len(service.meter()) == before + len(WANTED)
