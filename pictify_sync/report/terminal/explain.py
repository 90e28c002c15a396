"""Why a key would be rendered, or not: recorded against desired, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from pictify_sync.core.model import UNKNOWN_REVISION, Action, Change, RenderSpec
from pictify_sync.report.differ import differences, shown_values
from pictify_sync.report.safe import safe
from pictify_sync.report.view import Recall, spec_values
from pictify_sync.report.words import BLANK, REASONS, SYMBOLS, TONES, Line, Tone

_ACTIONS = {
    Action.CREATE: "would be created",
    Action.UPDATE: "would be updated",
    Action.MOVE: "would be moved, without a render",
    Action.DELETE: "would be deleted",
    Action.REPAIR: "would be repaired",
    Action.AWAIT: "is waited for",
    Action.BLOCKED: "would be deleted, but is protected",
    Action.PROTECT: "would be recorded as protected, and kept as it is",
    Action.UNPROTECT: "would be recorded as no longer protected, and kept as it is",
    Action.KEEP: "would be kept as it is",
}


def explain_lines(change: Change, recall: Recall) -> Iterator[Line]:
    """Describe what a plan would do with one asset and which part of its fingerprint says so."""
    render = "; it would be rendered" if change.renders else ""
    if change.is_fetched_again:
        render = ": fetched again, or rendered if the provider no longer keeps it"
    does = "would not be made" if change.holder else _ACTIONS[change.action]
    yield Line(f"{SYMBOLS[change.action]} {safe(change.key)} {does}{render}", TONES[change.action])
    yield Line(f"Reason: {REASONS[change.reason]}" + (f", {safe(change.holder)}" if change.holder else ""))
    if change.source and change.source.key != change.key:
        yield Line(f"The same picture exists as {safe(change.source.key)}.")
    asset, record = change.asset, change.record
    if asset:
        place = f"{safe(asset.origin.file)}:{asset.origin.line}" if asset.origin.line else safe(asset.origin.file)
        yield Line(f"Declared in {place}")
    yield BLANK
    recorded = record.spec if record else None
    yield Line("What shapes the picture", Tone.HEAD)
    yield from _spec(recorded, asset.spec if asset else None)
    yield from _variables(change, recall)
    yield from _files(change)


def _spec(recorded: RenderSpec | None, desired: RenderSpec | None) -> Iterator[Line]:
    """Set every part of the specs side by side."""
    before, after = (spec_values(spec) if spec else {} for spec in (recorded, desired))
    for part in before | after:
        name = part.replace("_", " ")
        old = _part(part, before.get(part))
        new = _part(part, after.get(part))
        if recorded and desired and old != new:
            yield Line(f"  {name}: {old} -> {new}", Tone.ALTER)
        else:
            yield Line(f"  {name}: {new if desired else old}")


def _part(part: str, value: object) -> str:
    """Show one part of a spec."""
    if value == UNKNOWN_REVISION and part == "template_revision":
        return "not known before the template is looked at"
    return "none" if value in {None, ""} else safe(str(value))


def _variables(change: Change, recall: Recall) -> Iterator[Line]:
    """Describe what differs in the variables, or give them."""
    asset = change.asset
    kept = change.record.fingerprint if change.record else None
    old = recall(kept.variables) if kept else None
    if asset and kept and kept.variables != asset.fingerprint.variables:
        yield Line("Variables differ", Tone.HEAD)
        if old is None:
            yield Line("  the recorded values are not kept, only their digest")
        else:
            yield from (Line(f"  {one}", Tone.ALTER) for one in differences(old, asset.variables))
        return
    values = asset.variables if asset else old
    if values:
        yield Line("Variables" + (" (as recorded)" if kept and asset else ""), Tone.HEAD)
        yield from (Line(f"  {name}: {value}") for name, value in shown_values(values))


def _files(change: Change) -> Iterator[Line]:
    """Describe where the picture lies, and where it is wanted."""
    asset, artifact = change.asset, change.record.artifact if change.record else None
    yield Line("File", Tone.HEAD)
    if artifact and artifact.is_kept:
        yield Line(f"  published: {safe(artifact.path)} ({artifact.size:,} bytes, sha256 {artifact.sha256})")
    elif artifact:
        yield Line("  published: at its URL alone (artifacts: none)")
    if asset and (artifact is None or artifact.path != asset.output):
        yield Line(f"  wanted: {safe(asset.output)}")
    failure = change.record.failure if change.record else None
    if failure:
        yield Line(f"  newest attempt failed: {safe(failure.code)}: {safe(failure.message)}", Tone.BAD)
