"""Real processes on one Git ref: at once, and killed anywhere."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pictify_sync.core.entries import Intended
from tests.state.git_remotes import Hub

ROOT = Path(__file__).parents[2]


def start(hub: Hub, folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    """A claimer."""
    command = [sys.executable, "-m", "tests.state.claimer", str(hub.folder), str(folder), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def said(process: subprocess.Popen[str]) -> tuple[list[int], str]:
    """The keys whose claim was acknowledged, and what went wrong."""
    out, talk = process.communicate(timeout=120)
    lines = [line.split() for line in out.splitlines(keepends=True) if line.endswith("\n")]
    return [int(line[1]) for line in lines if line[0] == "claimed"], talk


def check(hub: Hub, folder: Path, claimed: list[int]) -> int:
    """Each acknowledged claim is on the ref, once; gives how many keys are recorded."""
    assert len(claimed) == len(set(claimed))
    with hub.open(folder) as store:
        entries = [entry for _, _, entry in store.entries() if isinstance(entry, Intended)]
        keys = [claim.key for entry in entries for claim in entry.claims]
        assert len(keys) == len(set(keys))
        assert {int(one[11:14]) for one in keys} >= set(claimed)
        return store.count()


def test_two_processes_never_claim_one_key(tmp_path: Path) -> None:
    """Both go through the same keys; every key is claimed by one of them, and recorded in the end."""
    hub = Hub(tmp_path / "hub.git")
    hub.hook("pre-receive", "sleep 0.05")
    running = [start(hub, tmp_path / name, name, 12) for name in ("a", "b")]
    told = [said(process) for process in running]
    assert [talk for _, talk in told] == ["", ""]
    claimed = [number for numbers, _ in told for number in numbers]
    assert sorted(claimed) == list(range(12))
    assert check(hub, tmp_path / "c", claimed) == 12


def kill_at_random(folder: Path, rounds: int, seed: int) -> None:
    """Kill one claimer after the other in the same folder while another one works, each at another moment."""
    chance, hub = random.Random(seed), Hub(folder / "hub.git")
    hub.hook("pre-receive", "sleep 0.02")
    claimed: list[int] = []
    for turn in range(rounds):
        other = start(hub, folder / "other", f"o{turn}", 3 + turn * 3)
        victim = start(hub, folder / "victim", f"v{turn}", 3 + turn * 3)
        assert victim.stdout is not None
        time.sleep(0.3 + chance.random() * 0.6)
        victim.send_signal(signal.SIGKILL)
        killed, _ = said(victim)
        ended, talk = said(other)
        assert talk == ""
        claimed += [*killed, *ended]
        check(hub, folder / "watcher", claimed)
    assert claimed


def test_a_killed_run_loses_no_intent(tmp_path: Path) -> None:
    """SIGKILL at random moments: what was acknowledged is on the ref, and nothing is claimed twice."""
    kill_at_random(tmp_path, rounds=2, seed=1)


@pytest.mark.full
def test_many_killed_runs_lose_no_intent(tmp_path: Path) -> None:
    """The same, forty times."""
    kill_at_random(tmp_path, rounds=40, seed=2)
