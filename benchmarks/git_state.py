"""A state on a Git ref: opening it on a new machine beside git itself, and pushes beside entries.

    python -m benchmarks.git_state [--records 100000] [--batches 100] [--push-seconds 0.5]
    python -m benchmarks.git_state --applies 3   # only the part that compares applies

The hub is a bare repository on the same disk. Opening: `pictify-sync state fetch` in a new clone, beside a `git fetch`
of that one commit and reading its files. Pushes: batches that are intended, submitted and settled, three at a time, at
a hub whose pushes take a while; beside one push per entry. Applies: the embedded engine renders 20 batches,
with entries that may wait pushed in the background, beside every commit pushed before it returns; in turns, each in a
project and at a hub of its own, whose pushes take no longer than they must, and 200 ms more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.measure import best
from pictify_sync.core.entries import Entry, Recorded
from pictify_sync.core.model import AssetKey, Record
from pictify_sync.providers.registry import parts
from pictify_sync.settings import load_settings
from pictify_sync.state.git.store import GitStateStore
from pictify_sync.wiring import ApplyRun, Choice, Project
from pictify_sync.wiring.states import opener
from tests.end_to_end.project import ProjectFolder
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
    parser.add_argument("--applies", type=int, default=0, help="of each kind; 0: none, and all else")
    options = parser.parse_args()
    if options.applies:
        applies(options.applies)
        return
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


class EachPushed:
    """A state on a ref that has nothing waiting: what a commit wrote is at the remote before it returns."""

    def __init__(self, store: GitStateStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        """Commit and push."""
        serial = self._store.commit(after_serial, entries)
        self._store.flush()
        return serial


def applies(runs: int) -> None:
    """The wall clock and the pushes of whole applies, in turns."""
    for seconds in (0.0, 0.2):
        found: dict[bool, list[tuple[float, int]]] = {False: [], True: []}
        for _ in range(runs):
            for each in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    found[each].append(one_apply(Path(folder), seconds, each=each))
        print(f"pushes that take {seconds:.1f} s more:")
        walls = {each: statistics.median(wall for wall, _ in some) for each, some in found.items()}
        for each, name in ((False, "in the background"), (True, "each commit pushed")):
            print(f"  {name:20} {walls[each]:6.2f} s, {statistics.median(made for _, made in found[each]):.0f} pushes")
        print(f"  ratio of wall clock {walls[True] / walls[False]:.2f}x")


def one_apply(folder: Path, seconds: float, *, each: bool) -> tuple[float, int]:
    """Seconds and pushes of a first apply of 20 batches of five items in two layouts."""
    hub = Hub(folder / "hub.git")
    if seconds:
        hub.hook("pre-receive", f"sleep {seconds}")
    settings = f"state: 'git+ref:{REF}?remote={hub.folder}'\nproviders: {{local: {{max_items: 5}}}}\n"
    project = ProjectFolder(folder / "project", settings=settings)
    rows = "".join(f"i{number},Title {number},#336699\n" for number in range(100))
    (project.folder / "manifests/rows.csv").write_text(f"id,title,colour\n{rows}")
    os.chdir(project.folder)
    opened = load_settings(None, os.environ, parts)

    def open_state(path: Path, *, create: bool) -> Any:
        store = opener(opened)(path, create=create)
        return EachPushed(store) if each and isinstance(store, GitStateStore) else store

    began = time.perf_counter()
    at_work = Project(opened, open_state=open_state)
    run = ApplyRun(at_work, lambda _: None, lambda: False)
    recovered = run.recover()
    plan, manifests = run.plan((), Choice())
    assert len(plan.batches) == 20, "so many are compared"
    done = run.carry_out(plan, manifests, lambda _: None, recovered)
    at_work.close()
    wall = time.perf_counter() - began
    assert done.stored == 200, "all of them"
    return wall, int(git(hub.folder, "rev-list", "--count", REF)) - 1


if __name__ == "__main__":
    main()
