"""Two sizes of the suite: everyday, and `--full` with big counts, many kills and a browser."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("everyday", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", settings.get_profile("everyday"), max_examples=1000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer --full."""
    parser.addoption("--full", action="store_true", help="run what is marked full, and many more examples")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples Hypothesis tries."""
    settings.load_profile("full" if config.getoption("--full") else "everyday")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked full in everyday runs."""
    if config.getoption("--full"):
        return
    left = [item for item in items if item.get_closest_marker("full") is None]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full") is not None])
    items[:] = left
