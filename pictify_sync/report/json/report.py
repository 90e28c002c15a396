"""The `--json` documents, one per command, as text. `documents` says what is in them.

Each has `format` and `format_version`: within a version fields are only added; a reader refuses a version that it
does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from pictify_sync.core.abilities import Subscription
from pictify_sync.core.dialect import Standing
from pictify_sync.core.drift import Observed
from pictify_sync.core.entries import OpenBatch
from pictify_sync.core.fingerprint import options_of
from pictify_sync.core.health import Check
from pictify_sync.core.model import Change, Fingerprint, Record, RenderSpec
from pictify_sync.core.preview import PictureFile, Preview
from pictify_sync.credentials import without_forms
from pictify_sync.errors import Problem
from pictify_sync.report.differ import differences
from pictify_sync.report.json import documents
from pictify_sync.report.safe import escaped
from pictify_sync.report.terminal.records import Census, StatusFacts
from pictify_sync.report.view import spec_parts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from pictify_sync.workflows.apply.outcome import ApplySummary
    from pictify_sync.workflows.collect import Collected
    from pictify_sync.workflows.doctor.live import Explored

VERSION = 1

Document = TypeVar("Document", bound="DataclassInstance")
Recall = Callable[[str], str | None]


def _text(kind: str, content: Any, *, indent: int | None = 2) -> str:
    head = {"format": f"pictify-sync/{kind}", "format_version": VERSION}
    return without_forms(escaped(json.dumps(head | asdict(content), ensure_ascii=False, indent=indent)))


def _filled(document: type[Document], source: object, **own: Any) -> Document:
    """Return a document whose fields are those of the same name of a source, but for its own."""
    names = (field.name for field in fields(document) if field.name not in own)
    return document(**own, **{name: getattr(source, name) for name in names})


def validation_document(problems: Sequence[Problem], assets: int) -> str:
    """`validate --json`: all problems, sorted by place."""
    faults = [_filled(documents.Fault, one, severity=str(one.severity)) for one in sorted(problems)]
    return _text("validation", documents.Validation(assets, faults))


def apply_document(done: ApplySummary) -> str:
    """`apply --json`: what was done, what failed and why."""
    failed = [documents.Failing(*failure) for failure in done.failed]
    return _text("apply", _filled(documents.Applied, done, left_alone=sorted(done.left_alone), failed=failed))


def collect_document(done: Collected) -> str:
    """`collect --json`: what was found, and what is still looked for."""
    failed = [documents.Failing(*failure) for failure in done.failed]
    return _text("collect", documents.Collected(done.stored, done.unresolved, failed))


def status_document(
    found: Census,
    opened: Iterable[OpenBatch],
    facts: StatusFacts,
    failed: Iterable[Record],
    dialects: Iterable[Standing] = (),
) -> str:
    """`status --json`: counts, open batches, dialects, failures if asked for."""
    by_manifest = {name: _counts(counts) for name, counts in sorted(found.manifests.items())}
    return _text(
        "status",
        documents.StatusReport(
            lineage=facts.lineage,
            serial=facts.serial,
            records=found.total,
            statuses=_counts(found.statuses),
            drift=_counts(found.drifts),
            tainted=found.tainted,
            protected=found.protected,
            bytes=found.size,
            attempts=facts.ledger.attempts,
            billed_min=facts.ledger.billed_min,
            billed_max=facts.ledger.billed_max,
            open_pictures=facts.ledger.open_pictures,
            obsolete=[file.path for file in facts.obsolete],
            manifests=by_manifest,
            open_batches=[_flight(batch) for batch in opened],
            dialects=_dialects(dialects),
            failed=[
                documents.Failing(record.key, record.failure.code, record.failure.message)
                for record in failed
                if record.failure is not None
            ],
            place=facts.place,
        ),
    )


def health_document(
    checks: Iterable[Check], dialects: Iterable[Standing], live: documents.LiveCheck | None, *, good: bool
) -> str:
    """`doctor --json`: everything that was looked at. `good`: the command exits with 0."""
    found = [_filled(documents.HealthCheck, one, health=str(one.health)) for one in checks]
    return _text("health", documents.HealthReport(good, found, _dialects(dialects), live))


def live_check(done: Explored, provider: str, service: str) -> documents.LiveCheck:
    """Return a live check as a part of the document."""
    own = {"provider": provider, "service": service, "found": done.facts is not None, "notes": list(done.notes)}
    return _filled(documents.LiveCheck, done, **own)


def _dialects(found: Iterable[Standing]) -> list[documents.Dialect]:
    """Return what is known of dialects, as a part of documents."""
    return [
        _filled(
            documents.Dialect,
            one.probed.facts,
            provider=one.probed.provider,
            service=one.probed.service,
            found_at=one.probed.at,
            in_use=one.here,
            stale=one.stale,
        )
        for one in found
        if one.probed.facts is not None
    ]


def _counts(found: Any) -> documents.Counts:
    return {str(word): number for word, number in sorted(found.items())}


def _flight(opened: OpenBatch) -> documents.OpenBatch:
    batch = opened.intended.batch
    return documents.OpenBatch(
        opened.intended.attempt, opened.batch_id, batch.group.template, batch.renders, opened.batch_id is None
    )


def subscriptions_document(found: Iterable[Subscription]) -> str:
    """`webhooks list --json`: the subscriptions of an account."""
    rows = [
        documents.Subscription(one.uid, one.event, one.status, one.target_url, one.template_uid, one.failures)
        for one in found
    ]
    return _text("subscriptions", documents.SubscriptionList(rows))


def drift_document(found: Observed) -> str:
    """`refresh --json`: what differs."""
    drifted = [documents.Drifted(drift.key, str(drift.kind), drift.detail) for drift in found.assets]
    templates = [
        documents.DriftedTemplate(one.provider, one.name, one.uid, one.kind, list(one.layouts))
        for one in found.templates
    ]
    return _text(
        "drift",
        documents.DriftReport(
            drifted, templates, found.elsewhere, found.looked, found.templates_looked, found.recorded
        ),
    )


def record_document(record: Record, recall: Recall, *, indent: int | None = 2) -> str:
    """`show --json`: one record with its variables, if they are kept. Without indent it is one line."""
    prints, failure = record.fingerprint, record.failure
    artifact = record.artifact if record.artifact and record.artifact.is_kept else None
    kept = None if prints is None else recall(prints.variables)
    report = _filled(
        documents.RecordReport,
        record,
        status=str(record.status),
        fingerprint=_prints(prints),
        spec=_spec(record.spec),
        variables=None if kept is None else json.loads(kept),
        artifact=None if artifact is None else _filled(documents.File, artifact),
        failure=None if failure is None else _filled(documents.Reason, failure),
        drift=None if record.drift is None else str(record.drift),
    )
    return _text("record", report, indent=indent)


def explanation_document(change: Change, recall: Recall) -> str:
    """`explain --json`: what a plan would do with one asset, and why."""
    asset, record = change.asset, change.record
    old = record.fingerprint if record else None
    new = asset.fingerprint if asset else None
    found = []
    if change.protection is not None:
        found.append(documents.Differing("protect", *(("false", "true") if change.protection else ("true", "false"))))
    if record and record.spec and asset:
        parts = spec_parts(record.spec, asset.spec)
        found += [documents.Differing(f"spec.{name}", str(before), str(after)) for name, before, after in parts]
    kept = recall(old.variables) if old else None
    if asset and kept is not None:
        for one in differences(kept, asset.variables):
            join = "" if one.path.startswith("[") else "."
            found.append(documents.Differing(f"variables{join}{one.path}", one.old, one.new))
    explanation = documents.Explanation(
        key=change.key,
        action=str(change.action),
        reason=str(change.reason),
        renders=change.renders,
        source=None if change.source is None else change.source.key,
        recorded=_prints(old),
        desired=_prints(new),
        differences=found,
    )
    return _text("explanation", explanation)


def previews_document(digest: str, changes: Iterable[tuple[Change, Preview]], *, kept: bool) -> str:
    """`preview --json`: each change with its pictures. `kept`: their files last."""

    def picture(found: PictureFile | None) -> documents.Picture | None:
        if found is None:
            return None
        name = PurePath(found.path).name if kept else ""
        return documents.Picture(name, found.media_type, found.width, found.height)

    listed = [
        documents.PreviewedChange(
            key=change.key,
            action=str(change.action),
            reason=str(change.reason),
            in_sample=one.in_sample,
            before=picture(one.before),
            after=picture(one.after),
            changed=None if one.comparison is None else one.comparison.changed,
            difference=None if one.comparison is None else picture(one.comparison.difference),
            note=one.note,
        )
        for change, one in changes
    ]
    return _text("previews", documents.Previews(digest, listed))


def _prints(prints: Fingerprint | None) -> documents.Fingerprint | None:
    return None if prints is None else documents.Fingerprint(prints.spec, prints.variables)


def _spec(spec: RenderSpec | None) -> documents.Spec | None:
    if spec is None:
        return None
    options = options_of(spec.options)
    return documents.Spec(
        spec.provider,
        spec.template,
        spec.template_revision,
        spec.variant,
        spec.format,
        options.get("quality"),
        spec.engine,
        options,
    )
