"""The shapes of what `doctor --json` prints, and the part of it that `status --json` shows too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pictify_sync.core.dialect import Standing
from pictify_sync.core.entries import DialectFacts
from pictify_sync.core.health import Check


class Explored(Protocol):
    """What a live check found and what it cost."""

    @property
    def facts(self) -> DialectFacts | None: ...
    @property
    def billed_min(self) -> int: ...
    @property
    def billed_max(self) -> int: ...
    @property
    def notes(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a live check found out about a service; null: not known."""

    provider: Annotated[str, "Who renders."]
    service: Annotated[str, "Its base URL, without user and query."]
    found_at: Annotated[str, "ISO 8601, UTC."]
    in_use: Annotated[bool, "Whether it is the service in use; the facts of another one do not count."]
    stale: Annotated[bool, "Whether it was found out so long ago that another live check is due."]
    results: Annotated[str, "`nested`, `names`, `flat`, `legacy`, `dashboard`; empty: no documented shape."]
    urls_in_results: Annotated[bool, "Whether results carry the URLs of the pictures."]
    names_layouts: Annotated[bool | None, "Whether results name the layout of each picture."]
    honours_idempotency_key: Annotated[bool | None, "Whether a batch sent twice is rendered once."]
    takes_unknown_variables: Annotated[bool | None, "Whether a variable that a template does not declare is taken."]
    look_up: Annotated[bool | None, "Whether past renders are listed."]
    look_up_tells_variables: Annotated[bool | None, "Whether that list tells what went into them."]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at."""

    health: Annotated[str, "`ok`, `warning`, `error`, or `skipped` (not looked at)."]
    subject: Annotated[str, "What: `settings`, `account`, `templates`, `state`, ..."]
    place: Annotated[str, "Where: a file, folder, URL or provider."]
    message: Annotated[str, "What was found."]
    hint: Annotated[str, "What to do about it; empty when nothing is wrong."]


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """What `doctor --live` rendered to find out a dialect."""

    provider: Annotated[str, "Who rendered."]
    service: Annotated[str, "Its base URL, without user and query."]
    found: Annotated[bool, "Whether the dialect was found out."]
    billed_min: Annotated[int, "Pictures certainly billed."]
    billed_max: Annotated[int, "Pictures possibly billed, 4 at most."]
    notes: Annotated[list[str], "What stood in the way."]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """`doctor --json`: everything that was looked at."""

    healthy: Annotated[bool, "Whether the command exits with 0."]
    checks: Annotated[list[HealthCheck], "In the order in which they were made."]
    dialects: Annotated[list[Dialect], "Known from live checks, by provider and service."]
    live: Annotated[LiveCheck | None, "Null: without `--live`, or when the account was in no state for it."]


def dialects_of(found: Iterable[Standing]) -> list[Dialect]:
    """What is known of dialects, as a part of documents."""
    return [_dialect(one, one.probed.facts) for one in found if one.probed.facts is not None]


def _dialect(one: Standing, facts: DialectFacts) -> Dialect:
    return Dialect(
        provider=one.probed.provider,
        service=one.probed.service,
        found_at=one.probed.at,
        in_use=one.here,
        stale=one.stale,
        results=facts.results,
        urls_in_results=facts.urls_in_results,
        names_layouts=facts.names_layouts,
        honours_idempotency_key=facts.honours_idempotency_key,
        takes_unknown_variables=facts.takes_unknown_variables,
        look_up=facts.look_up,
        look_up_tells_variables=facts.look_up_tells_variables,
    )


def live_check(done: Explored, provider: str, service: str) -> LiveCheck:
    """A live check as a part of the document."""
    found = done.facts is not None
    return LiveCheck(provider, service, found, done.billed_min, done.billed_max, list(done.notes))


def health_report(
    checks: Sequence[Check], dialects: Iterable[Standing], live: LiveCheck | None, *, good: bool
) -> HealthReport:
    """The whole document. `good`: the command exits with 0."""
    found = [HealthCheck(str(one.health), one.subject, one.place, one.message, one.hint) for one in checks]
    return HealthReport(good, found, dialects_of(dialects), live)
