"""The real command with its state on a Git ref: clones that come and go, and two that apply at once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pictify_sync.providers.local.instance import read_instance
from pictify_sync.providers.pictify.server.app import read_meter
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import ENVIRON, Hub, git

ROWS = "id,title,colour\n" + "".join(f"i{n:02},Title {n},#{n * 5 % 256:02x}8040\n" for n in range(8))


class Clones:
    """A hub, and project folders that push their state there. They share a provider and published files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hub = folder, Hub(folder / "hub.git")

    def make(self, name: str, *, apart: bool = False) -> ProjectFolder:
        """A clone with manifests; `apart`: with an embedded server and published files of its own."""
        folder = self.folder / name
        folder.mkdir()
        git(folder, "init", "--quiet")
        git(folder, "remote", "add", "origin", "../hub.git")
        shared = self.folder / "shared"
        settings = "state: git+ref:refs/pictify-sync/state\n"
        settings += "" if apart else f"output: {shared}/output\n"
        local = "max_items: 2, max_open: 2" + ("" if apart else f", folder: {shared}/local")
        return ProjectFolder(folder, rows=ROWS, settings=f"{settings}providers: {{local: {{{local}}}}}\n")

    def meter(self) -> dict[tuple[str, str], int]:
        """How often each picture was rendered."""
        found: dict[tuple[str, str], int] = {}
        for row in read_meter(self.folder / "shared/local"):
            found[row["variables"], row["layout"]] = found.get((row["variables"], row["layout"]), 0) + 1
        return found


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clones:
    """No clone yet; git reads nobody's configuration."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "PICTIFY_")):
            monkeypatch.delenv(name)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, ENVIRON[name])
    return Clones(tmp_path)


def test_a_state_outlives_its_clone(clones: Clones) -> None:
    """What one clone applied another plans with after a fetch, also while the hub is away; then it cannot apply."""
    first = clones.make("first")
    first.ok("apply", "--yes")
    shutil.rmtree(first.folder)
    second = clones.make("second")
    second.ok("state", "fetch")
    shutil.move(clones.folder / "hub.git", clones.folder / "away.git")
    assert second.run("plan", "--detailed-exitcode").returncode == 0
    failed = second.run("apply", "--yes")
    assert (failed.returncode, "Traceback" in failed.stderr) == (1, False)
    shutil.move(clones.folder / "away.git", clones.folder / "hub.git")
    second.edit("manifests/rows.csv", "Title 3", "Title three")
    second.ok("apply", "--yes")
    assert sum(clones.meter().values()) == 2 * ROWS.count("Title") + 2


def test_two_clones_at_once(clones: Clones) -> None:
    """Both end well, no picture is rendered twice, and no batch is intended twice."""
    folders = [clones.make(name) for name in ("one", "two")]
    running = [folder.start("apply", "--yes") for folder in folders]
    for process in running:
        _, talk = process.communicate(timeout=120)
        assert process.returncode == 0, talk
    assert set(clones.meter().values()) == {1}
    assert len(clones.meter()) == 16
    third = clones.make("three")
    third.ok("state", "fetch")
    entries = [json.loads(line)["entry"] for line in third.ok("log").splitlines()]
    claims = [claim["key"] for entry in entries if entry["kind"] == "intended" for claim in entry["claims"]]
    assert len(claims) == len(set(claims)) == 16
    assert third.run("plan", "--detailed-exitcode").returncode == 0


def test_two_clones_with_servers_of_their_own(clones: Clones) -> None:
    """Each renders its part; neither takes the other's batches for lost ones, and all is recorded once."""
    folders = [clones.make(name, apart=True) for name in ("one", "two")]
    running = [folder.start("apply", "--yes") for folder in folders]
    for process in running:
        _, talk = process.communicate(timeout=120)
        assert process.returncode == 0, talk
    meters = [folder.meter() for folder in folders]
    assert set((meters[0] + meters[1]).values()) == {1}
    assert sum(map(len, meters)) == 16
    assert [len(folder.files()) for folder in folders] == [len(meter) for meter in meters]
    third = clones.make("three", apart=True)
    third.ok("state", "fetch")
    assert third.run("plan", "--detailed-exitcode").returncode == 0
    entries = [json.loads(line)["entry"] for line in third.ok("log").splitlines()]
    assert len({entry["instance"] for entry in entries if entry["kind"] == "intended"}) == sum(map(bool, meters))
    assert not [entry for entry in entries if entry["kind"] == "abandoned"]
    assert "Rendered/Billed so far: 16 pictures" in third.ok("status")


def test_a_copy_of_a_clone_is_another_server(clones: Clones) -> None:
    """Copied, moved or bereft of its server's folder: only the copy has another identity."""
    first = clones.make("first", apart=True)
    first.ok("apply", "--yes")
    place = first.folder / ".pictify-sync/local"
    own = read_instance(place)
    copy = clones.folder / "copy"
    shutil.copytree(first.folder, copy, symlinks=True)
    assert read_instance(copy / ".pictify-sync/local") != own
    assert read_instance(copy / ".pictify-sync/local") == read_instance(copy / ".pictify-sync/local")
    shutil.rmtree(place)
    assert read_instance(place) == own
    first.folder.rename(clones.folder / "moved")
    assert read_instance(clones.folder / "moved/.pictify-sync/local") == own
