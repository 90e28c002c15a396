"""A state file whose history is forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import Abandoned, Entry, FileMove, MovesIntended, Obsolete, TemplateRecorded
from pictify_sync.errors import Conflict
from pictify_sync.state.sqlite.compaction import compact
from pictify_sync.state.sqlite.store import SqliteStateStore
from tests.state.conformance import recorded
from tests.state.samples import AT, failed, intended, key, probed, settled, stored, submitted, template
from tests.state.test_snapshot import lines_of, open_at


def fill(store: SqliteStateStore) -> int:
    """Something of every kind."""
    move = FileMove(key(2), "0" * 64, "cards/001.webp", "cards/002.webp")
    entries: list[Entry] = [
        TemplateRecorded(template("card"), AT),
        intended("a1", {1: 1, 3: 3, 4: 4}),
        settled("a1", stored(1), failed(3), failed(4, before=stored(4))),
        intended("a2", {5: 5, 6: 6}),
        submitted("a2"),
        intended("a3", {7: 7}),
        Abandoned("a3", "gone", 0, 1, AT),
        probed("p1", ended=False),
        probed("p1"),
        MovesIntended((move,), (stored(2, content=1),), (key(1),), (), AT),
        recorded(obsolete=(Obsolete("old.webp", "1" * 64),)),
    ]
    return store.commit(store.serial(), entries)


def test_only_the_history_is_forgotten(tmp_path: Path) -> None:
    """Tables, costs and open batches are as before, the serial goes on, and the file proves itself."""
    with open_at(tmp_path) as store, open_at(tmp_path) as other:
        serial = fill(store)
        before, ledger = lines_of(store), store.ledger()
        assert compact(store) == serial
        for one in (store, other):
            assert (one.serial(), list(one.entries()), lines_of(one), one.ledger()) == (serial, [], before, ledger)
        assert store.verify() == ()
        with pytest.raises(Conflict):
            other.commit(0, [])
        assert other.commit(serial, [settled("a2", stored(5), stored(6))]) == serial + 1
        assert [number for number, _, _ in store.entries()] == [serial + 1]
        assert store.rebuild() > 0
        assert store.verify() == ()


def test_it_may_be_done_again(tmp_path: Path) -> None:
    """A second time only what came since is forgotten."""
    with open_at(tmp_path) as store:
        serial = fill(store)
        compact(store)
        assert compact(store) == 0
        store.commit(serial, [settled("a2", stored(5), stored(6)), recorded(replace(stored(5), tainted=True))])
        before = lines_of(store)
        assert compact(store) == 2
        assert (store.serial(), lines_of(store), store.verify()) == (serial + 2, before, ())


def test_the_file_shrinks(tmp_path: Path) -> None:
    """What a thousand changes of the same records took is given back."""
    with open_at(tmp_path) as store:
        for turn in range(40):
            store.commit(store.serial(), [recorded(*(replace(stored(n), attempts=turn) for n in range(100)))])
        size = store.path.stat().st_size
        compact(store)
        assert store.path.stat().st_size < size / 4


@pytest.mark.parametrize(
    "statement", ["DELETE FROM log WHERE serial = (SELECT min(serial) FROM log)", "DELETE FROM log"]
)
def test_what_stands_in_for_the_log_is_guarded_too(tmp_path: Path, statement: str) -> None:
    """A row that is lost below the log is found."""
    with open_at(tmp_path) as store:
        fill(store)
        compact(store)
        with store.writing() as connection:
            connection.execute(statement)
        assert store.verify() != ()
