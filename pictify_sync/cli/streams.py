"""stdout and stderr while a command runs: guarded where a pipe's reader may go away, or a GitHub runner reads.

A command whose output nobody reads any more, as with `| head`, does all its work nevertheless. In GitHub Actions no
text becomes a workflow command; annotations do. This module must not know any command.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from pictify_sync.credentials import hide
from pictify_sync.github.runner_log import disarmed


class GuardedStream(io.TextIOBase):
    """A stream that somebody reads while it is written. `gone`: the reader went away, and nothing more is written.

    With `runner` it is that of GitHub Actions: lines go out whole, for only a whole line can be judged.
    """

    def __init__(self, stream: TextIO, *, runner: bool) -> None:
        self._stream = stream
        self._runner = runner
        self._begun = ""  # of the line that is being written
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
        whole = text
        if self._runner:
            end = max(text.rfind("\n"), text.rfind("\r")) + 1
            whole = disarmed(self._begun + text[:end]) if end else ""
            self._begun = text[end:] if end else self._begun + text
        self._send(whole)
        return len(text)

    def flush(self) -> None:
        with self._leaving():
            self._stream.flush()

    def write_commands(self, lines: Iterable[str]) -> None:
        """Write workflow commands, which the runner acts upon."""
        self.finish()
        self._send("".join(f"{line}\n" for line in lines))
        self.flush()

    def finish(self) -> None:
        """End a line that was begun."""
        if self._begun:
            self.write("\n")
        self.flush()

    def _send(self, text: str) -> None:
        with self._leaving():
            if not self.gone:
                self._stream.write(text)

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.gone = True
            silence(self._stream)


def silence(stream: TextIO) -> None:
    """Discard what is still buffered for a stream, so that nothing fails again at exit."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextmanager
def guarded(environ: Mapping[str, str]) -> Iterator[None]:
    """Guard stdout and stderr for a while."""
    streams = sys.stdout, sys.stderr
    in_actions = environ.get("GITHUB_ACTIONS") == "true"
    sys.stdout, sys.stderr = (_guarded(stream, in_actions=in_actions) for stream in streams)
    try:
        yield
    finally:
        for stream, before in zip((sys.stdout, sys.stderr), streams, strict=True):
            if isinstance(stream, GuardedStream) and stream is not before:
                with suppress(OSError, ValueError):  # whoever read it has gone
                    stream.finish()
        sys.stdout, sys.stderr = streams


def write_commands(commands: Iterable[str]) -> None:
    """Return the runner commands on stderr: what is on stdout may be a document."""
    lines = [one if one.startswith("::add-mask") else hide(one, os.environ) for one in commands]
    stream = sys.stderr
    if isinstance(stream, GuardedStream):
        stream.write_commands(lines)
    else:
        stream.writelines(f"{line}\n" for line in lines)


def _guarded(stream: TextIO, *, in_actions: bool) -> TextIO:
    """Guard a stream; a regular file is read by nobody while it is written, and a guarded stream stays as it is."""
    if isinstance(stream, GuardedStream):
        return stream
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        mode = 0
    pipe, runner = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode), in_actions and not stat.S_ISREG(mode)
    return cast("TextIO", GuardedStream(stream, runner=runner)) if pipe or runner else stream
