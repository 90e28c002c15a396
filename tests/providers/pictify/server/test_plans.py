"""Plans, rates and quotas of the server, as a client meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pictify_sync.providers.pictify.server.app import read_meter
from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.requests import Buckets
from tests.providers.pictify.server.caller import Caller, opened

START = 1_790_000_000.0
SETS = {"variableSets": [{"name": "x"}]}


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still."""
    return MovableClock(START)


@pytest.mark.parametrize(
    ("plan", "items", "batches"), [("free", 10, 1), ("basic", 50, 1), ("pro", 100, 3), ("business", 1_000, 10)]
)
def test_plans(tmp_path: Path, clock: MovableClock, plan: str, items: int, batches: int) -> None:
    """Items of a batch and batches open at once are those of the plan; an ended batch makes room."""
    app = opened(tmp_path, now=clock, plan=plan, batch_seconds=60.0)
    call = Caller(app)
    uid = call.uid()
    path = f"/templates/{uid}/batch-render"
    assert call("POST", path, {"variableSets": [{}] * (items + 1)}).status_code == 400
    found = [call("POST", path, SETS) for _ in range(batches + 1)]
    assert [one.status_code for one in found] == [202] * batches + [429]
    clock.advance(61)
    assert call("POST", path, SETS).status_code == 202
    app.close()


def test_the_other_table_of_plans(tmp_path: Path, clock: MovableClock) -> None:
    """The usage page gives no batches to `free`, 250 items to `pro`, and 500 items a month to `basic`."""
    app = opened(tmp_path, now=clock, plan="free", plan_table="usage")
    call = Caller(app)
    path = f"/templates/{call.uid()}/batch-render"
    assert call("POST", path, SETS).status_code == 403
    app.close()
    app = opened(tmp_path / "pro", now=clock, plan="pro", plan_table="usage")
    call = Caller(app)
    wide = f"/templates/{call.uid()}/batch-render"
    assert [call("POST", wide, {"variableSets": [{}] * most}).status_code for most in (250, 251)] == [202, 400]
    app.close()
    app = opened(tmp_path, now=clock, plan="basic", plan_table="usage", batch_seconds=60.0)
    call = Caller(app)
    clock.advance(31 * 86_400)
    for _ in range(10):
        assert call("POST", path, {"variableSets": [{}] * 50}).status_code == 202
        clock.advance(61)
    found = call("POST", path, SETS)
    assert found.json is not None
    assert (found.status_code, found.json["code"]) == (429, "quota_exceeded")
    clock.advance(31 * 86_400)
    assert call("POST", path, SETS).status_code == 202
    app.close()


def test_the_rate_of_a_plan(tmp_path: Path, clock: MovableClock) -> None:
    """60 requests are let in at once, then one a second; headers and Retry-After are sent where they are on."""
    app = opened(tmp_path, now=clock, plan="free", rate_headers="legacy", errors="problem")
    call = Caller(app)
    found = [call("GET", "/api/users/") for _ in range(61)]
    assert [one.status_code for one in found] == [200] * 60 + [429]
    assert [found[0].headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining")] == ["60", "59"]
    assert int(found[59].headers["X-RateLimit-Reset"]) == START + 61
    assert found[60].headers["Retry-After"] == "2"
    assert found[60].content_type == "application/problem+json"
    assert found[60].json is not None
    assert (found[60].json["status"], found[60].json["retryAfter"]) == (429, 2)
    clock.advance(1)
    assert [call("GET", "/api/users/").status_code for _ in range(2)] == [200, 429]
    assert Caller(app, "another key")("GET", "/api/users/").status_code == 200
    app.close()


def test_a_429_without_headers(tmp_path: Path, clock: MovableClock) -> None:
    """The newest documentation says that headers are sent where pictures are rendered in public, and nowhere else."""
    app = opened(tmp_path, now=clock, plan="free")
    call = Caller(app)
    found = [call("GET", "/api/users/") for _ in range(61)][-1]
    assert (found.status_code, found.json) == (429, {"message": "Too many requests"})
    assert not [name for name, _ in found.headers if "rate" in name.lower() or "retry" in name.lower()]
    image = call("POST", "/image", {"html": "x"})
    assert image.status_code == 429
    assert (image.headers["X-RateLimit-Limit"], image.headers["Retry-After"]) == ("60", "2")
    app.close()


def test_buckets_never_let_more_in_than_the_rate() -> None:
    """Over any stretch of time a key gets its minute's worth and what was filled in meanwhile, no more and no less."""
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    let_in = 0
    for _ in range(5_000):
        let_in += not buckets.take("key", 300).wait
        now[0] += 0.1
    assert abs(let_in - (300 + 500 * 5)) <= 1


@pytest.mark.parametrize("status", [429, 402])
def test_a_quota(tmp_path: Path, status: int) -> None:
    """Once its pictures are used up a team gets 429 with a code, or 402, and nothing more is rendered."""
    app = opened(tmp_path, quota=2, **({} if status == 429 else {"quota_status": status}))
    call = Caller(app)
    uid = call.uid()
    call.finished(call.submit(uid, 2))
    for path, body in ((f"/templates/{uid}/batch-render", SETS), (f"/templates/{uid}/render", {})):
        found = call("POST", path, body)
        assert (found.status_code, found.json) == (status, {"message": "Quota exceeded", "code": "quota_exceeded"})
    image = call("POST", "/image", {"html": "x"})
    assert (image.status_code, image.json) == (
        status, {"error": "Quota exceeded", "code": "quota_exceeded", "retriable": False}
    )  # fmt: skip
    app.close()
    assert len(read_meter(tmp_path)) == 2


def test_a_quota_counts_what_is_accepted(tmp_path: Path) -> None:
    """Batches that are still to be rendered use it up; one that is sent again with its key gets its first answer."""
    app = opened(tmp_path, quota=50, idempotent=True)
    call = Caller(app)
    uid = call.uid()
    body, key = {"variableSets": [{"name": str(number)} for number in range(50)]}, {"Idempotency_Key": "k"}
    path = f"/templates/{uid}/batch-render"
    first = call.json("POST", path, body, **key)
    assert call("POST", path, SETS).status_code == 429
    assert call.json("POST", path, body, **key) == first
    assert call("POST", path, SETS, **key).status_code == 409
    app.close()
