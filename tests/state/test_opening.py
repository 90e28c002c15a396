"""The state's file: what is no state is told from no state, and a new one is there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pictify_sync import databases
from pictify_sync.errors import StateError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import recorded
from tests.state.samples import stored

ROOT = Path(__file__).parents[2]
DYING = """
import os, signal, sys
from pathlib import Path
from pictify_sync.state.sqlite.store import open_store
from tests.state.conformance import recorded
from tests.state.samples import stored
store = open_store(Path(sys.argv[1]), create=True)
store.commit(0, [recorded(stored(1))])
os.kill(os.getpid(), signal.SIGKILL)
"""
STEPS = """
import os, sys
from pathlib import Path
from pictify_sync.state.sqlite.store import open_store
from tests.state.conformance import recorded
from tests.state.samples import stored
path, left, entry = Path(sys.argv[1]), int(sys.argv[2]), recorded(stored(1))
def step(event, arguments):
    global left
    if any(isinstance(one, (str, os.PathLike)) and os.fspath(one).startswith(str(path.parent)) for one in arguments):
        left -= 1
        if left == 0:
            os._exit(9)
sys.addaudithook(step)
store = open_store(path, create=True)
store.commit(store.serial(), [entry])
store.close()
"""


def made(path: Path, *numbers: int) -> None:
    """A state with these records."""
    store = open_store(path, create=True)
    store.commit(store.serial(), [recorded(*map(stored, numbers))])
    store.close()


def dying(path: Path) -> None:
    """A state with a record, whose writer was killed: its log is left."""
    done = subprocess.run([sys.executable, "-c", DYING, str(path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name(path.name + "-wal").stat().st_size


def cut(path: Path) -> None:
    """A state that was cut to nothing."""
    made(path, 1)
    os.truncate(path, 0)


def cut_beside_a_log(path: Path) -> None:
    """The same, where its log still holds something."""
    dying(path)
    os.truncate(path, 0)


def log_alone(path: Path) -> None:
    """A log without the file that it belongs to."""
    dying(path)
    path.unlink()


def without_tables(path: Path) -> None:
    """A database in which nothing is."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=1")
        connection.execute("PRAGMA journal_mode=WAL")


def below_a_file(path: Path) -> None:
    """Its folder is a file."""
    path.parent.rmdir()
    path.parent.write_text("")


SPOILT = {
    "empty": cut,
    "empty, with a log": cut_beside_a_log,
    "log alone": log_alone,
    "without tables": without_tables,
    "text": lambda path: path.write_text("version: 1\n" * 2000),
    "zeros": lambda path: path.write_bytes(bytes(8192)),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "dangling link": lambda path: path.symlink_to("nowhere.db"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "below a file": below_a_file,
}


def contents(folder: Path) -> dict[str, int]:
    """What lies in a folder, and how large it is."""
    return {path.name: path.lstat().st_size for path in sorted(folder.iterdir())} if folder.is_dir() else {}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_cannot_be_read_is_not_no_state(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    """It is an error with a remedy for who reads and who writes, and it is left as it is."""
    path = tmp_path / "folder" / "state.db"
    path.parent.mkdir()
    spoil(path)
    before = contents(path.parent)
    for create in (False, True):
        with pytest.raises(StateError) as caught:
            open_store(path, create=create)
        assert str(path) in str(caught.value)
        assert caught.value.hint
    after = contents(path.parent)
    assert {name: after.pop(name) for name in before} == before
    assert not any(size for name, size in after.items() if name != "state.db-shm")  # SQLite's own, of no content


def test_no_state_is_no_state(tmp_path: Path) -> None:
    """Where nothing is, not even a folder, a reader finds an empty state and makes nothing."""
    assert isinstance(open_store(tmp_path / "a/b/state.db", create=False), EmptyStateStore)
    assert not list(tmp_path.iterdir())


def test_a_link_is_the_state_that_it_leads_to(tmp_path: Path) -> None:
    """Read and written through the link, with the log beside the file that it leads to."""
    made(tmp_path / "real.db", 1)
    (tmp_path / "state.db").symlink_to("real.db")
    store = open_store(tmp_path / "state.db", create=True)
    store.commit(1, [recorded(stored(2))])
    assert (tmp_path / "real.db-wal").exists()
    assert not (tmp_path / "state.db-wal").exists()
    store.close()
    (tmp_path / "state.db").unlink()
    store = open_store(tmp_path / "real.db", create=False)
    assert store.count() == 2
    store.close()


def test_a_killed_maker_leaves_no_state(tmp_path: Path) -> None:
    """Killed at any statement while the file is filled: there is no state yet, and the next one makes it."""
    script = (
        "import os, sys; from pathlib import Path; from pictify_sync import databases\\n"
        "def fill(connection):\\n"
        "    connection.execute('PRAGMA journal_mode=WAL'); connection.execute('CREATE TABLE t (x)')\\n"
        "    os._exit(9)\\n"
        "databases.make(Path(sys.argv[1]), fill)"
    ).replace("\\n", "\n")
    path = tmp_path / "state.db"
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)
    assert done.returncode == 9
    left = list(tmp_path.iterdir())
    assert left
    assert isinstance(open_store(path, create=False), EmptyStateStore)
    made(path, 1)
    for one in left:
        os.utime(one, (0, 0))
    path.unlink()
    made(path, 1)
    assert not any(one.exists() for one in left)  # what was left long ago is swept away


def test_a_maker_that_dies_at_any_step_blocks_nobody(tmp_path: Path) -> None:
    """At each step that names a file or the folder of the state; the last child lives, so that all steps were tried."""
    for left in range(1, 100):
        path = tmp_path / str(left) / "state.db"
        done = subprocess.run([sys.executable, "-c", STEPS, str(path), str(left)], cwd=ROOT, check=False)
        assert contents(path.parent).get("state.db") != 0
        store = open_store(path, create=False)
        before = store.count()
        store.close()
        made(path, 2)
        store = open_store(path, create=False)
        assert store.count() == before + 1
        assert isinstance(store, SqliteStateStore)
        assert not store.verify()
        store.close()
        if done.returncode == 0:
            assert left > 5
            return
        assert done.returncode == 9
    pytest.fail("never ran to its end")


def test_whoever_is_faster_makes_the_state(tmp_path: Path) -> None:
    """A state that another process made meanwhile stays, whatever the drive can do."""
    path = tmp_path / "state.db"

    def no_links(old: Path, new: Path) -> None:
        raise OSError(errno.EPERM, "no links")

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE other (x)")
        if not path.exists():
            made(path, 1)

    for link in (os.link, no_links):
        databases.make(path, fill, link)
        store = open_store(path, create=False)
        assert store.count() == 1
        store.close()
    path.unlink()
    databases.make(path, lambda connection: connection.execute("CREATE TABLE mine (x)"), no_links)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_written_meanwhile_is_not_read_without_locks(tmp_path: Path) -> None:
    """Where SQLite takes no locks, a state that changes under the reader is an error, never a mixture."""
    path = tmp_path / "state.db"
    made(path, 1)
    found = path.stat()
    look = (found.st_ino, found.st_size, found.st_mtime_ns, 0)
    access = databases.Access(path, "?mode=ro&immutable=1", look)
    with closing(access.connect(1.0)) as connection:
        reader = SqliteStateStore(path, connection, access=access)
        assert reader.count() == 1
        made(path, 2)
        with pytest.raises(StateError, match="while it was read"):
            reader.count()
        with pytest.raises(StateError, match="while it was read"):
            list(reader.records())


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root for a mount")
@pytest.mark.parametrize("left", ["nothing", "log and index", "log alone"])
def test_a_state_is_read_on_a_read_only_file_system(tmp_path: Path, left: str) -> None:
    """What was committed last is read, also where it is in the log of a process that was killed."""
    folder = tmp_path / "ro"
    folder.mkdir()
    path = folder / "state.db"
    if left == "nothing":
        made(path, 1)
    else:
        dying(path)
    if left == "log alone":
        path.with_name("state.db-shm").unlink()
    script = (
        "import sys; from pathlib import Path; from pictify_sync.state.sqlite.store import open_store\\n"
        "store = open_store(Path(sys.argv[1]), create=False)\\n"
        "print(store.count(), len(list(store.records())), len(store.verify())); store.close()"
    ).replace("\\n", "\n")
    mount = f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, "-", sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1", "1", "0"], done.stderr
