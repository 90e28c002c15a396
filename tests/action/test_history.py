"""Which of two commits is older, found out in a checkout that has the newest commit alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pictify_sync.github.commands import fetch_history
from pictify_sync.wiring.checkout import Checkout, Order
from tests.action.job import Hub
from tests.action.machine import checkout, git
from tests.end_to_end.project import ProjectFolder


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Hub, list[str]]:
    """A repository with more commits than are fetched at once; gives some, the oldest first, and one of a branch."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    hub = Hub(tmp_path / "hub")
    hub.work = ProjectFolder(tmp_path / "developer")
    commits = [hub.commit("main")]
    for _ in range(60):
        git(hub.work.folder, "commit", "--quiet", "--allow-empty", "-m", "more")
    commits += [hub.commit("main"), hub.commit("main")]
    git(hub.work.folder, "checkout", "--quiet", commits[0])
    return hub, [*commits, hub.commit("side")]


@pytest.mark.parametrize(
    ("here", "other", "order"),
    [
        (2, 1, Order.NEWER),
        (1, 2, Order.OLDER),
        (0, 2, Order.OLDER),
        (2, 0, Order.NEWER),
        (2, 2, Order.SAME),
        (2, 3, Order.DIVERGED),
    ],
)
def test_commits_are_compared(
    line: tuple[Hub, list[str]], monkeypatch: pytest.MonkeyPatch, here: int, other: int, order: Order
) -> None:
    """In a shallow checkout nothing is proven before the history was fetched; then it is, however far apart."""
    hub, commits = line
    folder = hub.folder / "checkout"
    checkout(hub.remote, folder, commits[here])
    monkeypatch.chdir(folder)
    found = Checkout(folder, os.environ)
    assert found.order(commits[other]) is (order if order is Order.SAME else Order.UNKNOWN)
    assert fetch_history(commits[other], os.environ) is (order is not Order.DIVERGED)
    assert found.order(commits[other]) is order


def test_a_commit_that_is_nowhere_is_no_error(line: tuple[Hub, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """It was never pushed, or is gone: nothing is known of it."""
    hub, commits = line
    folder = hub.folder / "checkout"
    checkout(hub.remote, folder, commits[2])
    monkeypatch.chdir(folder)
    assert not fetch_history("f" * 40, os.environ)
    assert Checkout(folder, os.environ).order("f" * 40) is Order.UNKNOWN
