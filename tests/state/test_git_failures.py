"""What can go wrong between a clone and its ref: lost answers, kills, refusals, other runs, slow remotes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pictify_sync.errors import StateError
from pictify_sync.state.codec import encode_entry
from pictify_sync.state.git.place import GitPlace
from pictify_sync.state.git.program import open_git
from pictify_sync.state.git.remote import GitRemote
from tests.state.clones import afresh, same
from tests.state.conformance import recorded
from tests.state.git_remotes import ENVIRON, REF, Hub, git
from tests.state.samples import intended, settled, stored, submitted


def commits(hub: Hub) -> int:
    """How many commits the ref has: one for the state's beginning, one per push."""
    return int(git(hub.folder, "rev-list", "--count", REF))


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
