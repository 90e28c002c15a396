"""One engine per kind for all tests of pictures: starting one is slow, and a process can drive one browser only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rendering.pages.studio import Studio

ENGINES = ["takumi", pytest.param("chromium", marks=pytest.mark.full)]


@pytest.fixture(scope="session")
def takumi() -> Studio:
    """The embedded engine."""
    return Studio("takumi")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Studio]:
    """The browser engine."""
    from pictify_sync.rendering.engines.chromium import browser

    if browser.find() is None:
        pytest.skip("no Chrome or Chromium is installed")
    pytest.importorskip("playwright")
    studio = Studio("chromium")
    yield studio
    studio.renderer.close()


@pytest.fixture(params=ENGINES)
def studio(request: pytest.FixtureRequest) -> Studio:
    """Each engine."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Studio)
    return found
