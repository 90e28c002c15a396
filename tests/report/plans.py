"""Plans made of core values, for reports that must not care where a plan comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import (
    DEFAULT_LAYOUT,
    Action,
    Asset,
    Batch,
    Change,
    Failure,
    Group,
    Item,
    Origin,
    Reason,
    Record,
    Status,
    asset_key,
    split_key,
)
from pictify_sync.core.plan import Plan, Summary
from pictify_sync.core.template import LayoutSize, TemplateChange, TemplateRecord, TemplateSource, VariableRule
from pictify_sync.report.words import Line
from tests.core.assets import SPEC, asset, record

HTML = "<h1>{{title}}</h1>\n<p>{{note}}</p>\n"


def plan_of(
    changes: Sequence[Change], *, templates: Sequence[TemplateChange] = (), batches: Sequence[Batch] = (), **more: Any
) -> Plan:
    """A plan with its counts taken from the changes."""
    ordered = sorted(changes, key=lambda change: change.key.encode())
    manifests: dict[str, Counter[Action]] = {}
    for change in ordered:
        manifests.setdefault(split_key(change.key)[0], Counter())[change.action] += 1
    summary = Summary(
        actions=Counter(change.action for change in ordered),
        reasons=Counter((change.action, change.reason) for change in ordered),
        manifests=manifests,
        recorded=sum(change.record is not None for change in ordered),
        renders=sum(change.renders for change in ordered),
        batches=len(batches),
        copies=sum(change.source is not None and change.action is not Action.MOVE for change in ordered),
    )
    return Plan("lineage", 7, {}, tuple(templates), tuple(batches), ordered, summary, "h1:0123", **more)


def filled(item: str, values: Mapping[str, object], *, manifest: str = "cards", layout: str = DEFAULT_LAYOUT) -> Asset:
    """An asset with these variables."""
    made, text = asset(item, manifest=manifest, layout=layout), canonical(values)
    return replace(made, variables=text, fingerprint=fingerprint(made.spec, text), origin=Origin("cards.yaml", 12))


def update(item: str, old: dict[str, object], new: dict[str, object], *, manifest: str = "cards") -> Change:
    """An update whose variables changed."""
    wanted, was = filled(item, new, manifest=manifest), filled(item, old, manifest=manifest)
    return Change(wanted.key, Action.UPDATE, Reason.VARIABLES_CHANGED, wanted, record(was))


def create(item: str, *, manifest: str = "cards") -> Change:
    """A new asset."""
    wanted = filled(item, {"title": item}, manifest=manifest)
    return Change(wanted.key, Action.CREATE, Reason.NEW, wanted, None)


def recalling(*assets: Asset) -> Callable[[str], str | None]:
    """What a state that knows these assets' variables recalls."""
    known = {one.fingerprint.variables: one.variables for one in assets}
    return known.get


def batch(*changes: Change) -> Batch:
    """One batch of these changes."""
    group = Group("local", "card", "png", "{}", SPEC.engine)
    items = (Item(index, "v", ((change.key,),)) for index, change in enumerate(changes))
    return Batch(group, (DEFAULT_LAYOUT,), tuple(items))


def every_kind() -> list[Change]:
    """One change of every action, and of the reasons that are told in their own way."""
    kept = filled("kept", {"title": "Kept"})
    gone, shielded = record(filled("gone", {"title": "Gone"})), record(filled("shielded", {"title": "S"}), protect=True)
    old, new = filled("old", {"title": "R"}), filled("new", {"title": "R"})
    moved = replace(filled("moved", {"title": "M"}), output="elsewhere/moved.png")
    was_moved = record(filled("moved", {"title": "M"}))
    lost, twin = filled("lost", {"title": "L"}), filled("twin", {"title": "Kept"})
    refused = filled("refused", {"title": "F"})
    failure = Failure("RENDER_TIMEOUT", "took over 30 s", refused.fingerprint)
    failed = replace(record(refused), status=Status.FAILED, fingerprint=None, spec=None, artifact=None, failure=failure)
    webp = replace(kept, key=asset_key("cards", "webp", "default"), output="cards/webp.default.webp")
    webp = replace(webp, spec=replace(SPEC, format="webp", options='{"quality":0.85}'))
    webp = replace(webp, fingerprint=fingerprint(webp.spec, webp.variables))
    was_png = replace(record(kept), key=webp.key)
    open_one = filled("open", {"title": "O"})
    return [
        Change(kept.key, Action.KEEP, Reason.UP_TO_DATE, kept, record(kept)),
        create("added"),
        update("edited", {"title": "A", "note": "same"}, {"title": "B", "note": "same"}),
        Change(webp.key, Action.UPDATE, Reason.SPEC_CHANGED, webp, was_png),
        Change(new.key, Action.MOVE, Reason.RENAMED, new, None, record(old)),
        Change(moved.key, Action.MOVE, Reason.OUTPUT_CHANGED, moved, was_moved, was_moved),
        Change(gone.key, Action.DELETE, Reason.NOT_IN_MANIFEST, None, gone),
        Change(shielded.key, Action.BLOCKED, Reason.PROTECTED, None, shielded),
        Change(lost.key, Action.REPAIR, Reason.MISSING, lost, record(lost)),
        Change(twin.key, Action.CREATE, Reason.NEW, twin, None, record(kept)),
        Change(refused.key, Action.CREATE, Reason.FAILED_BEFORE, refused, failed),
        Change(open_one.key, Action.AWAIT, Reason.IN_FLIGHT, open_one, None),
    ]


def source(name: str = "card", *, html: str = HTML, width: int = 1200) -> TemplateSource:
    """A declared template."""
    rules = (VariableRule("note"), VariableRule("title", required=True, max_length=80))
    layouts = {DEFAULT_LAYOUT: LayoutSize(width, 630), "square": LayoutSize(1080, 1080)}
    return TemplateSource(name, "local", html, layouts, rules, f"{html}{width}", {}, Origin("card.yaml", 1), html)


def pushed(of: TemplateSource) -> TemplateRecord:
    """The record of a pushed template."""
    return TemplateRecord(of.name, of.provider, f"{of.name}-uid", of.digest, {}, of.source, of.variables, of.layouts)


def text_of(lines: Iterable[Line]) -> str:
    """All lines as one text."""
    return "".join(f"{line.text}\n" for line in lines)


def failed_record(item: str, code: str, message: str) -> Record:
    """A record whose newest attempt failed."""
    wanted = filled(item, {"title": item})
    failure = Failure(code, message, wanted.fingerprint)
    return replace(record(wanted), status=Status.FAILED, artifact=None, fingerprint=None, spec=None, failure=failure)
