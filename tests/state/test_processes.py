"""Real processes on one state: killed anywhere, many at once, and on a full disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pictify_sync.core.entries import Recorded
from pictify_sync.core.model import AssetKey
from pictify_sync.errors import StateError
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import recorded
from tests.state.samples import stored

ROOT = Path(__file__).parents[2]
CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,mkdir,fcntl"


def start(path: Path, name: str, count: int, *before: str) -> subprocess.Popen[str]:
    """A writer, perhaps below another command."""
    command = [*before, sys.executable, "-m", "tests.state.writer", str(path), name, str(count)]
    quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **quiet)  # type: ignore[call-overload, no-any-return]


def acknowledged(writer: subprocess.Popen[str], first: str = "") -> dict[int, AssetKey]:
    """Whole lines that a writer wrote before it ended, the first of which may have been read already."""
    assert writer.stdout is not None
    said = first + writer.stdout.read()
    lines = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    writer.stdout.close()
    writer.wait()
    return {int(line[0]): AssetKey(line[1]) for line in lines if len(line) == 2}


def check(path: Path, acks: dict[int, AssetKey]) -> None:
    """Everything acknowledged is there, under its serial; the file is whole; nothing stands twice."""
    store = open_store(path, create=True)
    assert isinstance(store, SqliteStateStore)
    try:
        assert store.verify() == ()
        found = {}
        for serial, _, entry in store.entries():
            assert isinstance(entry, Recorded)
            found[serial] = entry.puts[0].key
        assert acks.items() <= found.items()
        assert len(set(found.values())) == len(found) == store.serial() == store.count()
    finally:
        store.close()


def kill_at_random(path: Path, rounds: int, seed: int) -> None:
    """Kill one writer after the other, each at another moment."""
    chance = random.Random(seed)
    acks: dict[int, AssetKey] = {}
    for turn in range(rounds):
        writer = start(path, f"w{turn}", 100_000)
        assert writer.stdout is not None
        # Killed while it starts, once it is ready, or after its first or second entry.
        first = "".join(writer.stdout.readline() for _ in range(turn % 4))
        time.sleep(chance.random() * 0.1)
        writer.send_signal(signal.SIGKILL)
        acks |= acknowledged(writer, first)
        if path.exists():
            check(path, acks)
    assert acks


def write_at_once(path: Path, writers: int, each: int, kills: int) -> None:
    """Many writers, some of them killed and replaced."""
    running = [start(path, f"w{number}", each) for number in range(writers)]
    acks: dict[int, AssetKey] = {}
    for kill in range(kills):
        time.sleep(0.5)
        victim = running.pop(0)
        victim.send_signal(signal.SIGKILL)
        running.append(start(path, f"r{kill}", each))
        acks |= acknowledged(victim)
    for writer in running:
        own = acknowledged(writer)
        assert len(own) == each
        assert not own.keys() & acks.keys()
        acks |= own
    check(path, acks)


def test_a_killed_writer_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """SIGKILL at random moments, from the first on: what was acknowledged is there and the state is whole."""
    kill_at_random(tmp_path / ".pictify-sync" / "state.db", rounds=5, seed=1)


@pytest.mark.full
def test_many_killed_writers_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """The same, a hundred times."""
    kill_at_random(tmp_path / ".pictify-sync" / "state.db", rounds=100, seed=2)


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Several processes that make and fill the state together: no entry lost, no serial twice."""
    write_at_once(tmp_path / ".pictify-sync" / "state.db", writers=3, each=40, kills=0)


@pytest.mark.full
def test_eight_writers_under_kills_lose_nothing(tmp_path: Path) -> None:
    """Eight writers, twenty kills."""
    write_at_once(tmp_path / ".pictify-sync" / "state.db", writers=8, each=300, kills=20)


@pytest.mark.full
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_kill_at_every_system_call_loses_nothing(tmp_path: Path) -> None:
    """Killed at each call that changes or synchronises a file, from making the state to its last commit."""
    survived = 0
    for point in range(1, 2000):
        path = tmp_path / str(point) / "state.db"
        trace = ("strace", "-f", "-o", "/dev/null", "-P", str(path), "-P", f"{path}-wal", "-P", str(path.parent))
        writer = start(path, "w", 3, *trace, "-e", f"inject={CALLS}:signal=KILL:when={point}")
        acks = acknowledged(writer)
        if path.exists():
            check(path, acks)
        shutil.rmtree(path.parent, ignore_errors=True)
        survived = survived + 1 if len(acks) == 3 else 0
        if survived == 2:
            assert point > 15
            return
    pytest.fail("never ran to its end")


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    """A file system of a few kilobytes; skips the test where it cannot be made."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.full
@pytest.mark.parametrize("size", [f"{kilobytes}k" for kilobytes in range(40, 840, 40)])
def test_a_full_disk_leaves_the_last_commit(tmp_path: Path, size: str) -> None:
    """When the disk is full a commit is refused with a hint, and everything before it can be read."""
    with small_disk(tmp_path / "disk", size):
        path = tmp_path / "disk" / "state.db"
        serial = 0
        try:
            store = open_store(path, create=True)
        except StateError:
            return
        try:
            with pytest.raises(StateError) as caught:  # noqa: PT012
                for serial in range(10_000):
                    store.commit(serial, [recorded(*map(stored, range(serial, serial + 5)))])
            assert "disk" in caught.value.hint
            assert store.serial() == serial
            assert sum(1 for _ in store.entries()) == serial
        finally:
            store.close()
