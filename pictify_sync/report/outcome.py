"""What was done, found or is recorded, as it is reviewed: an apply, a refresh, all records. Trouble comes first.

This module must not know Markdown, HTML or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pictify_sync.core.drift import Observed
from pictify_sync.core.events import AssetFailed, AssetRemoved, AssetStored, AssetUnresolved, Event, FileLeft
from pictify_sync.core.model import AssetKey, DriftKind, Record, Status, key_order, split_key
from pictify_sync.core.sample import shares
from pictify_sync.report.differ import shown_values
from pictify_sync.report.safe import safe
from pictify_sync.report.templates import TemplateView
from pictify_sync.report.terminal.records import REPAIRED, UNRECORDED, Census, census, drift_sentence
from pictify_sync.report.terminal.summary import applied, billed, cost, incomplete, trouble_lines
from pictify_sync.report.view import (
    LISTED,
    PAGE,
    ChangeView,
    Count,
    Fact,
    Kind,
    ManifestView,
    Recall,
    Review,
    Value,
)
from pictify_sync.report.words import DRIFTS, REMEDIES, STATUSES, TEMPLATE_DRIFTS, count, duration, pictures

if TYPE_CHECKING:
    from pictify_sync.workflows.apply.outcome import ApplySummary

DONE = {  # action -> how it is counted, in the order of importance
    "failed": "failed",
    "rendered": "rendered, URL not known",
    "stored": "stored",
    "moved": "moved or fetched again",
    "removed": "removed",
    "left": "no longer recorded, file left alone",
}
WHY = {
    "rendered": "its URL is not known yet",
    "stored": "rendered and published",
    "moved": "no render",
    "removed": "no longer wanted",
    "left": "no longer wanted, but its bytes are not those recorded",
}
FOUND = {str(kind): str(kind).replace("_", " ") for kind in DriftKind}
RECORDED = {"failed": "failed", "drifted": "drifted", "rendered": "rendered, URL not known", "stored": "stored"}


class _Result(NamedTuple):
    """What was done last about one asset."""

    action: str
    path: str = ""
    code: str = ""
    message: str = ""


class EventRecorder:
    """An event sink that notes what becomes of every asset, and passes the events on."""

    def __init__(self) -> None:
        self.results: dict[AssetKey, _Result] = {}

    def watching(self, sink: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return a sink that notes each event, then passes it on."""

        def noted(event: Event) -> None:
            self.note(event)
            sink(event)

        return noted

    def note(self, event: Event) -> None:
        """Keep what the event tells of an asset."""
        match event:
            case AssetStored():
                self.results[event.key] = _Result("stored" if event.rendered else "moved", event.path)
            case AssetUnresolved():
                self.results[event.key] = _Result("rendered")
            case AssetFailed():
                self.results[event.key] = _Result("failed", "", event.code, event.message)
            case AssetRemoved():
                self.results[event.key] = _Result("removed", event.path or "")
            case FileLeft():
                for key, result in self.results.items():
                    if result.action == "removed" and result.path == event.path:
                        self.results[key] = result._replace(action="left")
            case _:
                return

    def stored(self) -> Iterator[AssetKey]:
        """Yield the assets whose picture was published."""
        return (
            key for key, result in sorted(self.results.items(), key=_by_key) if result.action in {"stored", "moved"}
        )


def _by_key(pair: tuple[AssetKey, object]) -> bytes:
    return key_order(pair[0])


def review_of_apply(
    done: ApplySummary, recorder: EventRecorder, remedies: Mapping[str, str] = REMEDIES, *, seconds: float
) -> Review:
    """Review an apply: `recorder` watched its events, and it took so long."""
    failing = {key for key, _, _ in done.failed}
    held = {key: result for key, result in recorder.results.items() if result.action != "failed" or key in failing}
    results = held | {AssetKey(key): _Result("failed", "", code, message) for key, code, message in done.failed}
    ranks = {action: rank for rank, action in enumerate(DONE)}
    rows = [
        ChangeView(
            key=key,
            manifest=safe(split_key(key)[0]),
            name=_name(key),
            action=result.action,
            reason=safe(result.code) or WHY.get(result.action, "failed"),
            detail=safe(result.message) if result.message != result.code else "",
            remedy=_remedy(result.code, remedies),
            path=safe(result.path),
        )
        for key, result in sorted(results.items(), key=lambda pair: (ranks[pair[1].action], key_order(pair[0])))
    ]
    facts = (Fact("Stored", f"{done.stored:,}"), Fact("Failed", f"{len(done.failed):,}"))
    return Review(
        kind=Kind.APPLY,
        title="Apply",
        headline=applied(done),
        remarks=(*cost(done), *(line.text for line in trouble_lines(done))),
        facts=(*facts, *_figures_of_cost(done), Fact("Took", duration(seconds))),
        counts=_counts(Counter(row.action for row in rows), DONE),
        manifests=_manifests(rows, DONE),
        changes=tuple(_fairly(rows)),
        warning=incomplete(done),
    )


def _figures_of_cost(done: ApplySummary) -> Iterator[Fact]:
    if done.unbilled:
        yield Fact("Rendered", f"{done.unbilled:,}")
    if done.billed_max or not done.unbilled:
        yield Fact("Billed", billed(done))


def review_of_drift(found: Observed) -> Review:
    """Review what a refresh saw."""
    rows = [
        ChangeView(
            key=drift.key,
            manifest=safe(split_key(drift.key)[0]),
            name=_name(drift.key),
            action=str(drift.kind),
            reason=DRIFTS[drift.kind],
            detail="" if drift.kind in {DriftKind.MISSING, DriftKind.TAMPERED} else safe(drift.detail),
            path=safe(drift.detail) if drift.kind in {DriftKind.MISSING, DriftKind.TAMPERED} else "",
        )
        for drift in found.assets
    ]
    return Review(
        kind=Kind.DRIFT,
        title="Drift",
        headline=drift_sentence(found),
        remarks=(REPAIRED if found.recorded else UNRECORDED,) if found else (),
        facts=(Fact("Pictures", f"{len(rows):,}"), Fact("Templates", f"{len(found.templates):,}")),
        counts=_counts(Counter(row.action for row in rows), FOUND),
        manifests=_manifests(rows, FOUND),
        changes=tuple(_fairly(rows)),
        templates=tuple(
            TemplateView(
                safe(one.name), TEMPLATE_DRIFTS[one.kind], tuple(f"layout {safe(layout)}" for layout in one.layouts), ()
            )
            for one in found.templates
        ),
        warning=bool(found),
    )


def review_of_records(
    records: Callable[[], Iterable[Record]], recall: Recall, remedies: Mapping[str, str] = REMEDIES
) -> Review:
    """Review all that is recorded. It is read twice, and not kept."""
    counted = census(records())
    rows, numbers = _recorded(records(), recall, remedies)
    total, failed = counted.total, counted.statuses[Status.FAILED]
    manifests = tuple(ManifestView(safe(name), _counts(one, RECORDED)) for name, one in sorted(numbers.items()))
    return Review(
        kind=Kind.RECORDS,
        title="Recorded pictures",
        headline=f"{pictures(total)} recorded in {count(len(manifests), 'manifest')}.",
        remarks=(f"{pictures(failed)} failed.",) if failed else (),
        facts=_figures(counted),
        counts=_counts(sum(numbers.values(), Counter()), RECORDED),
        manifests=manifests,
        changes=tuple(rows),
        warning=bool(failed),
    )


def _recorded(
    records: Iterable[Record], recall: Recall, remedies: Mapping[str, str]
) -> tuple[list[ChangeView], dict[str, Counter[str]]]:
    """Return what is shown of the records, trouble first, and the counts of all by manifest."""
    rows: dict[str, list[ChangeView]] = {action: [] for action in RECORDED}
    numbers: dict[str, Counter[str]] = {}
    for record in records:
        action = _standing(record)
        numbers.setdefault(split_key(record.key)[0], Counter())[action] += 1
        if len(rows[action]) < LISTED:
            rows[action].append(_record(record, action, recall, remedies))
    return [row for some in rows.values() for row in some][:LISTED], numbers


def _standing(record: Record) -> str:
    if record.status is Status.FAILED:
        return "failed"
    return "drifted" if record.drift else str(record.status)


def _record(record: Record, action: str, recall: Recall, remedies: Mapping[str, str]) -> ChangeView:
    failure, spec, artifact = record.failure, record.spec, record.artifact
    kept = recall(record.fingerprint.variables) if record.fingerprint else None
    values = [Value(name, "", value) for name, value in shown_values(kept, width=PAGE.width)] if kept else []
    reason = safe(failure.code) if failure else DRIFTS[record.drift] if record.drift else STATUSES[record.status]
    return ChangeView(
        key=record.key,
        manifest=safe(split_key(record.key)[0]),
        name=_name(record.key),
        action=action,
        reason=reason,
        detail=safe(failure.message) if failure and failure.message != failure.code else "",
        remedy=_remedy(failure.code, remedies) if failure else "",
        path=safe(artifact.path if artifact else record.output),
        template=safe(spec.template) if spec else "",
        values=tuple(values[: PAGE.values]),
        more=max(0, len(values) - PAGE.values),
    )


def _figures(counted: Census) -> tuple[Fact, ...]:
    drifted = sum(counted.drifts.values())
    return (
        Fact("Pictures", f"{counted.total:,}"),
        Fact("Failed", f"{counted.statuses[Status.FAILED]:,}"),
        Fact("Drifted", f"{drifted:,}"),
        Fact("Megabytes", f"{counted.size / 1e6:,.1f}"),
    )


def _name(key: AssetKey) -> str:
    return safe(key.partition("/")[2])


def _remedy(code: str, remedies: Mapping[str, str]) -> str:
    return f"{code}: {remedies[code]}." if code in remedies else ""


def _counts(numbers: Mapping[str, int], labels: Mapping[str, str]) -> tuple[Count, ...]:
    return tuple(Count(action, label, numbers[action]) for action, label in labels.items() if numbers.get(action))


def _manifests(rows: Iterable[ChangeView], labels: Mapping[str, str]) -> tuple[ManifestView, ...]:
    numbers: dict[str, Counter[str]] = {}
    for row in rows:
        numbers.setdefault(row.manifest, Counter())[row.action] += 1
    return tuple(ManifestView(name, _counts(one, labels)) for name, one in sorted(numbers.items()))


def _fairly(rows: Sequence[ChangeView]) -> Iterator[ChangeView]:
    """Yield at most LISTED rows, spread over the manifests, in the order they come."""
    room = shares(Counter(row.manifest for row in rows), LISTED)
    for row in rows:
        if room[row.manifest]:
            room[row.manifest] -= 1
            yield row
