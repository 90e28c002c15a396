"""The `--json` documents, one per command. `docs/reference/json.md` describes them.

Each has `format` and `format_version`: within a version fields are only added; a reader refuses a version that it
does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pictify_sync.core.drift import Drift
from pictify_sync.core.entries import OpenBatch
from pictify_sync.core.model import Record, RenderSpec
from pictify_sync.errors import Problem
from pictify_sync.report.records import Census
from pictify_sync.report.summary import Applied

VERSION = 1


def _document(kind: str, content: dict[str, Any]) -> str:
    head = {"format": f"pictify-sync/{kind}", "format_version": VERSION}
    return json.dumps(head | content, ensure_ascii=False, indent=2)


def validation_document(problems: Sequence[Problem], assets: int) -> str:
    """`validate --json`: all problems, sorted by place."""
    listed = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "severity": str(problem.severity),
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in sorted(problems)
    ]
    return _document("validation", {"assets": assets, "problems": listed})


def apply_document(done: Applied) -> str:
    """`apply --json`: what was done, what failed and why."""
    counts = ("stored", "moved", "removed", "kept", "unresolved", "in_doubt", "billed_min", "billed_max")
    content: dict[str, Any] = {name: getattr(done, name) for name in counts}
    content["failed"] = [{"key": key, "code": code, "message": message} for key, code, message in done.failed]
    return _document("apply", content | {"interrupted": done.interrupted, "stopped": done.stopped})


def status_document(
    found: Census, opened: Iterable[OpenBatch], place: tuple[str, int], failed: Iterable[Record]
) -> str:
    """`status --json`: counts, open batches, and failures when they were asked for. `place`: lineage and serial."""
    content: dict[str, Any] = {
        "lineage": place[0],
        "serial": place[1],
        "records": found.total,
        "statuses": {str(status): number for status, number in sorted(found.statuses.items())},
        "drift": {str(kind): number for kind, number in sorted(found.drifts.items())},
        "tainted": found.tainted,
        "protected": found.protected,
        "bytes": found.size,
        "manifests": {
            name: {str(status): number for status, number in sorted(counts.items())}
            for name, counts in sorted(found.manifests.items())
        },
        "open_batches": [
            {
                "attempt": batch.intended.attempt,
                "batch_id": batch.batch_id,
                "template": batch.intended.batch.group.template,
                "pictures": batch.intended.batch.renders,
                "in_doubt": batch.batch_id is None,
            }
            for batch in opened
        ],
        "failed": [
            {"key": record.key, "code": record.failure.code, "message": record.failure.message}
            for record in failed
            if record.failure is not None
        ],
    }
    return _document("status", content)


def drift_document(found: Sequence[Drift]) -> str:
    """`refresh --json`: what differs."""
    listed = [{"key": drift.key, "kind": str(drift.kind), "detail": drift.detail} for drift in found]
    return _document("drift", {"drift": listed})


def record_document(record: Record, recall: Callable[[str], str | None]) -> str:
    """`show --json`: one record with its variables, if they are kept."""
    prints, artifact, failure = record.fingerprint, record.artifact, record.failure
    kept = None if prints is None else recall(prints.variables)
    content: dict[str, Any] = {
        "key": record.key,
        "status": str(record.status),
        "fingerprint": None if prints is None else {"spec": prints.spec, "variables": prints.variables},
        "spec": None if record.spec is None else _spec(record.spec),
        "variables": None if kept is None else json.loads(kept),
        "artifact": artifact and {"path": artifact.path, "sha256": artifact.sha256, "size": artifact.size},
        "output": record.output,
        "url": record.url,
        "failure": failure and {"code": failure.code, "message": failure.message},
        "attempt": record.attempt,
        "attempts": record.attempts,
        "rendered_at": record.rendered_at,
        "tainted": record.tainted,
        "drift": None if record.drift is None else str(record.drift),
        "protect": record.protect,
    }
    return _document("record", content)


def _spec(spec: RenderSpec) -> dict[str, object]:
    return {
        "provider": spec.provider,
        "template": spec.template,
        "template_revision": spec.template_revision,
        "layout": spec.layout,
        "format": str(spec.format),
        "quality": spec.quality,
        "engine": spec.engine,
    }
