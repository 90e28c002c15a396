"""`python -m tests.end_to_end.dying before|after N`: an apply that kills itself with SIGKILL at its Nth log append.

Without arguments: an apply that prints how many appends it made. TEST_AHEAD: seconds by which its clock is ahead.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pictify_sync.core.entries import Entry
from pictify_sync.core.ports import StateStore
from pictify_sync.providers.registry import parts
from pictify_sync.settings import load_settings
from pictify_sync.state.sqlite.store import open_store
from pictify_sync.wiring import ApplyRun, Choice, Project


class DyingStore:
    """The real store, and the end of the process at one of its commits."""

    def __init__(self, store: StateStore, side: str, at: int) -> None:
        self._store, self._side, self._at = store, side, at
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        self.commits += 1
        if self.commits == self._at and self._side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        serial = self._store.commit(after_serial, entries)
        if self.commits == self._at and self._side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return serial


class Ahead:
    """The machine's clock, and some seconds more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return time.time() + self._seconds

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


def main() -> None:
    """Apply everything, or die on the way."""
    side, at = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else ("never", 0)
    stores: list[DyingStore] = []

    def open_state(path: Path, *, create: bool) -> StateStore:
        stores.append(DyingStore(open_store(path, create=create), side, at))
        return stores[-1]

    clock = Ahead(float(os.environ.get("TEST_AHEAD", "0")))
    project = Project(load_settings(None, os.environ, parts), clock, open_state=open_state)
    run = ApplyRun(project, lambda _: None, lambda: False)
    recovered = run.recover()
    plan, manifests = run.plan((), Choice())
    run.carry_out(plan, manifests, lambda _: None, recovered)
    project.close()
    print(max(store.commits for store in stores))


if __name__ == "__main__":
    main()
