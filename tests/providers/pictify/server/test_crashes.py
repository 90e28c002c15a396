"""Killed and started again, alone and in company: the meter says that each picture was made once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pictify_sync.providers.pictify.server.app import read_meter

REPOSITORY = Path(__file__).parents[4]


class Started:
    """A process that renders a batch."""

    def __init__(self, folder: Path, key: str, items: int, *, seconds: float = 0.004, workers: int = 2) -> None:
        log = folder / "log" / key
        log.mkdir(parents=True, exist_ok=True)
        self.log = log
        words = [str(folder / "local"), str(log), key, str(items), str(seconds), str(workers)]
        command = [sys.executable, "-W", "ignore", "-m", "tests.providers.pictify.server.run", *words]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        """SIGKILL this process alone: its workers have to notice."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Wait for its end."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(60)

    def workers(self) -> set[int]:
        """Processes that made a picture."""
        return {int(one.name.partition("-")[2]) for one in self.log.glob("*-*")}


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether that process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def metered_once(folder: Path, items: int, batches: int = 1) -> None:
    """Each picture of each batch is in the meter, once."""
    meter = read_meter(folder / "local")
    counts = Counter((one["batch"], one["position"], one["layout"]) for one in meter)
    assert set(counts.values()) == {1}
    assert len({one["batch"] for one in meter}) == batches
    assert len(counts) == batches * items * 2


def test_killed_again_and_again(tmp_path: Path) -> None:
    """A batch whose process is killed twice is finished by the third, and nothing is metered twice."""
    chance = random.Random(7)
    answers = set()
    for _ in range(2):
        run = Started(tmp_path, "key", 120)
        answers.add(run.line())
        seen = len(list(run.log.iterdir()))
        eventually(lambda run=run, seen=seen: len(list(run.log.iterdir())) > seen)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 0.3))
        run.kill()
        pids = run.workers()
        eventually(lambda pids=pids: not any(map(alive, pids)))  # type: ignore[misc]
    last = Started(tmp_path, "key", 120)
    answers.add(last.line())
    assert last.line() == "completed"
    assert last.end() == 0
    assert len(answers) == 1
    metered_once(tmp_path, 120)
    assert not list((tmp_path / "local" / "runs").iterdir())


def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """Two processes on one folder, each with its own batch, render every picture of both once."""
    runs = [Started(tmp_path, key, 60, workers=1) for key in ("one", "two")]
    for run in runs:
        assert run.line().startswith("accepted")
    assert [run.line() for run in runs] == ["completed"] * 2
    assert [run.end() for run in runs] == [0, 0]
    metered_once(tmp_path, 60, batches=2)


def test_two_processes_on_one_batch(tmp_path: Path) -> None:
    """Two processes that ask for one batch by the same key share its work, and both see it end."""
    runs = [Started(tmp_path, "same", 100, workers=1)]
    assert runs[0].line().startswith("accepted")
    runs.append(Started(tmp_path, "same", 100, workers=1))
    assert runs[1].line().startswith("accepted")
    assert [run.line() for run in runs] == ["completed"] * 2
    assert [run.end() for run in runs] == [0, 0]
    metered_once(tmp_path, 100)


def test_the_living_take_over_at_once(tmp_path: Path) -> None:
    """What a killed process had claimed is free as soon as it is dead: no lease has to run out."""
    slow = Started(tmp_path, "key", 8, seconds=1.0, workers=2)
    slow.line()
    time.sleep(0.5)
    slow.kill()
    started = time.monotonic()
    fast = Started(tmp_path, "key", 8, seconds=0.0)
    fast.line()
    assert fast.line() == "completed"
    assert fast.end() == 0
    assert time.monotonic() - started < 30  # a busy machine starts slowly; a lease would last longer
    metered_once(tmp_path, 8)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(12))
def test_a_crowd_under_fire(tmp_path: Path, seed: int) -> None:
    """Three processes on one folder, killed at random and started again, make each picture of each batch once."""
    chance = random.Random(seed)
    keys = ["one", "two", "three"]
    runs = {key: Started(tmp_path, key, 80, workers=1) for key in keys}
    for _ in range(8):
        time.sleep(chance.uniform(0.0, 0.8))
        key = chance.choice(keys)
        runs[key].kill()
        runs[key] = Started(tmp_path, key, 80, workers=1)
    for key in keys:
        said = [runs[key].line(), runs[key].line()]
        assert said[1] == "completed", (os.getpid(), said)
        assert runs[key].end() == 0
    metered_once(tmp_path, 80, batches=3)
