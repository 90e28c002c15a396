"""An older commit never undoes a newer one, where that is proven and nobody asked for it."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.running import Said
from tests.cli.test_shared_state import commit
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import REF, Hub, git

In = Callable[..., Said]
Clone = Callable[[str], ProjectFolder]
ONE = ("apply", "--yes", "--select", "cards/i0@default")


def prepared(clone: Clone, hub: Hub) -> tuple[ProjectFolder, str, str]:
    """A clone that has applied its second commit; gives it with both commits."""
    git(hub.folder, "update-ref", "-d", REF)
    one = clone("one")
    one.write(".gitignore", ".pictify-sync\noutput\n")
    first = commit(one.folder, "1")
    one.edit("manifests/rows.csv", "Title 1", "Title one")
    return one, first, commit(one.folder, "2")


def test_a_commit_behind_the_one_applied_last_is_refused(hub: Hub, clone: Clone, at: In) -> None:
    """Also where the newer apply had nothing to do; by name it is allowed, and counts as applied last."""
    one, first, second = prepared(clone, hub)
    git(one.folder, "checkout", "--quiet", first)
    assert at(one, *ONE).code == 0
    git(one.folder, "checkout", "--quiet", second)
    assert at(one, *ONE).code == 0
    git(one.folder, "checkout", "--quiet", first)
    said = at(one, *ONE)
    assert said.code == 1
    assert f"the commit {first[:12]} is older than {second[:12]}, which was applied on" in said.talk
    assert "pictify-sync apply --allow-older" in said.talk
    assert f"apply of the commit {second[:12]}" in at(one, "history").out.splitlines()[-1]
    assert at(one, *ONE, "--allow-older").code == 0
    assert f"apply of the commit {first[:12]}" in at(one, "history").out.splitlines()[-1]
    assert at(one, *ONE).code == 0
    git(one.folder, "checkout", "--quiet", second)
    assert "Warning" not in at(one, *ONE).talk


def test_what_cannot_be_compared_is_said_and_goes_on(hub: Hub, clone: Clone, at: In) -> None:
    """Another branch, and a commit that is not here, are warnings: nothing is proven."""
    one, first, second = prepared(clone, hub)
    git(one.folder, "checkout", "--quiet", second)
    assert at(one, *ONE).code == 0
    git(one.folder, "checkout", "--quiet", "-b", "other", first)
    third = commit(one.folder, "3")
    said = at(one, *ONE)
    assert said.code == 0
    assert f"the commit {third[:12]} does not hold {second[:12]}" in said.talk
    git(one.folder, "push", "--quiet", "origin", f"{second}:refs/heads/main")
    git(hub.folder.parent, "clone", "--quiet", "--depth=1", "--branch=main", hub.folder.as_uri(), "two")
    two = ProjectFolder.__new__(ProjectFolder)
    two.folder = hub.folder.parent / "two"
    said = at(two, *ONE)
    assert said.code == 0
    assert f"not known whether the commit {second[:12]} is newer than {third[:12]}" in said.talk


def test_where_git_tells_no_commit_that_is_said(hub: Hub, clone: Clone, at: In) -> None:
    """Nothing is proven of a folder that came without its repository, and an older commit is possible."""
    one, _, second = prepared(clone, hub)
    one.edit("pictify-sync.yaml", REF, f"{REF}?remote={hub.folder.as_uri()}")
    one.edit("pictify-sync.yaml", "version: 1", "version: 1\nname: one")
    assert at(one, *ONE).code == 0
    (one.folder / ".git").rename(hub.folder.parent / "away")
    said = at(one, *ONE)
    assert said.code == 0
    assert f"Warning: git cannot tell which commit this is, so it may be older than {second[:12]}" in said.talk
