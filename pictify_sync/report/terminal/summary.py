"""What an apply did, what failed and why, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pictify_sync.report.safe import safe
from pictify_sync.report.words import REMEDIES, Line, Tone, batches, count, listing, pictures, postponed

if TYPE_CHECKING:
    from pictify_sync.workflows.apply.outcome import ApplySummary
    from pictify_sync.workflows.collect import Collected

FAILURES = 20  # listed one by one


def summary_lines(done: ApplySummary, remedies: Mapping[str, str] = REMEDIES, *, again: str) -> Iterator[Line]:
    """Describe the outcome of an apply; `again` is the command that goes on with it."""
    yield Line(applied(done), Tone.WARN if incomplete(done) else Tone.GOOD)
    yield from (Line(text) for text in cost(done))
    yield from failure_lines(done.failed, remedies)
    yield from trouble_lines(done)
    if incomplete(done) or done.waiting:
        yield Line(f"Go on with: {again}")


def cost(done: ApplySummary) -> Iterator[str]:
    """Describe what was rendered for nothing, and what was billed."""
    if done.unbilled:
        yield f"Rendered {pictures(done.unbilled)}."
    if done.billed_max:
        yield f"Billed: {billed(done)} {'picture' if done.billed_max == 1 else 'pictures'}."


def billed(done: ApplySummary) -> str:
    """Return how many pictures were billed; `3 to 5` when nobody can tell."""
    few, many = done.billed_min, done.billed_max
    return f"{many:,}" if few == many else f"{few:,} to {many:,}"


def trouble_lines(done: ApplySummary) -> Iterator[Line]:
    """Describe what is left open, and why, apart from failures."""
    if done.left_alone:
        files = count(len(done.left_alone), "file")
        said = f"{files} no longer wanted, but left alone: the bytes are not those recorded. See pictify-sync status."
        yield Line(said, Tone.WARN)
    if done.unresolved:
        yield Line(
            f"{pictures(done.unresolved)} rendered, whose URL is not known yet. They are not rendered again.", Tone.WARN
        )
        yield Line("Look for them with: pictify-sync collect")
    if done.waiting:
        yield Line(f"{pictures(done.waiting)} in batches that are still open: the next apply fetches them.", Tone.WARN)
    if done.postponed:
        yield Line(f"{postponed(done.postponed)}.", Tone.WARN)
    if done.left:
        yield Line(
            f"{pictures(done.left)} not rendered, because the run ended early. pictify-sync plan names them.", Tone.WARN
        )
    if done.in_doubt:
        yield Line(f"{batches(done.in_doubt)} in doubt: the provider's answer was lost. {_DOUBT}", Tone.WARN)
    if done.taken:
        yield Line(
            f"Another run gave up {batches(done.taken)} of this run, and renders again what was not recorded.",
            Tone.WARN,
        )
    if done.interrupted:
        on = ": the next apply goes on with them" if done.embedded else " go on at the provider"
        more = f"; open batches{on}" if done.waiting else ""
        yield Line(f"Interrupted. Everything done so far is recorded{more}.", Tone.WARN)
    if done.stopped:
        yield Line(f"Stopped early: {safe(done.stopped)}", Tone.BAD)


def collected_lines(done: Collected, remedies: Mapping[str, str] = REMEDIES) -> Iterator[Line]:
    """Describe the outcome of a collect."""
    yield Line(f"Collected: {done.stored:,} stored.", Tone.GOOD)
    for source, why in sorted(done.silent.items()):
        yield Line(f"The source '{safe(source)}' could not be asked: {safe(why)}", Tone.WARN)
    yield from failure_lines(done.failed, remedies)
    if done.unresolved:
        yield Line(
            f"{pictures(done.unresolved)} rendered, whose URL is not known yet. Run collect again later.", Tone.WARN
        )


_DOUBT = "The next apply finds out before it renders any of them again."


def failure_lines(failed: Sequence[tuple[str, str, str]], remedies: Mapping[str, str]) -> Iterator[Line]:
    """List failures with the provider's reason, then what to do about each kind of them."""
    if not failed:
        return
    yield Line(f"{pictures(len(failed))} failed:", Tone.BAD)
    for key, code, message in failed[:FAILURES]:
        yield Line(f"  {safe(key)}: {safe(code)}" + (f": {safe(message)}" if message and message != code else ""))
    if len(failed) > FAILURES:
        yield Line(f"  and {len(failed) - FAILURES:,} more: pictify-sync status --failed", Tone.FAINT)
    yield from remedy_lines({code for _, code, _ in failed}, remedies)


def remedy_lines(codes: set[str], remedies: Mapping[str, str]) -> Iterator[Line]:
    """Say what to do about the known codes, sorted. `remedies`: code -> cause, and what to do."""
    for code in sorted(codes & remedies.keys()):
        yield Line(f"  {code}: {remedies[code]}.")


def incomplete(done: ApplySummary) -> bool:
    """Whether another apply has something to do."""
    return bool(done.failed or done.in_doubt or done.taken or done.interrupted or done.stopped)


def applied(done: ApplySummary) -> str:
    """Return the counts that are not zero."""
    counts = (
        (done.stored, "stored"),
        (done.unresolved, "rendered"),
        (done.moved, "moved"),
        (done.refetched, "fetched again"),
        (done.removed, "removed"),
        (done.protected, "protected"),
        (done.unprotected, "no longer protected"),
        (done.cleared, "cleared of a failure"),
        (len(done.failed), "failed"),
    )
    parts = [f"{number:,} {word}" for number, word in counts if number]
    kept = f"; {done.kept:,} unchanged" if done.kept else ""
    if not parts:
        unfinished = done.waiting or done.postponed or done.left or incomplete(done)
        parts = ["nothing yet" if unfinished else "nothing removed" if done.left_alone else "nothing to do"]
    return f"Applied: {listing(parts)}{kept}."
