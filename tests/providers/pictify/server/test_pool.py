"""The render pool alone: calls outlive their workers, journals outlive kills."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pebble import ProcessExpired, ProcessPool

from pictify_sync.providers.pictify.server.store.database import Store, missing
from pictify_sync.rendering.engines.pool import Chunk, Picture, RenderPool, fill, read_journal, render_chunk
from pictify_sync.rendering.failure import Cause, RenderFailed
from tests.providers.pictify.server.fake_engine import FakeRenderer


class NotedRenderer(FakeRenderer):
    """Leaves a file in a folder when it is made."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        Path(folder, f"{os.getpid()}-{time.time_ns()}").touch()


class Lockless(RenderPool):
    """A pool on a machine whose shared memory takes no locks."""

    def __init__(self, number: int) -> None:
        super().__init__(1)
        self._number = number

    def _start(self) -> ProcessPool:
        raise OSError(self._number, os.strerror(self._number))


@pytest.fixture
def pool() -> Iterator[RenderPool]:
    """One worker whose calls may take a second."""
    made = RenderPool(1, longest=1.0)
    yield made
    made.shutdown(cancel_futures=True)


def chunk(folder: Path, *variables: str, seconds: float = 5.0, budget: float = 5.0) -> Chunk:
    """A chunk of small pictures."""
    pictures = tuple(Picture(index, "default", 4, 3, text) for index, text in enumerate(variables))
    return Chunk(
        FakeRenderer,
        "{{name}}",
        (),
        strict=False,
        format="png",
        quality=None,
        folder=str(folder),
        journal=str(folder / "journal"),
        seconds=seconds,
        budget=budget,
        pictures=pictures,
    )


def test_a_worker_that_dies_fails_its_call_alone(pool: RenderPool) -> None:
    """The call of a dead worker raises, the next one runs in another process."""
    first = pool.submit(os.getpid).result(10)
    with pytest.raises(ProcessExpired):
        pool.submit(os.kill, first, signal.SIGKILL).result(10)
    second = pool.submit(os.getpid).result(10)
    assert second not in (first, os.getpid())


def test_a_worker_killed_while_idle_is_replaced(pool: RenderPool) -> None:
    """Somebody kills a worker that does nothing: whatever comes next is done."""
    first = pool.submit(os.getpid).result(10)
    os.kill(first, signal.SIGKILL)
    time.sleep(0.5)
    assert pool.submit(os.getpid).result(10) != first


def test_a_call_that_takes_too_long_is_ended(pool: RenderPool) -> None:
    """The worker is killed and replaced, and the call raises TimeoutError."""
    with pytest.raises(TimeoutError):
        pool.submit(time.sleep, 60).result(20)
    assert pool.submit(abs, -7).result(10) == 7


def test_a_closed_pool_takes_nothing(pool: RenderPool) -> None:
    """After shutdown a call is refused, and shutting down again does nothing."""
    pool.shutdown()
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(abs, -7)


def test_the_journal_tells_what_was_finished(pool: RenderPool, tmp_path: Path) -> None:
    """After a kill in mid-chunk, the journal holds the pictures before it and their files are complete."""
    wanted = chunk(tmp_path, '{"name": "a"}', '{"do": "fail"}', '{"do": "die"}', '{"name": "d"}')
    with pytest.raises(ProcessExpired):
        pool.submit(render_chunk, wanted).result(10)
    done, failed = read_journal(tmp_path / "journal")
    assert done[:2] == (0, "default")
    assert len((tmp_path / done[3]["file"]).read_bytes()) == done[3]["size"]
    assert failed[3] == {"cause": Cause.IMAGE, "message": "no such picture"}


def test_the_limit_needs_no_cooperation(pool: RenderPool, tmp_path: Path) -> None:
    """A picture over its limit ends its process by SIGALRM."""
    with pytest.raises(ProcessExpired) as caught:
        pool.submit(render_chunk, chunk(tmp_path, '{"do": "spin"}', seconds=0.1)).result(10)
    assert caught.value.exitcode == -signal.SIGALRM


def test_a_chunk_ends_when_its_budget_does(pool: RenderPool, tmp_path: Path) -> None:
    """Slow pictures end a chunk early, so that nobody waits for a wrong guess."""
    pool.submit(render_chunk, chunk(tmp_path, *['{"seconds": 0.1}'] * 5, budget=0.15)).result(10)
    assert len(read_journal(tmp_path / "journal")) == 2


def test_a_worker_makes_its_renderer_once(pool: RenderPool, tmp_path: Path) -> None:
    """Fonts are read once per process, not once per chunk, although each chunk carries a copy of the call."""
    (tmp_path / "made").mkdir()
    for number in range(3):
        one = replace(
            chunk(tmp_path, "{}"),
            renderer=partial(NotedRenderer, str(tmp_path / "made")),
            journal=str(tmp_path / f"journal{number}"),
        )
        pool.submit(render_chunk, one).result(10)
    assert len(list((tmp_path / "made").iterdir())) == 1


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    """A line that the kill cut off counts as not written; no journal counts as an empty one."""
    path = tmp_path / "journal"
    assert read_journal(path) == []
    path.write_bytes(b'[0, "default", 0.1, {"file": "a"}]\n[1, "def')
    assert [one[0] for one in read_journal(path)] == [0]


def test_variables_are_filled_and_checked(tmp_path: Path) -> None:
    """Defaults stand for what is missing or null, and the rules of the template are kept."""
    checks = {"required": True, "minLength": 2, "maxLength": 3}
    free = {"required": False, "minLength": None, "maxLength": None}
    rules = (
        {"name": "a", "defaultValue": None, "validation": checks},
        {"name": "b", "defaultValue": 7, "validation": free},
    )
    made = Chunk(FakeRenderer, "", rules, True, "png", None, "", "", 1.0, 1.0, ())
    assert fill(made, {"a": "xy"}) == {"a": "xy", "b": 7}
    assert fill(made, {"a": "xy", "b": None, "c": 1}) == {"a": "xy", "b": 7, "c": 1}
    assert fill(made, {"a": "xy", "b": 0}) == {"a": "xy", "b": 0}
    for bad in ({}, {"a": ""}, {"a": None}, {"a": "x"}, {"a": "wxyz"}):
        with pytest.raises(RenderFailed) as caught:
            fill(made, bad)
        assert caught.value.cause == Cause.VARIABLE


def test_many_open_a_new_store_at_once(tmp_path: Path) -> None:
    """Whoever comes first makes the file, nobody is locked out."""
    gate, errors = threading.Barrier(8), []

    def open_it() -> None:
        gate.wait()
        try:
            Store(tmp_path / "emulator.db").close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_shared_memory_that_takes_no_locks_is_named(number: int) -> None:
    """The system names no file there: without the place one would look at the disk."""
    with pytest.raises(OSError, match=os.strerror(number)) as raised:
        Lockless(number).submit(int)
    assert missing(raised.value).startswith("/dev/shm")


def test_a_database_on_a_full_disk_is_no_failure_of_a_picture() -> None:
    """It is the machine's, and a sentence says so without the name of Python's class."""
    full = sqlite3.OperationalError("database or disk is full")
    assert missing(full) == "the server's own database cannot be used: database or disk is full"
    assert not missing(sqlite3.IntegrityError("UNIQUE constraint failed"))
