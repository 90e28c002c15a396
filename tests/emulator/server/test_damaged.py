"""A folder of the embedded server whose database is damaged: an error that says what may be done, never a new one."""

from __future__ import annotations

import os
from collections.abc import Callable
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
