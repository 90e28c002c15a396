"""Clocks that somebody sets: during an apply, and between two of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pictify_sync.core.events import Waiting
from pictify_sync.core.journal import MARGIN_SECONDS, DoubtRules, Quarantine, Weigh, certain_at, judge
from pictify_sync.core.model import Capabilities
from pictify_sync.providers.pictify.server.clock import SteadyClock
from pictify_sync.workflows.apply.run import carry_out, recover
from tests.core.assets import asset
from tests.providers.pictify.server.caller import Caller, opened
from tests.workflows.service import START, Customer, Service, cards
from tests.workflows.test_doubt import ForgetfulProvider
from tests.workflows.world import FakeClock, ListDesired, World

HOUR = 3_600.0


class Jumping(FakeClock):
    """It is set by so much, again and again, while somebody waits."""

    def __init__(self, jump: float) -> None:
        super().__init__()
        self.jump = jump

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.set_ahead += self.jump


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_an_apply_takes_as_long_as_ever(tmp_path: Path, jump: float) -> None:
    """However the clock is set between its polls, it is over in the same time and has made everything once."""
    wanted = [asset(f"{number}") for number in range(9)]
    steady, world = World(tmp_path / "steady"), World(tmp_path / "jumping")
    world.clock = Jumping(jump)
    took = []
    for one in (steady, world):
        begun = one.clock.time
        one.apply(wanted)
        took.append(one.clock.time - begun)
    assert world.files() == world.expected(wanted)
    assert set(world.provider.meter.values()) == {1}
    assert took[1] == pytest.approx(took[0])


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_the_real_client_at_a_limited_rate_never_waits_longer_than_a_minute(tmp_path: Path, jump: float) -> None:
    """A clock that is set with every answer delays neither polls nor the turn of a request."""
    service = Service(
        tmp_path / "server", Capabilities(max_items=2, requests_per_minute=12, poll_seconds=2), latency=0.2
    )
    customer = Customer(tmp_path, service)

    def jumped() -> None:
        service.clock.set_ahead += jump

    service.line.befalls = jumped
    done = customer.apply(cards("abcdefgh"))
    assert (done.stored, done.stopped) == (8, None)
    assert max((event.seconds for event in customer.events if isinstance(event, Waiting)), default=0.0) <= 60
    gaps = [after.at - before.at for before, after in pairwise(service.log)]
    assert max(gaps) <= 61
    service.close()


@pytest.mark.parametrize("ahead", [0.0, HOUR, 30 * 86_400.0])
def test_a_quarantine_from_the_future_ends(tmp_path: Path, ahead: float) -> None:
    """A batch in doubt whose time lies ahead, since the clock was set back, stays so for its full length at most."""
    world = World(tmp_path, ForgetfulProvider("lost"))
    desired = ListDesired([asset("a")])
    world.clock.set_ahead = ahead
    length = certain_at(0.0, Capabilities(), DoubtRules())
    for wait, in_doubt in ((0.0, 1), (1.0, 1), (length + 1, 0)):
        world.clock.time += wait
        store = world.store()
        ports = world.ports(desired, store)
        recovered = recover(ports)
        done = carry_out(ports, world.plan(desired, store), lambda _: None, recovered)
        assert done.in_doubt == in_doubt, wait
        world.clock.set_ahead = 0.0  # set right again after the first run
    assert world.files() == world.expected([asset("a")])


def test_a_judgement_about_the_future_waits_no_longer_than_ever(tmp_path: Path) -> None:
    """By the recorded time alone, too: the end of a quarantine lies no further ahead than its length."""
    world = World(tmp_path, ForgetfulProvider("lost"))
    world.apply([asset("a")])
    (found,) = world.store().open_batches()
    unsure = replace(Capabilities(), honours_idempotency_key=False)
    now = 1_000_000.0
    for ahead in (HOUR, 1e8):
        assert judge(found, unsure, DoubtRules(), (now + ahead, now)) == Quarantine(
            certain_at(now, unsure, DoubtRules())
        )
    assert isinstance(
        judge(found, unsure, DoubtRules(), (now - certain_at(0.0, Capabilities(), DoubtRules()), now)), Weigh
    )


def test_a_server_whose_clock_was_set_back_shows_what_it_made(tmp_path: Path) -> None:
    """A batch that ended in what is the future by now is over, is not held open, and frees its place."""
    now = [START]
    app = opened(tmp_path, now=lambda: now[0], plan="free", batch_seconds=60.0)
    call = Caller(app)
    path = f"/templates/{call.uid()}/batch-render"
    batch = call("POST", path, {"variableSets": [{}]}).get_json()["batchId"]
    assert call("POST", path, {"variableSets": [{}]}).status_code == 429
    now[0] -= HOUR
    call.finished(batch)
    assert call("POST", path, {"variableSets": [{}]}).status_code == 202
    app.close()


def test_the_clock_of_a_server_never_goes_back() -> None:
    """It follows the machine's clock forward, and goes on at its own pace when that one is set back."""
    wall, passed = [START], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: passed[0])
    assert clock() == START
    wall[0], passed[0] = START - HOUR, 60.0
    assert clock() == START + 10
    wall[0] = START + HOUR
    assert clock() == START + HOUR


def test_a_quarantine_lasts_as_long_as_a_post_may_take(tmp_path: Path) -> None:
    """A provider whose POST is over soon is certain sooner, and one whose POST lasts an hour later."""
    world = World(tmp_path, ForgetfulProvider("lost"))
    world.apply([asset("a")])
    (found,) = world.store().open_batches()
    for seconds in (2.0, HOUR):
        allowed = Capabilities(post_seconds=seconds)
        until = MARGIN_SECONDS + DoubtRules().quarantine_seconds + seconds
        assert isinstance(judge(found, allowed, DoubtRules(), (0.0, until - 1)), Quarantine)
        assert isinstance(judge(found, allowed, DoubtRules(), (0.0, until)), Weigh)
