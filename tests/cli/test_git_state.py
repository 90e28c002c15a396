"""Commands whose state lies on a Git ref, in several clones: what they say, and what they fetch and push."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Said
from tests.cli.test_imports import HEAVY, watched
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import REF, SECRET, Hub, git

KEY = "PICTIFY_STATE_KEY"
In = Callable[..., Said]


def test_reading_says_what_to_do_first(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """Without a fetch every command that reads says so; validate needs no state."""
    one = clone("one")
    for command in (("plan",), ("status",), ("show", "x"), ("state", "list"), ("state", "export"), ("history",)):
        said = at(one, *command, **{KEY: SECRET})
        assert said.code == 1
        assert "was never fetched to this folder" in said.talk
        assert "pictify-sync state fetch" in said.talk
    assert at(one, "validate").code == 0
    nothing = ProjectFolder(one.folder.parent / "file")
    assert "Nothing to fetch" in at(nothing, "state", "fetch").talk
    assert "serial 3, 3 recorded" in at(one, "state", "fetch").talk
    assert len(at(one, "state", "list").out.splitlines()) == 3


def test_a_plan_runs_no_git_and_opens_no_connection(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """Once it was fetched, nothing but files of the project is needed."""
    one = clone("one")
    at(one, "state", "fetch")
    code, loaded, said = watched(one, "plan", "--json")
    assert code == 0
    assert json.loads(said)["lineage"]
    assert loaded & (HEAVY | {"filelock"}) == set()


def test_what_changes_the_state_fetches_and_pushes(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """taint, rm and mv in turns from two clones, each knowing what the other did; compact keeps it all."""
    one, two = clone("one"), clone("two")
    assert "1 picture tainted" in at(one, "taint", "cards/item-001@default").out
    assert "1 picture forgotten" in at(two, "state", "rm", "cards/item-002@default").out
    assert at(one, "state", "mv", "cards/item-003@default", "cards/item-004@default").code == 0
    before = at(one, "state", "export").out
    assert "Forgotten: 7 entries" in at(two, "state", "compact").talk
    assert hub.names() == ["checkpoint/0000.jsonl", "meta.json"]
    assert git(hub.folder, "rev-list", "--count", REF) == "1"
    at(one, "state", "fetch")
    assert at(one, "state", "export").out == before == at(two, "state", "export").out
    assert at(two, "history").out == ""
    assert at(two, "state", "rebuild", "--check").code == 0
    assert at(one, "untaint", "cards/item-001@default").code == 0
    at(two, "state", "fetch")
    assert "tainted" not in at(two, "state", "list").out


def test_a_snapshot_begins_a_state(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """Export, lose the ref, import: all that was recorded is there again."""
    one, two = clone("one"), clone("two")
    assert at(one, "state", "bind").code == 0  # an import does it, too
    snapshot = at(one, "state", "export").out
    (two.folder / "s.jsonl").write_text(snapshot)
    git(hub.folder, "update-ref", "-d", REF)
    gone = at(one, "state", "fetch")
    assert (gone.code, "the ref was deleted" in gone.talk) == (1, True)
    assert at(two, "state", "import", "s.jsonl").code == 0
    assert at(two, "state", "export").out == snapshot
    assert "has a history already" in at(two, "state", "import", "s.jsonl").talk
    assert at(one, "state", "rebuild").code == 0
    assert at(one, "state", "export").out == snapshot


def test_a_ref_that_was_deleted_comes_back(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """As the hint says, from the index of a clone; other clones go on with what it made."""
    one, two = clone("one"), clone("two")
    assert at(one, "state", "bind").code == 0  # an import does it, too
    for project in (one, two):
        assert at(project, "state", "fetch").code == 0
    git(hub.folder, "update-ref", "-d", REF)
    refused = at(one, "state", "fetch")
    assert (refused.code, "the ref was deleted" in refused.talk) == (1, True)
    snapshot = at(one, "state", "export").out
    one.write("state.jsonl", snapshot)
    pattern = refused.talk.partition("remove ")[2].partition(",")[0]
    for file in one.folder.glob(pattern):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    assert at(one, "state", "import", "state.jsonl").code == 0
    assert at(two, "state", "fetch").code == 0
    assert at(two, "state", "export").out == snapshot


def test_sensitive_values_need_a_key(hub: Hub, clone: Callable[[str], ProjectFolder], at: In) -> None:
    """Without one they are refused with their place; a short key is refused too, and another one until a compaction."""
    one = clone("one")
    one.edit("manifests/card.yaml", "max_length: 80}", "max_length: 80, sensitive: true}")
    at(one, "state", "fetch")
    said = at(one, "plan")
    assert "'title' is sensitive, and there is no key" in said.talk
    assert KEY in said.talk
    assert "manifests/cards.yaml:" in said.talk
    assert at(one, "validate").code == 0
    assert "at least 32 are needed" in at(one, "plan", **{KEY: "short"}).talk
    assert at(one, "plan", **{KEY: SECRET}).code == 0
    other = "o" * 40
    assert "is not the key that this state was made with" in at(one, "plan", **{KEY: other}).talk
    assert at(one, "state", "compact", **{KEY: other}).code == 0
    assert at(one, "plan", **{KEY: other}).code == 0


@pytest.mark.parametrize(
    "place",
    [
        *("git+ref:state", "git+ref:refs/../x", "git+ref:refs/x.lock", "git+ref:--upload-pack=x", "git+tag:x", "git+"),
        *("git+ref:refs/x?remote=--exec=touch pwned", "git+ref:refs/x?remote=ext::sh -c touch% pwned", "git+branch:-f"),
        *("git+ref:refs/x?remote=-x", "git+ref:refs/x?remote=", "git+ref:refs/x?remote=ssh://-oProxyCommand=x/y"),
    ],
)
def test_a_place_that_is_none_is_refused(place: str, at: In, tmp_path: Path) -> None:
    """Nothing that could be an option, a command or another file is handed to git."""
    project = ProjectFolder(tmp_path / "project", settings=f"state: '{place}'\n")
    before = sorted(tmp_path.rglob("*"))
    for command in (("status",), ("state", "fetch")):
        said = at(project, *command)
        assert (said.code, "the setting `state` names no" in said.talk) == (1, True)
    assert sorted(tmp_path.rglob("*")) == before
