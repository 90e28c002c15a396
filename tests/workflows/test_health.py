"""What `doctor` says of webhooks, clocks, states and the rules of foreign templates, over small working ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.abilities import Subscription
from pictify_sync.core.entries import Doubted
from pictify_sync.core.health import Check, Health, healthy
from pictify_sync.core.model import Asset, Capabilities
from pictify_sync.core.outcomes import BatchRequest
from pictify_sync.core.template import LayoutSize, TemplateRecord, VariableRule
from pictify_sync.errors import ArtifactError, InputError, Problem
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from pictify_sync.workflows.doctor import checks as health
from pictify_sync.workflows.doctor.templates import foreign, uses
from tests.core.assets import asset
from tests.state.samples import AT, intended, submitted
from tests.workflows.world import ListDesired, PainterProvider


class Subscribed(PainterProvider):
    """A provider with these subscriptions, and a clock."""

    def __init__(self, *found: Subscription, ahead: float = 0.0) -> None:
        super().__init__()
        self.found, self.ahead = found, ahead
        self.webhook_format = PictifyWebhooks()

    def subscriptions(self) -> Iterator[Subscription]:
        return iter(self.found)

    def subscribe(self, event: str, target_url: str, template_uid: str = "") -> Subscription:
        raise NotImplementedError

    def unsubscribe(self, uid: str) -> bool:
        raise NotImplementedError

    def clock_ahead(self) -> float:
        return self.ahead

    def found_renders(self, template_uid: str, since: float) -> Iterator[object]:
        return iter(())

    def render_one(self, request: BatchRequest) -> object:
        raise NotImplementedError


def subscription(status: str = "active", template: str = "", event: str = "render.completed") -> Subscription:
    """A subscription whose target has a secret in its query."""
    return Subscription("wh_1", event, "https://user:hidden@hook.example/in?token=hidden", status, template)


def said(checks: Iterator[Check]) -> list[tuple[Health, str]]:
    """How each check is, and what it says."""
    return [(one.health, one.message + one.hint) for one in checks]


OK, WARNING, ERROR = Health.OK, Health.WARNING, Health.ERROR
WITH, FOUND, NEITHER = (
    Capabilities(),
    Capabilities(urls_in_results=False, can_find=True),
    Capabilities(urls_in_results=False),
)


@pytest.mark.parametrize(
    ("found", "allowed", "expected"),
    [
        ([subscription()], NEITHER, [OK]),
        ([subscription(status="")], NEITHER, [OK]),
        ([], WITH, [OK]),
        ([], None, [WARNING]),
        ([], FOUND, [WARNING]),
        ([], NEITHER, [ERROR]),
        ([subscription("paused")], NEITHER, [WARNING, ERROR]),
        ([subscription("failed"), subscription()], NEITHER, [WARNING, OK]),
        ([subscription(event="render.failed")], NEITHER, [ERROR]),
        ([subscription(template="U1")], NEITHER, [OK]),
        ([subscription(template="U2")], NEITHER, [OK, ERROR]),
    ],
)
def test_webhooks(found: Sequence[Subscription], allowed: Capabilities | None, expected: list[Health]) -> None:
    """A subscription must be of the event, active, and of every template in use, where nothing else tells URLs."""
    checks = said(health.webhooks(Subscribed(*found), "here", ["U1"], allowed))
    assert [one for one, _ in checks] == expected
    assert "hidden" not in str(checks)


def test_clocks() -> None:
    """A minute apart is worth a warning, which says which way."""
    for ahead, expected, word in ((0.4, OK, "less than 1 s"), (-59.0, OK, "59 s"), (61.0, WARNING, "ahead")):
        ((found, message),) = said(health.account(Subscribed(ahead=ahead), "here"))[1:]
        assert (found, word in message) == (expected, True)
    assert "behind" in said(health.account(Subscribed(ahead=-3600.0), "here"))[1][1]


def test_a_state(tmp_path: Path) -> None:
    """None at all, a sound one, batches open and in doubt, and faults."""
    assert said(health.state(EmptyStateStore(), "s", lambda: ()))[0][0] is OK
    store = open_store(tmp_path / "state.db", create=True)
    assert isinstance(store, SqliteStateStore)
    with store:
        store.commit(0, [intended("a1", {1: 1}), submitted("a1"), intended("a2", {2: 2}), Doubted("a2", "reset", AT)])
        checks = said(health.state(store, "s", store.verify))
        assert [one for one, _ in checks] == [OK, WARNING, WARNING]
        assert "in doubt" in checks[2][1]
        assert "resolve a2" in checks[2][1]
        assert said(health.state(store, "s", lambda: ("bad page",)))[0] == (
            ERROR, "bad pagepictify-sync state rebuild, or restore a copy",
        )  # fmt: skip


def test_what_is_raised_is_reported() -> None:
    """Errors of ours, problems of manifests, and what the machine refuses are checks; healthy means no error."""

    def raising(error: Exception) -> Iterator[Check]:
        yield Check("x", "", Health.OK, "before")
        raise error

    many = InputError([Problem("f", line, 1, "wrong") for line in range(1, 31)])
    for error, number in ((ArtifactError("no"), 2), (PermissionError(13, "Permission denied"), 2), (many, 22)):
        checks = list(health.reporting("x", "p", raising(error)))
        assert len(checks) == number
        assert checks[-1].health is ERROR
        assert not healthy(checks)


RULES = (
    VariableRule("v", required=True, max_length=3),
    VariableRule("kept", required=True, default='"d"'),
    VariableRule("other"),
)
SEEN = TemplateRecord("U", "local", "U", "", {"default": "r"}, "", RULES, {"default": LayoutSize(9, 9)})


def fits(seen: TemplateRecord | None, *wanted: Asset) -> list[Check]:
    """The checks of the only template in use."""
    desired = ListDesired(wanted)
    (use,) = uses(desired).values()
    return list(foreign("card", use, seen, desired))


def test_a_foreign_template_that_fits() -> None:
    """Required, long and unknown variables are looked at; a default stands in for what is not sent."""
    (check,) = fits(SEEN, asset("a"), asset("b"))
    assert (check.health, "pictures: 2" in check.message) == (OK, True)


def test_a_foreign_template_that_does_not_fit() -> None:
    """Each way of not fitting is told once, with how often and the first asset."""
    wanted = [asset("a", value=""), asset("b", value=None), asset("long"), asset("longer"), asset("c", layout="wide")]
    checks = fits(SEEN, *wanted)
    told = [(one.health, one.message) for one in checks]
    assert (ERROR, "it has no layout wide, which m/c@wide asks for") in told
    assert (
        ERROR,
        "it requires 'v', which is empty or not sent (pictures: 1; the first is m/a@default, m.yaml:1)",
    ) in told
    assert (ERROR, "'v' is longer than its 3 characters (pictures: 2; the first is m/long@default, m.yaml:1)") in told
    assert all(one.hint for one in checks)
    ((unknown, message),) = [(one.health, one.message) for one in fits(replace(SEEN, variables=()), asset("a"))][:1]
    assert (unknown, message[:21]) == (WARNING, "it declares no 'v', w")


def test_a_template_that_nobody_knows() -> None:
    """The manifest's file is named."""
    (check,) = fits(None, asset("a"))
    assert check.health is ERROR
    assert "m.yaml" in check.hint
