"""The command line's entry: `pictify-sync`, or `python -m pictify_sync`. Render workers import it: keep it light."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType


def main() -> None:
    """Run the command and exit with its code."""
    sys.excepthook = show_trace
    try:
        from pictify_sync.cli.root import run  # noqa: PLC0415 - workers of the render pool import this, not the CLI

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anybody to take it, or after a second one
        code = 1
    sys.exit(code)


def show_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the trace of a bug without keys: the message of an error may hold anything."""
    import os  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    from pictify_sync.credentials import hide  # noqa: PLC0415

    with suppress(Exception):
        from pictify_sync.providers.registry import parts  # noqa: PLC0415

        parts(())  # their keys are known by their form
    sys.stderr.write(hide("".join(traceback.format_exception(kind, error, trace)), os.environ))


if __name__ == "__main__":
    main()
