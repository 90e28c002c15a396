"""On a proposal the settings are those of its base, whatever the proposal puts in their place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pictify_sync.errors import GitHubError
from pictify_sync.github.proposal import Places, all_settings_from_base, refuse_kept, settings_from_base
from tests.action.job import Hub
from tests.action.machine import checkout, git
from tests.end_to_end.project import ProjectFolder

BASE = "version: 1\nguard: {max_renders: 5}\n"
NAME = Path("pictify-sync.yaml")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A repository whose base has settings."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Hub(tmp_path / "hub")
    made.work = ProjectFolder(tmp_path / "developer")
    made.work.write("pictify-sync.yaml", BASE)
    made.commit("main")
    return made


def proposed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """Propose what stands in the developer's folder; gives a checkout of the proposal, and the base."""
    number = hub.propose("change")
    folder = hub.folder / "checkout"
    checkout(hub.remote, folder, git(hub.remote, "rev-parse", f"refs/pull/{number}/merge"))
    monkeypatch.chdir(folder)
    return folder, git(hub.remote, "rev-parse", "main")


def _raised(folder: Path) -> None:
    (folder / NAME).write_text("version: 1\nguard: {max_renders: null}\n")


def _removed(folder: Path) -> None:
    (folder / NAME).unlink()


def _linked(folder: Path) -> None:
    (folder / "elsewhere.yaml").write_text("version: 1\n")
    (folder / NAME).unlink()
    (folder / NAME).symlink_to("elsewhere.yaml")


@pytest.mark.parametrize("edit", [_raised, _removed, _linked])
def test_the_base_wins(hub: Hub, monkeypatch: pytest.MonkeyPatch, edit: Callable[[Path], None]) -> None:
    """Changed, removed, or a link: in its place is the file of the base, and nothing else was written."""
    edit(hub.work.folder)
    folder, base = proposed(hub, monkeypatch)
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml") if path.name != NAME.name}
    assert settings_from_base(NAME, base, os.environ)
    assert (folder / NAME).read_text() == BASE
    assert not (folder / NAME).is_symlink()
    assert before == {path: path.read_bytes() for path in folder.rglob("*.yaml") if path.name != NAME.name}
    assert not settings_from_base(NAME, base, os.environ)


def test_what_the_base_does_not_have_is_not_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proposal that brings settings of its own is planned with the defaults."""
    hub.work.write("staging.yaml", "version: 1\nstate: /etc/passwd\n")
    folder, base = proposed(hub, monkeypatch)
    assert settings_from_base(Path("staging.yaml"), base, os.environ)
    assert not (folder / "staging.yaml").exists()


@pytest.mark.parametrize("name", ["../outside.yaml", "/etc/hostname", "link/pictify-sync.yaml", "manifests"])
def test_only_files_of_the_repository(hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Not above it, not behind a link, and no folder."""
    (hub.work.folder / "link").symlink_to("..")
    folder, base = proposed(hub, monkeypatch)
    (folder.parent / "outside.yaml").write_text("mine")
    with pytest.raises(GitHubError):
        settings_from_base(Path(name), base, os.environ)
    assert (folder.parent / "outside.yaml").read_text() == "mine"


def test_a_base_that_cannot_be_read_ends_the_run(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is planned with limits that nobody knows."""
    folder, _ = proposed(hub, monkeypatch)
    text = (folder / NAME).read_text()
    with pytest.raises(GitHubError):
        settings_from_base(NAME, "f" * 40, os.environ)
    assert (folder / NAME).read_text() == text


@pytest.mark.parametrize("name", [".pictify-sync/state-1.git/config", "a b/.Pictify-Sync/state.db", ".pictify-sync"])
def test_what_commands_keep_is_not_taken_from_a_proposal(hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A state that it made up would hide what it does; what the base has may stay or go."""
    (hub.work.folder / ".gitignore").write_text("")
    hub.work.write("manifests/other.txt", "x")
    _, base = proposed(hub, monkeypatch)
    refuse_kept(base, os.environ)
    place = hub.work.folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("made up")
    git(hub.work.folder, "add", "--force", name)
    shutil.rmtree(hub.folder / "checkout")
    _, base = proposed(hub, monkeypatch)
    with pytest.raises(GitHubError, match="the proposal brings"):
        refuse_kept(base, os.environ)
    hub.merge(2)
    place.unlink()
    shutil.rmtree(hub.folder / "checkout")
    _, base = proposed(hub, monkeypatch)
    refuse_kept(base, os.environ)


STATE = "version: 1\nstate: data/pictures.db\nproviders: {local: {folder: render}}\ninbox: hooks\n"


def _file(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("made up")

    return edit


def _bytes(folder: Path) -> None:
    place = os.fsencode(folder) + b"/render/\xff\xfe.db"
    Path(os.fsdecode(place)).parent.mkdir()
    Path(os.fsdecode(place)).write_bytes(b"made up")


def _instead_of_the_folder(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/pictures.db").write_text("made up")
    (folder / "data").symlink_to("elsewhere")


def _renamed_onto_it(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "manifests/rows.csv").rename(folder / "data/pictures.db")


def _submodule(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).mkdir(parents=True)
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{git(folder, 'rev-parse', 'HEAD')},{name}")

    return edit


def _of_gitmodules(folder: Path) -> None:
    (folder / ".gitmodules").write_text(
        '[submodule "x"]\n\tpath = ./manifests/../Data\n\turl = https://example.org/x\n'
    )


@pytest.mark.parametrize(
    "edit",
    [
        _file("data/pictures.db"),
        _file("DATA/Pictures.db-wal"),
        _file("da\u200cta/pictures.db-journal"),
        _file("data./pictures.db-shm"),
        _file("PICTIF~1/x"),
        _file("render/emulator.db"),
        _file("hooks/1.json"),
        _bytes,
        _instead_of_the_folder,
        _renamed_onto_it,
        _submodule("data"),
        _submodule("render"),
        _submodule(".pictify-sync"),
        _submodule("manifests/more"),
        _of_gitmodules,
    ],
)
def test_a_proposal_brings_no_state(hub: Hub, monkeypatch: pytest.MonkeyPatch, edit: Callable[[Path], None]) -> None:
    """Whatever the settings of the base name, by any name of it, by a link or a submodule in its place."""
    hub.work.write("pictify-sync.yaml", STATE)
    hub.commit("main")
    (hub.work.folder / ".gitignore").write_text("")
    hub.work.write("data.txt", "no state")
    folder, base = proposed(hub, monkeypatch)
    places = Places(folder / "data/pictures.db", (folder / "render", folder / "hooks"), (folder / "manifests",))
    refuse_kept(base, os.environ, places)
    edit(hub.work.folder)
    shutil.rmtree(folder)
    folder, base = proposed(hub, monkeypatch)
    with pytest.raises(GitHubError, match="the proposal brings"):
        refuse_kept(base, os.environ, places)


def test_the_project_is_not_led_elsewhere(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in the place of the working directory would have another folder planned, without its settings."""
    (hub.work.folder / "site").mkdir()
    hub.work.write("site/pictify-sync.yaml", BASE)
    hub.commit("main")
    shutil.rmtree(hub.work.folder / "site")
    (hub.work.folder / "site").symlink_to("manifests")
    folder, base = proposed(hub, monkeypatch)
    monkeypatch.chdir(folder / "site")
    with pytest.raises(GitHubError, match="the proposal brings site"):
        refuse_kept(base, os.environ, Places(project=folder / "site"))


def test_what_the_base_agreed_to_stays(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submodule below the manifests that the base has may go on, from where it came; one elsewhere is no matter."""
    modules = '[submodule "x"]\n\tpath = manifests/more\n\turl = https://example.org/x\n'
    hub.work.write(".gitmodules", modules)
    _submodule("manifests/more")(hub.work.folder)
    hub.commit("main")
    head = git(hub.work.folder, "rev-parse", "HEAD")
    git(hub.work.folder, "update-index", "--cacheinfo", f"160000,{head},manifests/more")
    _submodule("theme")(hub.work.folder)
    folder, base = proposed(hub, monkeypatch)
    places = Places(folder / "data/pictures.db", (), (folder / "manifests",))
    refuse_kept(base, os.environ, places)
    hub.work.write(".gitmodules", modules.replace("example.org", "evil.example"))
    shutil.rmtree(folder)
    folder, base = proposed(hub, monkeypatch)
    with pytest.raises(GitHubError, match="the submodule manifests/more"):
        refuse_kept(base, os.environ, places)


def test_settings_anywhere_are_those_of_the_base(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of another folder, where a command might look for them; one that only the proposal has is not there."""
    (hub.work.folder / "sub").mkdir()
    hub.work.write("sub/pictify-sync.yaml", BASE)
    hub.commit("main")
    _raised(hub.work.folder / "sub")
    (hub.work.folder / "new").mkdir()
    hub.work.write("new/pictify-sync.yaml", "version: 1\n")
    folder, base = proposed(hub, monkeypatch)
    assert all_settings_from_base(NAME.name, base, os.environ)
    assert (folder / "sub" / NAME).read_text() == BASE
    assert not (folder / "new" / NAME).exists()
    assert not all_settings_from_base("other.yaml", base, os.environ)
