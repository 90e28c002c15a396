"""CPU seconds and peak memory of whole processes, as the operating system accounts for them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process used."""

    cpu: float  # seconds, user and system
    wall: float  # seconds
    peak: float  # MB, resident
    code: int  # exit code


def run(command: Sequence[str], folder: Path, *, expect: Sequence[int] = (0,)) -> Usage:
    """Run a command in a folder, output thrown away; raises RuntimeError on an exit code that is not expected."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        talk = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode not in expect:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {talk.decode()[-2000:]}")
    peak = usage.ru_maxrss / 1024 if sys.platform != "darwin" else usage.ru_maxrss / 1024**2
    return Usage(usage.ru_utime + usage.ru_stime, wall, peak, process.returncode)


def best(command: Sequence[str], folder: Path, *, runs: int = 3, expect: Sequence[int] = (0,)) -> Usage:
    """The run with the least CPU of several."""
    return min((run(command, folder, expect=expect) for _ in range(runs)), key=lambda usage: usage.cpu)
