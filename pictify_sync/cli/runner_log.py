"""stdout and stderr of a command inside GitHub Actions: text never becomes a command of the runner, annotations do.

Active wherever GITHUB_ACTIONS is true, but for streams that go to a file. This module must not know any command.
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
from pictify_sync.report.workflow_commands import disarmed


class RunnerLog(io.TextIOBase):
    """A stream that the runner reads. Lines go out whole, for only a whole line can be judged."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""  # of the line that is being written

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
        end = max(text.rfind("\n"), text.rfind("\r")) + 1
        if end:
            self._stream.write(disarmed(self._begun + text[:end]))
            self._begun = ""
        self._begun += text[end:]
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def instruct(self, commands: Iterable[str]) -> None:
        """Write lines that the runner acts upon, made by `workflow_command`."""
        self.finish()
        self._stream.writelines(f"{line}\n" for line in commands)
        self._stream.flush()

    def finish(self) -> None:
        """End a line that was begun."""
        if self._begun:
            self.write("\n")
        self.flush()


@contextmanager
def runner_log(environ: Mapping[str, str]) -> Iterator[None]:
    """Guard stdout and stderr for a while, where a runner may be reading them."""
    streams = sys.stdout, sys.stderr
    watched = environ.get("GITHUB_ACTIONS") == "true"
    logs = [RunnerLog(stream) if watched and _read_by_runner(stream) else None for stream in streams]
    sys.stdout, sys.stderr = (cast("TextIO", log or stream) for log, stream in zip(logs, streams, strict=True))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for log in filter(None, logs):
            with suppress(OSError, ValueError):  # whoever read it has gone
                log.finish()


def instruct(commands: Iterable[str]) -> None:
    """Tell the runner something, on stderr: what is on stdout may be a document."""
    commands = [one if one.startswith("::add-mask") else hide(one, os.environ) for one in commands]
    log = sys.stderr
    if isinstance(log, RunnerLog):
        log.instruct(commands)
    else:
        log.writelines(f"{line}\n" for line in commands)


def _read_by_runner(stream: TextIO) -> bool:
    """A regular file is read by nobody while it is written; what is guarded already stays so."""
    if isinstance(stream, RunnerLog):
        return False
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return True
