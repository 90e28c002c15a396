"""Another place for the pictures in the settings: the plan says so, apply moves them, nothing is rendered."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"
NAMES = ["cards/a.default.png", "cards/a.square.png", "cards/b.default.png", "cards/b.square.png"]
ENVIRON = {"PICTIFY_SYNC_OUTPUT": "dist"}


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project with four pictures in `output`."""
    made = ProjectFolder(tmp_path / "project", rows=ROWS)
    made.ok("apply", "--yes")
    return made


def names(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def set_output(project: ProjectFolder, output: str) -> None:
    """Name another folder in the settings file."""
    with (project.folder / "pictify-sync.yaml").open("a") as file:
        file.write(f"output: {output}\n")


def by_file(project: ProjectFolder) -> tuple[tuple[str, ...], dict[str, str]]:
    """... in the settings file."""
    set_output(project, "dist")
    return (), {}


def by_environment(_: ProjectFolder) -> tuple[tuple[str, ...], dict[str, str]]:
    """... in the environment."""
    return (), ENVIRON


def by_other_settings(project: ProjectFolder) -> tuple[tuple[str, ...], dict[str, str]]:
    """... in another settings file."""
    project.write("other.yaml", "version: 1\nproviders: {local: {workers: 1}}\noutput: dist\n")
    return ("--settings", "other.yaml"), {}


@pytest.mark.parametrize("change", [by_file, by_environment, by_other_settings])
def test_another_folder_is_planned_and_the_pictures_move(
    project: ProjectFolder, change: Callable[[ProjectFolder], tuple[tuple[str, ...], dict[str, str]]]
) -> None:
    """However it is set: plan, status and doctor tell, apply moves the very files, and later deletes find them."""
    before = {path: (project.folder / "output" / path).read_bytes() for path in NAMES}
    first, environ = change(project)
    planned = project.run(*first, "plan", "--detailed-exitcode", environ=environ)
    assert planned.returncode == 2
    assert "Moves 4 pictures from output/ to dist/" in planned.stdout
    assert "4 pictures are in output/" in project.run(*first, "status", environ=environ).stdout
    assert "still in output/" in project.run(*first, "doctor", environ=environ).stdout
    done = project.run(*first, "apply", "--yes", environ=environ)
    assert done.returncode == 0
    assert "4 moved" in done.stdout
    assert "Rendered" not in done.stdout
    assert {path: (project.folder / "dist" / path).read_bytes() for path in NAMES} == before
    assert not (project.folder / "output").exists()
    assert project.run(*first, "plan", "--detailed-exitcode", environ=environ).returncode == 0
    assert project.run(*first, "refresh", "--check", environ=environ).returncode == 0
    project.write("manifests/rows.csv", "id,title,colour\na,A,#123456\n")
    assert project.run(*first, "apply", "--yes", environ=environ).returncode == 0
    assert names(project.folder / "dist") == NAMES[:2]


@pytest.mark.parametrize("output", ["output/sub/cards", "."])
def test_a_folder_may_lie_in_the_old_one_or_around_it(project: ProjectFolder, output: str) -> None:
    """A picture whose new place is the old place of another does not replace it."""
    if output != ".":
        project.edit(
            "manifests/cards.yaml",
            "rows:",
            "output: \"{{ 'sub/cards/' if id == 'b' else '' }}{{ id }}-{{ layout }}.png\"\nrows:",
        )
        project.ok("apply", "--yes")
        before = {"a-default.png": (project.folder / "output/a-default.png").read_bytes()}
    else:
        before = {NAMES[0]: (project.folder / "output" / NAMES[0]).read_bytes()}
    set_output(project, output)
    project.ok("apply", "--yes")
    for path, content in before.items():
        assert (project.folder / output / path).read_bytes() == content
    assert project.run("refresh", "--check").returncode == 0
    assert not list(project.folder.rglob("*.kept"))


def test_files_that_were_moved_by_hand_are_taken_as_they_are(project: ProjectFolder) -> None:
    """They lie where the settings say, so nothing is rendered; what is at neither place is repaired at once."""
    (project.folder / "output").rename(project.folder / "dist")
    (project.folder / "dist" / NAMES[0]).unlink()
    set_output(project, "dist")
    project.ok("apply", "--yes")
    assert names(project.folder / "dist") == NAMES
    assert project.run("plan", "--detailed-exitcode").returncode == 0


def test_what_lies_at_the_new_place_is_set_aside(project: ProjectFolder) -> None:
    """A file of the user's keeps its bytes under another name."""
    (project.folder / "dist/cards").mkdir(parents=True)
    (project.folder / "dist" / NAMES[0]).write_bytes(b"mine")
    set_output(project, "dist")
    assert "it is cards/a.default.png.kept now" in project.run("apply", "--yes").stderr
    assert (project.folder / "dist" / f"{NAMES[0]}.kept").read_bytes() == b"mine"


def test_a_project_that_moves_has_its_pictures_where_they_were(project: ProjectFolder, tmp_path: Path) -> None:
    """A relative folder goes along, and an absolute path to it means the same."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(project.folder, moved, symlinks=True)
    there = ProjectFolder.__new__(ProjectFolder)
    there.folder, there.manifests = moved, moved / "manifests"
    assert there.run("plan", "--detailed-exitcode").returncode == 0
    set_output(there, str(moved / "output"))
    assert there.run("plan", "--detailed-exitcode").returncode == 0


def test_another_kind_of_storage_is_an_error_that_says_how(project: ProjectFolder) -> None:
    """Neither plan nor apply says that nothing changes; a refresh takes the new place as it is."""
    with (project.folder / "pictify-sync.yaml").open("a") as file:
        file.write("artifacts: none\n")
    for command in (("plan",), ("apply", "--yes")):
        refused = project.run(*command)
        assert refused.returncode == 1
        assert "kept in output/" in refused.stderr
        assert "pictify-sync refresh" in refused.stderr
    assert "kept in output/" in project.run("status").stdout
    assert json.loads(project.run("status", "--json").stdout)["place"]
    assert project.run("doctor").returncode == 1
    project.ok("refresh")
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert names(project.folder / "output") == NAMES


def test_a_saved_plan_is_for_the_place_that_it_names(project: ProjectFolder) -> None:
    """It moves the pictures when it says so, and is stale when the settings were changed after it."""
    project.ok("plan", "--out", "before.json")
    set_output(project, "dist")
    stale = project.run("apply", "before.json")
    assert stale.returncode == 1
    assert "plan again" in stale.stderr
    project.ok("plan", "--out", "after.json")
    project.ok("apply", "after.json")
    assert names(project.folder / "dist") == NAMES


@pytest.mark.parametrize("output", ["output", "dist", "third", "dist/sub"])
def test_pictures_of_a_killed_move_are_found_whatever_the_settings_say_then(
    project: ProjectFolder, output: str
) -> None:
    """Back to the first folder, on to the second, or another: none is missing, lost or rendered again."""
    before = {path: (project.folder / "output" / path).read_bytes() for path in NAMES}
    set_output(project, "dist")
    died = project.run("2", module="tests.end_to_end.dying_move")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert [len(names(project.folder / "output")), (project.folder / "dist" / NAMES[0]).exists()] == [2, True]
    project.edit("pictify-sync.yaml", "output: dist", f"output: {output}")
    assert project.run("refresh").returncode == 0
    assert project.run("plan", "--detailed-exitcode").returncode == 2
    assert "Rendered" not in project.ok("apply", "--yes")
    assert {path: (project.folder / output / path).read_bytes() for path in NAMES} == before
    assert sum(len(names(project.folder / folder)) for folder in ("output", "dist", "third")) == 4
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert set(project.meter().values()) == {1}


def test_a_tampered_picture_does_not_let_go_what_lies_at_the_new_place(project: ProjectFolder) -> None:
    """Its repair sets aside the user's file, which nobody has looked at."""
    (project.folder / "output" / NAMES[0]).write_bytes(b"tampered with")
    assert project.run("refresh").returncode == 0
    (project.folder / "dist/cards").mkdir(parents=True)
    (project.folder / "dist" / NAMES[0]).write_bytes(b"mine")
    set_output(project, "dist")
    project.ok("apply", "--yes")
    assert (project.folder / "dist" / f"{NAMES[0]}.kept").read_bytes() == b"mine"
    assert (project.folder / "output" / NAMES[0]).read_bytes() == b"tampered with"
    assert project.run("plan", "--detailed-exitcode").returncode == 0
