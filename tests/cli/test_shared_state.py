"""A shared state belongs to one project: clones of it agree, others are refused at the first look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Said
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import REF, Hub, git

In = Callable[..., Said]
Clone = Callable[[str], ProjectFolder]
FETCHING = (("state", "fetch"), ("apply", "--yes"), ("refresh",), ("taint", "cards/*"), ("state", "rm", "cards/*"))
EMPTY = '{"kind":"meta","format":"pictify-sync/snapshot","format_version":1,"lineage":"a1"}\n'


def commit(folder: Path, message: str) -> str:
    """Commit all that is there; gives the commit."""
    git(folder, "add", "--all", "--force", ":!.pictify-sync")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def inside(folder: Path, name: str) -> ProjectFolder:
    """A project in a folder of a repository, with a manifest of its own."""
    project = ProjectFolder(folder / name, settings=f"state: git+ref:{REF}\n")
    project.edit("manifests/cards.yaml", "name: cards", f"name: {name.replace('/', '-')}")
    return project


def test_a_second_project_of_a_repository_is_refused(hub: Hub, clone: Clone, at: In) -> None:
    """Whatever looks at the state first says whose it is and what to do, and changes nothing."""
    one = clone("one")
    blog, shop = inside(one.folder, "blog"), inside(one.folder, "shop")
    said = at(blog, "taint", "cards/item-001@default")
    assert said.code == 0
    assert "belongs to the project blog/manifests from now on" in said.talk
    before = hub.tip()
    for command in FETCHING:
        said = at(shop, *command)
        assert said.code == 1
        assert "belongs to the project blog/manifests, and this is shop/manifests" in said.talk
        assert "git+ref:refs/pictify-sync/shop" in said.talk
        assert "pictify-sync state bind" in said.talk
    for command in (("plan",), ("status",), ("state", "list"), ("history",)):
        assert "belongs to the project blog/manifests" in at(shop, *command).talk
    assert hub.tip() == before
    assert "serial 5, 3 recorded" in at(blog, "state", "fetch").talk


def test_clones_agree_wherever_they_are(hub: Hub, clone: Clone, at: In) -> None:
    """A second clone, in a folder of another name, and one without history, are the same project: nothing is said."""
    one, two = clone("one"), clone("elsewhere")
    commit(one.folder, "1")
    git(one.folder, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert at(one, "taint", "cards/item-001@default").code == 0
    git(two.folder, "fetch", "--quiet", "origin", "main")
    git(two.folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    before = at(one, "history").out
    shallow = ProjectFolder(hub.folder.parent / "shallow/x", settings=f"state: git+ref:{REF}\n").folder.parent
    git(shallow, "clone", "--quiet", "--depth=1", "--branch=main", hub.folder.as_uri(), "y")
    for folder in (two.folder, shallow / "y"):
        clone_of = ProjectFolder.__new__(ProjectFolder)
        clone_of.folder = folder
        said = at(clone_of, "taint", "cards/item-002@default")
        assert (said.code, "belongs" in said.talk) == (0, False)
    at(one, "state", "fetch")
    after = at(one, "history").out
    assert (before.count("belongs"), after.count("belongs")) == (1, 1)


def test_another_repository_is_refused(hub: Hub, clone: Clone, at: In) -> None:
    """The same folders at the same remote are no proof: a history that began otherwise is another project."""
    one, two = clone("one"), clone("two")
    commit(one.folder, "one")
    commit(two.folder, "two")
    assert at(one, "taint", "cards/item-001@default").code == 0
    said = at(two, "state", "fetch")
    assert said.code == 1
    assert "of another repository" in said.talk
    assert "never fetched" in at(two, "plan").talk


def test_repositories_that_share_a_remote_for_states_are_told_apart(hub: Hub, clone: Clone, at: In) -> None:
    """A ref in a third repository is one project's, although neither has a history yet: their origins differ."""
    one, two = clone("one"), clone("two")
    for name, project in (("one", one), ("two", two)):
        git(project.folder, "remote", "set-url", "origin", f"git@example.org:{name}.git")
        project.edit("pictify-sync.yaml", REF, f"{REF}?remote={hub.folder.as_uri()}")
    assert at(one, "taint", "cards/item-001@default").code == 0
    assert at(two, "state", "fetch").code == 1
    git(two.folder, "remote", "set-url", "origin", "https://user@Example.org/One")
    assert at(two, "state", "fetch").code == 0


@pytest.mark.parametrize("repository", [False, True])
def test_projects_of_which_nothing_is_known_are_told_apart_by_their_places(
    hub: Hub, clone: Clone, at: In, *, repository: bool
) -> None:
    """Without commits and remotes, or without Git, a state elsewhere is that of the folder which wrote it first."""
    one, two = (inside(hub.folder.parent / name, "site") for name in ("x", "y"))
    for project in (one, two):
        project.edit("pictify-sync.yaml", REF, f"{REF}?remote={hub.folder.as_uri()}")
        if repository:
            git(project.folder, "init", "--quiet")
    assert at(one, "taint", "cards/item-001@default").code == 0
    assert at(one, "state", "fetch").code == 0
    for command in FETCHING:
        assert "of another repository or folder" in at(two, *command).talk
    assert at(two, "state", "bind").code == 0
    assert at(two, "state", "fetch").code == 0
    assert at(one, "state", "fetch").code == 1
    commit(two.folder, "1") if repository else None
    assert at(two, "taint", "cards/item-002@default").code == 0


def test_two_settings_files_beside_each_other_are_two_projects(hub: Hub, clone: Clone, at: In) -> None:
    """What tells projects apart is the folder of their manifests, too."""
    one = clone("one")
    assert at(one, "taint", "cards/item-001@default").code == 0
    one.write("shop.yaml", f"version: 1\nstate: git+ref:{REF}\nmanifests: shop\n")
    said = at(one, "--settings", "shop.yaml", "status")
    assert said.code == 1
    assert "belongs to the project manifests, and this is shop" in said.talk


def test_a_renamed_project_is_bound_again(hub: Hub, clone: Clone, at: In) -> None:
    """After its folder was renamed on purpose one command makes the state its own; the old place is refused then."""
    one = clone("one")
    blog = inside(one.folder, "blog")
    assert at(blog, "taint", "cards/item-001@default").code == 0
    (one.folder / "blog").rename(one.folder / "news")
    news = ProjectFolder(one.folder / "blog")
    news.folder = one.folder / "news"
    assert at(news, "taint", "cards/item-001@default").code == 1
    assert "belongs to the project news/manifests now" in at(news, "state", "bind").talk
    assert at(news, "taint", "cards/item-002@default").code == 0


def test_a_name_holds_wherever_the_project_lies(hub: Hub, clone: Clone, at: In) -> None:
    """The setting `name` decides alone where both have one."""
    one, two = clone("one"), clone("two")
    blog, moved = inside(one.folder, "blog"), inside(two.folder, "moved")
    for project in (blog, moved):
        project.write("pictify-sync.yaml", f"version: 1\nname: blog\nstate: git+ref:{REF}\n")
    assert at(blog, "taint", "cards/item-001@default").code == 0
    assert at(moved, "taint", "cards/item-002@default").code == 0
    moved.edit("pictify-sync.yaml", "name: blog", "name: shop")
    assert "the project blog, and this is shop" in at(moved, "state", "fetch").talk


@pytest.mark.parametrize("repository", [False, True])
def test_a_state_file_of_two_projects_is_refused_to_the_second(tmp_path: Path, at: In, *, repository: bool) -> None:
    """A file beside the projects belongs to one of them, in a repository or not."""
    if repository:
        git(tmp_path, "init", "--quiet")
    one, two = (ProjectFolder(tmp_path / name, settings="state: ../x.db\n") for name in ("one", "two"))
    filled = ProjectFolder(tmp_path / "filled")
    filled.write("snapshot.jsonl", EMPTY)
    assert at(one, "state", "import", str(filled.folder / "snapshot.jsonl")).code == 0
    assert at(one, "status").code == 0
    said = at(two, "status")
    assert said.code == 1
    assert "belongs to the project one/manifests" in said.talk or "../one/manifests" in said.talk
    assert at(two, "--settings", "../one/pictify-sync.yaml", "status").code == 0


def test_a_state_of_its_own_moves_along_with_its_project(project: Path, tmp_path: Path, at: In) -> None:
    """Neither another name of the project's folder nor one of its manifests' makes it foreign to itself."""
    (tmp_path / "project").rename(tmp_path / "other")
    moved = ProjectFolder(tmp_path / "unused")
    moved.folder = tmp_path / "other"
    assert at(moved, "plan", "--detailed-exitcode").code == 0
    (moved.folder / "manifests").rename(moved.folder / "cards")
    (moved.folder / "pictify-sync.yaml").write_text("version: 1\nmanifests: cards\n")
    assert at(moved, "plan", "--detailed-exitcode").code == 0
    (moved.folder / "manifests").mkdir()
    assert "belongs to the project" in at(moved, "status").talk


def test_an_imported_state_belongs_to_whoever_imported_it(project: Path, tmp_path: Path, at: In) -> None:
    """A snapshot of one project, imported on purpose by another, is that one's."""
    one = ProjectFolder(tmp_path / "unused")
    one.folder = project
    two = ProjectFolder(tmp_path / "two", settings="manifests: ./manifests/../cards\n")
    two.write("snapshot.jsonl", at(one, "state", "export").out)
    (two.folder / "manifests").rename(two.folder / "cards")
    assert at(two, "state", "import", "snapshot.jsonl").code == 0
    assert at(two, "status").code == 0
