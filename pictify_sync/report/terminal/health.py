"""What `doctor` found, in words: checks, dialects, and what a live check cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pictify_sync.core.dialect import Standing
from pictify_sync.core.entries import DialectFacts
from pictify_sync.core.health import Check, Health
from pictify_sync.report.safe import safe
from pictify_sync.report.words import Line, Tone, count, pictures

if TYPE_CHECKING:
    from pictify_sync.workflows.doctor.live import Explored

TONES = {Health.OK: Tone.GOOD, Health.WARNING: Tone.WARN, Health.ERROR: Tone.BAD, Health.SKIPPED: Tone.FAINT}
FACTS = {
    "urls_in_results": "results carry URLs",
    "names_layouts": "results name layouts",
    "honours_idempotency_key": "the same POST twice is rendered once",
    "takes_unknown_variables": "unknown variables are taken",
    "look_up": "renders can be looked up",
    "look_up_tells_variables": "the look-up tells variables",
}
ANSWERS = {True: "yes", False: "no", None: "unknown"}


def check_line(check: Check) -> Line:
    """One check: how it is, what and where, and what to do about it."""
    place = f" ({safe(check.place)})" if check.place else ""
    hint = f"; {safe(check.hint)}" if check.hint else ""
    return Line(f"{check.health}: {safe(check.subject)}{place}: {safe(check.message)}{hint}", TONES[check.health])


def verdict_line(checks: Iterable[Check]) -> Line:
    """The last line: how many errors and warnings there are."""
    found = Counter(check.health for check in checks)
    errors, warnings = found[Health.ERROR], found[Health.WARNING]
    parts = [count(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    tone = Tone.BAD if errors else Tone.WARN if warnings else Tone.GOOD
    return Line(f"{', '.join(parts)}." if parts else "All is well.", tone)


def facts_lines(facts: DialectFacts) -> Iterator[Line]:
    """What was found out, one fact per line."""
    yield Line(f"  shape of results: {safe(facts.results) or 'none that is documented'}")
    for name, words in FACTS.items():
        yield Line(f"  {words}: {ANSWERS[getattr(facts, name)]}")


def live_lines(done: Explored, service: str) -> Iterator[Line]:
    """What a live check found, what stood in its way, and what it cost."""
    if done.facts is None:
        yield Line(f"Nothing was found out about {safe(service)}.", Tone.BAD)
    else:
        yield Line(f"Found out about {safe(service)}, and used from now on:", Tone.HEAD)
        yield from facts_lines(done.facts)
    for note in done.notes:
        yield Line(f"  note: {safe(note)}", Tone.WARN)
    exact = done.billed_min == done.billed_max
    least = "" if exact else f"{done.billed_min:,} to "
    yield Line(f"Billed: {least}{pictures(done.billed_max)}.")


def dialect_line(one: Standing) -> Line:
    """What is known of one service, on one line: for `status`."""
    probed, facts = one.probed, one.probed.facts
    said = [words for name, words in FACTS.items() if facts is not None and getattr(facts, name)]
    where = f"{safe(probed.provider)} at {safe(probed.service)}"
    notes = ["not the service in use"] if not one.here else []
    notes += ["long ago: pictify-sync doctor --live"] if one.stale else []
    shape = (facts.results if facts else "") or "undocumented"
    words = f"Dialect of {where}: {safe(shape)} results; {', '.join(said) or 'nothing else holds'}"
    return Line(f"{words}. Found {safe(probed.at)}" + (f" ({'; '.join(notes)})." if notes else "."), Tone.FAINT)
