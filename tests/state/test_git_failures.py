"""What can go wrong between a clone and its ref: lost answers, kills, refusals, other runs, slow remotes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import Abandoned, Cleaned, Doubted, Entry, Obsolete
from pictify_sync.core.model import AssetKey
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state.codec import encode_entry
from pictify_sync.state.git_opening import open_read
from pictify_sync.state.git_place import GitPlace
from pictify_sync.state.git_program import open_git
from pictify_sync.state.git_remote import GitRemote
from pictify_sync.state.git_store import GitStateStore
from pictify_sync.state.sqlite import SqliteStateStore
from tests.state.conformance import recorded
from tests.state.git_remotes import ENVIRON, REF, Hub, git
from tests.state.samples import AT, intended, key, settled, stored, submitted


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """An empty hub."""
    return Hub(tmp_path / "hub.git")


def commits(hub: Hub) -> int:
    """How many commits the ref has: one for the state's beginning, one per push."""
    return int(git(hub.folder, "rev-list", "--count", REF))


def same(one: GitStateStore, other: GitStateStore) -> bool:
    """Whether both tell the same of records and open batches."""
    assert list(one.records()) == list(other.records())
    attempts = [
        [(batch.intended, batch.batch_id, batch.doubt) for batch in store.open_batches()] for store in (one, other)
    ]
    return attempts[0] == attempts[1] and one.obsolete() == other.obsolete()


def afresh(hub: Hub, folder: Path, store: GitStateStore) -> None:
    """Another clone, made now, sees what the store sees."""
    with hub.open(folder) as other:
        assert same(store, other)


# Pushes ---------------------------------------------------------------------------------------------------------------


def test_an_intent_is_there_before_commit_returns_and_takes_along_what_waits(hub: Hub, tmp_path: Path) -> None:
    """What may wait waits; an intent is one push with all of it."""
    with hub.open(tmp_path / "a", linger=60) as store:
        store.commit(0, [intended("a1", {1: 1})])
        assert commits(hub) == 2
        store.commit(1, [submitted("a1")])
        store.commit(2, [settled("a1", stored(1))])
        assert commits(hub) == 2
        assert store.commit(3, [intended("a2", {2: 2})]) == 4
        assert commits(hub) == 3
        assert hub.names()[:2] == ["log/000000000001-000000000001.jsonl", "log/000000000002-000000000004.jsonl"]
        store.commit(4, [submitted("a2")])
    assert commits(hub) == 4
    with hub.open(tmp_path / "b") as other:
        assert [batch.batch_id for batch in other.open_batches()] == ["batch-of-a2"]


def test_many_entries_need_few_pushes(hub: Hub, tmp_path: Path) -> None:
    """At a remote that takes its time, the pushes are a small part of the entries, and none of these waits for one."""
    hub.hook("pre-receive", "sleep 0.4")
    with hub.open(tmp_path / "a") as store:
        attempts = [f"a{number}" for number in range(40)]
        serial = store.commit(0, [intended(name, {number: number}) for number, name in enumerate(attempts)])
        for number, name in enumerate(attempts):
            serial = store.commit(serial, [submitted(name)])
            serial = store.commit(serial, [settled(name, stored(number))])
    assert commits(hub) - 2 <= 8
    with hub.open(tmp_path / "b") as other:
        assert (other.serial(), other.count()) == (120, 40)


def test_a_lost_answer_is_looked_up(hub: Hub, tmp_path: Path) -> None:
    """The remote takes a push and the connection ends without a word: it is neither repeated nor forgotten."""
    with hub.open(tmp_path / "a", linger=60) as store:
        hub.hook("post-receive", "kill -9 $PPID; sleep 0.1")
        assert store.commit(0, [intended("a1", {1: 1})]) == 1
        assert store.commit(1, [submitted("a1"), intended("a2", {2: 2})]) == 3
        assert commits(hub) == 3
        hub.hook("post-receive", "exit 0")
        afresh(hub, tmp_path / "b", store)


def test_a_lost_answer_and_another_run_on_top(hub: Hub, tmp_path: Path) -> None:
    """When ours arrived, and another run's after it, ours counts once and theirs is seen."""
    with hub.open(tmp_path / "a", linger=60) as store, hub.open(tmp_path / "b") as other:
        store.commit(0, [intended("a1", {1: 1})])
        hub.hook(
            "post-receive",
            f"""\
cd {hub.folder} && unset $(git rev-parse --local-env-vars) && export GIT_DIR={hub.folder}
tip=$(git rev-parse {REF})
blob=$(cat {tmp_path}/theirs | git hash-object -w --stdin)
(git ls-tree $tip:log; printf '100644 blob %s\\t000000000003-000000000003.jsonl\\n' $blob) | git mktree > {tmp_path}/log
(git ls-tree $tip | grep -v log; printf '040000 tree %s\\tlog\\n' $(cat {tmp_path}/log)) | git mktree > {tmp_path}/root
new=$(git -c user.name=x -c user.email=x commit-tree $(cat {tmp_path}/root) -p $tip -m x)
rm hooks/post-receive
git update-ref {REF} $new
kill -9 $PPID; sleep 0.1""",
        )
        (tmp_path / "theirs").write_text(encode_entry(intended("b1", {7: 7})) + "\n")
        assert store.commit(1, [intended("a2", {2: 2})]) == 2
        assert store.serial() == 3
        assert [batch.intended.attempt for batch in store.open_batches()] == ["a1", "a2", "b1"]
        assert store.commit(3, [recorded(stored(9))]) == 4
        other.fetch()
        assert same(store, other)


@pytest.mark.parametrize("script", ["echo no way >&2; exit 1"])
def test_a_refusal_is_told_and_nothing_is_written(hub: Hub, tmp_path: Path, script: str) -> None:
    """A remote that does not take a push: the reason and what is needed; what may wait is kept for the next run."""
    with hub.open(tmp_path / "a", linger=60) as store:
        store.commit(0, [intended("a1", {1: 1})])
        hub.hook("pre-receive", script)
        with pytest.raises(StateError, match="no way") as caught:
            store.commit(1, [intended("a2", {2: 2})])
        assert "contents: write" in caught.value.hint
        assert (store.serial(), len(store.open_batches())) == (1, 1)
        assert store.commit(1, [submitted("a1")]) == 2
        with pytest.raises(StateError, match="no way"):
            store.flush()
        hub.hook("pre-receive", "exit 0")
        store.flush()
        afresh(hub, tmp_path / "b", store)


def test_a_failed_background_push_is_told_at_the_next_commit_and_at_the_end(hub: Hub, tmp_path: Path) -> None:
    """It is not lost: the index keeps the entries, and the next run from the folder pushes them."""
    store = hub.open(tmp_path / "a", linger=0)
    store.commit(0, [intended("a1", {1: 1})])
    hub.hook("pre-receive", "echo no way >&2; exit 1")
    store.commit(1, [submitted("a1")])
    with pytest.raises(StateError, match="no way"):  # noqa: PT012
        for _ in range(1000):
            time.sleep(0.01)
            store.commit(2, [])
    with pytest.raises(StateError, match="no way"):
        store.close()
    hub.hook("pre-receive", "exit 0")
    with hub.open(tmp_path / "a") as again, hub.open(tmp_path / "b") as other:
        assert again.open_batches()[0].batch_id == "batch-of-a1"
        again.flush()
        other.fetch()
        assert same(again, other)


def test_one_run_at_a_time_in_a_folder(hub: Hub, tmp_path: Path) -> None:
    """A second one that would write has to wait or to work in a clone of its own; it may come once the first ends."""
    with hub.open(tmp_path / "a"), pytest.raises(StateError, match="another run in this folder") as caught:
        hub.open(tmp_path / "a")
    assert "clone of your own" in caught.value.hint
    hub.open(tmp_path / "a").close()


def test_waits_between_tries(hub: Hub, tmp_path: Path) -> None:
    """A remote that nobody answers for is asked several times, then named without its password."""
    waits: list[float] = []
    place = GitPlace(REF, "http://user:p4ssw0rd@localhost:1/x.git")
    git_program = open_git(place, tmp_path, tmp_path / "x.git", ENVIRON)
    git_program.prepare()
    with pytest.raises(StateError, match="localhost:1") as caught:
        GitRemote(git_program, place, waits.append).tip()
    assert "p4ssw0rd" not in str(caught.value)
    assert len(waits) == 4
    assert 3 < sum(waits) < 12


# Other runs -----------------------------------------------------------------------------------------------------------


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
