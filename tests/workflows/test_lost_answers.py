"""The answer to the POST of a batch is lost, or whoever waited for it dies: against the real server, in every dialect.

The client and the server share a virtual clock, so that the quarantine is waited for in no time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.journal import MARGIN_SECONDS, DoubtPolicy, DoubtRules
from pictify_sync.core.model import Capabilities
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.resolve import Resolution, resolve
from tests.providers.pictify.server.fake_engine import png
from tests.workflows.service import SIZES, Customer, Service, cards
from tests.workflows.world import Killed

ITEMS = [f"i{n}" for n in range(10)]
WANTED = cards(ITEMS, SIZES)
QUARANTINE = Capabilities().post_seconds + MARGIN_SECONDS + DoubtRules().quarantine_seconds
ALLOWED = Capabilities(max_items=4, max_open=2, requests_per_minute=60)
DIALECTS = {
    "nested": ALLOWED,
    "names": replace(ALLOWED, urls_in_results=False, many_layouts=False),
    "flat": replace(ALLOWED, many_layouts=False),
    "legacy": replace(ALLOWED, many_layouts=False),
    "dashboard": replace(ALLOWED, many_layouts=False),
}
LOST = ("drop-after", "error-after=502", "killed")  # how the answer to a POST gets lost
KILLED = ["killed", *(pytest.param(how, marks=pytest.mark.full) for how in LOST[:2])]
PLACES = [1, pytest.param(2, marks=pytest.mark.full), pytest.param(3, marks=pytest.mark.full)]  # which POST's


class Place:
    """A customer at a service that loses an answer."""

    def __init__(self, folder: Path, allowed: Capabilities, how: str, at: int, **options: Any) -> None:
        self.allowed, self.killed = allowed, how == "killed"
        self.service = Service(folder / "server", allowed, latency=0.1, batch_seconds=20, **options)
        self.service.line.dies = {at} if self.killed else set()
        self.service.line.breaks = {} if self.killed else {at: how}
        self.customer = Customer(folder, self.service)

    def apply(self) -> ApplySummary | None:
        """Apply; None when it died."""
        with suppress(Killed):
            return self.customer.apply(WANTED)
        self.service.reconnect(self.allowed)
        return None

    def again(self) -> Counter[tuple[str, str]]:
        """What the server rendered more often than once, and how often more."""
        return Counter({one: times - 1 for one, times in Counter(self.service.meter()).items() if times > 1})

    def check_ledger(self) -> tuple[int, int]:
        """The server's own meter lies between what the ledger says; gives its bounds."""
        with self.customer.store() as store:
            found = store.ledger()
        assert found.billed_min <= len(self.service.meter()) <= found.billed_max
        return found.billed_min, found.billed_max

    def check_whole(self, *, urls: bool) -> None:
        """Everything is rendered, published where its URL is told, and nothing is left to do."""
        files = {
            path.relative_to(self.customer.folder / "out").as_posix(): path.read_bytes()
            for path in (self.customer.folder / "out").rglob("*.png")
        }
        assert len(set(self.service.meter())) == len(WANTED)
        if urls:
            for asset in WANTED:
                size = SIZES[asset.spec.variant]
                item = asset.key.partition("/")[2].partition("@")[0]
                assert files.pop(asset.output) == png(size.width, size.height, f"<b>{item}</b>")
        assert files == {}
        with self.customer.store() as store:
            assert store.open_batches() == ()
            plan = self.customer.plan(WANTED, store)
            assert plan.is_empty if urls else plan.summary.renders == 0


@contextmanager
def place(folder: Path, dialect: str, how: str, at: int = 1, **options: Any) -> Iterator[Place]:
    """A place whose server speaks a dialect, and loses the answer to the POST of that number."""
    allowed = replace(DIALECTS[dialect], honours_idempotency_key=options.pop("trusted", False))
    made = Place(folder, allowed, how, at, dialect=dialect, faults=True, **options)
    try:
        yield made
    finally:
        made.service.close()


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_at_most_one_batch_is_rendered_again(tmp_path: Path, dialect: str, how: str, at: int) -> None:
    """Within the quarantine nothing is rendered twice; after it one batch is, and the ledger shows its cost."""
    with place(tmp_path, dialect, how, at) as one:
        one.apply()
        early = one.apply()
        assert early is not None
        assert early.in_doubt == 1
        assert not one.again()
        one.service.clock.time += QUARANTINE
        assert one.apply() is not None
        again = one.again()
        assert 0 < again.total() <= 4 * len(SIZES)
        least, most = one.check_ledger()
        assert most - least >= again.total()
        assert one.apply() is not None
        one.check_whole(urls=dialect != "names")
        assert one.again() == again


@pytest.mark.parametrize("how", KILLED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_honoured_key_renders_nothing_again(tmp_path: Path, dialect: str, how: str) -> None:
    """Where the server is known to honour the key, the batch is sent again at once, and is the same one."""
    with place(tmp_path, dialect, how, 2, trusted=True, idempotent=True) as one:
        one.apply()
        done = one.apply()
        assert done is not None
        assert done.in_doubt == 0
        assert not one.again()
        least, most = one.check_ledger()
        assert least == most == len(WANTED)
        one.check_whole(urls=dialect != "names")


@pytest.mark.parametrize("how", KILLED)
def test_a_key_that_nobody_knows_to_be_honoured_is_not_relied_on(tmp_path: Path, how: str) -> None:
    """The server would honour the key, but has not said so: the quarantine and the ledger are as elsewhere."""
    with place(tmp_path, "nested", how, idempotent=True) as one:
        one.apply()
        assert not one.again()
        one.service.clock.time += QUARANTINE
        one.apply()
        one.check_ledger()
        assert one.again().total() <= 4 * len(SIZES)
        one.check_whole(urls=True)


@pytest.mark.parametrize("how", KILLED)
@pytest.mark.parametrize(
    "dialect", [one if one == "names" else pytest.param(one, marks=pytest.mark.full) for one in DIALECTS]
)
def test_what_the_look_up_finds_is_adopted(tmp_path: Path, dialect: str, how: str) -> None:
    """Rows that carry variables prove what was rendered: the lost batch is adopted, and nothing is rendered again."""
    with place(tmp_path, dialect, how, lookup_variables=True) as one:
        one.apply()
        one.service.meter()  # by now it is rendered
        one.apply()
        one.customer.collect(WANTED)
        assert not one.again()
        one.check_ledger()
        one.check_whole(urls=True)


@pytest.mark.parametrize("how", KILLED)
@pytest.mark.parametrize("dialect", ["nested", "names"])
def test_a_held_batch_waits_for_a_person(tmp_path: Path, dialect: str, how: str) -> None:
    """With the policy `hold` nothing is rendered again however long it takes; adopted by its id, it costs nothing."""
    with place(tmp_path, dialect, how) as one:
        one.customer.doubt = DoubtRules(DoubtPolicy.HOLD)
        one.apply()
        for _ in range(2):
            one.service.clock.time += 10 * QUARANTINE
            done = one.apply()
            assert done is not None
            assert done.in_doubt == 1
        assert not one.again()
        with one.customer.store() as store:
            session = Session(one.customer.ports(WANTED, store))
            resolve(session, store.open_batches()[0].intended.attempt, Resolution.ADOPT, one.service.batches()[0])
        one.apply()
        assert not one.again()
        least, most = one.check_ledger()
        assert least == most == len(WANTED)
        one.check_whole(urls=dialect != "names")


@pytest.mark.parametrize(("how", "most"), [(Resolution.RESUBMIT, 8), (Resolution.WRITE_OFF, 8)])
def test_a_person_may_give_it_up(tmp_path: Path, how: Resolution, most: int) -> None:
    """Resolved by hand, it is rendered again: at most that one batch, and the ledger says so."""
    with place(tmp_path, "nested", "drop-after") as one:
        one.customer.doubt = DoubtRules(DoubtPolicy.HOLD)
        one.apply()
        with one.customer.store() as store:
            session = Session(one.customer.ports(WANTED, store))
            resolve(session, store.open_batches()[0].intended.attempt, how)
        one.apply()
        assert one.again().total() == most
        one.check_ledger()
        one.check_whole(urls=True)
