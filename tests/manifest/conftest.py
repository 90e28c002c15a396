"""What every test of a whole project starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one template, one manifest and two rows."""
    return Project(tmp_path)
