"""The shipped manifests, read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pictify_sync.manifest.desired import Manifests
from pictify_sync.wiring import Project, open_project

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of this repository, with a state of its own."""
    state = tmp_path_factory.mktemp("shipped") / "state.db"
    opened = open_project(ROOT / "pictify-sync.yaml", {"PICTIFY_SYNC_STATE": str(state)})
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def manifests(project: Project) -> Iterator[Manifests]:
    """Everything that the shipped manifests ask for."""
    read = project.read([], glyphs=True)
    yield read
    read.close()
