"""Render processes that cannot work: an apply ends with an error that says so, instead of waiting for them."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.ports import Provider
from pictify_sync.providers.local.connect import over
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.transport.rate import SystemClock
from pictify_sync.rendering.engines.pool import Page, PageRenderer
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.providers.connecting import connection
from tests.providers.pictify.server.fake_engine import FakeRenderer
from tests.workflows.service import Customer, cards

WANTED = cards(f"i{n}" for n in range(24))


def dies() -> PageRenderer:
    """An engine that takes its process down with it."""
    os._exit(3)


def hangs() -> PageRenderer:
    """An engine that never gets ready."""
    time.sleep(600)
    raise AssertionError


class Unloadable:
    """An engine of which a worker cannot even load the name, or is never done with that."""

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bool]]:
        return _load, (self._hangs,)

    def __call__(self) -> PageRenderer:
        raise AssertionError


def _load(hangs: bool) -> Unloadable:
    if multiprocessing.parent_process() is None:
        return Unloadable(hangs=hangs)
    if hangs:
        time.sleep(600)
    os._exit(4)


@dataclass(frozen=True)
class Embedded:
    """The embedded server with an engine of the test."""

    provider: Provider
    clock: SystemClock


def applied(
    folder: Path, engine: Callable[[], PageRenderer], *, patience: float = 20.0
) -> tuple[Customer, ApplySummary]:
    """Apply with that engine, which may take so many seconds to start and for a picture."""
    how = Options(engine, start_seconds=patience)
    opened = connection("local", folder=str(folder / "local"), workers=2, render_timeout=patience, max_items=8)
    provider = over(opened, how)
    customer = Customer(folder, Embedded(provider, SystemClock()))
    try:
        return customer, customer.apply(WANTED)
    finally:
        provider.close()


@pytest.mark.parametrize(
    "engine",
    [
        hangs,
        pytest.param(dies, marks=pytest.mark.full),
        pytest.param(Unloadable(hangs=False), marks=pytest.mark.full),
        pytest.param(Unloadable(hangs=True), marks=pytest.mark.full),
    ],
    ids=["never ready", "dies", "cannot be loaded", "never loaded"],
)
def test_an_apply_without_workers_ends_with_an_error(tmp_path: Path, engine: Callable[[], PageRenderer]) -> None:
    """It waits no longer than three starts may take; with an engine that works the next apply finishes the batches."""
    _, summary = applied(tmp_path, engine, patience=0.4)
    assert summary.stopped is not None
    assert "render processes do not" in summary.stopped
    assert "apply again" in summary.stopped
    applied(tmp_path, FakeRenderer)
    customer, _ = applied(tmp_path, FakeRenderer)  # what was blamed for the death of a worker is tried again
    assert len(list((tmp_path / "out").rglob("*.png"))) == len(WANTED)
    with customer.store() as store:
        ledger = store.ledger()
        assert ledger.billed_min == ledger.billed_max


class Lacking:
    """An engine on a machine that lacks something."""

    def __init__(self, number: int) -> None:
        self._number = number

    def render(self, page: Page) -> bytes:
        raise OSError(self._number, os.strerror(self._number), page.html)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE])
def test_what_the_machine_lacks_is_no_failure_of_a_picture(tmp_path: Path, number: int) -> None:
    """A full disk stops the run and says so; nothing is recorded as failed, and the next apply renders what is left."""
    customer, summary = applied(tmp_path, partial(Lacking, number))
    assert summary.stopped is not None
    assert os.strerror(number).lower() in summary.stopped
    assert summary.failed == ()
    with customer.store() as store:
        assert [record for record in store.records() if record.failure is not None] == []
        assert store.open_batches()
    applied(tmp_path, FakeRenderer)
    assert len(list((tmp_path / "out").rglob("*.png"))) == len(WANTED)
