"""A folder of the embedded server whose database is damaged: an error that says what may be done, never a new one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder


def cut(path: Path) -> None:
    """Cut it to nothing."""
    os.truncate(path, 0)


def halve(path: Path) -> None:
    """Cut it in the middle."""
    os.truncate(path, 9000)


def fill(path: Path) -> None:
    """Put something else there."""
    path.write_bytes(b"no database " * 1000)


@pytest.mark.parametrize("spoil", [cut, halve, fill])
def test_a_damaged_folder_may_be_removed(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Every command that needs it says that removing it is safe and what that costs; then apply goes on."""
    project = ProjectFolder(tmp_path / "project")
    project.ok("apply", "--yes")
    folder = project.folder / ".pictify-sync/local"
    for left in ("emulator.db-wal", "emulator.db-shm"):
        (folder / left).unlink(missing_ok=True)
    spoil(folder / "emulator.db")
    before = (folder / "emulator.db").read_bytes()
    for command in (("apply", "--yes", "--replace", "*"), ("gc",)):
        done = project.run(*command)
        assert done.returncode == 1
        assert "Removing the folder is safe" in done.stderr
        assert str(folder) in done.stderr
        assert "Traceback" not in done.stderr
    served = project.run("serve", "--folder", str(folder), "--port", "0")
    assert served.returncode == 1
    assert "damaged" in served.stderr
    assert "Traceback" not in served.stderr
    assert (folder / "emulator.db").read_bytes() == before
    assert project.ok("plan").startswith("No changes")
    folder.rename(tmp_path / "away")
    project.edit("manifests/rows.csv", "Title 1", "Another")
    project.ok("apply", "--yes")
    assert sum(project.meter().values()) == 2


def test_after_the_folder_was_removed_pictures_are_replaced_in_one_run(tmp_path: Path) -> None:
    """Its templates are gone with it: they are pushed again, and what was asked for is rendered, by the same apply."""
    project = ProjectFolder(tmp_path / "project")
    project.ok("apply", "--yes")
    before = project.files()
    shutil.rmtree(project.folder / ".pictify-sync/local")
    assert "8 stored" in project.ok("apply", "--yes", "--replace", "*")
    assert sorted(project.meter().values()) == [1] * 8
    assert project.files() == before
    shutil.rmtree(project.folder / ".pictify-sync/local")
    project.ok("plan", "--replace", "*", "--out", "plan.json")
    done = project.run("apply", "--yes", "plan.json")
    assert done.returncode == 1
    assert "Template not found" in done.stdout
    assert "nothing to do" not in done.stdout


def test_damage_that_a_request_meets_is_no_failure_of_a_picture(tmp_path: Path) -> None:
    """A database that opens well and is torn within: apply says what may be done, and goes on once it was."""
    project = ProjectFolder(tmp_path / "project")
    project.ok("apply", "--yes")
    folder = project.folder / ".pictify-sync/local"
    with closing(sqlite3.connect(folder / "emulator.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'batches'").fetchone()
    with (folder / "emulator.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    project.edit("manifests/rows.csv", "Title 1", "Another")
    done = project.run("apply", "--yes")
    assert done.returncode == 1
    assert f"Removing the folder is safe: rm -r {folder}" in done.stdout
    assert "failed" not in done.stdout.lower()
    shutil.rmtree(folder)
    project.ok("apply", "--yes")
    assert sorted(project.meter().values()) == [1, 1]
