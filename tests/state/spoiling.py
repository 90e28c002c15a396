"""Ways to spoil what lies on a ref."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.errors import InputError, PictifySyncError, StateError
from pictify_sync.state.codec import encode_entry
from pictify_sync.state.git.objects import blob_id
from tests.state.git_remotes import REF, Hub, git
from tests.state.samples import intended

FIRST = "log/000000000001-000000000003.jsonl"


SECOND = "log/000000000004-000000000004.jsonl"


Tree = dict[str, tuple[str, str]]  # path -> (mode, content)


def tree_of(hub: Hub) -> Tree:
    """All files of the tip."""
    lines = git(hub.folder, "ls-tree", "-r", REF).splitlines()
    heads = [(*line.partition("\t")[0].split(), line.partition("\t")[2]) for line in lines]
    return {path: (mode, git(hub.folder, "cat-file", "blob", oid) + "\n") for mode, _, oid, path in heads}


def push(hub: Hub, tree: Tree) -> None:
    """Put a commit with these files on the ref, whatever their names."""
    made = {}
    for path, (_, text) in tree.items():
        made[path] = blob_id(text.encode(), "")
        if not (hub.folder / "objects" / made[path][:2] / made[path][2:]).exists():
            git(hub.folder, "hash-object", "-w", "--stdin", text=text)
    root = _write(hub, {tuple(path.split("/")): (mode, made[path]) for path, (mode, _) in tree.items()})
    git(hub.folder, "update-ref", REF, git(hub.folder, "commit-tree", root, "-p", REF, "-m", "x"))


def _write(hub: Hub, files: dict[tuple[str, ...], tuple[str, str]]) -> str:
    lines = []
    below: dict[str, dict[tuple[str, ...], tuple[str, str]]] = {}
    for path, (mode, oid) in files.items():
        if len(path) > 1:
            below.setdefault(path[0], {})[path[1:]] = mode, oid
        else:
            lines.append((mode, path[0], oid))
    lines += [("40000", name, _write(hub, rest)) for name, rest in below.items()]
    content = b"".join(
        f"{mode} {name}\0".encode() + bytes.fromhex(oid)
        for mode, name, oid in sorted(lines, key=lambda line: line[1] + "/" * (line[0] == "40000"))
    )
    file = hub.folder.parent / "tree"
    file.write_bytes(content)
    return git(hub.folder, "hash-object", "-w", "-t", "tree", "--literally", str(file))


def refused(hub: Hub, folder: Path) -> str:
    """What a clone that is new, and one that knew the state before, say of it."""
    before = set(hub.folder.parent.iterdir())
    with pytest.raises(PictifySyncError) as caught:
        hub.open(folder)
    assert isinstance(caught.value, StateError | InputError)
    with suppress(PictifySyncError):  # it does not read again what it knows
        hub.open(hub.folder.parent / "filler").close()
    assert set(hub.folder.parent.iterdir()) - before == {folder}
    assert [path.name for path in folder.iterdir()] == [".pictify-sync"]
    return f"{caught.value} {caught.value.hint}"


def meta(**changes: Any) -> Callable[[Tree], None]:
    """Change the head."""

    def change(tree: Tree) -> None:
        value = json.loads(tree["meta.json"][1]) | changes
        tree["meta.json"] = "100644", json.dumps(value)

    return change


def put(path: str, text: str, mode: str = "100644") -> Callable[[Tree], None]:
    """Add a file, or write another text to it."""
    return lambda tree: tree.update({path: (mode, text)})


def drop(path: str) -> Callable[[Tree], None]:
    """Take a file away."""

    def change(tree: Tree) -> None:
        del tree[path]

    return change


def rename(old: str, new: str) -> Callable[[Tree], None]:
    """Give a file another name."""
    return lambda tree: tree.update({new: tree.pop(old)})


def edit(path: str, old: str, new: str) -> Callable[[Tree], None]:
    """Change a file."""

    def change(tree: Tree) -> None:
        mode, text = tree[path]
        assert old in text
        tree[path] = mode, text.replace(old, new)

    return change


def entry(change: Callable[[dict[str, Any]], Any], base: Any = None) -> Callable[[Tree], None]:
    """Put another entry in place of the newest one."""

    def write(tree: Tree) -> None:
        value = json.loads(encode_entry(base or intended("a2", {4: 4})))
        change(value)
        tree[SECOND] = "100644", json.dumps(value) + "\n"

    return write
