"""Whose a state is, and which commit was applied last: entries of which the newest counts, wherever the log was cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import Applied, Bound, Entry, ProjectIdentity
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import InputError, StateError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.snapshot.reader import import_snapshot
from pictify_sync.state.snapshot.writer import export
from pictify_sync.state.sqlite.compaction import compact
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import recorded
from tests.state.git_remotes import Hub
from tests.state.samples import AT, stored

BLOG = ProjectIdentity("", "blog", "manifests", "../blog", "example.org/x", ("a" * 40,))
SHOP = replace(BLOG, folder="shop")
ENTRIES: tuple[Entry, ...] = (
    Bound(BLOG, AT),
    Applied("b" * 40, "run-1", AT),
    recorded(stored(1)),
    Bound(SHOP, AT),
    Applied("c" * 40, "run-2", AT),
)


def opened(path: Path) -> SqliteStateStore:
    """A state file."""
    store = open_store(path, create=True)
    assert isinstance(store, SqliteStateStore)
    return store


def newest(store: StateStore) -> tuple[object, object]:
    """What counts."""
    applied = store.applied()
    return store.project(), None if applied is None else applied.commit


def test_nobody_owns_a_new_state(tmp_path: Path) -> None:
    """Before anything was written, and in a state of an older version, there is neither."""
    with opened(tmp_path / "a.db") as store:
        assert newest(store) == newest(EmptyStateStore()) == (None, None)


def test_the_newest_counts_after_compaction_and_import(tmp_path: Path) -> None:
    """Neither cutting the log nor a snapshot loses whose the state is, and what was applied."""
    with opened(tmp_path / "a.db") as store, opened(tmp_path / "b.db") as other:
        store.commit(0, ENTRIES)
        assert newest(store) == (SHOP, "c" * 40)
        compact(store)
        assert newest(store) == (SHOP, "c" * 40)
        assert store.verify() == ()
        lines: list[str] = []
        export(store, lines.append)
        import_snapshot(lines, other, file="x", at=AT)
        assert newest(other) == (SHOP, "c" * 40)
        again: list[str] = []
        export(other, again.append)
        assert again == lines


def test_the_newest_counts_in_a_clone_that_begins_with_a_checkpoint(tmp_path: Path) -> None:
    """A clone of a ref whose log was cut knows both."""
    hub = Hub(tmp_path / "hub.git")
    with hub.open(tmp_path / "one") as store:
        store.commit(0, ENTRIES)
        store.compact()
        assert newest(store) == (SHOP, "c" * 40)
    with hub.open(tmp_path / "two") as other:
        assert newest(other) == (SHOP, "c" * 40)


@pytest.mark.parametrize(
    "entry",
    [
        Bound(replace(BLOG, folder="a\nb"), AT),
        Bound(replace(BLOG, roots=("--upload-pack=x",)), AT),
        Applied("--output=x", "run-1", AT),
        Applied("HEAD", "run-1", AT),
    ],
)
def test_what_would_harm_git_or_a_terminal_is_refused(tmp_path: Path, entry: Entry) -> None:
    """A commit is hex digits, and a project plain text, whoever wrote the entry or the snapshot."""
    with (
        Hub(tmp_path / "hub.git").open(tmp_path / "one") as store,
        pytest.raises(StateError, match="an invalid entry"),
    ):
        store.commit(0, [entry])
    lines: list[str] = []
    with opened(tmp_path / "a.db") as source, opened(tmp_path / "b.db") as other:
        source.commit(0, [entry])
        export(source, lines.append)
        with pytest.raises(InputError):
            import_snapshot(lines, other, file="x", at=AT)
