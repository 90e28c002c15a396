"""Which project a command runs in: found upwards, or from its paths, and never a second one by accident."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pictify_sync.errors import UsageError
from pictify_sync.wiring import Place, find_place
from tests.cli.running import Run

SETTINGS = "pictify-sync.yaml"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with a project in it, and folders around."""
    for name in ("repo/.git", "repo/apps/cards/manifests/deep", "repo/apps/other/manifests", "repo/apps/plain"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("repo/apps/cards", "repo/apps/other"):
        (tmp_path / name / SETTINGS).write_text("version: 1\n")
    (tmp_path / "repo/apps/cards/manifests/a.yaml").write_text("version: 1\n")
    return tmp_path / "repo"


def found(folder: Path, *paths: str, **environ: str) -> Place:
    """The project of paths, run from a folder."""
    return find_place(paths, folder, environ)


@pytest.mark.parametrize("mark", ["folder", "file"])
def test_settings_are_found_upwards_as_far_as_the_root_of_the_repository(tree: Path, mark: str) -> None:
    """From any folder below; what lies above the repository is never looked at."""
    cards = Place(tree / "apps/cards", tree / "apps/cards" / SETTINGS)
    assert found(tree / "apps/cards/manifests/deep") == found(tree / "apps/cards") == cards
    (tree.parent / SETTINGS).write_text("version: 1\n")
    if mark == "file":  # of a worktree, a submodule
        (tree / ".git").rmdir()
        (tree / ".git").write_text("gitdir: /elsewhere\n")
    assert found(tree / "apps/plain") == Place(tree / "apps/plain", None)
    (tree / SETTINGS).write_text("version: 1\n")
    assert found(tree / "apps/plain") == Place(tree, tree / SETTINGS)


@pytest.mark.parametrize(
    "path",
    [
        "apps/cards/manifests",
        "apps/cards",
        "apps/cards/manifests/a.yaml",
        "apps/cards/manifests/*.yaml",
        "apps/*rds/../cards/manifests/a.yaml",
        "apps/cards/manifests/gone.yaml",
        "apps/cards/manifests/gone/**/x.yaml",
    ],
)
def test_paths_choose_their_project(tree: Path, path: str) -> None:
    """From above, from beside and by an absolute name; also where the working directory is another project."""
    (tree / SETTINGS).write_text("version: 1\n")
    for folder in (tree, tree / "apps/other"):
        given = os.path.relpath(tree / path, folder)
        assert found(folder, given).folder == tree / "apps/cards"
        assert found(folder, str(tree / path), given).folder == tree / "apps/cards"


def test_paths_of_two_projects_are_refused(tree: Path) -> None:
    """Both are named; one with no project of its own counts as the working directory's."""
    with pytest.raises(UsageError, match=r"apps/cards, and apps/other/manifests to the one in .*apps/other"):
        found(tree, "apps/cards/manifests", "apps/other/manifests")
    with pytest.raises(UsageError, match="apps/cards"):
        found(tree, "apps/plain", "apps/cards/manifests")


def test_a_project_by_two_names_is_one(tree: Path) -> None:
    """A link to its folder leads to the same project."""
    (tree / "link").symlink_to("apps/cards")
    linked = found(tree, "link/manifests", "apps/cards/manifests")
    assert linked.folder.resolve() == tree / "apps/cards"


def test_a_folder_above_projects_begins_none(project: Path, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies below belongs to a project with settings and a guard of its own."""
    monkeypatch.chdir(project.parent)
    said = cli("apply", "--yes", ".")
    assert said.code == 1
    assert "project: error: belongs to another project" in said.talk
    assert not (project.parent / ".pictify-sync").exists()


def test_a_lost_link_is_not_a_missing_folder(project: Path, cli: Run) -> None:
    """Nothing of a first project is said where the manifests folder leads to nothing."""
    (project / "manifests").rename(project / "elsewhere")
    (project / "manifests").symlink_to("gone")
    assert cli("plan").talk.startswith("manifests: error: the link is broken")


def test_a_saved_plan_is_no_path_of_a_project(tree: Path) -> None:
    """It may lie anywhere: the working directory's project counts."""
    (tree / "apps/other/plan.json").write_text("{}")
    assert found(tree / "apps/cards", "../other/plan.json").folder == tree / "apps/cards"


def test_without_a_repository_the_search_ends_where_others_may_write(tree: Path) -> None:
    """As at home: settings that somebody put into /tmp are nobody's."""
    (tree / ".git").rmdir()
    (tree / SETTINGS).write_text("version: 1\n")
    assert found(tree / "apps/plain").folder == tree
    assert found(tree / "apps/plain", HOME=str(tree)).folder == tree / "apps/plain"
    assert found(tree, HOME=str(tree)).folder == tree
    tree.chmod(0o1777)
    assert found(tree / "apps/plain").folder == tree / "apps/plain"
    (tree / ".git").mkdir()
    assert found(tree / "apps/plain").folder == tree


def test_settings_beyond_a_folder_of_another_user_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither used unasked nor passed over in silence; under sudo the caller's folders count as ours."""
    (tree / SETTINGS).write_text("version: 1\n")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 0 if owner else 12345)
    sudo = {} if owner else {"SUDO_UID": "12345"}
    with pytest.raises(UsageError, match="above a folder of another user"):
        found(tree / "apps/plain", **sudo)
    assert found(tree / "apps/cards", **sudo).file == tree / "apps/cards" / SETTINGS
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(tree / "apps/plain", SUDO_UID=str(owner)).folder == tree


def test_a_project_without_settings_is_known_by_what_it_keeps(tree: Path) -> None:
    """Settings anywhere above come first; a `.pictify-sync` of the working directory is no reason to look further."""
    (tree / ".pictify-sync").mkdir()
    assert found(tree / "apps/plain") == Place(tree, None)
    assert found(tree / "apps/cards/manifests").folder == tree / "apps/cards"
    (tree / "apps/plain/.pictify-sync").mkdir()
    assert found(tree, "apps/plain/manifests").folder == tree / "apps/plain"


@pytest.mark.parametrize("command", [["status"], ["plan"], ["state", "list"], ["doctor"], ["refresh"], ["history"]])
def test_commands_find_their_project_alike(
    project: Path, cli: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """From a folder below it they say the same as in it, and name it on stderr; nothing is made where they stand."""
    here = cli(*command)
    monkeypatch.chdir(project / "manifests")
    below = cli(*command)
    assert (below.code, f"Project: {project}\n" in below.talk) == (here.code, True)
    assert "Project:" not in here.talk
    if command != ["doctor"]:  # it tells times and places
        assert below.out == here.out.replace(" manifests/", " ")
    assert not (project / "manifests/.pictify-sync").exists()


def test_an_apply_from_above_uses_settings_state_and_guard_of_the_project(
    project: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a settings file that is named decides alone."""
    (project / SETTINGS).write_text("version: 1\nguard: {max_renders: 0}\n")
    (project / "manifests/rows.csv").write_text("id,title,colour\nn,N,#123456\n")
    monkeypatch.chdir(project.parent)
    said = cli("apply", "--yes", "--allow-deletes", "project/manifests")
    assert (said.code, "max_renders" in said.talk) == (1, True)
    assert not (project.parent / ".pictify-sync").exists()
    other = project.parent / "other.yaml"
    other.write_text("version: 1\nmanifests: project/manifests\nguard: {max_renders: 0}\n")
    said = cli("--settings", str(other), "plan", "project/manifests")
    assert "Project:" not in said.talk
    assert "2 to render" in said.out or "create" in said.out


def test_settings_are_not_read_where_git_keeps_its_own(project: Path, cli: Run) -> None:
    """A link to them shows nothing of what is there."""
    (project / ".git").mkdir(exist_ok=True)
    (project / ".git/x").write_text("a: b\n  c: S3CRET\n")
    (project / SETTINGS).unlink()
    (project / SETTINGS).symlink_to(".git/x")
    said = cli("plan")
    assert (said.code, "leads to where Git keeps its own files" in said.talk, "S3CRET" in said.talk) == (1, True, False)


def _nothing(place: Path) -> None:
    place.symlink_to("gone.yaml")


@pytest.mark.parametrize("make", [_nothing, Path.mkdir])
def test_settings_that_cannot_be_read_are_not_absent(project: Path, cli: Run, make: Callable[[Path], None]) -> None:
    """A link to nothing, or a folder in their place, is an error and not a project with the defaults."""
    (project / SETTINGS).unlink()
    make(project / SETTINGS)
    said = cli("plan")
    assert (said.code, "the settings file cannot be read" in said.talk) == (1, True)


def test_init_begins_no_second_project_by_accident(project: Path, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of a project it is refused, unless that folder is named; then the outer one is told."""
    inside = project / "apps"
    inside.mkdir()
    monkeypatch.chdir(inside)
    said = cli("init")
    assert (said.code, f"belongs to the project in {project}" in said.talk) == (1, True)
    assert not list(inside.iterdir())
    assert (cli("init", "new").code, (inside / "new" / SETTINGS).exists()) == (0, True)
    said = cli("init", ".")
    assert (said.code, f"inside that in {project}" in said.talk) == (0, True)
