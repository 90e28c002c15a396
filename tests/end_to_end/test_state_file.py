"""Nothing opens the state's file beside SQLite, and whatever looks at a state that is being written does no harm."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pictify_sync.cli.root import COMMANDS
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import REF, Hub

ROOT = Path(__file__).parents[2]
LOOKING = (
    *("status", "plan", "validate", "history", "log", "state list", "state export", "state rebuild --check"),
    *("refresh --check", "doctor", "show cards/i0@default", "explain cards/i0@default", "gc"),
)
CHANGING = (
    *("refresh", "taint cards/i0@default", "untaint cards/i0@default", "collect", "cancel", "template list"),
    *("resolve x --abandon", "preview --max-previews 1", "webhooks list", "state mv cards/i0@default cards/j0@default"),
    *("state mv cards/j0@default cards/i0@default", "state rebuild", "state compact", "state fetch"),
)
ROUND = (
    "plan --out plan.json",
    "apply --yes plan.json",
    *LOOKING,
    *CHANGING,
    "state rm cards/i3@square",
    "apply --yes",
)
ELSEWHERE = {"init", "schema", "serve", "github"}  # they have no state open


def watched(folder: Path, *lines: str) -> list[list[str]]:
    """Run commands; gives for each its exit code, itself, and the databases that it opened beside SQLite."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.end_to_end.watched", *lines]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    found = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[1] for line in found] == list(lines), done.stderr
    return found


def test_every_command_is_watched() -> None:
    """A command that is added to the tool is watched as well."""
    assert {line.split()[0] for line in ROUND} | ELSEWHERE == COMMANDS.keys()


def test_no_command_opens_a_database_beside_sqlite(tmp_path: Path) -> None:
    """Neither the state's file nor the embedded server's, whatever is done with them."""
    project = ProjectFolder(tmp_path / "project")
    found = watched(project.folder, *ROUND, "state export", "state import .pictify-sync/state.db")
    found += watched(project.folder, "plan --out .pictify-sync/state.db", "apply .pictify-sync/state.db")
    found += watched(project.folder, "plan --markdown .pictify-sync/state.db", "plan --html .pictify-sync/state.db")
    assert [line for line in found if len(line) > 2] == []
    failed = {line[1] for line in found if line[0] not in ("0", "2")}
    assert {line for line in failed if line in LOOKING} == set()
    assert "apply --yes" not in failed
    assert {line[1] for line in found if line[1].endswith("state.db")} <= failed
    assert project.run("state", "rebuild", "--check").returncode == 0


def test_no_command_opens_an_index_of_a_ref_beside_sqlite(tmp_path: Path) -> None:
    """Nor the local index of a state on a Git ref."""
    hub = Hub(tmp_path / "hub.git")
    project = ProjectFolder(tmp_path / "project", settings=f"state: git+ref:{REF}?remote=../hub.git\n")
    found = watched(project.folder, "plan", "apply --yes", "plan", "state fetch", "refresh", "status", "state compact")
    assert [line for line in found if len(line) > 2] == []
    assert hub.names()


def beside(folder: Path, *, rounds: int, kills: int, seed: int) -> None:
    """Two applies, killed now and then, while every command looks: nothing is lost, rendered twice or damaged."""
    chance = random.Random(seed)
    count = 24
    project = ProjectFolder(folder, settings="providers: {local: {max_items: 3, max_open: 2}}\n")
    for turn in range(rounds):
        rows = "id,title,colour\n" + "".join(f"i{n},Round {turn} {n},#{n * 5 % 256:02x}8040\n" for n in range(count))
        project.write("manifests/rows.csv", rows)
        applies = [project.start("apply", "--yes") for _ in range(2)]
        looks = [project.start(*line.split()) for line in LOOKING[:4]]
        for kill in range(kills):
            time.sleep(chance.random() * 0.8)
            victim = applies.pop(kill % 2)
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            applies.insert(kill % 2, project.start("apply", "--yes"))
            looks += [project.start(*line.split()) for line in chance.sample(LOOKING, 3)]
        for process in applies:
            _, talk = process.communicate(timeout=300)
            assert process.returncode == 0, talk
        for process in looks:
            out, talk = process.communicate(timeout=300)
            assert "Traceback" not in talk
            assert "malformed" not in out + talk
        with closing(sqlite3.connect(project.folder / ".pictify-sync/state.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert project.run("state", "rebuild", "--check").returncode == 0
        assert project.run("plan", "--detailed-exitcode").returncode == 0
        assert sum(project.meter().values()) == count * 2 * (turn + 1)


def test_looking_beside_two_applies_does_no_harm(tmp_path: Path) -> None:
    """Two applies and a kill over a state that exists, while others look at it."""
    beside(tmp_path / "project", rounds=2, kills=1, seed=7)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_looking_beside_many_applies_does_no_harm(tmp_path: Path, seed: int) -> None:
    """The same with more kills and every command."""
    beside(tmp_path / "project", rounds=5, kills=4, seed=seed)
