"""The log in words: one line per entry that changed something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pictify_sync.core.binding import project_title
from pictify_sync.core.entries import (
    Abandoned,
    Applied,
    Bound,
    Cleaned,
    Doubted,
    Entry,
    Intended,
    Moved,
    MovesIntended,
    PastCosts,
    Probed,
    Recorded,
    Settled,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.report.safe import safe
from pictify_sync.report.words import Line, Tone, batches, pictures


def history_lines(entries: Iterable[tuple[int, str, Entry]]) -> Iterator[Line]:
    """Describe every entry: serial, time, what happened."""
    for serial, at, entry in entries:
        words, tone = _words(entry)
        yield Line(f"{serial:>6}  {safe(at)}  {words}", tone)


def _words(entry: Entry) -> tuple[str, Tone]:
    match entry:
        case Intended():
            group = entry.batch.group
            return (
                f"batch of {pictures(entry.batch.renders)} intended ({safe(group.template)}, run {safe(entry.run)})",
                _FAINT,
            )
        case Submitted():
            return f"batch submitted as {safe(entry.batch_id)}", _FAINT
        case Doubted():
            return f"batch in doubt: {safe(entry.detail)}", Tone.WARN
        case Settled():
            return _settled(entry)
        case Abandoned():
            return f"batch given up: {safe(entry.detail)}", Tone.WARN
        case TemplateRecorded():
            return f"template {safe(entry.record.name)} is {safe(entry.record.uid)}", Tone.PLAIN
        case Probed():
            state = "begun" if entry.facts is None else "ended"
            cost = f"{entry.billed_min:,} to {entry.billed_max:,} pictures billed"
            return (
                f"live check of {safe(entry.provider)} {state}: {cost}",
                _FAINT if entry.facts is None else Tone.PLAIN,
            )
        case PastCosts():
            few, many = entry.billed_min, entry.billed_max
            made = pictures(many) if few == many else f"{few:,} to {pictures(many)}"
            return f"carried over: {batches(entry.attempts)}, {made} rendered", _FAINT
        case Bound():
            return f"the state belongs to the project {safe(project_title(entry.project))}", Tone.PLAIN
        case Applied():
            return f"apply of the commit {safe(entry.commit[:12])} (run {safe(entry.run)})", _FAINT
        case MovesIntended() | Moved() | Recorded() | Cleaned():
            return _carried(entry)


_FAINT = Tone.FAINT


def _settled(entry: Settled) -> tuple[str, Tone]:
    failed = sum(record.failure is not None for record in entry.puts)
    words = f"batch {safe(entry.status)}: {pictures(len(entry.puts) - failed)} recorded"
    return (f"{words}, {failed:,} failed", Tone.BAD) if failed else (words, Tone.GOOD)


def _carried(entry: MovesIntended | Moved | Recorded | Cleaned) -> tuple[str, Tone]:
    match entry:
        case MovesIntended():
            return f"{pictures(len(entry.moves))} about to move", _FAINT
        case Moved():
            return f"{pictures(len(entry.puts))} moved or copied", Tone.MOVE
        case Cleaned():
            return f"{len(entry.paths):,} old files removed", _FAINT
        case Recorded():
            return f"{safe(entry.why)}: {len(entry.puts):,} changed, {len(entry.removes):,} forgotten", Tone.PLAIN
