"""One browser, and pages in it, for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pictify_sync.rendering.engines.chromium import browser
from tests.report.gallery import previews
from tests.report.reviews import many
from tests.report.viewer import Viewer


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """One browser for all tests of pages."""
    if browser.find() is None:
        pytest.skip("no Chrome or Chromium is installed")
    pytest.importorskip("playwright")
    viewer = Viewer(tmp_path_factory.mktemp("pages"))
    yield viewer
    viewer.close()


@pytest.fixture(scope="module")
def pictured(viewer: Viewer) -> Path:
    """A plan of 40 changes with pictures."""
    review = many(40, manifests=2)
    return viewer.write("pictured", review, previews(viewer.folder, review))


@pytest.fixture(scope="module")
def thousands(viewer: Viewer) -> Path:
    """A plan of 5,000 changes."""
    return viewer.write("thousands", many(5000))
