"""A hub for every test of a state on a ref."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.state.git_remotes import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """An empty hub."""
    return Hub(tmp_path / "hub.git")
