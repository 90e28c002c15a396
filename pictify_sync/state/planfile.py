"""A saved plan: one JSON document, one change per line, byte-stable, and believed in nothing when it is read.

Changes that ask for nothing (KEEP, with the protection as recorded) are counted in the summary and left out.
Times stand in it only as far as records hold them. Reading keeps the lines as bytes and decodes them whenever they are
asked for, so that a large plan does not unfold in memory.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.model import (
    Action,
    Asset,
    AssetKey,
    Batch,
    Capabilities,
    Change,
    Group,
    Reason,
    key_order,
    split_key,
)
from pictify_sync.core.plan import PLAN_FORMAT, Plan, Summary
from pictify_sync.core.template import TemplateChange
from pictify_sync.errors import InputError, Problem, StateError
from pictify_sync.state import codec
from pictify_sync.state.hostile import (
    Faults,
    key_fault,
    parse,
    path_fault,
    record_faults,
    spec_faults,
    variables_faults,
)

FORMAT = "pictify-sync/plan"
MAX_BYTES = 1 << 30  # of a plan file
MAX_LINES = 4_000_000  # of changes: each becomes an object before it is looked at
_CHANGES = b'\n"changes":[\n'  # no JSON text holds a raw line break, so this stands once
_END = b"\n]}\n"
_HINT = "a plan is what `pictify-sync plan --out FILE` writes, unchanged"
_NEEDS_ASSET = (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.MOVE, Action.KEEP)
_NEEDS_RECORD = (Action.UPDATE, Action.REPAIR, Action.DELETE, Action.KEEP)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The summary, with names as JSON needs them."""

    actions: Mapping[Action, int]
    reasons: Mapping[Action, Mapping[Reason, int]]
    manifests: Mapping[str, Mapping[Action, int]]
    recorded: int
    renders: int
    batches: int
    copies: int


@dataclass(frozen=True, slots=True)
class Head:
    """Everything but the changes."""

    format: str
    format_version: int
    digest: str
    lineage: str
    serial: int
    partial: bool
    capabilities: Mapping[str, Capabilities]
    summary: _Counts
    templates: tuple[TemplateChange, ...]
    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True)
class SavedChanges:
    """The changes of a plan that was read, decoded anew at each iteration."""

    lines: Sequence[bytes]

    def __iter__(self) -> Iterator[Change]:
        return (codec.decode(Change, line) for line in self.lines)


def write_plan(plan: Plan, file: IO[str]) -> None:
    """Write a plan as it streams by."""
    write = file.write
    head = {
        "format": FORMAT,
        "format_version": PLAN_FORMAT,
        "digest": plan.digest,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "partial": plan.partial,
        "capabilities": dict(sorted(plan.capabilities.items())),
        "summary": _counts(plan.summary),
    }
    kinds = {"capabilities": Mapping[str, Capabilities], "summary": _Counts}
    write("{")
    for name, value in head.items():
        write(f'"{name}":{codec.encode(kinds.get(name, Any), value)},\n')
    write('"templates":[')
    _write_all(file, (codec.encode(TemplateChange, change) for change in plan.templates))
    write('],\n"batches":[')
    _write_all(file, (codec.encode(Batch, batch) for batch in plan.batches))
    write('],\n"changes":[')
    _write_all(file, (codec.encode(Change, change) for change in plan.changes if _matters(change)))
    write("]}\n")


def read_plan(path: Path) -> Plan:
    """Read a saved plan, checking every word of it. Raises InputError with all problems."""
    faults = Faults(str(path))
    before, changes, after = _load(path, faults).partition(_CHANGES)
    if not changes or not before.endswith(b",") or not after.endswith(_END):
        faults.stop(0, "not a plan", _HINT)
    if after.count(b"\n") > MAX_LINES:
        faults.stop(0, f"more than {MAX_LINES} lines", _HINT)
    head = _head(before[:-1] + b"}", faults)
    lines = [line for line in after[: -len(_END)].split(b",\n") if line]
    del after
    check = _Check(faults, before.count(b"\n") + 3)
    digest = plan_digest(check.changes(lines), head.templates)
    check.batches(head.batches)
    check.summary(head.summary, len(head.batches))
    faults.raise_any()
    if digest != head.digest:
        faults.stop(0, f"the digest of the work is {digest}, the plan says {head.digest[:64]}", _HINT)
    return Plan(
        lineage=head.lineage,
        serial=head.serial,
        capabilities=head.capabilities,
        templates=head.templates,
        batches=head.batches,
        changes=SavedChanges(lines),
        summary=_summary(head.summary),
        digest=digest,
        partial=head.partial,
    )


def _matters(change: Change) -> bool:
    asset, record = change.asset, change.record
    if change.action is not Action.KEEP or asset is None or record is None:
        return True
    return asset.protect != record.protect


def _write_all(file: IO[str], texts: Iterable[str]) -> None:
    before = "\n"
    for text in texts:
        file.write(before + text)
        before = ",\n"
    file.write("\n" if before != "\n" else "\n\n")


def _counts(summary: Summary) -> _Counts:
    reasons: dict[Action, dict[Reason, int]] = {}
    for (action, reason), count in sorted(summary.reasons.items()):
        reasons.setdefault(action, {})[reason] = count
    manifests = {name: dict(sorted(counts.items())) for name, counts in sorted(summary.manifests.items())}
    return _Counts(
        dict(sorted(summary.actions.items())),
        reasons,
        manifests,
        summary.recorded,
        summary.renders,
        summary.batches,
        summary.copies,
    )


def _summary(counts: _Counts) -> Summary:
    reasons = {(action, reason): count for action, some in counts.reasons.items() for reason, count in some.items()}
    return Summary(
        counts.actions, reasons, counts.manifests, counts.recorded, counts.renders, counts.batches, counts.copies
    )


def _load(path: Path, faults: Faults) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size  # 0 of a pipe
            content = b"" if size > MAX_BYTES else file.read((size or MAX_BYTES) + 1)
    except OSError as error:
        raise InputError([Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from error
    if max(size, len(content)) > MAX_BYTES:
        faults.stop(0, f"more than {MAX_BYTES} bytes", _HINT)
    return content


def _head(text: bytes, faults: Faults) -> Head:
    try:
        value = parse(text)
    except ValueError as error:
        faults.stop(0, f"not JSON: {error}", _HINT)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        faults.stop(1, "not a plan", _HINT)
    version = value.get("format_version")
    if not isinstance(version, int) or not 1 <= version <= PLAN_FORMAT:
        faults.stop(2, f"format version {version!r}", "upgrade pictify-sync, or plan again")
    try:
        head: Head = codec.decode(Head, text)
    except StateError as error:
        faults.stop(0, error.message, _HINT)
    return head


class _Check:
    """One pass over the lines: each change for itself, then the batches and the summary against all of them."""

    def __init__(self, faults: Faults, first_line: int) -> None:
        self._faults = faults
        self._first = first_line
        self._pairs: Counter[tuple[Action, Reason]] = Counter()
        self._manifests: Counter[tuple[str, Action]] = Counter()
        self._renders: dict[AssetKey, tuple[Group, str, str]] = {}  # -> (group, layout, digest of the variables)

    def changes(self, lines: Sequence[bytes]) -> Iterator[Change]:
        """Decode and check; what cannot be read is noted and left out."""
        last = b""
        for number, line in enumerate(lines, start=self._first):
            try:
                change: Change = codec.decode(Change, line)
            except StateError as error:
                self._faults.add(number, [error.message], _HINT)
                continue
            self._faults.add(number, _change_faults(change))
            if change.key.encode(errors="surrogatepass") <= last:
                self._faults.add(number, ["out of order, or twice"])
            last = key_order(change.key)
            self._pairs[change.action, change.reason] += 1
            self._manifests[split_key(change.key)[0], change.action] += 1
            if change.renders and change.asset is not None:
                self._renders[change.key] = _needed(change.asset)
            yield change

    def batches(self, batches: Sequence[Batch]) -> None:
        """A batch may hold nothing but what the changes ask for, each key once."""
        for number, batch in enumerate(batches):
            for position, item in enumerate(batch.items):
                fits = item.index == position and len(item.keys) == len(batch.layouts)
                for layout, keys in zip(batch.layouts, item.keys, strict=False):
                    wanted = (batch.group, layout, item.variables)
                    fits = fits and all(self._renders.pop(key, None) == wanted for key in keys)
                if not fits:
                    message = f"batch {number} item {position} is not what the changes ask for"
                    self._faults.add(0, [message], _HINT)

    def summary(self, counts: _Counts, batches: int) -> None:
        """The counts that are shown and guarded must be those of the changes."""
        told = {pair: count for pair, count in _summary(counts).reasons.items() if pair[0] is not Action.KEEP and count}
        found = {pair: count for pair, count in self._pairs.items() if pair[0] is not Action.KEEP}
        by_manifest = {
            (name, action): count
            for name, some in counts.manifests.items()
            for action, count in some.items()
            if action is not Action.KEEP and count
        }
        acting = {pair: count for pair, count in self._manifests.items() if pair[1] is not Action.KEEP}
        sums: Counter[Action] = Counter()
        for (action, _), count in _summary(counts).reasons.items():
            sums[action] += count
        if told != found or by_manifest != acting or counts.batches != batches or sums != Counter(counts.actions):
            self._faults.add(0, ["the summary does not fit the changes"], _HINT)


def _needed(asset: Asset) -> tuple[Group, str, str]:
    spec = asset.spec
    group = Group(spec.provider, spec.template, spec.format, spec.quality, spec.engine)
    return group, spec.layout, asset.fingerprint.variables


def _change_faults(change: Change) -> Iterator[str]:
    asset, record, source = change.asset, change.record, change.source
    yield from filter(None, [key_fault(change.key)])
    if asset is None and change.action in _NEEDS_ASSET:
        yield f"{change.action} needs an asset"
    if record is None and change.action in _NEEDS_RECORD:
        yield f"{change.action} needs a record"
    if (asset is not None and change.action is Action.DELETE) or (source is None and change.action is Action.MOVE):
        yield f"{change.action} does not fit what stands with it"
    if asset is not None:
        yield from filter(None, [path_fault(asset.output)])
        yield from spec_faults(asset.fingerprint, asset.spec)
        yield from variables_faults(asset.fingerprint, asset.variables)
    if any(one is not None and one.key != change.key for one in (asset, record)):
        yield "two keys in one change"
    for one in (record, source):
        if one is not None:
            yield from record_faults(one)
