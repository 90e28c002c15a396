"""Templates, subscriptions and look-ups of an account, against the emulator in its error dialects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync.core.abilities import LiveCheck, Made, RenderLookup, SingleRender, TemplateLibrary, Webhooks
from pictify_sync.core.model import Capabilities
from pictify_sync.core.outcomes import Failed, InDoubt, NotSent, Refused, Rendered
from pictify_sync.core.ports import Provider
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from tests.providers.answering import Service, said
from tests.providers.clock import FakeClock
from tests.providers.conformance import render, request, template
from tests.providers.pictify.server.caller import opened


def over(app: Any, key: str = "k" * 64) -> PictifyProvider:
    """The provider over an app in this process."""
    http = Http("http://emulator.invalid", SecretStr(key), transport=httpx.WSGITransport(app))
    return PictifyProvider("pictify", Opened(http, Downloads(http.client, http.client, ())), Capabilities(), grace=0)


@pytest.fixture(params=["plain", "problem"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PictifyProvider]:
    """A client of a fresh emulator."""
    app = opened(tmp_path, errors=request.param, loopback_targets=True, lookup_variables=True)
    made = over(app)
    yield made
    made.close()
    app.close()


def test_it_has_every_ability(provider: PictifyProvider) -> None:
    """The provider offers what the abilities ask for."""
    whole: Provider = provider
    assert isinstance(whole, TemplateLibrary)
    assert isinstance(whole, Webhooks)
    assert isinstance(whole, RenderLookup)
    assert isinstance(whole, SingleRender)
    assert isinstance(whole, LiveCheck)


def test_the_life_of_templates(provider: PictifyProvider) -> None:
    """Created, listed over several pages, read, changed, deleted; unknown ones are told apart from errors."""
    uids = [provider.push_template(template(f"{n} {{{{name}}}}"), None) for n in range(105)]
    listed = list(provider.list_templates())
    assert sorted(one.uid for one in listed) == sorted(uids)
    assert {(one.name, one.engine, one.width, one.height) for one in listed} >= {("card", "html", 40, 30)}
    held = provider.observe_template(uids[0])
    assert held is not None
    assert {(rule.name, rule.required, rule.max_length, rule.default) for rule in held.variables} == {
        ("name", True, 20, ""),
        ("unit", False, None, '"km"'),
    }
    assert provider.delete_template(uids[0])
    assert not provider.delete_template(uids[0])
    assert provider.observe_template(uids[0]) is None
    assert len(list(provider.list_templates())) == 104


def test_the_life_of_subscriptions(provider: PictifyProvider) -> None:
    """The secret comes once and is in no text; a subscription is listed with its filter, and removed once."""
    made = provider.subscribe("render.completed", "http://127.0.0.1:9/webhook", "UID")
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert [(one.uid, one.event, one.target_url, one.status, one.template_uid) for one in provider.subscriptions()] == [
        (made.uid, "render.completed", "http://127.0.0.1:9/webhook", "active", "UID")
    ]
    assert not any(one.secret for one in provider.subscriptions())
    assert provider.unsubscribe(made.uid)
    assert not provider.unsubscribe(made.uid)
    assert list(provider.subscriptions()) == []
    with pytest.raises(ProviderError):
        provider.subscribe("no.such.event", "http://127.0.0.1:9/webhook")


def test_a_render_at_once(provider: PictifyProvider) -> None:
    """Every layout is made or failed; a refusal is a refusal."""
    uid = provider.push_template(template(), None)
    found = provider.render_one(request(uid, [{"name": "a"}], ("default", "nowhere", "square")))
    assert isinstance(found, Made)
    assert isinstance(found.outcomes["nowhere"], Failed)
    square = found.outcomes["square"]
    assert isinstance(square, Rendered)
    assert (square.width, square.height) == (20, 20)
    assert square.url
    assert b"<b>a</b>" in b"".join(provider.download(square.url))
    missing = provider.render_one(request("NOTTHERE00", [{"name": "a"}]))
    assert isinstance(missing, Refused)
    assert missing.template_missing


def test_renders_are_looked_up(provider: PictifyProvider) -> None:
    """All renders of a template, over several pages, with the digest of what went into them."""
    uid, other = provider.push_template(template(), None), provider.push_template(template("other {{name}}"), None)
    for batch in range(2):
        render(provider, request(uid, [{"name": f"{batch} {n}"} for n in range(80)], key=f"many {batch}"))
    render(provider, request(other, [{"name": "x"}], key="other"))
    seen = list(provider.found_renders(uid, 0.0))
    assert len({one.variables for one in seen}) == 160
    assert {(one.template_uid, one.width, one.height) for one in seen} == {(uid, 40, 30)}
    assert list(provider.found_renders(uid, 4e9)) == []


def test_a_look_up_that_cannot_match_ends(tmp_path: Path) -> None:
    """Rows without variables, a service without the route, and an empty answer give nothing, in one request."""
    rows = [{"url": f"https://x/{n}.png", "createdAt": "2026-11-22T12:00:00Z"} for n in range(100)]
    page = {"renders": rows, "pagination": {"total": 900, "hasMore": True}}
    for answer in (said(200, page), said(404, {"message": "Route not found"}), said(200, {}), said(200, "<html>")):
        service = Service(answer)
        assert list(service.provider().found_renders("UID", 0.0)) == []
        assert len([one for one in service.asked if one.url.path.endswith("/render")]) == 1
    with pytest.raises(AuthenticationFailed):
        list(Service(said(401, {"message": "Invalid Request"})).provider().found_renders("UID", 0.0))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(500, {"error": "boom", "code": "x", "retriable": True}), InDoubt("status 500 boom")),
        (said(504, "<html>"), InDoubt("status 504 <html>")),
        (said(200, {"hello": 1}), InDoubt("status 200 without results")),
        (said(402, {"message": "Quota exceeded"}), Refused("402", "Quota exceeded", stops_run=True)),
        (said(422, {"error": "bad", "code": "RAW_HTML_NOT_ALLOWED"}), Refused("RAW_HTML_NOT_ALLOWED", "bad")),
        (httpx.ReadTimeout("late"), InDoubt("ReadTimeout: late")),
        (httpx.ConnectError("refused"), NotSent("ConnectError: refused")),
    ],
)
def test_a_render_at_once_is_sent_once(answer: httpx.Response | Exception, expected: object) -> None:
    """Whatever comes back, the POST left once, with its key."""
    service = Service(answer)
    assert service.provider().render_one(request("U", [{"a": 1}], key="k")) == expected
    assert [one.headers["Idempotency-Key"] for one in service.asked] == ["k"]


def test_shapes_of_older_docs() -> None:
    """Bare subscriptions and templates, lists without pagination, `deleted` or `success`."""
    bare = {"uid": "wh_1", "event": "render.completed", "targetUrl": "https://x/y", "secret": "s", "status": "active"}
    assert Service(said(201, bare)).provider().subscribe("render.completed", "https://x/y").secret == "s"
    assert [one.uid for one in Service(said(200, [bare, {"no": "uid"}, 7])).provider().subscriptions()] == ["wh_1"]
    assert Service(said(200, {"success": True})).provider().unsubscribe("wh_1")
    shown = {"templates": [{"uid": "A", "name": "a"}, {"uid": "A", "name": "again"}, {"id": "B"}]}
    assert [one.uid for one in Service(said(200, shown)).provider().list_templates()] == ["A", "B"]
    old = {"template": {"uid": "A", "variables": [{"name": "n", "type": "string"}]}}
    held = Service(said(200, old)).provider().observe_template("A")
    assert held is not None
    assert [(rule.name, rule.type) for rule in held.variables] == [("n", "text")]
    assert Service(said(200, {})).provider().push_template(template(), "known") == "known"


def test_a_subscription_is_made_once() -> None:
    """Its POST is not repeated, as each would be another subscription."""
    for answer in (said(503, {"message": "later"}), httpx.ReadError("reset"), said(200, {"hello": 1})):
        service = Service(answer)
        with pytest.raises(ProviderError):
            service.provider().subscribe("render.completed", "https://x/y")
        assert len(service.asked) == 1


def test_long_waits_are_refusals_of_a_batch() -> None:
    """While the service asks to wait for long, a batch is not sent, and nothing is in doubt."""
    service = Service(said(429, {"message": "busy"}, Retry_After="900"), said(202, {"batchId": "b"}))
    provider = service.provider()
    assert isinstance(provider.submit(request("U", [{}])), Refused)
    found = provider.submit(request("U", [{}]))
    assert isinstance(found, Refused)
    assert found.retry_after == 900
    assert len(service.asked) == 1
    with pytest.raises(ProviderUnavailable):
        provider.observe_template("U")


def test_clocks_are_compared() -> None:
    """By the dates of answers: the same within a second, or ahead by at least so much; it is asked once if need be."""
    for date, ahead in [(0, 0.0), (-0.9, 0.0), (120, 120.0), (-120, -120.0)]:
        service = Service()
        answer = said(200, {}, Date=formatdate(service.clock.time + date, usegmt=True))
        service.answers.append(answer)
        assert service.provider().clock_ahead() == pytest.approx(ahead, abs=1)
        assert len(service.asked) == 1
    silent = Service(httpx.ConnectError("gone"))
    assert silent.provider().clock_ahead() == 0.0


@pytest.mark.parametrize(
    ("belief", "headers", "longest"),
    [(60, "off", 180), (60, "legacy", 180), (None, "legacy", 180), (300, "legacy", 180), (300, "off", 240)],
)
def test_the_rate_of_a_plan(tmp_path: Path, belief: int | None, headers: str, longest: float) -> None:
    """200 requests at 60 a minute take three minutes, known, told or guessed; who knows or is told is never refused."""
    clock, answers = FakeClock(), Counter[int]()
    app = opened(tmp_path, plan="free", rate_headers=headers, now=clock.now)
    inner = httpx.WSGITransport(app)

    class Counting(httpx.BaseTransport):
        def handle_request(self, asked: httpx.Request) -> httpx.Response:
            answer = inner.handle_request(asked)
            answers[answer.status_code] += 1
            return answer

    http = Http("http://emulator.invalid", SecretStr("k" * 64), transport=Counting(), rate=Rate(clock, belief))
    provider = PictifyProvider("pictify", Opened(http, Downloads(http.client, http.client, ())), Capabilities())
    begun = clock.time
    for _ in range(200):
        assert list(provider.list_templates()) == []
    assert answers[200] == 200
    assert clock.time - begun <= longest
    if headers == "legacy" or belief == 60:
        assert answers[429] == 0
    assert answers[429] < 10
    provider.close()
    app.close()
