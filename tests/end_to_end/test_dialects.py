"""The shipped manifests against the served render server end with the files of the embedded provider, in each dialect.

Small manifests do so every day, in `test_remote`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.end_to_end.shipped import FEW, REMOTE, Shipped

pytestmark = pytest.mark.full

DIALECTS = ("nested", "names", "flat", "legacy", "dashboard")
LIMITS = {
    "nested": "",
    "names": ", urls_in_results: false, url_sources: [lookup]",
    **dict.fromkeys(("flat", "legacy", "dashboard"), ", many_layouts: false"),
}


def check(folder: Path, local: Shipped, dialect: str, errors: str) -> None:
    """Apply in one dialect; where results tell no URLs, they are looked up."""
    project = Shipped(folder, settings=REMOTE % LIMITS[dialect])
    project.select = local.select
    with project.served("--dialect", dialect, "--errors", errors, "--lookup-variables") as environ:
        project.apply(environ)
        if dialect == "names":
            project.collect(environ)
        assert project.files() == local.files()
        assert set(project.rendered().values()) == {1}
        left = project.run("plan", "--detailed-exitcode", *project.select, environ=environ)
        assert left.returncode == 0, left.stdout


def applied(folder: Path, *select: str) -> Shipped:
    """What the embedded provider makes of them."""
    project = Shipped(folder, select=select)
    project.apply()
    return project


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """A few cards of every manifest."""
    return applied(tmp_path_factory.mktemp("some"), *FEW)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """All cards."""
    return applied(tmp_path_factory.mktemp("everything"))


@pytest.mark.parametrize(("dialect", "errors"), [*product(DIALECTS, ("plain", "problem"))])
def test_some_cards(tmp_path: Path, some: Shipped, dialect: str, errors: str) -> None:
    """Every result dialect with every error dialect."""
    check(tmp_path, some, dialect, errors)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_cards(tmp_path: Path, everything: Shipped, dialect: str) -> None:
    """Every result dialect, all manifests."""
    check(tmp_path, everything, dialect, "plain")
