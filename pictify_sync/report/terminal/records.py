"""State in words: its status, one record, and lists of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pictify_sync.core.drift import Observed
from pictify_sync.core.entries import Ledger, Obsolete, OpenBatch
from pictify_sync.core.fingerprint import options_of
from pictify_sync.core.journal import is_of_other_service
from pictify_sync.core.model import AssetKey, Capabilities, DriftKind, Record, Status, split_key
from pictify_sync.report.differ import shown_values
from pictify_sync.report.safe import safe
from pictify_sync.report.terminal.summary import remedy_lines
from pictify_sync.report.view import Recall
from pictify_sync.report.words import (
    DRIFTS,
    REMEDIES,
    STATUSES,
    TEMPLATE_DRIFTS,
    Line,
    Tone,
    count,
    duration,
    listing,
    pictures,
    postponed,
)

REPAIRED = "The next apply repairs what is recorded as drift."
UNRECORDED = "Nothing was recorded: pictify-sync refresh records it, and the next apply repairs it then."
_KINDS = {
    DriftKind.MISSING: "missing",
    DriftKind.TAMPERED: "changed",
    DriftKind.EXPIRED: "no longer kept by the provider",
    DriftKind.TEMPLATE_CHANGED: "of another template",
}
FILES = 20  # listed one by one
LONG = 20  # lines of a list whose counts come before it and after it
_OBSOLETE = (
    "The next apply removes such a file if its bytes are those recorded. One that was edited is left alone: remove it, "
    "or move it out of the output folder."
)


@dataclass(slots=True)
class Census:
    """Counts of all records, taken in one pass."""

    statuses: Counter[Status] = field(default_factory=Counter)
    drifts: Counter[DriftKind] = field(default_factory=Counter)
    manifests: dict[str, Counter[Status]] = field(default_factory=dict)
    tainted: int = 0
    protected: int = 0
    providers: set[str] = field(default_factory=set)  # that made them
    unmade: Counter[str] = field(default_factory=Counter)  # pictures to be rendered again, by provider
    size: int = 0  # bytes of all published files, shared ones counted once per record

    @property
    def total(self) -> int:
        """Number of records."""
        return self.statuses.total()


def census(records: Iterable[Record], usual: str = "") -> Census:
    """Count records in one pass. `usual`: the provider of those that never had a picture."""
    found = Census()
    for record in records:
        found.statuses[record.status] += 1
        found.manifests.setdefault(split_key(record.key)[0], Counter())[record.status] += 1
        if record.drift:
            found.drifts[record.drift] += 1
        found.tainted += record.tainted
        found.protected += record.protect
        if record.status is Status.FAILED or record.tainted or record.drift is not None:
            found.unmade[record.spec.provider if record.spec else usual] += 1
        found.providers |= {record.spec.provider} if record.spec else set()
        found.size += record.artifact.size if record.artifact else 0
    return found


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """Which state it is, how far it got, and what it has cost."""

    lineage: str  # "": there is none
    serial: int
    ledger: Ledger
    unbilled: tuple[str, ...] = ()  # providers that made any of it and bill nothing, sorted
    obsolete: tuple[Obsolete, ...] = ()  # files that are no longer wanted, and not removed yet
    billed: bool = True  # whether any other may have made some of it
    allowed: Mapping[str, Capabilities] = field(default_factory=dict)  # by provider, of those that are here
    services: Mapping[str, str] = field(default_factory=dict)  # by provider: where it is reached; "": embedded
    place: str = ""  # what is to be said of where the pictures are; "": they are where the settings say


def status_lines(found: Census, opened: Iterable[OpenBatch], facts: StatusFacts) -> Iterator[Line]:
    """Describe what is recorded, what it cost, what is under way and what needs attention."""
    if not facts.lineage:
        yield Line("No state yet: nothing was applied here.")
        return
    headline = Line(f"{pictures(found.total)} recorded in {count(len(found.manifests), 'manifest')}", Tone.HEAD)
    yield headline
    for name, statuses in found.manifests.items():
        parts = ", ".join(f"{statuses[status]:,} {STATUSES[status]}" for status in Status if statuses[status])
        yield Line(f"  {safe(name)}: {parts}")
    if len(found.manifests) > LONG:  # once more: a terminal shows the end
        yield headline
    yield Line(
        f"Published: {found.size:,} bytes. State: lineage {safe(facts.lineage)}, serial {facts.serial:,}.", Tone.FAINT
    )
    yield Line(_cost(facts), Tone.FAINT)
    if facts.place:
        yield Line(safe(facts.place), Tone.WARN)
    for batch in opened:
        yield Line(f"Open batch: {open_batch_text(batch)}{_longest(batch, facts)}{_elsewhere(batch, facts)}", Tone.WARN)
    for file in facts.obsolete[:FILES]:
        yield Line(f"No longer wanted, and still there: {safe(file.path)}", Tone.WARN)
    if len(facts.obsolete) > FILES:
        yield Line(f"... and {len(facts.obsolete) - FILES:,} more files", Tone.FAINT)
    if facts.obsolete:
        yield Line(_OBSOLETE)
    for kind, number in found.drifts.items():
        yield Line(f"{pictures(number)} drifted: {DRIFTS[kind]}; the next apply repairs it.", Tone.WARN)
    if found.tainted:
        yield Line(f"{pictures(found.tainted)} tainted: rendered again by the next apply.", Tone.WARN)
    yield from _postponed(found, facts)
    if found.statuses[Status.FAILED]:
        yield Line(f"{pictures(found.statuses[Status.FAILED])} failed: pictify-sync status --failed", Tone.BAD)


def _cost(facts: StatusFacts) -> str:
    """Describe what was rendered so far, by whom it is billed, and what may still come."""
    ledger = facts.ledger
    few, many = ledger.billed_min, ledger.billed_max
    sure = pictures(many) if few == many else f"{few:,} to {pictures(many)}"
    more = f", and up to {ledger.open_pictures:,} more for what is open" if ledger.open_pictures else ""
    total = f"so far: {sure} in {count(ledger.attempts, 'attempt')}{more}"
    free = safe(listing(facts.unbilled))
    if not free:
        return f"Billed {total}."
    if facts.billed:
        return f"Rendered {total}; what {free} rendered is not billed."
    return f"Rendered/Billed {total}; {free} {'bills' if len(facts.unbilled) == 1 else 'bill'} nothing."


def open_batch_text(batch: OpenBatch) -> str:
    """Describe on one line what an open batch holds and where it stands."""
    intended = batch.intended
    stand = f"as {safe(batch.batch_id)}" if batch.batch_id else "in doubt" if batch.doubt else "not submitted yet"
    group = intended.batch.group
    where = f"template {safe(group.template)}, provider {safe(group.provider)}"
    since = safe(batch.submitted_at or intended.at)
    return f"{safe(intended.attempt)}, {stand}: {pictures(len(intended.claims))} ({where}), since {since}"


def _postponed(found: Census, facts: StatusFacts) -> Iterator[Line]:
    """State that a provider takes no batch of so few as have to be rendered again."""
    for name, allowed in sorted(facts.allowed.items()):
        if 0 < (number := found.unmade[name]) < allowed.min_items:
            yield Line(f"{postponed(number)} ({safe(name)}: {allowed.min_items:,} at least).", Tone.WARN)


def _elsewhere(batch: OpenBatch, facts: StatusFacts) -> str:
    """Say where a batch is that the service in use knows nothing of, and what can be done."""
    intended = batch.intended
    service = facts.services.get(intended.batch.group.provider)
    if service is None or not is_of_other_service(batch, service):
        return ""
    there, here = safe(intended.service) or "an embedded server", safe(service) or "embedded"
    give_up = f"pictify-sync resolve {safe(intended.attempt)} --resubmit"
    return f"; it is at {there}, and the provider is {here} now: apply leaves it alone. To give it up: {give_up}"


def _longest(batch: OpenBatch, facts: StatusFacts) -> str:
    allowed = facts.allowed.get(batch.intended.batch.group.provider)
    seconds = None if allowed is None else allowed.turnaround_seconds
    return "" if seconds is None else f"; it may take up to {duration(seconds)}"


def failed_lines(records: Iterable[Record], remedies: Mapping[str, str] = REMEDIES) -> Iterator[Line]:
    """List the failed records with the provider's reason, then what to do about each kind."""
    codes: set[str] = set()
    total = 0
    for record in records:
        if record.status is Status.FAILED and record.failure:
            failure = record.failure
            total += 1
            codes.add(failure.code)
            tried = f" ({count(record.attempts, 'attempt')})"
            yield Line(f"{safe(record.key)}: {safe(failure.code)}: {safe(failure.message)}{tried}", Tone.BAD)
    yield from remedy_lines(codes, remedies)
    yield Line(f"{pictures(total)} failed. Try again with: pictify-sync apply" if total else "No picture failed.")


def record_lines(record: Record, recall: Recall, remedies: Mapping[str, str] = REMEDIES) -> Iterator[Line]:
    """Describe everything that is recorded of one asset."""
    yield Line(safe(record.key), Tone.HEAD)
    yield Line(f"  status: {STATUSES[record.status]}")
    for name, value in _facts(record).items():
        if value is not None:
            yield Line(f"  {name}: {safe(str(value))}")
    if record.failure:
        yield Line(f"  failure: {safe(record.failure.code)}: {safe(record.failure.message)}", Tone.BAD)
        yield from remedy_lines({record.failure.code}, remedies)
    if record.fingerprint is None:
        return
    values = recall(record.fingerprint.variables)
    yield Line("  variables:" + ("" if values else " only their digest is kept"))
    if values:
        yield from (Line(f"    {name}: {value}") for name, value in shown_values(values))


def _facts(record: Record) -> Mapping[str, object]:
    """Name the parts of a record, in the order they are shown; None is left out."""
    spec, prints = record.spec, record.fingerprint
    artifact = record.artifact if record.artifact and record.artifact.is_kept else None
    options = "".join(f", {name} {value}" for name, value in options_of(spec.options).items()) if spec else ""
    return {
        "file": artifact.path if artifact else None,
        "wanted at": record.output if artifact is None or artifact.path != record.output else None,
        "size": f"{artifact.size:,} bytes" if artifact else None,
        "sha256": artifact.sha256 if artifact else None,
        "url": record.url,
        "rendered at": record.rendered_at,
        "attempts": record.attempts or None,
        "attempt": record.attempt,
        "tainted": "yes, rendered again by the next apply" if record.tainted else None,
        "drift": DRIFTS[record.drift] if record.drift else None,
        "protected": "yes" if record.protect else None,
        "provider": spec.provider if spec else None,
        "template": f"{spec.template} (revision {spec.template_revision})" if spec else None,
        "format": f"{spec.format}{options}" if spec else None,
        "engine": spec.engine or None if spec else None,
        "fingerprint": f"spec {prints.spec}, variables {prints.variables}" if prints else None,
    }


def listed(record: Record) -> Line:
    """Return one record on one line: key, path or URL, status."""
    marks = [STATUSES[record.status]] if record.status is not Status.STORED else []
    marks += [DRIFTS[record.drift]] if record.drift else []
    marks += ["tainted"] if record.tainted else []
    artifact = record.artifact
    where = "-" if artifact is None else artifact.path if artifact.is_kept else record.url or "-"
    return Line(f"{safe(record.key)}  {safe(where)}" + (f"  ({'; '.join(marks)})" if marks else ""))


def drift_sentence(found: Observed) -> str:
    """Describe how much was looked at, and how much of it differs."""
    looked = [pictures(found.looked)] if found.looked or not found.templates_looked else []
    looked += [count(found.templates_looked, "template")] if found.templates_looked else []
    if not found:
        if not (found.looked or found.templates_looked):
            return "No drift: nothing is published that could be looked at."
        return f"No drift: {listing(looked)} looked at, all as recorded."
    kinds = Counter(drift.kind for drift in found.assets)
    words = [f"{number:,} {_KINDS[kind]}" for kind, number in kinds.items()]
    for kind, number in Counter(one.kind for one in found.templates).items():
        words.append(f"{count(number, 'template')} {TEMPLATE_DRIFTS[kind]}")
    return f"{listing(looked)} looked at, {listing(words)}."


def drift_lines(found: Observed) -> Iterator[Line]:
    """List what an observation found to differ."""
    if len(found.assets) + len(found.templates) > LONG:
        yield Line(drift_sentence(found))
    for template in found.templates:
        what = f"template {safe(template.name)} (provider {safe(template.provider)}, {safe(template.uid)})"
        layouts = f": {listing(map(safe, template.layouts))}" if template.layouts else ""
        yield Line(f"{what}: {TEMPLATE_DRIFTS[template.kind]}{layouts}", Tone.WARN)
    for drift in found.assets:
        yield Line(f"{safe(drift.key)}: {DRIFTS[drift.kind]}: {safe(drift.detail)}", Tone.WARN)
    if found:
        yield Line(drift_sentence(found))
        yield Line(REPAIRED if found.recorded else UNRECORDED)
    else:
        yield Line(drift_sentence(found), Tone.GOOD)
    if found.elsewhere:
        yield Line(f"{pictures(found.elsewhere)} never on this machine: not looked at.")


def taken(keys: Iterable[AssetKey], verb: str) -> Iterator[Line]:
    """List keys that a command touched, then how many."""
    number = 0
    for number, key in enumerate(keys, 1):  # noqa: B007 - the last number is the count
        yield Line(f"  {safe(key)}")
    yield Line(f"{pictures(number)} {verb}.")
