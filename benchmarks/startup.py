"""How long the command needs to start, beside Python itself.

    python -m benchmarks.startup [--runs 30]

`pictify-sync --version` and `python -c pass` in turns; medians of wall clock and of CPU seconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from benchmarks.measure import Usage, run

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "--version": [sys.executable, "-m", "pictify_sync", "--version"],
    "--help": [sys.executable, "-m", "pictify_sync", "--help"],
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30, help="of each command")
    runs = parser.parse_args().runs
    found: dict[str, list[Usage]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            found[name].append(run(command, Path.cwd()))
    least = medians(found["python -c pass"])
    print(f"{'':16} {'wall ms':>8} {'ratio':>6} {'CPU ms':>8} {'ratio':>6}")
    for name, usages in found.items():
        wall, cpu = medians(usages)
        print(f"{name:16} {wall * 1000:>8.1f} {wall / least[0]:>5.1f}x {cpu * 1000:>8.1f} {cpu / least[1]:>5.1f}x")


def medians(usages: list[Usage]) -> tuple[float, float]:
    """Wall clock and CPU seconds."""
    return statistics.median(one.wall for one in usages), statistics.median(one.cpu for one in usages)


if __name__ == "__main__":
    main()
