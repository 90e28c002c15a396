"""A ref that somebody wrote nonsense to: refused with what and where, nothing executed or written elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pictify_sync.errors import StateError
from pictify_sync.state.git.opening import open_read
from tests.state.conformance import recorded
from tests.state.git_remotes import REF, Hub, git
from tests.state.samples import intended, settled, stored, submitted
from tests.state.spoiling import FIRST, SECOND, Tree, drop, edit, entry, meta, push, put, refused, rename, tree_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub whose state has a checkpoint and a log, and the clone that made it."""
    folder = tmp_path_factory.mktemp("hostile") / "made"
    with Hub(folder / "hub.git").open(folder / "filler") as store:
        store.commit(0, [intended("a1", {1: 1, 2: 2}), submitted("a1"), recorded(stored(3))])
        store.checkpoint()
        store.commit(3, [intended("a2", {4: 4})])
    return folder


@pytest.fixture
def hub(made: Path, tmp_path: Path) -> Hub:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Hub(tmp_path / "hub.git")


PART = "checkpoint/0000.jsonl"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop("meta.json"), "meta.json is missing"),
        (put("meta.json", "{"), "not JSON"),
        (put("meta.json", "[" * 5000), "nested"),
        (put("meta.json", "[]"), "not that of a state"),
        (put("meta.json", "x" * 70_000), "65,536"),
        (put("meta.json", "../../etc/passwd", "120000"), "not a plain file"),
        (put("meta.json/x", "{}"), "not a plain file"),
        (meta(format_version=4), "upgrade"),
        (meta(lineage="../x"), "impossible"),
        (meta(lineage=7), "lineage"),
        (meta(checkpoint=-1), "impossible"),
        (meta(checkpoint=10**30), "impossible"),
        (meta(checkpoint=0), "not announced"),
        (meta(base=1), "where 2 should follow"),
        (drop(PART), "checkpoint is missing"),
        (drop(FIRST), "where 1 should follow"),
        (put("log/000000000006-000000000006.jsonl", "{}\n"), "where 5 should follow"),
        (put("log/000000000005-000000000004.jsonl", "{}\n"), "does not belong"),
        (put("log/x", "{}\n"), "does not belong"),
        (put("hooks/post-checkout", "touch pwned", "100755"), "does not belong"),
        (put(".git", "gitdir: x"), "does not belong"),
        (put("log/..", "x"), "does not belong|not a plain file"),
        (put(SECOND, "x", "120000"), "not a plain file"),
        (put(SECOND, "x", "100755"), "not a plain file"),
        (put("checkpoint/0001.jsonl/x", "x"), "not a plain file"),
        (rename(SECOND, "log/000000000004-000000000005.jsonl"), "1 entries where its name says 2"),
        (put(SECOND, "not json\n"), "JSON"),
        (put(SECOND, "[" * 100_000 + "\n"), "not readable"),
        (put(SECOND, '{"kind":"teleported","at":""}\n'), "newer pictify-sync"),
        (edit(FIRST, '"submitted"', '"doubted"'), "detail"),
        (entry(lambda value: value.update(at="yesterday")), "time"),
        (entry(lambda value: value.update(attempt="a\r\nX-Evil: 1")), "id of an attempt"),
        (entry(lambda value: value.update(attempt="a1")), "exists already"),
        (entry(lambda value: value["claims"][0].update(output="../../x.webp")), "not a path below"),
        (entry(lambda value: value["claims"][0].update(output="/etc/passwd")), "not a path below"),
        (entry(lambda value: value["claims"][0].update(key="../x")), "not an asset key"),
        (
            entry(lambda value: value["puts"][0]["artifact"].update(path="../x"), recorded(stored(9))),
            "not a path below",
        ),
        (entry(lambda value: value["puts"][0].update(attempts=10**40), recorded(stored(9))), "attempts"),
        (entry(lambda value: value.update(billed_max=10**40), settled("a1", stored(1))), "impossible|billed"),
        (
            entry(lambda value: value["puts"][0]["fingerprint"].update(spec="0" * 32), recorded(stored(9))),
            "fingerprint",
        ),
        (entry(lambda value: None, settled("a9", stored(1))), "not open"),
        (edit(PART, '"lineage":"', '"lineage":"0'), "lineage differs"),
        (edit(PART, "cards/003.webp", "../003.webp"), "not a path below"),
        (edit(PART, '"tainted":false', '"tainted":"no"'), "tainted"),
        (edit(PART, '"status":"stored"', '"status":"eaten"'), "status"),
        (put(PART, "\x00\n"), "not a snapshot|JSON"),
        (put("checkpoint/0001.jsonl", '{"kind":"asset"}\n'), "order|required"),
        (put("checkpoint/0001.jsonl", '{"kind":"asset",]},{"kind":"asset",\n'), "JSON"),
    ],
)
def test_what_is_wrong_is_told(hub: Hub, tmp_path: Path, change: Callable[[Tree], None], words: str) -> None:
    """Each way of writing nonsense ends in an error that names the ref and the place, and leaves no other file."""
    tree = tree_of(hub)
    change(tree)
    push(hub, tree)
    said = refused(hub, tmp_path / "new")
    assert any(word in said for word in words.split("|")), said
    assert REF in said


def test_a_branch_with_other_things_is_no_state(hub: Hub, tmp_path: Path) -> None:
    """A ref that holds source code is refused and left as it is."""
    push(hub, {"README.md": ("100644", "# Hi"), "src/x.py": ("100644", "1/0")})
    tip = hub.tip()
    assert "README.md does not belong there" in refused(hub, tmp_path / "new")
    assert hub.tip() == tip


def test_a_tag_or_a_file_is_no_state(hub: Hub, tmp_path: Path) -> None:
    """A ref that points at no commit is refused."""
    blob = git(hub.folder, "hash-object", "-w", "--stdin", text="x")
    git(hub.folder, "update-ref", REF, blob)
    refused(hub, tmp_path / "new")


@pytest.mark.full
def test_a_large_file_is_not_read(hub: Hub, tmp_path: Path) -> None:
    """A file of more bytes than may be is refused by its size."""
    tree = tree_of(hub)
    tree[SECOND] = "100644", " " * ((64 << 20) + 1)
    push(hub, tree)
    assert "67,108,8" in refused(hub, tmp_path / "new")


def test_a_state_that_was_put_in_place_of_another(hub: Hub, tmp_path: Path) -> None:
    """A running store stops; a fetch takes the new one up, and the index of the old one is thrown away."""
    with Hub(tmp_path / "other.git").open(tmp_path / "elsewhere") as other:
        other.commit(0, [recorded(stored(7))])
    with hub.open(tmp_path / "filler", linger=60) as store:
        git(hub.folder, "fetch", "--force", str(tmp_path / "other.git"), f"+{REF}:{REF}")
        with pytest.raises(StateError, match="its lineage differs"):
            store.commit(4, [recorded(stored(8))])
    with hub.open(tmp_path / "filler") as store:
        assert [record.key for record in store.records()] == [stored(7).key]


def test_an_older_commit_put_back(hub: Hub, tmp_path: Path) -> None:
    """The ref went back: the index goes with it."""
    with hub.open(tmp_path / "filler") as store:
        git(hub.folder, "update-ref", REF, f"{REF}~2")
        assert store.fetch()
        assert [batch.intended.attempt for batch in store.open_batches()] == ["a1"]
        store.commit(store.serial(), [recorded(stored(8))])
    with hub.open(tmp_path / "new") as other:
        assert [record.key for record in other.records()] == [stored(3).key, stored(8).key]


@pytest.mark.parametrize("how", ["garbled", "cut", "foreign", "other version", "no repository"])
def test_a_damaged_index_is_made_anew(hub: Hub, tmp_path: Path, how: str) -> None:
    """Whatever happened to the local files: who writes makes them anew, who reads is told to fetch."""
    folder = tmp_path / "filler"
    state = hub.state(folder)
    with hub.open(folder) as store:
        expected = list(store.records())
        if how == "other version":
            with store._store.writing() as connection:
                connection.execute(
                    "UPDATE meta SET value = CAST(replace(value, 'layout', 'shape') AS BLOB) WHERE name = 'git'"
                )
    for ending in ("-wal", "-shm"):
        state.index.with_name(state.index.name + ending).unlink(missing_ok=True)
    content = state.index.read_bytes()
    if how == "garbled":
        state.index.write_bytes(content[:100] + bytes(reversed(content[100:])))
    elif how == "cut":
        state.index.write_bytes(content[: len(content) // 2])
    elif how == "foreign":
        state.index.write_bytes(b"not a database at all, but long enough to be one " * 40)
    elif how == "no repository":
        (state.index.with_suffix(".git") / "HEAD").write_text("nonsense")
    if how != "no repository":
        with pytest.raises(StateError) as caught:  # noqa: PT012
            store_read = open_read(state)
            try:
                list(store_read.records())
            finally:
                store_read.close()
        assert "state fetch" in caught.value.hint
    with hub.open(folder) as store:
        assert list(store.records()) == expected
        store.commit(store.serial(), [recorded(stored(8))])


@pytest.mark.parametrize("how", ["settings", "settings of a folder beside it"])
def test_a_repository_that_somebody_planted_runs_nothing(hub: Hub, tmp_path: Path, how: str) -> None:
    """Committed with a project, it could name programs for git to run: it is made anew, and the state is as it was."""
    state = hub.state(tmp_path / "clone")
    hub.open(tmp_path / "clone").close()
    ours = next((tmp_path / "clone/.pictify-sync").glob("*.git"))
    place, ran = ours, tmp_path / "ran"
    if how != "settings":
        place = shutil.copytree(ours, tmp_path / "beside")
        (ours / "commondir").write_text("../../../beside")
    with (place / "config").open("a") as file:
        file.write(f'[remote "{state.place.remote}"]\n\tuploadpack = "touch {ran}; git-upload-pack"\n')
    with hub.open(tmp_path / "clone") as store:
        assert store.serial() == 4
    assert not ran.exists()
