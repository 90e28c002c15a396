"""What a run tells while it goes on: a progress bar on a terminal, plain lines elsewhere. Both go to the talk stream.

An event sink is any callable that takes an event; both shown here are also context managers that end what they began.
This module must not know who runs, nor what the events cause.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from pictify_sync.core.events import (
    AssetFailed,
    AssetRemoved,
    AssetStored,
    AssetUnresolved,
    BatchElsewhere,
    BatchHeld,
    BatchInDoubt,
    BatchLost,
    BatchOdd,
    BatchProgress,
    BatchQuarantined,
    BatchRefused,
    BatchSubmitted,
    BatchTaken,
    Event,
    FileLeft,
    FileSpared,
    MovesElsewhere,
    Resumed,
    RunStarted,
    SharedUrl,
    TemplatePushed,
    Waiting,
)
from pictify_sync.core.model import AssetKey
from pictify_sync.report.safe import safe
from pictify_sync.report.words import Line, Tone, batches, count, duration, listing, pictures

if TYPE_CHECKING:
    from rich.progress import Progress

FAILURES_TOLD = 20  # while the run goes on; the summary tells how to see the others


def event_line(event: Event) -> Line | None:
    """Describe what happened, on one line; None for what only moves a bar or comes by the thousand."""
    match event:
        case RunStarted():
            return _started(event)
        case TemplatePushed():
            return Line(f"Template {safe(event.name)} pushed as {safe(event.uid)}.")
        case AssetUnresolved():
            why = f"could not be fetched: {safe(event.why)}" if event.why else "its URL is not known yet."
            return Line(f"{safe(event.key)} is rendered, but {why}", Tone.WARN)
        case AssetFailed():
            return Line(f"{safe(event.key)} failed: {safe(event.code)}: {safe(event.message)}", Tone.BAD)
        case FileLeft():
            return Line(f"{safe(event.path)} was left alone: its bytes are not the recorded ones.", Tone.WARN)
        case FileSpared():
            return Line(f"{safe(event.path)} was not ours: it is {safe(event.new_path)} now.", Tone.WARN)
        case Waiting():
            return Line(f"Waiting {event.seconds:.0f} s: {safe(event.why)}") if event.seconds >= 1 else None
        case AssetStored() | AssetRemoved() | BatchProgress():
            return None
        case _:
            return _batch_line(event)


_AboutBatch = (
    Resumed
    | BatchSubmitted
    | BatchOdd
    | SharedUrl
    | BatchRefused
    | BatchInDoubt
    | BatchLost
    | BatchQuarantined
    | BatchElsewhere
    | MovesElsewhere
    | BatchTaken
    | BatchHeld
)


def _batch_line(event: _AboutBatch) -> Line:
    match event:
        case Resumed():
            return Line(f"Goes on with an open batch: {pictures(event.pictures)}.")
        case BatchSubmitted():
            group = event.group
            where = f"template {safe(group.template)}, {group.format}, provider {safe(group.provider)}"
            return Line(f"Batch {safe(event.batch_id)} submitted: {pictures(event.pictures)} ({where}).")
        case BatchOdd():
            what = f"Batch {safe(event.batch_id)} does not add up: {safe(event.detail)}"
            return Line(f"{what}. Each of its pictures is recorded as the provider reports it.", Tone.WARN)
        case SharedUrl():
            what = f"{safe(event.keys[0])} and {safe(event.keys[1])} have the same URL, although their inputs differ"
            also = f" ({pictures(event.more)} more)" if event.more else ""
            return Line(f"{what}{also}. Look at the file: is it right for both?", Tone.WARN)
        case BatchRefused():
            return Line(f"Batch refused: {safe(event.code)}: {safe(event.message)}", Tone.BAD)
        case BatchInDoubt():
            return Line(f"Batch in doubt: {safe(event.detail)}", Tone.WARN)
        case BatchLost():
            cost = f"it may have cost {pictures(event.pictures)}"
            return Line(f"A batch is given up ({cost}): {safe(event.why)}", Tone.WARN)
        case BatchQuarantined():
            until = datetime.fromtimestamp(event.until, UTC).isoformat(sep=" ", timespec="minutes")
            return Line(f"A batch in doubt is left alone until {until}: an answer may still come.", Tone.WARN)
        case BatchElsewhere() | MovesElsewhere():
            return _elsewhere(event)
        case BatchTaken():
            what = f"Another run gave up a batch of this run ({pictures(event.pictures)})"
            return Line(f"{what}: {safe(event.why)}", Tone.WARN)
        case BatchHeld():
            return Line(f"A batch in doubt waits for: pictify-sync resolve {safe(event.attempt)}", Tone.WARN)


def _elsewhere(event: BatchElsewhere | MovesElsewhere) -> Line:
    """Describe what another run is at, how long that is waited for, and what to do where it is dead."""
    wait = f"waiting for it, {duration(event.seconds)} at most. If that run is dead:"
    if isinstance(event, BatchElsewhere):
        remedy = f"pictify-sync resolve {safe(event.attempt)} --resubmit"
        return Line(f"Another run is rendering {pictures(event.pictures)}: {wait} {remedy}")
    files = count(event.files, "file")
    return Line(f"Another run is moving {files} in a folder of its own: {wait} pictify-sync apply there")


def _started(event: RunStarted) -> Line | None:
    """Describe how much there is to do."""
    work = [f"fetch {pictures(event.fetches)} again"] * bool(event.fetches)
    most = "up to " if event.fetches else ""
    work += [f"render {most}{pictures(event.renders)} in {most}{batches(event.batches)}"] * bool(event.renders)
    work += [f"move or copy {event.moves:,}"] * bool(event.moves)
    work += [f"delete {event.deletes:,}"] * bool(event.deletes)
    return Line(f"To do: {listing(work)}.") if work else None


class _Counts:
    """What was done so far."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.failed = 0
        self._attempts: set[str] = set()  # batches that are in the total
        self._untold: set[AssetKey] = set()  # counted already: rendered, and their URL came or may come later

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case RunStarted():
                self.total = max(self.total, self.done + event.renders + event.moves + event.deletes)
            case BatchSubmitted():
                self._attempts.add(event.attempt)
            case Resumed() if event.attempt not in self._attempts:  # a batch of this run is counted already
                self._attempts.add(event.attempt)
                self.total += event.pictures
            case AssetFailed():
                self.failed += 1
                self.done += event.key not in self._untold
            case AssetStored() if event.key in self._untold:
                self._untold.remove(event.key)
            case AssetUnresolved():
                self._untold.add(event.key)
                self.done += 1
            case AssetStored() | AssetRemoved():
                self.done += 1
            case _:
                return
        self.total = max(self.total, self.done)

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"[{self.done:,}/{self.total:,}]{failed}"


class PlainProgress:
    """A line for what matters, and at most one line of counts per second."""

    def __init__(self, write: Callable[[Line], None], clock: Callable[[], float] = monotonic) -> None:
        self._write = write
        self._clock = clock
        self._counts = _Counts()
        self._told = float("-inf")
        self._behind = False

    def __call__(self, event: Event) -> None:
        self._counts.add(event)
        line = event_line(event)
        if isinstance(event, AssetFailed) and self._counts.failed > FAILURES_TOLD:
            line = None
        if line is not None:
            self._write(line)
        if isinstance(event, AssetStored | AssetRemoved | AssetFailed | AssetUnresolved):
            self._behind = True
            if self._clock() - self._told >= 1:
                self._tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._behind:
            self._tell()

    def _tell(self) -> None:
        self._told, self._behind = self._clock(), False
        self._write(Line(str(self._counts), Tone.FAINT))


class BarProgress:
    """A Rich progress bar with the lines that matter above it; Rich is loaded here and nowhere else."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - 35 ms that only a terminal is worth
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        console = Console(file=stream, no_color=not colour, highlight=False, markup=False, emoji=False, soft_wrap=True)
        columns: tuple[Any, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar: Progress = Progress(*columns, console=console, transient=True)
        self._row = self._bar.add_task("pictures", total=None)
        self._counts = _Counts()

    def __call__(self, event: Event) -> None:
        self._bar.start()  # with the first event, so that a run without work draws nothing
        self._counts.add(event)
        line = event_line(event)
        if line is not None and not (isinstance(event, AssetFailed) and self._counts.failed > FAILURES_TOLD):
            self._bar.console.print(line.text, style={Tone.BAD: "red", Tone.WARN: "yellow"}.get(line.tone))
        failed = f", {self._counts.failed:,} failed" if self._counts.failed else ""
        self._bar.update(
            self._row,
            completed=self._counts.done,
            total=self._counts.total or None,
            description=f"{count(self._counts.done, 'picture')}{failed}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._bar.stop()
