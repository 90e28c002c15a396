"""What a commit of the ref holds, read as if a stranger had written it.

    meta.json                      format, lineage, serial of the checkpoint, serial after which the log begins
    checkpoint/0000.jsonl ...      a snapshot of the state at the checkpoint, in parts
    log/<first>-<last>.jsonl ...   the entries since the checkpoint before that one, a file per commit

Whoever may push to the repository can write anything here, so names, modes, sizes, order and contents are all checked,
and what is wrong is told with its place. This module must not know how an index is made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pictify_sync.core.entries import Entry
from pictify_sync.errors import InputError, Problem, StateError
from pictify_sync.state import codec
from pictify_sync.state.git.objects import FILE, FOLDER, Leaf, Objects, objects
from pictify_sync.state.git.place import GitPlace
from pictify_sync.state.git.program import Git
from pictify_sync.state.untrusted import Faults, entry_faults, parse

FORMAT = "pictify-sync/git-state"
FORMAT_VERSION = 3  # a reader refuses a larger one, and reads all smaller ones
MAX_FILE = 64 << 20  # bytes
MAX_META = 64 << 10
MAX_TREE = 4 << 20  # bytes of the names in one folder
_MAX_SERIAL = 10**12 - 1
_RUN = re.compile(rb"([0-9]{12})-([0-9]{12})\.jsonl")
_PART = re.compile(rb"[0-9]{4,6}\.jsonl")
_LINEAGE = re.compile(r"[0-9A-Za-z]{1,64}")
_KEY_CHECK = re.compile(r"[0-9a-f]{32}|")


@dataclass(frozen=True, slots=True)
class Written:
    """An entry and the text it is written as."""

    body: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Run:
    """A file of the log."""

    first: int  # serial
    last: int  # serial
    oid: str  # of its content

    @property
    def path(self) -> str:
        """Its path in the tree."""
        return run_path(self.first, self.last)


@dataclass(frozen=True, slots=True)
class Meta:
    """The head of a state."""

    lineage: str
    checkpoint: int  # serial that the snapshot stands for; 0: there is none
    base: int  # serial after which the log begins; at most the checkpoint's
    at: str  # ISO 8601 UTC, of the newest entry at the checkpoint
    key_check: str  # tells one sensitive key from another; "" while nobody had one
    format_version: int = FORMAT_VERSION  # as it was read; what is written is of ours


@dataclass(frozen=True, slots=True)
class Tree:
    """One commit of the ref."""

    tip: str
    meta: Meta
    parts: tuple[tuple[str, str], ...]  # (path, content's id) of the checkpoint
    runs: tuple[Run, ...]

    @property
    def serial(self) -> int:
        """Of its newest entry."""
        return self.runs[-1].last if self.runs else self.meta.checkpoint


def run_path(first: int, last: int) -> str:
    """The path of a file of the log."""
    return f"log/{first:012}-{last:012}.jsonl"


class TreeReader:
    """Reads commits of one place."""

    def __init__(self, git: Git, place: GitPlace) -> None:
        self.git, self.place = git, place

    def tree(self, tip: str) -> Tree:
        """Read the head and the names of a commit. Raises StateError when it is no state of ours."""
        with objects(self.git) as source:
            root = {leaf.name: leaf for leaf in self._folder(source, f"{tip}^{{tree}}", "")}
            for leaf in root.values():
                if leaf.name not in (b"meta.json", b"checkpoint", b"log"):
                    self._stop(_shown(leaf.name), "does not belong there")
            if b"meta.json" not in root:
                self._stop("meta.json", "is missing: this is not a state of pictify-sync")
            meta = self._meta(source, root[b"meta.json"])
            parts = self._below(source, root.get(b"checkpoint"))
            runs = tuple(self._run(leaf) for leaf in self._below(source, root.get(b"log")))
        for leaf in parts:
            if not _PART.fullmatch(leaf.name):
                self._stop(f"checkpoint/{_shown(leaf.name)}", "does not belong there")
        self._contiguous(meta, runs)
        if bool(parts) is not bool(meta.checkpoint):
            self._stop("checkpoint", "is missing" if meta.checkpoint else "is not announced in meta.json")
        names = tuple((f"checkpoint/{leaf.name.decode()}", leaf.oid) for leaf in parts)
        return Tree(tip, meta, names, runs)

    def entries(self, runs: Sequence[Run]) -> Iterator[Written]:
        """The entries of these files, in order. Raises InputError with every problem of a file, and its line."""
        if not runs:
            return
        with objects(self.git) as source:
            for run in runs:
                yield from self._entries(run.path, run, self._text(source, run.path, run.oid))

    def lines(self, parts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
        """(path, lines) of each part of a checkpoint, in order."""
        with objects(self.git) as source:
            for path, oid in parts:
                yield path, self._text(source, path, oid).splitlines(keepends=True)

    def file(self, path: str) -> str:
        """How a path is named in messages."""
        return f"{self.place.ref}:{path}"

    def _entries(self, path: str, run: Run, text: str) -> list[Written]:
        faults = Faults(self.file(path))
        lines = text.split("\n")
        if lines.pop() or len(lines) != run.last - run.first + 1:
            faults.stop(0, f"{len(lines)} entries where its name says {run.last - run.first + 1}")
        found = []
        for number, line in enumerate(lines, start=1):
            try:
                entry = codec.decode_entry(line)
            except StateError as error:
                faults.add(number, [error.message], error.hint)
                continue
            faults.add(number, entry_faults(entry))
            found.append(Written(line, entry))
        faults.raise_any()
        return found

    def _meta(self, source: Objects, leaf: Leaf) -> Meta:
        if leaf.mode != FILE:
            self._stop("meta.json", "is not a plain file")
        try:
            value: Any = parse(self._text(source, "meta.json", leaf.oid, MAX_META))
        except ValueError as error:
            self._stop("meta.json", f"not JSON: {error}")
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            self._stop("meta.json", "is not that of a state")
        version = value.get("format_version")
        if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
            shown = repr(version)[:20]
            self._stop("meta.json", f"has format version {shown}", "upgrade pictify-sync")
        try:
            meta: Meta = codec.decode(Meta, json.dumps(value))
        except StateError as error:
            self._stop("meta.json", error.message)
        sound = _LINEAGE.fullmatch(meta.lineage) and _KEY_CHECK.fullmatch(meta.key_check) and len(meta.at) <= 40
        if not sound or not 0 <= meta.base <= meta.checkpoint <= _MAX_SERIAL:
            self._stop("meta.json", "has impossible values")
        return meta

    def _run(self, leaf: Leaf) -> Run:
        named = _RUN.fullmatch(leaf.name)
        if named is None or not 0 < int(named[1]) <= int(named[2]):
            self._stop(f"log/{_shown(leaf.name)}", "does not belong there")
        return Run(int(named[1]), int(named[2]), leaf.oid)

    def _contiguous(self, meta: Meta, runs: Sequence[Run]) -> None:
        expected, ends = meta.base + 1, {meta.base}
        for run in runs:
            if run.first != expected:
                self._stop(run.path, f"begins with entry {run.first} where {expected} should follow")
            ends.add(run.last)
            expected = run.last + 1
        if meta.checkpoint not in ends:
            self._stop("meta.json", f"has its checkpoint at {meta.checkpoint}, where no file of the log ends")

    def _below(self, source: Objects, leaf: Leaf | None) -> tuple[Leaf, ...]:
        if leaf is None:
            return ()
        name = _shown(leaf.name)
        if leaf.mode != FOLDER:
            self._stop(name, "is no folder")
        found = tuple(sorted(self._folder(source, leaf.oid, name), key=lambda one: (len(one.name), one.name)))
        for one in found:
            if one.mode != FILE:
                self._stop(f"{name}/{_shown(one.name)}", "is not a plain file")
        return found

    def _folder(self, source: Objects, oid: str, name: str) -> tuple[Leaf, ...]:
        try:
            return source.tree(oid, MAX_TREE)
        except (StateError, ValueError) as error:
            self._stop(name, str(error))

    def _text(self, source: Objects, path: str, oid: str, limit: int = MAX_FILE) -> str:
        try:
            kind, content = source.read(oid, limit)
        except StateError as error:
            raise StateError(f"{self.file(path)}: {error.message}", hint=error.hint) from None
        if kind != "blob":
            self._stop(path, f"is a {kind}")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise InputError([Problem(self.file(path), 0, 0, "not UTF-8")]) from None

    def _stop(self, path: str, message: str, hint: str = "") -> NoReturn:
        raise StateError(f"{self.file(path)} {message}", hint=hint or f"look at {self.place}: git fetch, then git log")


def _shown(name: bytes) -> str:
    return repr(name.decode(errors="replace")[:80])[1:-1]
