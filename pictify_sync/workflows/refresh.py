"""The use case `refresh`: look at templates and published files, and record what differs. The next plan repairs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from pictify_sync.core.drift import (
    ELSEWHERE,
    Drift,
    Observed,
    TemplateDrift,
    observe_age,
    observe_artifact,
    observe_maker,
    observe_template,
    seen_template,
    with_drift,
)
from pictify_sync.core.entries import Entry, Recorded, TemplateRecorded
from pictify_sync.core.model import Artifact, AssetKey, Record
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import PicturesElsewhere
from pictify_sync.workflows.apply.session import Session

CHUNK = 1000  # records per log entry
LOOKS = 16  # artifacts looked at at once

TemplateName = tuple[str, str]  # (provider, declared name or uid)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a refresh looks at."""

    selected: Callable[[AssetKey], bool] = lambda _: True  # which records
    tells: Callable[[str], bool] = lambda _: True  # whether a provider's templates are anybody's but ours
    new: Sequence[TemplateName] = ()  # templates that manifests name by uid and nobody has looked at
    held: Callable[[Artifact], bool] = lambda _: True  # whether a picture that is not here has been here
    retention: Callable[[str], int | None] = lambda _: None  # seconds a provider keeps results; None: for ever


@dataclass(slots=True)
class _PictureCounts:
    """Counts of published pictures."""

    looked: int = 0
    kept: int = 0  # of these whose bytes are stored
    elsewhere: int = 0

    def watch(self, seen: Iterable[tuple[Record, str]]) -> Iterator[tuple[Record, str]]:
        """Count what passes by."""
        for record, presence in seen:
            self.looked += record.artifact is not None
            self.kept += record.artifact is not None and record.artifact.is_kept
            self.elsewhere += presence == ELSEWHERE
            yield record, presence

    def refuse_nothing(self) -> None:
        """Raise PicturesElsewhere where no picture at all was ever on this machine: nothing can be compared."""
        if self.elsewhere and self.elsewhere == self.looked:
            raise PicturesElsewhere(
                f"none of the {self.elsewhere:,} published pictures was ever on this machine: nothing can be compared",
                hint="run refresh where the pictures are, or bring them here first; "
                "if they are lost, or this folder should hold all of them, set shared_output: true",
            )


@dataclass(slots=True)
class _Templates:
    """What was seen of templates."""

    known: Mapping[TemplateName, TemplateRecord]
    seen: dict[TemplateName, TemplateRecord | None] = field(default_factory=dict)
    drift: dict[TemplateName, TemplateDrift] = field(default_factory=dict)
    rendered: dict[TemplateName, str] = field(default_factory=dict)  # ISO time of the newest picture of each


def observe(session: Session, wanted: Observation) -> Observed:
    """Look, and give what is not as recorded. Writes nothing. Raises ProviderError when a provider does not answer."""
    templates, seen = _look_at_templates(session, wanted), _PictureCounts()
    found = tuple(drift for _, drift in _judged(session, wanted, templates, seen) if drift)
    seen.refuse_nothing()
    return _observed(found, templates, seen, recorded=False)


def refresh(session: Session, wanted: Observation) -> Observed:
    """Observe, and record both new drift and drift that is gone; gives the drift."""
    templates, seen = _look_at_templates(session, wanted), _PictureCounts()
    found: list[Drift] = []
    changed: list[Record] = []
    for record, drift in _judged(session, wanted, templates, seen):
        found += [drift] if drift else []
        if with_drift(record, drift) is not None:
            changed.append(record)
    seen.refuse_nothing()
    session.commit(partial(_entries, session, wanted, templates, changed))
    return _observed(tuple(found), templates, seen, recorded=True)


def _observed(found: tuple[Drift, ...], templates: _Templates, seen: _PictureCounts, *, recorded: bool) -> Observed:
    looked = max(0, seen.kept - seen.elsewhere)
    return Observed(found, _sorted(templates), seen.elsewhere, looked, len(templates.seen), recorded)


def _sorted(templates: _Templates) -> tuple[TemplateDrift, ...]:
    return tuple(templates.drift[name] for name in sorted(templates.drift))


def _look_at_templates(session: Session, wanted: Observation) -> _Templates:
    """Ask the providers for every recorded template that a selected picture uses, and for new ones."""
    templates = _Templates({(one.provider, one.name): one for one in session.store.templates()})
    for record in session.store.records():
        spec = record.spec
        if spec is not None and wanted.selected(record.key):
            name = (spec.provider, spec.template)
            templates.rendered[name] = max(templates.rendered.get(name, ""), record.rendered_at or "")
    for name in sorted(templates.rendered.keys() | set(wanted.new)):
        if not wanted.tells(name[0]):
            continue
        known = templates.known.get(name)
        uid = name[1] if known is None else known.uid
        seen = session.ports.provider(name[0]).observe_template(uid)
        templates.seen[name] = seen
        drift = None if known is None else observe_template(known, seen)
        if drift is not None:
            templates.drift[name] = drift
    return templates


def _judged(
    session: Session, wanted: Observation, templates: _Templates, count: _PictureCounts
) -> Iterable[tuple[Record, Drift | None]]:
    records = session.store.records()
    chosen = (one for one in records if wanted.selected(one.key) or _template_of(one) in templates.drift)
    looked = count.watch(_looked_at(session, wanted, chosen))
    return ((one, _judge(session, wanted, templates, one, seen)) for one, seen in looked)


def _template_of(record: Record) -> TemplateName | None:
    """Its drift concerns all pictures of it, selected or not: after it is pushed again nobody could tell them."""
    return None if record.spec is None else (record.spec.provider, record.spec.template)


def _looked_at(session: Session, wanted: Observation, records: Iterable[Record]) -> Iterator[tuple[Record, str]]:
    """Give each record with what its artifact store says of it, many at once: a bucket answers over a network."""
    rest, pending = iter(records), session.store.pending_moves()
    moving = set() if pending is None else {(move.old_path, move.sha256) for move in pending.moves}

    def look(record: Record) -> str:
        artifact = record.artifact
        if artifact is None or ((artifact.path, artifact.sha256) in moving and record.drift is None):
            return "present"  # what was interrupted is on its way: the next apply ends that, and tells what is lost
        seen = session.ports.artifacts.check(artifact)
        return seen if seen == "present" or wanted.held(artifact) else ELSEWHERE

    with ThreadPoolExecutor(LOOKS) as pool:
        while window := list(islice(rest, LOOKS * 16)):
            yield from zip(window, pool.map(look, window), strict=True)


def _judge(session: Session, wanted: Observation, templates: _Templates, record: Record, seen: str) -> Drift | None:
    """The first that holds: a wrong file, a wrong template, a URL that will never be told."""
    lost = observe_artifact(record, seen)
    if lost is not None or record.spec is None:
        return lost
    name = (record.spec.provider, record.spec.template)
    known = templates.known.get(name)
    wrong = observe_maker(record, templates.drift.get(name), None if known is None else known.observed_at)
    return wrong or observe_age(record, session.ports.clock.now(), wanted.retention(record.spec.provider))


def _entries(
    session: Session, wanted: Observation, templates: _Templates, changed: Sequence[Record]
) -> Sequence[Entry]:
    """One commit for a template and its pictures: an apply that knew of one alone would render them wrong again."""
    chunks = (changed[start : start + CHUNK] for start in range(0, len(changed), CHUNK))
    puts = [entry for chunk in chunks for entry in _put(session, wanted, templates, chunk)]
    return [*puts, *(entry for name in templates.seen for entry in _template(session, templates, name))]


def _put(session: Session, wanted: Observation, templates: _Templates, records: Sequence[Record]) -> Sequence[Entry]:
    """Judge the records as they are by now: another run may have mended them."""
    now = (record for old in records if (record := session.store.record(old.key)) is not None)
    judged = ((one, _judge(session, wanted, templates, one, seen)) for one, seen in _looked_at(session, wanted, now))
    puts = [put for record, drift in judged if (put := with_drift(record, drift)) is not None]
    return (Recorded("refresh", tuple(puts), (), (), session.now()),) if puts else ()


def _template(session: Session, templates: _Templates, name: TemplateName) -> Sequence[Entry]:
    """Record a template where that tells something new: what is held there, or that newer pictures are right."""
    at, seen, made_at = session.now(), templates.seen[name], templates.rendered.get(name, "")
    known = {(one.provider, one.name): one for one in session.store.templates()}.get(name)
    if known is None:
        return () if seen is None else (TemplateRecorded(replace(seen, name=name[1], observed_at=at), at),)
    after = seen_template(known, seen, at)
    same = replace(after, observed_at=known.observed_at) == known
    if same and ((known.observed_at is not None and made_at <= known.observed_at) or after.drift):
        return ()
    return (TemplateRecorded(after, at),)
