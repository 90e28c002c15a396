"""Files that are none of ours in the output folder: nothing overwrites them unseen, whatever brings a picture there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"
MINE = b"mine"
PATH = "cards/a.default.png"


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project that was never applied."""
    return ProjectFolder(tmp_path / "project", rows=ROWS)


def plant(project: ProjectFolder, path: str = PATH) -> Path:
    """A file of the user's where a picture goes."""
    file = project.folder / "output" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(MINE)
    return file


def test_a_new_picture_spares_what_lies_there(project: ProjectFolder) -> None:
    """A file and a link get another name, and the command says so; the link is not followed."""
    plant(project)
    (project.folder / "output/cards/b.square.png").symlink_to(project.folder / "pictify-sync.yaml")
    done = project.run("apply", "--yes")
    assert done.returncode == 0
    assert f"{PATH} was not ours: it is {PATH}.kept now." in done.stderr
    assert project.files()[f"{PATH}.kept"] == MINE
    assert (project.folder / "output/cards/b.square.png.kept").is_symlink()
    assert project.size(PATH) == ("PNG", (120, 63))
    assert "workers" in (project.folder / "pictify-sync.yaml").read_text()


def test_an_edited_picture_is_spared_by_an_update(project: ProjectFolder) -> None:
    """Somebody drew into a picture, then its row changed; a second time the name is another."""
    project.ok("apply", "--yes")
    for title, kept in (("A", f"{PATH}.kept"), ("A2", f"{PATH}.kept-2")):
        plant(project)
        project.edit("manifests/rows.csv", f"a,{title},", f"a,{title}2,")
        assert f"it is {kept} now" in project.run("apply", "--yes").stderr
        assert project.files()[kept] == MINE
    assert project.run("plan", "--detailed-exitcode").returncode == 0


def test_a_moved_picture_spares_what_lies_at_its_new_path(project: ProjectFolder) -> None:
    """A rename and a swap of paths: only what is not ours is told of."""
    project.ok("apply", "--yes")
    plant(project, "cards/new.default.png")
    project.edit("manifests/rows.csv", "a,A,", "new,A,")
    done = project.run("apply", "--yes")
    assert done.stderr.count("was not ours") == 1
    assert project.files()["cards/new.default.png.kept"] == MINE
    project.write(
        "manifests/rows.csv", ROWS.replace("a,A,#123456", "new,B,#654321").replace("b,B,#654321", "b,A,#123456")
    )
    assert "was not ours" not in project.run("apply", "--yes").stderr


def test_a_planned_repair_replaces_what_it_repairs(project: ProjectFolder) -> None:
    """The plan told that the file has other bytes, so it needs no other name."""
    project.ok("apply", "--yes")
    before = project.files()
    plant(project)
    project.ok("refresh")
    project.ok("apply", "--yes")
    assert project.files() == before


def test_without_a_state_equal_pictures_are_no_strangers(project: ProjectFolder, tmp_path: Path) -> None:
    """Where the state was lost, everything is rendered again, and nothing is left beside it."""
    project.ok("apply", "--yes")
    before = project.files()
    (project.folder / ".pictify-sync").rename(tmp_path / "lost")
    assert "was not ours" not in project.run("apply", "--yes").stderr
    assert project.files() == before


@pytest.mark.parametrize("moved", [False, True])
def test_a_folder_in_the_way_is_named(project: ProjectFolder, moved: bool) -> None:
    """Nothing in it is touched; once it is away the next apply goes on, and nothing is rendered twice."""
    if moved:
        project.ok("apply", "--yes")
        project.edit("manifests/rows.csv", "a,A,", "new,A,")
    path = "cards/new.default.png" if moved else PATH
    inner = plant(project, f"{path}/inner.txt")
    for _ in range(2):
        done = project.run("apply", "--yes")
        assert done.returncode == 1
        assert f"a picture goes to {path} below the output folder, and a folder is there" in done.stderr
        assert inner.read_bytes() == MINE
    inner.parent.rename(project.folder / "away")
    project.ok("apply", "--yes")
    assert project.size(path)[0] == "PNG"
    assert set(project.meter().values()) == {1}


def test_a_file_in_place_of_the_output_folder_is_told_of(project: ProjectFolder) -> None:
    """What to do is said."""
    (project.folder / "output").write_bytes(MINE)
    done = project.run("apply", "--yes")
    assert done.returncode == 1
    assert "give a real folder" in done.stderr
