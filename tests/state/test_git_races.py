"""Several runs on one ref: who comes second is told, and nothing is counted twice or lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import Abandoned, Cleaned, Doubted, Entry, Obsolete
from pictify_sync.core.model import AssetKey
from pictify_sync.errors import Conflict
from pictify_sync.state.git.opening import open_read
from pictify_sync.state.sqlite.store import SqliteStateStore
from tests.state.clones import afresh, same
from tests.state.conformance import recorded
from tests.state.git_remotes import REF, Hub, git
from tests.state.samples import AT, intended, key, settled, stored, submitted


def test_the_loser_of_a_race_is_told_and_has_written_nothing(hub: Hub, tmp_path: Path) -> None:
    """Two intents for one key: one gets there, the other is a Conflict with all that came since."""
    with hub.open(tmp_path / "a") as one, hub.open(tmp_path / "b") as two:
        one.commit(0, [intended("a1", {1: 1})])
        with pytest.raises(Conflict) as caught:
            two.commit(0, [intended("b1", {1: 1})])
        assert (caught.value.expected, caught.value.serial) == (0, 1)
        assert [entry for _, _, entry in two.entries(0)] == [intended("a1", {1: 1})]
        assert two.commit(1, [intended("b2", {2: 2})]) == 2
        assert same(two, two)
        one.fetch()
        assert same(one, two)


def test_what_waits_goes_on_top_of_theirs(hub: Hub, tmp_path: Path) -> None:
    """Entries that may wait change places with those of another run, and both see the same in the end."""
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b", linger=60) as two:
        one.commit(0, [intended("a1", {1: 1}), intended("a2", {2: 2})])
        two.fetch()
        two.commit(2, [intended("b1", {3: 3})])
        one.commit(2, [submitted("a1"), settled("a2", stored(2))])
        one.flush()
        assert [serial for serial, _, _ in one.entries(4)] == [5]
        one.commit(5, [settled("a1", stored(1)), Cleaned((Obsolete("x", "0" * 64),), AT)])
        two.commit(3, [submitted("b1")])
        one.flush()
        two.flush()
        one.fetch()
        assert same(one, two)
        afresh(hub, tmp_path / "c", one)


def test_equal_entries_of_two_runs_count_each(hub: Hub, tmp_path: Path) -> None:
    """The same text from two runs is one entry of each, in the index as on the ref."""
    same_text = Cleaned((Obsolete("x", "0" * 64),), AT)
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b", linger=60) as two:
        two.commit(0, [same_text])
        for serial in range(3):
            one.commit(serial, [same_text])
        one.flush()
        two.flush()
        one.fetch()
        assert one.serial() == two.serial() == 3
        assert two.checkpoint()
        with hub.open(tmp_path / "c") as other:
            assert other.serial() == two.serial()


def test_the_same_words_of_another_run_stand_where_they_stand(hub: Hub, tmp_path: Path) -> None:
    """Two runs settle a batch in the same words, one of them after a change that the other has not seen."""
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b", linger=60) as two:
        one.commit(0, [intended("a1", {1: 1})])
        two.fetch()
        two.commit(1, [settled("a1", stored(1))])
        one.commit(1, [recorded(replace(stored(1), tainted=True))])
        one.commit(2, [settled("a1", stored(1))])
        one.flush()
        two.flush()
        assert same(one, two)
        assert not next(two.records()).tainted


@pytest.mark.parametrize(
    ("ours", "theirs", "attempt"),
    [
        (settled("a1", stored(1)), settled("a1", stored(1, content=5)), None),
        (settled("a1", stored(1)), Abandoned("a1", "", 0, 1, AT), None),
        (submitted("a1"), settled("a1", stored(1)), None),
        (submitted("a1"), replace(submitted("a1"), batch_id="other"), "other"),
        (Doubted("a1", "lost", AT), submitted("a1"), "batch-of-a1"),
        (Abandoned("a1", "", 0, 1, AT), submitted("a1"), None),
        (settled("a1", stored(1)), recorded(replace(stored(1), tainted=True)), None),
    ],
)
def test_who_told_first_of_a_batch_is_right(
    hub: Hub, tmp_path: Path, ours: Entry, theirs: Entry, attempt: str | None
) -> None:
    """Another run closed or submitted our batch first: ours is dropped where it cannot follow, and nobody is stuck."""
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b", linger=60) as two:
        one.commit(0, [intended("a1", {1: 1}), intended("a2", {2: 2})])
        two.fetch()
        two.commit(2, [theirs])
        two.flush()
        before = one.commit(2, [submitted("a2"), ours])
        with pytest.raises(Conflict) as caught:
            one.commit(before, [intended("a3", {3: 3})])
        assert caught.value.serial > before
        seen = list(one.entries(before))
        assert seen[-1][0] == one.serial() == caught.value.serial
        assert theirs in [entry for _, _, entry in seen]
        assert one.commit(one.serial(), [intended("a3", {3: 3})]) == caught.value.serial + 1
        assert [entry for _, _, entry in one.entries(caught.value.serial)] == [intended("a3", {3: 3})]
        two.fetch()
        assert same(one, two)
        batches = {batch.intended.attempt: batch.batch_id for batch in two.open_batches()}
        assert batches["a2"] == "batch-of-a2"
        assert batches.get("a1") == attempt
    with hub.open(tmp_path / "a") as again:
        assert again.verify() == ()


def test_checkpoints_are_made_in_time(hub: Hub, tmp_path: Path) -> None:
    """The tree keeps the entries since the checkpoint before the newest, and parts that did not change are the same."""
    with hub.open(tmp_path / "a") as store:
        store.checkpoint_after = 4
        many = [replace(stored(number), key=AssetKey(f"cards/n{number:05}@default")) for number in range(4000)]
        store.commit(0, [recorded(*many[start : start + 1000]) for start in range(0, 4000, 1000)])
        parts = set(git(hub.folder, "ls-tree", f"{REF}:checkpoint").splitlines())
        assert len(parts) > 2
        for serial in range(4, 12):
            store.commit(serial, [recorded(replace(many[3], attempts=serial))])
        meta = json.loads(git(hub.folder, "show", f"{REF}:meta.json"))
        assert (meta["base"], meta["checkpoint"]) == (8, 12)
        assert len(parts & set(git(hub.folder, "ls-tree", f"{REF}:checkpoint").splitlines())) == len(parts) - 1
        with hub.open(tmp_path / "b") as other:
            assert [serial for serial, _, _ in other.entries()] == [9, 10, 11, 12]
            assert same(store, other)
            assert other.ledger() == store.ledger()
            assert other.verify() == ()
        reader = open_read(hub.state(tmp_path / "b"))
        assert isinstance(reader, SqliteStateStore)
        with reader:
            assert reader.verify() == ()


def test_a_checkpoint_of_another_run_goes_unnoticed(hub: Hub, tmp_path: Path) -> None:
    """Log and entries go on over a checkpoint; after a compaction all is told again."""
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b") as two:
        one.commit(0, [recorded(stored(1)), intended("a1", {2: 2})])
        two.fetch()
        one.commit(2, [submitted("a1")])
        two.checkpoint()
        assert one.commit(3, [intended("a2", {4: 4})]) == 4
        two.fetch()
        two.commit(4, [recorded(stored(7))])
        one.commit(4, [settled("a1", stored(2))])
        two.compact()
        with pytest.raises(Conflict):
            one.commit(5, [recorded(stored(8))])
        told = [entry for _, _, entry in one.entries(5)]
        assert {record.key for entry in told for record in getattr(entry, "puts", ())} >= {key(1), key(7)}
        one.commit(one.serial(), [recorded(stored(8))])
        two.fetch()
        assert same(one, two)
        afresh(hub, tmp_path / "c", one)


def test_a_settle_that_came_too_late_is_named(hub: Hub, tmp_path: Path) -> None:
    """Another run gave the batch up first: whoever settled it meanwhile is told, once, and not what others wrote."""
    with hub.open(tmp_path / "a", linger=60) as one, hub.open(tmp_path / "b", linger=60) as two:
        one.commit(0, [intended("a1", {1: 1}), intended("a2", {2: 2})])
        two.fetch()
        given_up = Abandoned("a1", "its lease is over", 0, 1, AT)
        two.commit(2, [given_up])
        two.flush()
        late = settled("a1", stored(1))
        one.commit(2, [late, settled("a2", stored(2))])
        assert one.sync() == (late,)
        assert one.sync() == ()
        assert [record.key for record in one.records()] == [key(2)]
        assert given_up in [entry for _, _, entry in one.entries()]
        assert two.sync() == ()
        assert same(one, two)


def test_a_sync_learns_what_others_wrote(hub: Hub, tmp_path: Path) -> None:
    """Without anything of its own to push, too."""
    with hub.open(tmp_path / "a") as one, hub.open(tmp_path / "b") as two:
        two.commit(0, [intended("b1", {1: 1})])
        assert one.serial() == 0
        assert one.sync() == ()
        assert [opened.intended.attempt for opened in one.open_batches()] == ["b1"]
