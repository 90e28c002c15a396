"""A state on a Git ref: opening it on a new machine beside git itself, and pushes beside entries.

    python -m benchmarks.git_state [--records 100000] [--batches 100] [--push-seconds 0.5]

The hub is a bare repository on the same disk. Opening: `pictify-sync state fetch` in a new clone, beside a `git fetch`
of that one commit and reading its files. Pushes: batches that are intended, submitted and settled, three at a time, at
a hub whose pushes take a while; beside one push per entry.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import best
from pictify_sync.core.entries import Recorded
from pictify_sync.core.model import AssetKey, Record
from tests.state.git_remotes import REF, Hub, git
from tests.state.samples import AT, intended, print_of, settled, stored, submitted, variables

FETCH = f"git -C g fetch -q --depth=1 $HUB {REF}"
BARE = f"git init -q --bare g; {FETCH}; git -C g archive FETCH_HEAD > files.tar; rm -rf g"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--push-seconds", type=float, default=0.5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        opening(Path(folder), options.records)
    with tempfile.TemporaryDirectory() as folder:
        pushes(Path(folder), options.batches, options.push_seconds)


def opening(folder: Path, records: int) -> None:
    """A checkpoint of so many records, written, and opened on a new machine."""
    hub = Hub(folder / "hub.git")
    with hub.open(folder / "filler") as store:
        for start in range(0, records, 1000):
            numbers = range(start, min(start + 1000, records))
            sets = tuple((print_of(number).variables, variables(number)) for number in numbers)
            store.commit(store.serial(), [Recorded("import", tuple(map(record, numbers)), (), (), AT, sets)])
        began = time.process_time()
        store.compact()
        print(f"state compact of {records:,} records: {time.process_time() - began:.1f} s of our own CPU")
    project = folder / "project"
    project.mkdir()
    (project / "pictify-sync.yaml").write_text(f"version: 1\nstate: 'git+ref:{REF}?remote={hub.folder}'\n")
    fetch = f"rm -rf .pictify-sync; {sys.executable} -m pictify_sync state fetch"
    ours = best(["sh", "-c", fetch], project)
    bare = best(["sh", "-c", BARE.replace("$HUB", str(hub.folder))], project)
    size = int(git(hub.folder, "cat-file", "-s", f"{REF}:checkpoint/0000.jsonl"))
    print(f"{'':22} {'wall s':>7} {'CPU s':>7} {'peak MB':>8}   (first part: {size:,} bytes)")
    for name, usage in (("git fetch, git archive", bare), ("state fetch", ours)):
        print(f"{name:22} {usage.wall:>7.2f} {usage.cpu:>7.2f} {usage.peak:>8.0f}")
    print(f"ratio of CPU: {ours.cpu / bare.cpu:.1f}x")


def record(number: int) -> Record:
    """A record with a key of its own."""
    return replace(stored(number), key=AssetKey(f"cards/item-{number:06}@default"))


def pushes(folder: Path, batches: int, seconds: float) -> None:
    """The life of batches, three open at a time, each rendered in the time of one push."""
    hub = Hub(folder / "hub.git")
    hub.hook("pre-receive", f"sleep {seconds}")
    began = time.perf_counter()
    with hub.open(folder / "clone", linger=0.5) as store:
        flying: list[int] = []
        for number in [*range(batches), *([None] * 3)]:
            if len(flying) == 3 or number is None:
                time.sleep(seconds)
                done = flying.pop(0)
                store.commit(store.serial(), [settled(f"a{done}", stored(done))])
            if number is not None:
                store.commit(store.serial(), [intended(f"a{number}", {number: number})])
                store.commit(store.serial(), [submitted(f"a{number}")])
                flying.append(number)
        entries = store.serial()
    wall, made = time.perf_counter() - began, int(git(hub.folder, "rev-list", "--count", REF)) - 1
    print(
        f"{entries} entries in {made} pushes: {made / entries:.2f} pushes per entry, {wall / entries:.2f} s per entry"
    )


if __name__ == "__main__":
    main()
