"""Lines on stdout (data) and stderr (messages), coloured on a terminal unless NO_COLOR is set."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import IO

import click

from pictify_sync.cli.streams import GuardedStream
from pictify_sync.core.ports import EventSink
from pictify_sync.credentials import hider
from pictify_sync.report.safe import escaped
from pictify_sync.report.words import Line, Tone

_STYLES: dict[Tone, dict[str, object]] = {
    Tone.HEAD: {"bold": True},
    Tone.FAINT: {"dim": True},
    Tone.ADD: {"fg": "green"},
    Tone.GOOD: {"fg": "green"},
    Tone.ALTER: {"fg": "yellow"},
    Tone.WARN: {"fg": "yellow"},
    Tone.MOVE: {"fg": "cyan"},
    Tone.REMOVE: {"fg": "red"},
    Tone.BAD: {"fg": "red"},
}


def print_output(lines: Iterable[Line]) -> None:
    """Write lines to stdout."""
    _write(lines, sys.stdout)


def print_message(lines: Iterable[Line]) -> None:
    """Write lines to stderr, after what is on stdout: in a log that takes both, they stay in order."""
    sys.stdout.flush()
    _write(lines, sys.stderr)


class JsonOut(io.TextIOBase):
    """stdout for JSON documents: what cannot be seen stands there as an escape, which changes no value."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        sys.stdout.write(escaped(text))
        return len(text)


def coloured(stream: IO[str]) -> bool:
    """Whether a stream is a terminal that wants colours (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(lines: Iterable[Line], stream: IO[str]) -> None:
    colour, hidden = coloured(stream), hider(os.environ)
    for text, tone in lines:
        if isinstance(stream, GuardedStream) and stream.gone:
            return  # nobody reads the rest
        style = _STYLES.get(tone) if colour else None
        text = hidden(text)  # noqa: PLW2901 - the last place where a key can be taken out
        print(click.style(text, **style) if style else text, file=stream)  # type: ignore[arg-type]


def is_asked() -> bool:
    """Whether somebody at a terminal can be asked."""
    return bool(sys.stdin) and sys.stdin.isatty()


def confirmed(question: str, otherwise: str) -> bool:
    """Ask on the terminal; anything but yes, Ctrl-C and the end of input are a no, which says what is so otherwise."""
    try:
        answer: str = click.prompt(f"{question} Only 'yes' is accepted", default="", show_default=False, err=True)
    except click.Abort:
        click.echo(err=True)
        answer = ""
    if answer.strip() != "yes":
        click.echo(otherwise, err=True)
    return answer.strip() == "yes"


def progress() -> AbstractContextManager[EventSink]:
    """A bar on a terminal, plain lines elsewhere; both on stderr."""
    from pictify_sync.report.terminal.progress import BarProgress, PlainProgress

    if sys.stderr.isatty():
        return BarProgress(sys.stderr, colour=coloured(sys.stderr))
    return PlainProgress(lambda line: print_message([line]))


class StopSignal:
    """Turns true at the first SIGINT or SIGTERM; the second one interrupts at once."""

    def __init__(self) -> None:
        self.stopped = False

    def __call__(self) -> bool:
        return self.stopped

    @contextmanager
    def watching(self) -> Iterator[StopSignal]:
        """Take the signals over for a while."""
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, old in before.items():
                signal.signal(number, old)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the shape of a signal's function
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        print_message([Line("Stopping: nothing more is submitted. Press Ctrl-C again to stop at once.", Tone.WARN)])
