"""Formats: what an older version wrote is read and goes on, what a newer one wrote is refused.

`old/` was made by the last version of format 1: `account` is a project over an account, with three pictures and an open
batch of two, kept as a state file, a snapshot, a saved plan and a bundle of a state on a Git ref; `local` is the same
over the embedded server, with its folder.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pictify_sync.core.approval import plan_digest
from pictify_sync.errors import StateError
from pictify_sync.state.planfile.document import read_plan
from pictify_sync.state.sqlite import schema
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import recorded
from tests.state.git_remotes import REF, Hub, git
from tests.state.samples import stored

OLD = Path(__file__).with_name("old")
SAME = "Plan: 2 awaited, 3 unchanged."


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PICTIFY_API_KEY": "x"}
    command = [sys.executable, "-m", "pictify_sync", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def ok(folder: Path, *arguments: str) -> str:
    """The command, which must exit with 0; gives its stdout."""
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """The project over an account, without a state."""
    return Path(shutil.copytree(OLD / "account", tmp_path / "account"))


def unbundle(hub: Hub) -> None:
    """Put the bundled state on the hub's ref."""
    found = git(hub.folder, "bundle", "unbundle", str(OLD / "account/state.bundle"))
    git(hub.folder, "update-ref", REF, found.split()[0])


def version_of(path: Path) -> int:
    """The format in a state file's header."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_state_file_of_format_1_plans_the_same(account: Path) -> None:
    """Reading leaves the file as it is; the first write makes it one that older versions refuse."""
    path = account / ".pictify-sync/state.db"
    path.parent.mkdir()
    shutil.copy(account / "state.db", path)
    assert ok(account, "plan").startswith(SAME)
    assert version_of(path) == 1
    assert not run(account, "state", "rebuild", "--check").stdout
    ok(account, "taint", "badges/a@default")
    ok(account, "untaint", "badges/a@default")
    assert version_of(path) == schema.FORMAT
    assert ok(account, "plan").startswith(SAME)
    assert not run(account, "state", "rebuild", "--check").stdout


def test_a_snapshot_of_format_1_is_imported(account: Path) -> None:
    """It has no end, so that it cannot be known to be whole: that is told."""
    done = run(account, "state", "import", "snapshot.jsonl")
    assert done.returncode == 0
    assert "cannot be checked" in done.stderr
    assert ok(account, "plan").startswith(SAME)


def test_a_plan_saved_with_format_1_is_read(account: Path) -> None:
    """A saved plan of an older version can still be read, and its digest is that of its work."""
    plan = read_plan(account / "plan.json")
    assert plan_digest(plan.changes, plan.templates) == plan.digest


def test_a_state_of_format_1_on_a_ref_goes_on(tmp_path: Path, account: Path) -> None:
    """It is fetched and planned from; the first push raises its format, so that older versions refuse it."""
    hub = Hub(tmp_path / "hub.git")
    unbundle(hub)
    with (account / "pictify-sync.yaml").open("a") as settings:
        settings.write(f"state: git+ref:{REF}?remote=../hub.git\n")
    ok(account, "state", "fetch")
    assert ok(account, "plan").startswith(SAME)
    assert json.loads(git(hub.folder, "show", f"{REF}:meta.json"))["format_version"] == 1
    ok(account, "taint", "badges/a@default")
    ok(account, "untaint", "badges/a@default")
    meta = json.loads(git(hub.folder, "show", f"{REF}:meta.json"))
    assert meta["format_version"] == 3
    assert len(hub.names()) == 9  # the head, six entries and two
    shutil.rmtree(account / ".pictify-sync")
    ok(account, "state", "fetch")
    assert ok(account, "plan").startswith(SAME)


def test_an_embedded_server_of_format_1_goes_on(tmp_path: Path) -> None:
    """Its folder is opened, and the batch that was open there is finished."""
    folder = Path(shutil.copytree(OLD / "local", tmp_path / "local"))
    (folder / ".pictify-sync").mkdir()
    for name in ("state.db", "local"):
        (folder / name).rename(folder / ".pictify-sync" / name)
    ok(folder, "apply", "--yes")
    assert ok(folder, "plan").startswith("No changes. All 5 pictures")


@pytest.mark.parametrize("place", ["file", "snapshot", "ref"])
def test_a_newer_format_is_refused(tmp_path: Path, account: Path, place: str) -> None:
    """Upgrade is what is asked for, and nothing is read or written."""
    if place == "file":
        path = account / ".pictify-sync/state.db"
        path.parent.mkdir()
        shutil.copy(account / "state.db", path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version={schema.FORMAT + 1}")
        found = [run(account, "plan"), run(account, "apply", "--yes")]
    elif place == "snapshot":
        text = (account / "snapshot.jsonl").read_text().replace('"format_version":1', '"format_version":4')
        (account / "snapshot.jsonl").write_text(text)
        found = [run(account, "state", "import", "snapshot.jsonl")]
    else:
        hub = Hub(tmp_path / "hub.git")
        unbundle(hub)
        tree = git(hub.folder, "ls-tree", REF)
        blob = git(
            hub.folder, "hash-object", "-w", "--stdin", text='{"format":"pictify-sync/git-state","format_version":4}'
        )
        lines = [
            line if not line.endswith("\tmeta.json") else f"100644 blob {blob}\tmeta.json" for line in tree.splitlines()
        ]
        made = git(hub.folder, "mktree", text="\n".join(lines) + "\n")
        git(hub.folder, "update-ref", REF, git(hub.folder, "commit-tree", made, "-m", "x"))
        with (account / "pictify-sync.yaml").open("a") as settings:
            settings.write(f"state: git+ref:{REF}?remote=../hub.git\n")
        found = [run(account, "state", "fetch")]
    for one in found:
        assert one.returncode == 1
        assert "upgrade" in one.stderr
        assert "Traceback" not in one.stderr


def test_tables_of_another_layout_are_rebuilt(tmp_path: Path) -> None:
    """A file whose tables are not those of this version is read all the same: they are made anew from its log."""
    path = tmp_path / "state.db"
    store = open_store(path, create=True)
    store.commit(0, [recorded(stored(1), stored(2))])
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE records DROP COLUMN protect")
        connection.execute("UPDATE meta SET value = x'00' WHERE name = 'layout'")
    with pytest.raises(StateError), closing(sqlite3.connect(path)) as connection:
        SqliteStateStore(path, connection).record(stored(1).key)
    store = open_store(path, create=False)
    assert isinstance(store, SqliteStateStore)
    with store:
        assert store.count() == 2
        assert store.verify() == ()
