"""A project that was applied, and a command to run in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pictify_sync.cli.root import run
from tests.cli.running import ROWS, Run, Said
from tests.end_to_end.project import ProjectFolder


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
