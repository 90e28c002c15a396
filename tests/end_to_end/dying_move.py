"""`python -m tests.end_to_end.dying_move N`: an apply that is killed once N files are at another place."""

from __future__ import annotations

import os
import signal
import sys

from pictify_sync.core.events import AssetStored, Event
from pictify_sync.providers.registry import parts
from pictify_sync.settings import load_settings
from pictify_sync.wiring import ApplyRun, Choice, Project
from tests.end_to_end.dying import Ahead


def main() -> None:
    """Apply everything, and die on the way."""
    left = int(sys.argv[1])

    def count(event: Event) -> None:
        nonlocal left
        left -= isinstance(event, AssetStored)
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    project = Project(load_settings(None, os.environ, parts), Ahead(0.0))
    run = ApplyRun(project, count, lambda: False)
    recovered = run.recover()
    plan, manifests = run.plan((), Choice())
    run.carry_out(plan, manifests, lambda _: None, recovered)


if __name__ == "__main__":
    main()
