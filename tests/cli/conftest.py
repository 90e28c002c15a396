"""Projects, a hub that clones share a state at, and a command to run in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pictify_sync.cli.root import run
from tests.cli.running import ROWS, Run, Said
from tests.end_to_end.project import ProjectFolder
from tests.state.conformance import recorded
from tests.state.git_remotes import ENVIRON, REF, Hub, git
from tests.state.samples import intended, settled, stored


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was applied once, to be copied."""
    project = ProjectFolder(tmp_path_factory.mktemp("cli") / "project", rows=ROWS)
    project.ok("apply", "--yes")
    return project.folder


@pytest.fixture
def project(applied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the applied project, as working directory."""
    folder = Path(shutil.copytree(applied, tmp_path / "project"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, in the working directory."""

    def command(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return command


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub whose state records three assets."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "PICTIFY_"))]:
        monkeypatch.delenv(name)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, ENVIRON[name])
    made = Hub(tmp_path / "hub.git")
    with made.open(tmp_path / "filler") as store:
        store.commit(0, [intended("a1", {1: 1, 2: 2}), settled("a1", stored(1), stored(2)), recorded(stored(3))])
    return made


@pytest.fixture
def clone(tmp_path: Path, hub: Hub) -> Callable[[str], ProjectFolder]:
    """Make a clone that has manifests."""

    def make(name: str) -> ProjectFolder:
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "--quiet")
        git(tmp_path / name, "remote", "add", "origin", "../hub.git")
        return ProjectFolder(tmp_path / name, settings=f"state: git+ref:{REF}\n")

    return make


@pytest.fixture
def at(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command in a clone, in this process."""

    def command(project: ProjectFolder, *arguments: str, **environ: str) -> Said:
        monkeypatch.chdir(project.folder)
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = run(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return command
