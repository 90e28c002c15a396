"""Saved plans: they come back as they were, byte for byte, and are checked in every word."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.model import Action, Asset, Batch, Capabilities, Change, Group, Item, Origin, Reason
from pictify_sync.core.plan import Plan, Summary
from pictify_sync.core.template import LayoutSize, TemplateChange, TemplateSource, VariableRule
from pictify_sync.errors import InputError
from pictify_sync.state.planfile.document import read_plan, write_plan
from tests.state.samples import SPEC, key, print_of, stored, template, variables


def asset(number: int, content: int | None = None) -> Asset:
    """A desired picture of variables(content)."""
    content = number if content is None else content
    origin = Origin("manifests/cards.yaml", number)
    return Asset(key(number), SPEC, variables(content), print_of(content), f"cards/{number:03}.webp", origin)


CHANGES = (
    Change(key(1), Action.CREATE, Reason.NEW, asset(1), None),
    Change(key(2), Action.UPDATE, Reason.VARIABLES_CHANGED, asset(2, 1), stored(2)),
    Change(key(3), Action.KEEP, Reason.UP_TO_DATE, asset(3), stored(3)),
    Change(key(4), Action.DELETE, Reason.NOT_IN_MANIFEST, None, stored(4)),
    Change(key(5), Action.MOVE, Reason.RENAMED, asset(5, 9), None, stored(9)),
    Change(key(6), Action.PROTECT, Reason.PROTECT_CHANGED, replace(asset(6), protect=True), stored(6)),
    Change(key(7), Action.CREATE, Reason.NEW, asset(7), None, stored(7)),
)


def make(changes: tuple[Change, ...] = CHANGES, **fields: Any) -> Plan:
    """A plan of these changes."""
    item = Item(0, print_of(1).variables, ((key(1), key(2)),))
    batches = (
        (Batch(Group("local", "card", "webp", '{"quality":0.85}', "takumi 1"), ("default",), (item,)),)
        if changes
        else ()
    )
    source = TemplateSource(
        "card",
        "local",
        "<p>{{name}}</p>",
        {"default": LayoutSize(1, 2)},
        (VariableRule("name"),),
        "d",
        {"default": "r1"},
        Origin("t", 1),
    )
    templates = (TemplateChange(Action.UPDATE, source, template("card")),) if changes else ()
    pairs = Counter((change.action, change.reason) for change in changes)
    actions = Counter(change.action for change in changes)
    renders, copies = len(batches), sum(change.is_copied for change in changes)
    summary = Summary(actions, pairs, {"cards": actions} if changes else {}, 5, renders, len(batches), copies)
    plan = Plan(
        lineage="l",
        serial=7,
        capabilities={"local": Capabilities()},
        templates=templates,
        batches=batches,
        changes=changes,
        summary=summary,
        digest=plan_digest(changes, templates),
    )
    return replace(plan, **fields)


def text_of(plan: Plan) -> str:
    """The plan as it is written."""
    file = io.StringIO()
    write_plan(plan, file)
    return file.getvalue()


def saved(tmp_path: Path, text: str) -> Path:
    """The text in a file."""
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plan_comes_back(tmp_path: Path) -> None:
    """What was written is read back equal, but for changes that ask for nothing; and it writes the same bytes again."""
    plan = make()
    text = text_of(plan)
    back = read_plan(saved(tmp_path, text))
    assert list(back.changes) == list(back.changes) == [change for change in CHANGES if change.key != key(3)]
    for name in ("lineage", "serial", "capabilities", "templates", "batches", "summary", "digest", "partial"):
        assert getattr(back, name) == getattr(plan, name)
    assert text_of(back) == text
    assert text_of(make(tuple(CHANGES))) == text


def test_a_plan_is_one_json_document(tmp_path: Path) -> None:
    """Any JSON reader can read it; each change has a line."""
    value = json.loads(text_of(make()))
    assert value["format"] == "pictify-sync/plan"
    assert [change["key"] for change in value["changes"]] == [change.key for change in CHANGES if change.key != key(3)]
    assert len([line for line in text_of(make()).splitlines() if line.startswith('{"key"')]) == 6


def test_an_empty_plan_comes_back(tmp_path: Path) -> None:
    """A plan without work is a plan."""
    back = read_plan(saved(tmp_path, text_of(make(()))))
    assert (list(back.changes), back.batches, back.is_empty) == ([], (), True)


def hostile(edit: Callable[[dict[str, Any]], object]) -> str:
    """The plan with an edit, laid out as it is written."""
    value = json.loads(text_of(make()))
    edit(value)
    changes = ",\n".join(json.dumps(change) for change in value.pop("changes"))
    return json.dumps(value, separators=(",", ":"))[:-1] + ',\n"changes":[\n' + changes + "\n]}\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda plan: plan.update(format="x"),
        lambda plan: plan.update(format_version=3),
        lambda plan: plan.update(format_version=True),
        lambda plan: plan.update(digest="h1:" + "0" * 32),
        lambda plan: plan.update(serial="7"),
        lambda plan: plan["summary"].update(batches=9),
        lambda plan: plan["summary"]["actions"].update(delete=0),
        lambda plan: plan["summary"]["manifests"]["cards"].update(delete=0),
        lambda plan: plan["summary"]["reasons"]["delete"].update(not_in_manifest=0),
        lambda plan: plan["changes"][0].update(key="../x@y"),
        lambda plan: plan["changes"][0].update(key=key(9)),
        lambda plan: plan["changes"][0].update(asset=None),
        lambda plan: plan["changes"][0].update(action="explode"),
        lambda plan: plan["changes"][0]["asset"].update(output="../../x"),
        lambda plan: plan["changes"][0]["asset"].update(variables="{}"),
        lambda plan: plan["changes"][0]["asset"]["spec"].update(template="other"),
        lambda plan: plan["changes"][2]["record"]["artifact"].update(path="/etc/passwd"),
        lambda plan: plan["changes"][2]["record"]["artifact"].update(sha256="x"),
        lambda plan: plan["changes"][2].update(asset=plan["changes"][0]["asset"]),
        lambda plan: plan["changes"][3].update(source=None),
        lambda plan: plan["changes"][2]["record"].update(protect=True),
        lambda plan: plan["changes"][1]["asset"].update(protect=True),
        lambda plan: plan["changes"][4].update(action="unprotect"),
        lambda plan: plan["changes"][4]["asset"].update(protect=False),
        lambda plan: plan["changes"].reverse(),
        lambda plan: plan["changes"].append(plan["changes"][-1]),
        lambda plan: plan["changes"].pop(),
        lambda plan: plan["batches"].append(plan["batches"][0]),
        lambda plan: plan["batches"][0]["items"][0].update(index=1),
        lambda plan: plan["batches"][0]["items"][0].update(variables="other"),
        lambda plan: plan["batches"][0]["items"][0].update(keys=[[key(4)]]),
        lambda plan: plan["batches"][0]["group"].update(template="other"),
        lambda plan: plan["batches"][0]["items"][0].update(keys=[[key(1)]]),
        lambda plan: plan["batches"][0]["items"][0].update(keys=[[]]),
        lambda plan: plan["batches"][0].update(layouts=["default", "square"]),
        lambda plan: plan["batches"][0]["items"].append({"index": 1, "variables": "x", "keys": [[]]}),
        lambda plan: (plan["batches"].clear(), plan["summary"].update(batches=0)),
        lambda plan: (plan["batches"].clear(), plan["summary"].update(batches=0, renders=0)),
        lambda plan: (
            plan["batches"][0]["items"][0].update(keys=[[key(1)]]),
            plan["batches"][0]["items"].append({**plan["batches"][0]["items"][0], "index": 1, "keys": [[key(2)]]}),
        ),
        lambda plan: plan["summary"].update(renders=2),
        lambda plan: plan["summary"].update(copies=0),
        lambda plan: plan["summary"].update(recorded=-1),
        lambda plan: plan["summary"]["manifests"]["cards"].update(keep=9),
    ],
)
def test_what_was_edited_is_refused(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """A plan in which any word of the work was changed is refused."""
    with pytest.raises(InputError):
        read_plan(saved(tmp_path, hostile(edit)))


def test_the_layout_of_the_test_is_accepted(tmp_path: Path) -> None:
    """The way in which the test above writes an edited plan is fine by itself."""
    assert read_plan(saved(tmp_path, hostile(lambda _: None))).digest == make().digest


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "\x00", '{"format":"pictify-sync/plan"}', "[" * 100_000])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    """Any other file is refused with the hint what a plan is."""
    with pytest.raises(InputError):
        read_plan(saved(tmp_path, text))
    with pytest.raises(InputError):
        read_plan(tmp_path / "missing.json")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 100_000), garbage=st.sampled_from(["", "[", "\x00", '"', ",", "\n", "é", "9", "NaN"]))
def test_garbage_is_an_input_error(tmp_path: Path, place: int, garbage: str) -> None:
    """A plan damaged anywhere is refused, or its work is what its digest says."""
    text = text_of(make())
    at = place % len(text)
    try:
        back = read_plan(saved(tmp_path, text[:at] + garbage + text[at + 1 :]))
    except InputError:
        return
    assert plan_digest(back.changes, back.templates) == make().digest
