"""Output into a pipe whose reader may go away, as `| head` does: the command does all its work nevertheless.

What nobody reads goes nowhere; pages, saved plans and the exit code are what they would have been.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from pictify_sync.cli.runner_log import RunnerLog


class Piped(io.TextIOBase):
    """A stream into a pipe. `gone`: its reader went away, and nothing more is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.gone = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if not self.gone:
            try:
                self._stream.write(text)
            except BrokenPipeError:
                self._leave()
        return len(text)

    def flush(self) -> None:
        if not self.gone:
            try:
                self._stream.flush()
            except BrokenPipeError:
                self._leave()

    def _leave(self) -> None:
        self.gone = True
        silence(self._stream)


def silence(stream: TextIO) -> None:
    """Let what is still buffered for a stream go nowhere, so that nothing fails again at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def piped() -> Iterator[None]:
    """Take care of stdout and stderr for a while, where they are pipes."""
    streams = sys.stdout, sys.stderr
    kept = [Piped(stream) if _is_pipe(stream) else stream for stream in streams]
    sys.stdout, sys.stderr = cast("list[TextIO]", kept)
    try:
        yield
    finally:
        for stream in kept:
            if isinstance(stream, Piped):
                stream.flush()
        sys.stdout, sys.stderr = streams


def _is_pipe(stream: TextIO) -> bool:
    if isinstance(stream, Piped | RunnerLog):  # of a command within a command: it stays as it is
        return False
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
