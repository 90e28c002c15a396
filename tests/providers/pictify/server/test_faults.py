"""Faults on demand, plans, dialects of errors, and the clock: each as a client meets it."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.faults import REASONS, ConnectionDropped, Fault, Rules, parse
from tests.providers.pictify.server.caller import SQUARE, Caller, opened

START = 1_790_000_000.0
SETS = {"variableSets": [{"name": "x"}]}


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still."""
    return MovableClock(START)


@pytest.fixture
def call(tmp_path: Path, clock: MovableClock) -> Iterator[Caller]:
    """A server on that clock, with faults on."""
    app = opened(tmp_path, now=clock, faults=True)
    yield Caller(app)
    app.close()


def create(call: Caller, uid: str, fault: str) -> Any:
    """Send a batch to which something happens."""
    return call("POST", f"/templates/{uid}/batch-render", SETS, X_Emulator_Fault=fault)


def renders(call: Caller, uid: str) -> int:
    """How many pictures of a template there are."""
    return int(call.json("GET", f"/render?template={uid}")["pagination"]["total"])


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_before_and_after_creating(call: Caller, status: int) -> None:
    """Both look alike; only after the second one is there a batch, and pictures."""
    uid = call.uid()
    for name, count in (("error-before", 0), ("error-after", 1)):
        found = create(call, uid, f"{name}={status}")
        assert found.status_code == status
        assert found.json["message"]
        call.finished(call.submit(uid))  # batches are rendered in order: those before are over
        assert renders(call, uid) == count + 1
        uid = call.uid()


def test_a_dropped_connection(call: Caller) -> None:
    """The app raises what closes the connection: before doing anything, or after all was done."""
    uid = call.uid()
    for name in ("drop-before", "drop-after"):
        with pytest.raises(ConnectionDropped):
            create(call, uid, name)
    call.finished(call.submit(uid))
    assert renders(call, uid) == 2


def test_429_in_every_documented_way(call: Caller) -> None:
    """Without a hint, with seconds, with a date, with a field of the body, and as a quota."""
    uid = call.uid()
    assert "Retry-After" not in create(call, uid, "rate").headers
    assert create(call, uid, "rate=7").headers["Retry-After"] == "7"
    date = parsedate_to_datetime(create(call, uid, "rate-date=30").headers["Retry-After"])
    assert date.timestamp() == START + 30
    assert create(call, uid, "rate-body=2.5").json["retryAfter"] == 2.5
    assert create(call, uid, "rate-quota").json["code"] == "quota_exceeded"
    assert create(call, uid, "quota").status_code == 402


def test_a_page_instead_of_json(call: Caller) -> None:
    """A proxy's error page is not JSON."""
    found = create(call, call.uid(), "html-before=502")
    assert (found.status_code, found.content_type, found.text[:6]) == (502, "text/html", "<html>")


@pytest.mark.parametrize("reason", REASONS)
def test_items_fail_with_the_documented_reasons(call: Caller, reason: str) -> None:
    """All items, or those at the named positions, fail with the reason that was asked for."""
    found = call.finished(call.submit(call.uid(), 3, fault=f"fail-items={reason}:0+2"))
    assert [(one["success"], one.get("error")) for one in found["results"]] == [
        (False, reason), (True, None), (False, reason)
    ]  # fmt: skip
    assert call.finished(call.submit(call.uid(), 2, fault=f"fail-items={reason}"))["status"] == "failed"


def test_slow_items_show_up_by_the_clock(call: Caller, clock: MovableClock) -> None:
    """A batch of slow items gets on as the server's clock does, and its times are of that clock."""
    uid = call.uid()
    batch = call.submit(uid, 4, fault="slow-items=10")
    shown = []
    for _ in range(5):
        found = call.results(batch)
        shown.append((found["status"], found["completedItems"], found["progress"]))
        clock.advance(10)
    assert [one[0] for one in shown[1:4]] == ["processing"] * 3
    assert [one[1] for one in shown[1:]] == [1, 2, 3, 4]
    assert shown[4] == ("completed", 4, 100)
    found = call.results(batch)
    assert (found["createdAt"][-10:], found["completedAt"][-10:]) == ("13:20.000Z", "14:00.000Z")


def test_a_stalled_batch_can_be_cancelled(call: Caller, clock: MovableClock) -> None:
    """A batch that never ends keeps what it showed, and nothing else of it is listed or metered."""
    uid = call.uid()
    batch = call.submit(uid, 4, fault="slow-batch=40")
    clock.advance(20)
    assert call.results(batch)["status"] in ("pending", "processing")
    call.finished(call.submit(call.uid()))  # the first one is rendered by now
    assert call.json("POST", f"/templates/batch/{batch}/cancel")["status"] == "cancelled"
    found = call.results(batch)
    assert (found["status"], [one["index"] for one in found["results"]]) == ("cancelled", [0, 1])
    assert renders(call, uid) == 2
    stalled = call.submit(call.uid(), 2, fault="stall")
    clock.advance(1e6)
    assert call.results(stalled)["status"] in ("pending", "processing")


def test_results_expire(tmp_path: Path, clock: MovableClock) -> None:
    """Seven days after its end a batch is unknown; its files and its renders stay."""
    app = opened(tmp_path, now=clock, expiry=7 * 86_400.0, faults=True)
    call = Caller(app)
    uid = call.uid()
    batch = call.submit(uid)
    url = call.finished(batch)["results"][0]["results"][0]["url"]
    clock.advance(7 * 86_400)
    assert call.results(batch)["status"] == "completed"
    gone = call("GET", f"/templates/batch/{batch}/results", X_Emulator_Fault="expired")
    clock.advance(1)
    later = call("GET", f"/templates/batch/{batch}/results")
    assert (later.status_code, later.json) == (gone.status_code, gone.json) == (404, {"message": "Batch not found"})
    assert call("GET", url).status_code == 200
    assert renders(call, uid) == 1
    app.close()


def test_faults_need_the_option(tmp_path: Path) -> None:
    """Without the option the headers mean nothing, and there are no control routes."""
    app = opened(tmp_path)
    call = Caller(app)
    uid = call.uid()
    assert create(call, uid, "error-before=500").status_code == 202
    assert call("GET", "/templates", X_Emulator_Set="errors=problem").status_code == 200
    assert call("POST", "/emulator/settings", {}).status_code == 404
    app.close()


def test_rules_count(call: Caller) -> None:
    """A rule befalls the operation it names, so many times as it says; changed over HTTP."""
    uid = call.uid()
    call.json("POST", "/emulator/settings", {"faults": "error-before=503@batchRenderTemplate*2"})
    assert [create(call, uid, "").status_code for _ in range(4)] == [503, 503, 202, 202]
    assert call("GET", "/templates").status_code == 200
    call.json("POST", "/emulator/settings", {"faults": "rate@listTemplates"})
    assert [call("GET", "/templates").status_code for _ in range(3)] == [429] * 3
    assert call("POST", "/emulator/settings", {"faults": "nonsense"}).status_code == 400
    assert call("POST", "/emulator/settings", {"set": "folder=x"}).status_code == 400
    assert call("POST", "/emulator/clock", {"advance": -1}).status_code == 400
    assert call.json("POST", "/emulator/clock", {"advance": 5}) == {"now": START + 5}


@pytest.mark.parametrize(
    "words",
    [
        "what",
        "error-before",
        "error-before=200",
        "delay=-1",
        "fail-items=NO_REASON",
        "stall=1",
        "rate=x",
        "=",
        "rate*x",
    ],
)
def test_words_that_are_no_fault(words: str) -> None:
    """What is no fault is refused, and never ignored in silence."""
    with pytest.raises(ValueError, match=r"fault|value"):
        parse(words)


def test_words_of_faults() -> None:
    """Name, value, operation and times are read; a rule without times befalls every request."""
    assert parse("rate=2@createImage*3, stall") == (Fault("rate", "2", "createImage", 3), Fault("stall"))
    rules = Rules(parse("stall, quota*1"))
    assert [len(rules.due("any")) for _ in range(3)] == [2, 1, 1]


def test_problem_documents(call: Caller) -> None:
    """The older documentation's errors: RFC 9457, with the fields that are wrong."""
    found = call("POST", "/templates", {"html": "x", "width": "wide"}, X_Emulator_Set="errors=problem")
    assert found.content_type == "application/problem+json"
    assert found.json is not None
    assert (found.json["status"], found.json["title"]) == (400, "Bad Request")
    assert found.json["errors"][0]["field"] == "width"


@pytest.mark.parametrize("dialect", ["names", "nested", "flat", "dashboard"])
def test_one_batch_in_every_dialect(call: Caller, dialect: str) -> None:
    """The dialect is that of the request that asks: the same batch, told in another way."""
    batch = call.submit(call.uid(**SQUARE), 2, layouts=["default", "square"])
    call.finished(batch)
    found = call.json("GET", f"/templates/batch/{batch}/results", X_Emulator_Set=f"dialect={dialect}")
    assert found["batchId"] == batch
    assert ("url" in str(found)) == (dialect != "names")
    assert ("results" in found["results"][0]) == (dialect == "nested")


def test_the_oldest_dialect_throughout(call: Caller, clock: MovableClock) -> None:
    """In January's docs create and cancel name a batch `id`, and count under other names."""
    words = {"X_Emulator_Set": "dialect=legacy", "X_Emulator_Fault": "slow-items=10"}
    made = call.json("POST", f"/templates/{call.uid()}/batch-render", {"variableSets": [{}] * 4}, **words)
    assert (made["status"], made["totalCount"], "batchId" in made) == ("pending", 4, False)
    path = f"/templates/batch/{made['id']}"
    clock.advance(25)
    shown = call.json("GET", f"{path}/results", **words)["batch"]
    assert (shown["id"], shown["completedCount"]) == (made["id"], 2)
    assert call.json("POST", f"{path}/cancel", **words) == {
        "id": made["id"], "status": "cancelled", "totalCount": 4, "completedCount": 2, "failedCount": 0,
        "cancelledCount": 2,
    }  # fmt: skip


def test_the_key_is_remembered_for_a_day(tmp_path: Path, clock: MovableClock) -> None:
    """Where it is honoured a repeated request gets the first answer, per team, until 24 hours are over."""
    app = opened(tmp_path, now=clock, idempotent=True, key_seconds=86_400.0, teams=True)
    call, other = Caller(app), Caller(app, "other")
    path = f"/templates/{call.uid()}/batch-render"
    first = call.json("POST", path, SETS, Idempotency_Key="k")
    assert call.json("POST", path, SETS, Idempotency_Key="k") == first
    elsewhere = other.json("POST", f"/templates/{other.uid()}/batch-render", SETS, Idempotency_Key="k")
    assert elsewhere["batchId"] != first["batchId"]
    clock.advance(86_400)
    assert call.json("POST", path, SETS, Idempotency_Key="k") != first
    app.close()
