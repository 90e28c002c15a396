"""The command line's entry: `pictify-sync`, or `python -m pictify_sync`. Render workers import it: keep it light."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command and exit with its code."""
    try:
        from pictify_sync.cli.root import run  # noqa: PLC0415 - workers of the render pool import this, not the CLI

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anybody to take it, or after a second one
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
