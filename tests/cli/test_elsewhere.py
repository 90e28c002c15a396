"""Pictures of a shared state that were never on this machine: not missing, not looked at, and never lost for others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Said
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import REF, Hub, git

In = Callable[..., Said]
ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"


@pytest.fixture
def clones(hub: Hub, at: In) -> tuple[ProjectFolder, ProjectFolder]:
    """Two clones of a project, applied in the first."""
    git(hub.folder, "update-ref", "-d", REF)
    made = []
    for name in ("one", "two"):
        folder = hub.folder.parent / name
        folder.mkdir()
        git(folder, "init", "--quiet")
        git(folder, "remote", "add", "origin", "../hub.git")
        made.append(ProjectFolder(folder, rows=ROWS, settings=f"state: git+ref:{REF}\n"))
    assert at(made[0], "apply", "--yes").code == 0
    assert at(made[1], "state", "fetch").code == 0
    return made[0], made[1]


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_a_clone_without_any_picture_cannot_refresh(
    clones: tuple[ProjectFolder, ProjectFolder], at: In, hub: Hub, check: tuple[str, ...]
) -> None:
    """It is an error that says what to do, and records nothing."""
    before = hub.tip()
    said = at(clones[1], "refresh", *check)
    assert said.code == 1
    assert "none of the 4 published pictures was ever on this machine" in said.talk
    assert "shared_output: true" in said.talk
    assert hub.tip() == before
    shared = at(clones[1], "refresh", "--check", PICTIFY_SYNC_SHARED_OUTPUT="true")
    assert (shared.code, shared.out.count("its file is missing")) == (2, 4)


def test_what_was_here_and_is_gone_is_missing(clones: tuple[ProjectFolder, ProjectFolder], at: In) -> None:
    """Also all of it: the machine that made the pictures remembers them."""
    one, two = clones
    shutil.rmtree(one.folder / "output")
    assert at(one, "refresh", "--check").out.count("its file is missing") == 4
    assert at(one, "refresh").code == 0
    at(two, "state", "fetch")
    assert at(two, "plan", "--json").out.count('"missing"') >= 4


def test_a_copy_without_the_pictures_never_held_them(
    clones: tuple[ProjectFolder, ProjectFolder], at: In, hub: Hub
) -> None:
    """As from a runner's cache: what is kept beside the state came along, the output folder did not."""
    one, two = clones
    shutil.rmtree(two.folder)
    shutil.copytree(one.folder, two.folder, ignore=shutil.ignore_patterns("output"))
    before = hub.tip()
    assert "none of the 4 published pictures was ever on this machine" in at(two, "refresh").talk
    assert hub.tip() == before
    two.folder.rename(two.folder.with_name("three"))
    one.folder.rename(two.folder)
    shutil.rmtree(two.folder / "output")
    assert at(two, "refresh", "--check").out.count("its file is missing") == 4


def test_some_of_the_pictures_are_looked_at(clones: tuple[ProjectFolder, ProjectFolder], at: In) -> None:
    """The rest is counted and left as it is recorded, whatever another machine saw; what was seen here may be lost."""
    one, two = clones
    pictures = sorted((one.folder / "output").rglob("*.png"))
    here = pictures[0].relative_to(one.folder)
    (two.folder / here).parent.mkdir(parents=True)
    shutil.copy(pictures[0], two.folder / here)
    said = at(two, "refresh")
    assert said.code == 0
    assert "3 pictures never on this machine: not looked at" in said.out
    assert json.loads(at(two, "refresh", "--json").out)["elsewhere"] == 3
    pictures[1].unlink()
    assert "1 missing" in at(one, "refresh").out
    assert "1 missing" in at(two, "refresh").out
    (two.folder / here).unlink()
    assert at(two, "refresh", "--check").out.count("its file is missing") == 2


def test_an_older_picture_here_is_not_one_that_was_changed(clones: tuple[ProjectFolder, ProjectFolder], at: In) -> None:
    """After another machine rendered a picture again, the one here is behind: nobody tampered with it."""
    one, two = clones
    shutil.copytree(one.folder / "output", two.folder / "output")
    assert at(two, "refresh").code == 0
    one.edit("manifests/rows.csv", "a,A,", "a,Aa,")
    assert at(one, "apply", "--yes").code == 0
    said = at(two, "refresh", "--check")
    assert said.code == 0
    assert "2 pictures never on this machine" in said.out


def test_what_is_not_here_is_not_moved(clones: tuple[ProjectFolder, ProjectFolder], at: In, hub: Hub) -> None:
    """A rename in a clone without the pictures would render all of them again: it is refused, and nothing recorded."""
    two = clones[1]
    two.edit("manifests/cards.yaml", "name: cards", 'name: cards\noutput: "x/{{ key }}.{{ layout }}.png"')
    before = hub.tip()
    said = at(two, "apply", "--yes")
    assert said.code == 1
    assert "4 pictures that would be moved or copied were never on this machine" in said.talk
    assert hub.tip() == before


def test_a_state_that_was_imported_came_without_its_pictures(project: Path, tmp_path: Path, at: In) -> None:
    """A copy of a state is no proof that the pictures were here; once they are seen, they can be lost."""
    one = ProjectFolder(tmp_path / "unused")
    one.folder = project
    snapshot = at(one, "state", "export").out
    (project / ".pictify-sync").rename(project / "away")
    (project / "output").rename(project / "there")
    (project / "s.jsonl").write_text(snapshot)
    assert at(one, "state", "import", "s.jsonl").code == 0
    assert "ever on this machine" in at(one, "refresh").talk
    (project / "there").rename(project / "output")
    assert at(one, "refresh").code == 0
    shutil.rmtree(project / "output")
    assert at(one, "refresh", "--check").out.count("its file is missing") == 4


def test_pictures_that_did_not_come_along_are_not_lost_by_another_folder(project: Path, tmp_path: Path, at: In) -> None:
    """What an import left elsewhere stays elsewhere after the place of the pictures has changed."""
    one = ProjectFolder(tmp_path / "unused")
    one.folder = project
    (project / "s.jsonl").write_text(at(one, "state", "export").out)
    (project / ".pictify-sync").rename(tmp_path / "away")
    (project / "output").rename(tmp_path / "there")
    assert at(one, "state", "import", "s.jsonl").code == 0
    (project / "pictify-sync.yaml").write_text("version: 1\noutput: dist\n")
    assert at(one, "apply", "--yes").code == 0
    assert "ever on this machine" in at(one, "refresh", "--check").talk


def test_whose_a_state_is_says_nothing_of_where_its_pictures_are(project: Path, tmp_path: Path, at: In) -> None:
    """Binding and importing keep the recorded folder: another one in the settings stays a change."""
    one = ProjectFolder(tmp_path / "unused")
    one.folder = project
    snapshot = at(one, "state", "export").out
    (project / "pictify-sync.yaml").write_text("version: 1\noutput: dist\n")
    assert at(one, "state", "bind").code == 0
    assert at(one, "plan", "--detailed-exitcode").code == 2
    (project / "s.jsonl").write_text(snapshot)
    (project / ".pictify-sync").rename(tmp_path / "away")
    assert at(one, "state", "import", "s.jsonl").code == 0
    assert at(one, "plan", "--detailed-exitcode").code == 2
