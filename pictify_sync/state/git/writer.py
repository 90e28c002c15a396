"""New commits for the ref: a run of entries, a checkpoint, the first one of a state.

This module must not know when they are made, nor whether they will be pushed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from pictify_sync.errors import StateError
from pictify_sync.state.git.index import Known
from pictify_sync.state.git.objects import blob_id, write_commit
from pictify_sync.state.git.program import Git
from pictify_sync.state.git.tree import FORMAT, FORMAT_VERSION, MAX_FILE, Meta, Tree, Written, run_path

_FULL = 8 << 20  # bytes after which a run of entries goes on in another file


def write_run(git: Git, known: Known, entries: Sequence[Written], meta: Meta | None = None) -> Known:
    """Make a commit on top of what is known that adds entries and return the ref as it would then be.

    With `meta`, the head is written anew in our format, so that older versions refuse what they would read wrongly.
    """
    files, first = [] if meta is None else [write_meta(meta)], known.serial + 1
    for content in _packed(entries):
        last = first + content.count(b"\n") - 1
        files.append((run_path(first, last), content))
        first = last + 1
    kinds = ", ".join(sorted({one.entry.kind for one in entries}))
    span = f"{known.serial + 1}" if len(entries) == 1 else f"{known.serial + 1} to {first - 1}"
    tip = write_commit(git, known.tip, f"Entry {span}: {kinds}\n", files)
    run = blob_id(files[-1][1], tip)
    return replace(known, tip=tip, serial=first - 1, run=run, format_version=FORMAT_VERSION)


def _packed(entries: Iterable[Written]) -> Iterable[bytes]:
    lines, size = list[bytes](), 0
    for one in entries:
        line = one.body.encode() + b"\n"
        if len(line) > MAX_FILE:
            raise StateError(f"an entry of {len(line):,} bytes is too large for a state on a Git ref")
        if lines and size + len(line) > _FULL:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    yield b"".join(lines)


def write_meta(meta: Meta) -> tuple[str, bytes]:
    """The head of a state as a file."""
    value = {**asdict(meta), "format": FORMAT, "format_version": FORMAT_VERSION}
    return "meta.json", json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"


def write_first(git: Git, meta: Meta) -> Known:
    """Make the first commit of a state without entries."""
    return Known(write_commit(git, "", "A state of pictify-sync\n", [write_meta(meta)]), key_check=meta.key_check)


def write_checkpoint(
    git: Git, before: Tree, parts: Iterable[tuple[str, bytes]], meta: Meta, *, root: bool = False
) -> Known:
    """Make a commit that holds a checkpoint, and the log after `meta.base`; `root`: without a parent."""
    removed = [] if root else ["checkpoint", *(run.path for run in before.runs if run.last <= meta.base)]
    kept = [run for run in before.runs if run.last > meta.base]

    def files() -> Iterable[tuple[str, bytes]]:
        yield write_meta(meta)
        yield from parts

    tip = write_commit(git, "" if root else before.tip, f"Checkpoint at {meta.checkpoint}\n", files(), removed)
    return Known(tip, meta.checkpoint, kept[-1].oid if kept else "", meta.checkpoint, meta.key_check)
