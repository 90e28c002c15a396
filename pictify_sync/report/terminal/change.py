"""One change of a plan in words: why, where the picture goes, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pictify_sync.core.fingerprint import options_of
from pictify_sync.core.model import Action, Change, Reason, RenderSpec, Status
from pictify_sync.report.differ import changed_names, differences
from pictify_sync.report.safe import quoted, safe
from pictify_sync.report.terminal.lines import Line, Tone
from pictify_sync.report.words import PROTECTIONS, REASONS, STATUSES, SYMBOLS, TONES

VALUES = 12  # differing values shown per change

Recall = Callable[[str], str | None]  # digest of variables -> canonical JSON, None when only the digest is kept


def change_lines(change: Change, recall: Recall, *, deep: bool) -> Iterator[Line]:
    """Tell one change. With `deep` its variables are compared value by value, else only their names are given."""
    words = _blocked_by(change) or "; ".join(_particulars(change))
    yield Line(f"  {SYMBOLS[change.action]} {_short(change.key, change.key)}: {words}", TONES[change.action])
    details = list(_details(change, recall, deep=deep)) if change.action is Action.UPDATE else []
    yield from (Line(f"      {text}") for text in details[:VALUES])
    if len(details) > VALUES:
        yield Line(f"      and {len(details) - VALUES:,} more", Tone.FAINT)


def spec_values(spec: RenderSpec) -> dict[str, object]:
    """Return the parts of a spec under the names that manifests and reports have for them."""
    return {
        "provider": spec.provider,
        "template": spec.template,
        "template_revision": spec.template_revision,
        "layout": spec.variant,
        "format": spec.format,
        **options_of(spec.options),
        "engine": spec.engine,
    }


def spec_parts(old: RenderSpec, new: RenderSpec) -> Iterator[tuple[str, object, object]]:
    """Yield (name, old, new) of the parts of two specs that differ."""
    before, after = spec_values(old), spec_values(new)
    for name in before | after:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def spec_differences(old: RenderSpec, new: RenderSpec) -> Iterator[str]:
    """Say which parts of two specs differ; the template's revision is left to whoever can show the template."""
    for name, before, after in spec_parts(old, new):
        if name != "template_revision":
            yield f"{name}: {_word(before)} -> {_word(after)}"


def particular(change: Change) -> str:
    """Say what the provider, or another record, has to do with a change; "" when its reason says it all."""
    record, source = change.record, change.source
    if change.reason is Reason.FAILED_BEFORE and record and record.failure:
        return f"{safe(record.failure.code)}: {quoted(record.failure.message)}"
    if change.action is Action.AWAIT and record and record.status is Status.RENDERED:
        return STATUSES[record.status]
    if change.holder:
        return f"{safe(change.asset.output) if change.asset else 'its path'} belongs to {safe(change.holder)}"
    if source and source.key != change.key:
        verb = "renamed" if change.reason is Reason.RENAMED else "copied"
        return f"{verb} from {_short(source.key, change.key)}"
    return ""


def _blocked_by(change: Change) -> str:
    if not change.holder or not change.asset:
        return ""
    path, holder = safe(change.asset.output), safe(change.holder)
    return f"not made: its output path {path} belongs to {holder}, which this run leaves where it is"


def _particulars(change: Change) -> Iterator[str]:
    """Give the reason, then what happens to the file."""
    asset, record, source = change.asset, change.record, change.source
    held = record.artifact.path if record and record.artifact else None
    if change.reason is Reason.FAILED_BEFORE and record and record.failure:
        yield f"failed before ({safe(record.failure.code)}: {quoted(record.failure.message)})"
    elif change.reason is Reason.RENAMED and source:
        yield f"renamed from {_short(source.key, change.key)}, no render"
    elif change.action is Action.AWAIT and record and record.status is Status.RENDERED:
        yield STATUSES[record.status]
    elif change.reason is not Reason.PROTECT_CHANGED:
        yield REASONS[change.reason]
    if change.protection is not None:
        yield PROTECTIONS[change.protection]
    if change.action is Action.MOVE:
        held = source.artifact.path if source and source.artifact else held
        if asset and held and held != asset.output:
            yield f"{safe(held)} -> {safe(asset.output)}"
    elif change.action is Action.DELETE:
        yield f"removes {safe(held)}" if held else "it has no file"
    elif change.action is Action.BLOCKED:
        yield "kept"
    elif asset and change.action not in {Action.AWAIT, Action.PROTECT, Action.UNPROTECT}:
        if source:
            yield f"copied from {_short(source.key, change.key)}, no render"
        moved = held and held != asset.output
        yield f"{safe(held)} -> {safe(asset.output)}" if moved and held else safe(asset.output)


def _details(change: Change, recall: Recall, *, deep: bool) -> Iterator[str]:
    """Give what differs between recorded and desired."""
    asset, record = change.asset, change.record
    if not (asset and record and record.fingerprint):
        return
    if record.spec:
        yield from spec_differences(record.spec, asset.spec)
    if record.fingerprint.variables == asset.fingerprint.variables:
        return
    recorded = recall(record.fingerprint.variables)
    if recorded is None:
        yield "variables differ; the recorded values are not kept, only their digest"
    elif deep:
        yield from map(str, differences(recorded, asset.variables))
    else:
        yield f"variables: {', '.join(changed_names(recorded, asset.variables))}"


def _short(key: str, near: str) -> str:
    """Give a key without its manifest when that is the manifest of `near`."""
    manifest = near.partition("/")[0] + "/"
    return safe(key.removeprefix(manifest))


def _word(value: object) -> str:
    """Show one part of a spec."""
    return safe(str(value)) if value not in {None, ""} else "none"
