"""The output folder on a branch: as it was, byte for byte, whoever else pushes, and on no branch of anybody else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pictify_sync.errors import GitHubError
from pictify_sync.github.branch import OutputBranch
from tests.action.job import Hub
from tests.action.machine import checkout, git
from tests.end_to_end.project import ProjectFolder

BYTES = {"a/one.png": b"\x89PNG\r\n\x1a\n\0", "a b/zwei\u00e9.webp": b"RIFF\r\n", "\u2603.txt": b"line\r\nline\n"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A repository that would change line ends, and whose hooks would fail."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Hub(tmp_path / "hub")
    made.work = ProjectFolder(tmp_path / "developer")
    made.work.write(".gitattributes", "* text eol=crlf\n")
    made.commit("main")
    return made


def machine(hub: Hub, name: str, monkeypatch: pytest.MonkeyPatch, branch: str = "pictures") -> OutputBranch:
    """A runner with a checkout, and its branch."""
    folder = hub.folder / name
    if not folder.exists():
        checkout(hub.remote, folder, git(hub.remote, "rev-parse", "main"))
        git(folder, "config", "core.autocrlf", "true")
    monkeypatch.chdir(folder)
    return OutputBranch(branch, folder / "output", hub.folder / f"{name}.git", os.environ)


def write(hub: Hub, name: str, files: dict[str, bytes]) -> None:
    """Publish files on a machine."""
    for path, content in files.items():
        (hub.folder / name / "output" / path).parent.mkdir(parents=True, exist_ok=True)
        (hub.folder / name / "output" / path).write_bytes(content)


def read(hub: Hub, name: str) -> dict[str, bytes]:
    """The published files of a machine."""
    root = hub.folder / name / "output"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_another_machine_has_the_same_bytes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Additions, changes and removals; nothing is committed when nothing changed; staging is nobody's business."""
    one = machine(hub, "one", monkeypatch)
    assert not one.lay_out()
    write(hub, "one", {**BYTES, ".pictify-sync-staging/run-1/x": b"half"})
    assert one.keep()
    assert not one.keep()
    two = machine(hub, "two", monkeypatch)
    assert two.lay_out()
    assert read(hub, "two") == BYTES
    (hub.folder / "two/output/a/one.png").unlink()
    write(hub, "two", {"\u2603.txt": b"other\n", "new.png": b"new"})
    assert two.keep()
    three = machine(hub, "three", monkeypatch)
    assert three.lay_out()
    assert read(hub, "three") == {"a b/zwei\u00e9.webp": b"RIFF\r\n", "\u2603.txt": b"other\n", "new.png": b"new"}
    assert git(hub.folder / "one", "status", "--porcelain", "--untracked-files=no") == ""


def test_two_machines_that_push_at_once_lose_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later lays its changes over the earlier's; history is never rewritten."""
    machine(hub, "zero", monkeypatch)
    write(hub, "zero", {"gone.png": b"0", "kept.png": b"k"})
    assert machine(hub, "zero", monkeypatch).keep()
    names = ["one", "two", "three"]
    branches = [machine(hub, name, monkeypatch) for name in names]
    for branch, name in zip(branches, names, strict=True):
        assert branch.lay_out()
        write(hub, name, {f"{name}.png": name.encode()})
    (hub.folder / "one/output/gone.png").unlink()
    threads = [threading.Thread(target=branch.keep) for branch in branches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert machine(hub, "last", monkeypatch).lay_out()
    assert read(hub, "last") == {"kept.png": b"k", **{f"{name}.png": name.encode() for name in names}}
    assert git(hub.remote, "rev-list", "--count", "pictures") == "4"


@pytest.mark.parametrize("branch", ["main", "-x", "a..b", "", "refs/heads/x y"])
def test_a_branch_of_somebody_else_is_never_written(hub: Hub, monkeypatch: pytest.MonkeyPatch, branch: str) -> None:
    """Neither is a name that git does not take."""
    before = git(hub.remote, "for-each-ref")
    with pytest.raises(GitHubError):
        machine(hub, "one", monkeypatch, branch).lay_out()
    assert git(hub.remote, "for-each-ref") == before


def test_a_branch_of_somebody_else_that_appears_later_is_not_written_either(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at it and the push."""
    one = machine(hub, "one", monkeypatch)
    assert not one.lay_out()
    git(hub.remote, "update-ref", "refs/heads/pictures", "main")
    write(hub, "one", BYTES)
    with pytest.raises(GitHubError, match="something else"):
        one.keep()
    assert git(hub.remote, "rev-parse", "pictures") == git(hub.remote, "rev-parse", "main")


def test_a_refused_push_says_why(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: trying again would end the same way."""
    hook = hub.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho x >> tries\necho pictures are frozen\nexit 1\n")
    hook.chmod(0o755)
    one = machine(hub, "one", monkeypatch)
    write(hub, "one", BYTES)
    with pytest.raises(GitHubError, match=r"pictures are frozen.*pre-receive hook declined") as caught:
        one.keep()
    assert "contents: write" in caught.value.hint
    assert "run refresh, then apply" in caught.value.hint
    assert (hub.remote / "tries").read_text() == "x\n"


@pytest.mark.parametrize("target", ["/tmp", "manifests", "."])
def test_an_output_folder_that_is_a_link_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """A proposal could put one there."""
    (hub.work.folder / "output").symlink_to(target)
    git(hub.work.folder, "add", "--force", "output")
    hub.commit("main")
    with pytest.raises(GitHubError, match="link"):
        machine(hub, "one", monkeypatch)


def test_a_link_below_the_output_folder_is_not_followed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laying out puts a folder in its place."""
    one = machine(hub, "one", monkeypatch)
    write(hub, "one", BYTES)
    assert one.keep()
    two = machine(hub, "two", monkeypatch)
    (hub.folder / "two/output").mkdir()
    (hub.folder / "target").mkdir()
    (hub.folder / "two/output/a").symlink_to(hub.folder / "target")
    assert two.lay_out()
    assert list((hub.folder / "target").iterdir()) == []
    assert read(hub, "two") == BYTES


def test_what_left_the_branch_does_not_come_back(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a workspace that was kept, too: the folder is what the branch holds; what was there before is moved away."""
    one = machine(hub, "one", monkeypatch)
    assert not one.lay_out()
    write(hub, "one", {**BYTES, "old/gone.png": b"1", "changed.png": b"1"})
    assert one.keep()
    two = machine(hub, "two", monkeypatch)
    assert two.lay_out()
    (hub.folder / "two/output/old/gone.png").unlink()
    write(hub, "two", {"changed.png": b"2"})
    assert two.keep()
    again = machine(hub, "one", monkeypatch)
    assert again.lay_out()
    assert again.moved == 2
    assert read(hub, "one") == {**BYTES, "changed.png": b"2"}
    aside = hub.folder / "one/.pictify-sync/set-aside"
    assert sorted(path.name for path in aside.rglob("*.png")) == ["changed.png", "gone.png"]
    assert not again.keep()


def test_files_of_the_checkout_are_not_moved(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is what a killed run left in the staging folder."""
    (hub.work.folder / "output").mkdir()
    hub.work.write("output/README.md", "mine")
    git(hub.work.folder, "add", "--force", "output")
    hub.commit("main")
    one = machine(hub, "one", monkeypatch)
    one.lay_out()
    write(hub, "one", {"a.png": b"1"})
    (hub.folder / "one/output/README.md").unlink()
    one.keep()
    two = machine(hub, "two", monkeypatch)
    write(hub, "two", {".pictify-sync-staging/x": b"half"})
    assert two.lay_out()
    assert two.moved == 0
    assert {"README.md", "a.png", ".pictify-sync-staging/x"} == read(hub, "two").keys()


def test_a_branch_that_was_not_laid_out_is_not_written(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store of an earlier step is gone nobody knows what the branch holds: its pictures stay."""
    one = machine(hub, "one", monkeypatch)
    one.lay_out()
    write(hub, "one", BYTES)
    one.keep()
    before = git(hub.remote, "rev-parse", "pictures")
    two = machine(hub, "two", monkeypatch)
    write(hub, "two", {"a/one.png": b"stale"})
    with pytest.raises(GitHubError, match="was not laid out"):
        two.keep()
    assert git(hub.remote, "rev-parse", "pictures") == before


def test_a_branch_that_is_fetched_halfway_is_an_error(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote that lost a picture, or does not answer, is never a branch without pictures."""
    one = machine(hub, "one", monkeypatch)
    one.lay_out()
    write(hub, "one", BYTES)
    one.keep()
    lost = git(hub.remote, "rev-parse", "pictures:a/one.png")
    (hub.remote / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(GitHubError):
        machine(hub, "two", monkeypatch).lay_out()
    three = machine(hub, "three", monkeypatch)
    hub.remote.rename(hub.folder / "away")
    for step in (three.lay_out, three.keep):
        with pytest.raises(GitHubError):
            step()
