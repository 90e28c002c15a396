"""The JSON documents are what their classes, and the schemas made from these, say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from pictify_sync.core.abilities import Subscription
from pictify_sync.core.dialect import standing
from pictify_sync.core.drift import Drift, Observed, TemplateDrift
from pictify_sync.core.entries import Intended, Ledger, OpenBatch
from pictify_sync.core.health import Check, Health
from pictify_sync.core.model import Action, AssetKey, Change, DriftKind, Reason
from pictify_sync.core.preview import NOT_IN_SAMPLE, Comparison, PictureFile, Preview
from pictify_sync.errors import Problem, Severity
from pictify_sync.report.json.documents import DOCUMENTS
from pictify_sync.report.json.reference import schema
from pictify_sync.report.json.report import (
    VERSION,
    apply_document,
    collect_document,
    drift_document,
    explanation_document,
    health_document,
    live_check,
    previews_document,
    record_document,
    status_document,
    subscriptions_document,
    validation_document,
)
from pictify_sync.report.terminal.records import StatusFacts, census
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.collect import Collected
from pictify_sync.workflows.doctor.live import Explored
from tests.core.assets import record
from tests.report.plans import batch, create, every_kind, failed_record, filled, recalling, update
from tests.state.samples import probed

LOST_CARD = TemplateDrift("pictify", "card", "U1", "missing", ("default",))


def forget(_: str) -> None:
    """A state that keeps digests only."""


def written() -> Iterator[tuple[str, str]]:
    """(kind, document) of documents full and empty."""
    wanted = filled("a", {"title": "A"})
    failed = failed_record("c", "E", "broken\x1b[2J")
    records = [replace(record(wanted), drift=DriftKind.TAMPERED, tainted=True), failed]
    intended = Intended("attempt-1", batch(create("d")), (), (), (), "uid", "2026-01-02T03:04:05.000Z", "run-1")
    opened = [OpenBatch(intended, 1, "b1", "2026-01-02T03:04:05.000Z", None), OpenBatch(intended, 2, None, None, "?")]
    yield "validation", validation_document([], 12)
    yield (
        "validation",
        validation_document([Problem("a", 1, 2, "bad", "do"), Problem("", 0, 0, "x", "", Severity.WARNING)], 0),
    )
    yield "apply", apply_document(ApplySummary())
    yield "apply", apply_document(ApplySummary(failed=((AssetKey("m/a@default"), "E", "broken"),), stopped="quota"))
    yield "status", status_document(census([]), [], StatusFacts("", 0, Ledger(0, 0, 0, 0, 0)), [])
    yield "status", status_document(census(records), opened, StatusFacts("abc", 7, Ledger(3, 2, 4, 5, 6)), records)
    explored = Explored(None, 0, 2, ("refused",))
    standings = standing([probed("p1")], {}, 0.0)
    checks = [Check("state", "s.db", Health.ERROR, "damaged", "rebuild"), Check("clock", "", Health.OK, "fine")]
    live = live_check(explored, "pictify", "https://api.test")
    yield "status", status_document(census([]), [], StatusFacts("", 0, Ledger(0, 0, 0, 0, 0)), [], standings)
    yield "health", health_document(checks, standings, live, good=False)
    yield "health", health_document([], (), None, good=True)
    yield "collect", collect_document(Collected(2, 1, ((AssetKey("m/a@default"), "E", "broken"),), {}))
    yield "subscriptions", subscriptions_document([])
    yield "subscriptions", subscriptions_document([Subscription("wh", "render.completed", "https://h", "active")])
    yield "drift", drift_document(Observed())
    yield "drift", drift_document(Observed((Drift(wanted.key, DriftKind.MISSING, "a.png"),), (LOST_CARD,)))
    yield "record", record_document(record(wanted), recalling(wanted))
    yield "record", record_document(failed, forget)
    for change in every_kind():
        yield "explanation", explanation_document(change, forget)
    yield "previews", previews_document("h1:0", [], kept=False)
    yield "previews", previews_document("h1:0", pictured(), kept=True)
    yield "previews", previews_document("h1:0", pictured(), kept=False)


def pictured() -> Iterator[tuple[Change, Preview]]:
    """Previews with everything, and with nothing."""
    one = PictureFile("/tmp/pictures/0001-a@default.after.png", "image/png", 8, 6)
    for change in every_kind():
        yield change, Preview(change.key, one, one, Comparison(0.5, one), "drawn\x1b[2J")
        yield change, Preview(change.key, None, None, None, NOT_IN_SAMPLE)


def test_files_of_previews_are_named_only_where_they_last() -> None:
    """By their names in the folder, wherever that is."""
    kept, gone = (json.loads(previews_document("h1:0", pictured(), kept=kept))["changes"][0] for kept in (True, False))
    assert kept["after"]["file"] == "0001-a@default.after.png"
    assert gone["after"]["file"] == gone["difference"]["file"] == ""


@pytest.mark.parametrize(("kind", "text"), list(written()))
def test_a_document_is_what_its_class_says(kind: str, text: str) -> None:
    """Each field of the right type, none missing, none more; and it says what it is."""
    document: dict[str, Any] = json.loads(text)
    assert document.pop("format") == f"pictify-sync/{kind}"
    assert document.pop("format_version") == VERSION
    adapter: TypeAdapter[Any] = TypeAdapter(DOCUMENTS[kind])
    assert adapter.dump_python(adapter.validate_python(document), mode="json") == document


def test_every_kind_is_written() -> None:
    """No document without a test of its shape."""
    assert {kind for kind, _ in written()} == set(DOCUMENTS)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_schema_names_and_describes_every_field(kind: str) -> None:
    """The schema can be written down, and tells the meaning of each field, also of the parts."""
    made = json.loads(json.dumps(schema(kind)))
    for part in (made, *made.get("$defs", {}).values()):
        assert part["description"]
        for name, field in part["properties"].items():
            assert field.get("description") or "const" in field, name
        assert set(part["required"]) == set(part["properties"])


def test_explain_names_what_differs() -> None:
    """Parts of the spec and of the variables, as text for people."""
    change = update("a", {"title": "A", "n": [1]}, {"title": "B", "n": [2]})
    document = json.loads(explanation_document(change, recalling(filled("a", {"title": "A", "n": [1]}))))
    assert [(one["path"], one["old"], one["new"]) for one in document["differences"]] == [
        ("variables.n[0]", "1", "2"),
        ("variables.title", '"A"', '"B"'),
    ]
    assert document["renders"] is True


def test_a_record_can_stand_on_one_line() -> None:
    """`state list --json` is a stream of lines."""
    wanted = filled("a", {"title": "one\ntwo"})
    assert "\n" not in record_document(record(wanted), recalling(wanted), indent=None)


def test_sensitive_values_stay_digests() -> None:
    """In `show` as the state keeps them, in `explain` not at all."""
    old, new = filled("a", {"email": {"$sensitive": "0123"}}), filled("a", {"email": {"$sensitive": "4567"}})
    assert json.loads(record_document(record(old), recalling(old)))["variables"] == {"email": {"$sensitive": "0123"}}
    changed = Change(new.key, Action.UPDATE, Reason.VARIABLES_CHANGED, new, record(old))
    differences = json.loads(explanation_document(changed, recalling(old)))["differences"]
    assert "0123" not in str(differences)
    assert "4567" not in str(differences)
