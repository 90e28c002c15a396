"""The real command after a SIGKILL at a log append: converges at once, and the meter shows no second render."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.end_to_end.project import ROWS, ProjectFolder

EDITS = [("i0,Title 0", "i0,Other"), ("i1,Title 1", "renamed,Title 1"), ("i3,Title 3,#6f1140\n", "")]
SETTINGS = "providers: {local: {max_items: 2, max_open: 2}}\n"


def prepared(folder: Path, *, edited: bool) -> ProjectFolder:
    """A new project, or one that was applied and then edited: an update, a rename, a delete."""
    project = ProjectFolder(folder, settings=SETTINGS)
    if edited:
        project.ok("apply", "--yes")
        for old, new in EDITS:
            project.edit("manifests/rows.csv", old, new)
    return project


def check(folder: Path, clean: ProjectFolder, side: str, at: int, *, edited: bool) -> None:
    """Kill at one append; the next apply ends as if nothing had happened."""
    project = prepared(folder, edited=edited)
    died = project.run(side, str(at), module="tests.end_to_end.dying")
    assert died.returncode == -signal.SIGKILL, died.stderr
    project.ok("apply", "--yes")
    assert project.files() == clean.files()
    assert project.meter() == clean.meter()
    assert project.run("plan", "--detailed-exitcode").returncode == 0


def appends(folder: Path, *, edited: bool) -> tuple[ProjectFolder, int]:
    """A project that was applied without a fault, and how many log appends that took."""
    project = prepared(folder, edited=edited)
    done = project.run(module="tests.end_to_end.dying")
    assert done.returncode == 0, done.stderr
    return project, int(done.stdout)


@pytest.mark.parametrize("edited", [False, True], ids=["new", "edited"])
def test_killed_at_a_few_appends(tmp_path: Path, edited: bool) -> None:
    """After the intent, and before the records: the two worst moments."""
    clean, total = appends(tmp_path / "clean", edited=edited)
    assert set(clean.meter().values()) == {1}
    check(tmp_path / "first", clean, "after", 2, edited=edited)
    check(tmp_path / "last", clean, "before", total - 1, edited=edited)


@pytest.mark.full
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("edited", [False, True], ids=["new", "edited"])
def test_killed_at_every_append(tmp_path: Path, edited: bool, side: str) -> None:
    """Every append, before and after."""
    clean, total = appends(tmp_path / "clean", edited=edited)
    for at in range(1, total + 1):
        check(tmp_path / str(at), clean, side, at, edited=edited)


def test_rows_of_the_edit_are_what_they_seem() -> None:
    """The edits meet the rows they are written for."""
    for old, _ in EDITS:
        assert ROWS.count(old) == 1
