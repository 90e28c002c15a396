"""The SQLite store: the port's contract, the file itself, and what must not be opened."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pictify_sync.core.entries import Ledger
from pictify_sync.core.model import key_order
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import StateError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import Open, StateStoreContract, recorded
from tests.state.samples import intended, probed, settled, stored, submitted


def open_at(path: Path) -> SqliteStateStore:
    """Open or make the state below path."""
    store = open_store(path / ".pictify-sync" / "state.db", create=True)
    assert isinstance(store, SqliteStateStore)
    return store


class TestSqliteStateStore(StateStoreContract):
    """The contract, for SQLite."""

    @pytest.fixture(autouse=True)
    def _closed(self) -> Iterator[None]:
        self.opened: list[SqliteStateStore] = []
        yield
        for store in self.opened:
            assert store.verify() == ()
            store.close()

    def opener(self, tmp_path: Path) -> Open:
        def again() -> StateStore:
            self.opened.append(open_at(tmp_path))
            return self.opened[-1]

        return again


def test_a_missing_state_is_empty_and_read_only(tmp_path: Path) -> None:
    """Without `create` a missing state reads as empty, refuses commits and makes no file."""
    store = open_store(tmp_path / "x" / "state.db", create=False)
    assert isinstance(store, EmptyStateStore)
    assert (store.lineage, store.serial(), store.count(), list(store.records())) == ("", 0, 0, [])
    with pytest.raises(StateError):
        store.commit(0, [])
    assert list(tmp_path.iterdir()) == []
    assert store.sensitive_key() != EmptyStateStore().sensitive_key()


def test_the_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    """The state's folder is 0700 with a .gitignore of everything, its files are 0600."""
    with open_at(tmp_path) as store:
        store.commit(0, [recorded(stored(1))])
        folder = tmp_path / ".pictify-sync"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / ".gitignore").read_text() == "*\n"
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("state.db*")} == {0o600}
    with open_at(tmp_path) as store:
        assert store.count() == 1


def test_a_folder_of_the_user_gets_no_gitignore(tmp_path: Path) -> None:
    """A folder that was there before is left as it is."""
    open_store(tmp_path / "state.db", create=True).close()
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be one " * 40, b"{}"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """A stranger's file is refused with a hint, and left as it is."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    for create in (True, False):
        with pytest.raises(StateError) as caught:
            open_store(path, create=create)
        assert caught.value.hint
    assert path.read_bytes() == content


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """A database of another program is refused and not touched."""
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE log (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StateError, match="not a state"):
            open_store(path, create=create)
    assert path.read_bytes()[100:] == before[100:]  # apart from the header, which counts openings


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """A state of a later version is refused with the hint to upgrade."""
    with open_at(tmp_path) as store:
        path = store.path
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateError, match="99") as caught:
        open_store(path, create=False)
    assert "upgrade" in caught.value.hint


def test_an_entry_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    """An entry that this version does not know is a StateError, never skipped."""
    with open_at(tmp_path) as store:
        store.commit(0, [recorded(stored(1))])
        _tamper(store.path, """UPDATE log SET body = '{"kind":"teleported","at":""}'""")
        with pytest.raises(StateError):
            list(store.entries())


def _tamper(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE log SET body = replace(body, 'webp', 'jpeg') WHERE serial = 3", "altered"),
        ("UPDATE log SET at = '2020' WHERE serial = 2", "altered"),
        ("UPDATE log SET kind = 'doubted' WHERE serial = 2", "labelled"),
        ("DELETE FROM log WHERE serial = 2", "jumps"),
        ("DELETE FROM log WHERE serial = 1", "jumps"),
        ("UPDATE records SET size = size + 1", "records"),
        ("DELETE FROM records", "records"),
        ("INSERT INTO obsolete VALUES ('x', 'y')", "obsolete"),
        ("UPDATE attempts SET billed_max = 99", "attempts"),
        ("DELETE FROM variables", "variables"),
        ("UPDATE tally SET value = 7", "tally"),
    ],
)
def test_verify_finds_what_was_altered(tmp_path: Path, statement: str, word: str) -> None:
    """Any change of log or tables behind our back is found, and tables are made anew from the log."""
    with open_at(tmp_path) as store:
        store.commit(0, [intended("a1", {1: 1, 2: 2}), submitted("a1"), settled("a1", stored(1), stored(2))])
        assert store.verify() == ()
        _tamper(store.path, statement)
        assert any(word in fault for fault in store.verify())
        if " log " not in statement:
            assert store.rebuild() == 3
            assert store.verify() == ()
            assert list(store.records()) == [stored(1), stored(2)]


def test_bytes_that_are_no_text_are_a_damage_and_are_not_quoted(tmp_path: Path) -> None:
    """The error names the file and says what to do, without the content of the entry."""
    with open_at(tmp_path) as store:
        store.commit(0, [intended("a1", {1: 1}), submitted("a1")])
        _tamper(store.path, "UPDATE log SET body = CAST(x'7b22ff' AS TEXT) WHERE serial = 2")
        with pytest.raises(StateError, match="bytes that are not text") as caught:
            list(store.entries())
        assert "damaged" in caught.value.hint


def test_damaged_pages_are_a_state_error(tmp_path: Path) -> None:
    """A file with garbled pages is a StateError on reading or a finding of verify, never a traceback of SQLite."""
    with open_at(tmp_path) as store:
        store.commit(0, [recorded(*map(stored, range(200)))])
        path = store.path
    content = bytearray(path.read_bytes())
    content[8192:] = bytes(reversed(content[8192:]))
    path.write_bytes(content)
    with pytest.raises(StateError):  # noqa: PT012
        found = open_at(tmp_path)
        try:
            list(found.records())
            list(found.entries())
            raise StateError("; ".join(found.verify()))
        finally:
            found.close()


def test_the_ledger_sums_all_attempts(tmp_path: Path) -> None:
    """What closed attempts and live checks cost and what open attempts may still cost can be asked."""
    with open_at(tmp_path) as store:
        store.commit(0, [intended("a1", {1: 1, 2: 2}), settled("a1", stored(1), stored(2)), intended("a2", {3: 3})])
        assert store.ledger() == Ledger(attempts=2, open=1, open_pictures=1, billed_min=2, billed_max=2)
        store.commit(3, [probed("p1", ended=False)])
        assert store.ledger() == Ledger(attempts=2, open=1, open_pictures=1, billed_min=2, billed_max=6)
        store.commit(4, [probed("p1")])
        assert store.ledger() == Ledger(attempts=2, open=1, open_pictures=1, billed_min=3, billed_max=4)


def test_a_pinned_state_keeps_to_one_serial(tmp_path: Path) -> None:
    """Within `pinned` every read sees the same serial although another process commits."""
    with open_at(tmp_path) as store, open_at(tmp_path) as other:
        store.commit(0, [recorded(stored(1))])
        with store.pinned():
            other.commit(1, [recorded(stored(2))])
            assert (store.serial(), store.count(), len(list(store.records()))) == (1, 1, 1)
        assert (store.serial(), store.count(), len(list(store.records()))) == (2, 2, 2)
        with pytest.raises(AssertionError), store.pinned():
            store.commit(2, [])


def test_a_rolled_back_spec_is_interned_again(tmp_path: Path) -> None:
    """A spec first seen in a refused commit is not believed to be stored."""
    with open_at(tmp_path) as store:
        with pytest.raises(StateError):
            store.commit(0, [recorded(stored(1)), settled("a1")])
        store.commit(0, [recorded(stored(1))])
        assert list(store.records()) == [stored(1)]
        assert store.verify() == ()


def test_records_come_in_pages_without_loss(tmp_path: Path) -> None:
    """Thousands of records stream complete and in order."""
    with open_at(tmp_path) as store:
        store.commit(0, [recorded(*map(stored, range(3000)))])
        keys = [record.key for record in store.records()]
        assert keys == sorted(keys, key=key_order)
        assert len(keys) == store.count() == 3000
