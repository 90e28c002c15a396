"""The real command and the served render server: SIGKILL between the POST of a batch and the record of its answer."""

from __future__ import annotations

import itertools
import json
import signal
from pathlib import Path

import pytest

from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.end_to_end.project import ProjectFolder
from tests.end_to_end.test_remote import SETTINGS, local, rendered, served

__all__ = ["local"]
DYING = "tests.end_to_end.dying"
LATER = {"TEST_AHEAD": "3600"}  # seconds: the quarantine is over
BATCH = 4  # pictures: two items in two layouts


def prepared(folder: Path) -> ProjectFolder:
    """Two batches."""
    return ProjectFolder(folder, settings=SETTINGS.replace("max_open: 2", "max_open: 2, max_items: 2, post_seconds: 4"))


def kinds(project: ProjectFolder) -> list[str]:
    """The kinds of all entries of the log, in order."""
    return [json.loads(line)["entry"]["kind"] for line in project.ok("log").splitlines()]


def check(project: ProjectFolder, local: dict[str, bytes], at: int) -> bool:
    """At most one batch is rendered again, the ledger holds the server's meter, and the files are right.

    Returns whether the apply came as far as that commit.
    """
    with served(project) as environ:
        died = project.run("before", str(at), module=DYING, environ=environ)
        killed = died.returncode == -signal.SIGKILL
        assert killed or (died.returncode == 0 and int(died.stdout) < at), died.stderr
        early = project.run("apply", "--yes", environ=environ)
        assert rendered(project) <= len(local), early.stdout
        for _ in range(2):
            done = project.run(module=DYING, environ={**environ, **LATER})
            assert done.returncode == 0, done.stderr
        assert project.run("plan", "--detailed-exitcode", environ=environ).returncode == 0
    assert project.files() == local
    store = open_store(project.folder / ".pictify-sync/state.db", create=False)
    assert isinstance(store, SqliteStateStore)
    ledger = store.ledger()
    store.close()
    assert ledger.billed_min <= rendered(project) <= ledger.billed_max
    assert len(local) <= rendered(project) <= len(local) + BATCH
    return killed


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What an apply without a fault writes down."""
    project = prepared(tmp_path_factory.mktemp("clean"))
    with served(project) as environ:
        assert project.run(module=DYING, environ=environ).returncode == 0
    return kinds(project)


def test_killed_before_the_answer_is_recorded(tmp_path: Path, local: dict[str, bytes], clean: list[str]) -> None:
    """The server took the batch, and nobody wrote down its id."""
    assert check(prepared(tmp_path), local, clean.index("submitted") + 1)


@pytest.mark.full
def test_killed_at_every_append(tmp_path: Path, local: dict[str, bytes]) -> None:
    """Every moment of an apply, until one ends by itself: entries that come together share a commit."""
    at = next(at for at in itertools.count(1) if not check(prepared(tmp_path / str(at)), local, at))
    assert at > 6, "bound, template, and two batches that are intended, submitted and settled"
