"""A saved plan: one JSON document, one change per line, byte-stable, and believed in nothing when it is read.

Changes that ask for nothing (KEEP) are counted in the summary and left out.
Times stand in it only as far as records hold them. Reading keeps the lines as bytes and decodes them whenever they are
asked for, so that a large plan does not unfold in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.model import Action, Batch, Capabilities, Change, Reason
from pictify_sync.core.plan import PLAN_FORMAT, Plan, Refusal, Relocation, Summary
from pictify_sync.core.renames import LikelyRename
from pictify_sync.core.template import TemplateChange
from pictify_sync.errors import InputError, Problem, StateError
from pictify_sync.state import codec
from pictify_sync.state.planfile.check import HINT, PlanCheck, PlanCounts
from pictify_sync.state.untrusted import Faults, parse

FORMAT = "pictify-sync/plan"
MAX_BYTES = 1 << 30  # of a plan file
MAX_LINES = 4_000_000  # of changes: each becomes an object before it is looked at
_CHANGES = b'\n"changes":[\n'  # no JSON text holds a raw line break, so this stands once
_END = b"\n]}\n"


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
    summary: PlanCounts
    templates: tuple[TemplateChange, ...]
    batches: tuple[Batch, ...]
    refusals: tuple[Refusal, ...] = ()
    relocation: Relocation | None = None
    likely_renames: tuple[LikelyRename, ...] = ()
    more_renames: Annotated[int, Field(ge=0, lt=1 << 63)] = 0


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
        "refusals": plan.refusals,
        "relocation": plan.relocation,
        "likely_renames": plan.likely_renames,
        "more_renames": plan.more_renames,
    }
    kinds = {
        "capabilities": Mapping[str, Capabilities],
        "summary": PlanCounts,
        "refusals": tuple[Refusal, ...],
    }
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
        faults.stop(0, "not a plan", HINT)
    if after.count(b"\n") > MAX_LINES:
        faults.stop(0, f"more than {MAX_LINES} lines", HINT)
    head = _head(before[:-1] + b"}", faults)
    lines = [line for line in after[: -len(_END)].split(b",\n") if line]
    del after
    check = PlanCheck(faults, before.count(b"\n") + 3)
    digest = plan_digest(check.changes(lines), head.templates)
    check.batches(head.batches)
    check.summary(head.summary, len(head.batches))
    faults.raise_any()
    if digest != head.digest:
        faults.stop(0, f"the digest of the work is {digest}, the plan says {head.digest[:64]}", HINT)
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
        relocation=head.relocation,
        likely_renames=head.likely_renames,
        more_renames=head.more_renames,
    )


def _matters(change: Change) -> bool:
    asks = change.action is not Action.KEEP or change.reason is Reason.TAKEN_BACK
    return asks or change.asset is None or change.record is None


def _write_all(file: IO[str], texts: Iterable[str]) -> None:
    before = "\n"
    for text in texts:
        file.write(before + text)
        before = ",\n"
    file.write("\n" if before != "\n" else "\n\n")


def _counts(summary: Summary) -> PlanCounts:
    reasons: dict[Action, dict[Reason, int]] = {}
    for (action, reason), count in sorted(summary.reasons.items()):
        reasons.setdefault(action, {})[reason] = count
    manifests = {name: dict(sorted(counts.items())) for name, counts in sorted(summary.manifests.items())}
    return PlanCounts(
        dict(sorted(summary.actions.items())),
        reasons,
        manifests,
        summary.recorded,
        summary.renders,
        summary.batches,
        summary.copies,
        summary.fetches,
        dict(sorted(summary.recorded_in.items())),
        summary.whole,
    )


def _summary(counts: PlanCounts) -> Summary:
    reasons = {(action, reason): count for action, some in counts.reasons.items() for reason, count in some.items()}
    return Summary(
        counts.actions,
        reasons,
        counts.manifests,
        counts.recorded,
        counts.renders,
        counts.batches,
        counts.copies,
        counts.fetches,
        counts.recorded_in,
        counts.whole,
    )


def _load(path: Path, faults: Faults) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size  # 0 of a pipe
            content = b"" if size > MAX_BYTES else file.read((size or MAX_BYTES) + 1)
    except OSError as error:
        raise InputError([Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from error
    if max(size, len(content)) > MAX_BYTES:
        faults.stop(0, f"more than {MAX_BYTES} bytes", HINT)
    return content


def _head(text: bytes, faults: Faults) -> Head:
    try:
        value = parse(text)
    except ValueError as error:
        faults.stop(0, f"not JSON: {error}", HINT)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        faults.stop(1, "not a plan", HINT)
    version = value.get("format_version")
    if not isinstance(version, int) or not 1 <= version <= PLAN_FORMAT:
        faults.stop(2, f"format version {version!r}", "upgrade pictify-sync, or plan again")
    try:
        head: Head = codec.decode(Head, text)
    except StateError as error:
        faults.stop(0, error.message, HINT)
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole(Head):
    """The whole document."""

    changes: tuple[Change, ...]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a plan."""
    schema = codec.adapter(_Whole).json_schema()
    schema["properties"]["format"] = {"const": FORMAT, "type": "string"}
    schema["properties"]["format_version"] = {"const": PLAN_FORMAT, "type": "integer"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pictify-sync plan"}
