"""YAML 1.2 core, read strictly: what a reader of the file sees is what the program gets, and no file can blow it up.

Values are built straight from the parser's events, so a hostile document is refused at its first bad event: nothing is
composed, merged or expanded. Problems of a schema are found again by place only when there are any.
This module must not know what the documents mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

import yaml

from pictify_sync.errors import InputError, Problem
from pictify_sync.scalars import read_written
from pictify_sync.yaml_faults import UNQUOTED, place_of_fault, remedy

MAX_DEPTH = 32
MAX_NODES = 500_000  # of a whole document
MAX_ITEM_NODES = 10_000  # of one streamed item
MAX_TWICE = 100  # duplicate keys that are told

Path = tuple[str | int, ...]
Spot = tuple[int, int]  # line and column, from 1

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NODES = (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_RENAME = "remove or rename one of the two"


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file as plain values. `item_spots` gives where the items of each list right below the top start."""

    file: str  # as shown in problems
    text: str
    value: object
    item_spots: Mapping[str, list[Spot]] = field(default_factory=dict)

    def places(self, paths: Collection[Path]) -> Mapping[Path, tuple[int, int, int, int]]:
        """Find (line, column) of the key and of the value at each path; of the nearest parent where it is absent."""
        wanted = {path[:n] for path in paths for n in range(len(path) + 1)}
        found = {path: place for path, place in _walk(self.text, max(map(len, wanted), default=0)) if path in wanted}
        top = (1, 1, 1, 1)
        return {
            path: next((found[path[:n]] for n in range(len(path), -1, -1) if path[:n] in found), top) for path in paths
        }


@dataclass(frozen=True, slots=True)
class MovedDocument(Document):
    """A document whose fields were moved: what is wrong with them is told at the place where they stand."""

    stands: Mapping[Path, Path] = field(default_factory=dict)  # path of the value -> path in the text; others stay

    def places(self, paths: Collection[Path]) -> Mapping[Path, tuple[int, int, int, int]]:
        real = {path: self._real(path) for path in paths}
        found = Document.places(self, set(real.values()))
        return {path: found[real[path]] for path in paths}

    def _real(self, path: Path) -> Path:
        for length in range(len(path), -1, -1):
            if path[:length] in self.stands:
                return (*self.stands[path[:length]], *path[length:])
        return path


def read_document(text: str, file: str, twice: list[Problem] | None = None) -> Document:
    """Build the one document of a text. Raises InputError for bad YAML and for what this reader refuses.

    Duplicate keys are put into `twice`, so that the rest can be looked at as well; without it they are refused too.
    """
    builder = _Builder(file, MAX_NODES)
    for event in _events(text, file):
        builder.add(event)
    document = Document(file, text, builder.root, builder.item_spots)
    if builder.twice:
        found = _duplicates(document, builder.twice)
        if twice is None:
            raise InputError(found)
        twice.extend(found)
    return document


def _duplicates(document: Document, twice: list[tuple[Path, int, int]]) -> list[Problem]:
    """Tell of duplicate keys, each with the place of the first of its name."""
    wanted = {path for path, *_ in twice}
    first: dict[Path, str] = {}
    for path, (line, column, *_) in _walk(document.text, max(map(len, wanted))):
        if path in wanted:
            first.setdefault(path, f"{line}:{column}")
    return [
        Problem(document.file, line, column, f"duplicate key '{str(path[-1])[:80]}', as at {first[path]}", _RENAME)
        for path, line, column in twice
    ]


def stream_items(stream: IO[str], file: str) -> Iterator[tuple[Spot, object]]:
    """Yield (where it starts, value) of the items of a top-level list, one at a time. Raises InputError as it goes."""
    builder = _Builder(file, MAX_ITEM_NODES, streamed=True)
    for event in _events(stream, file):
        builder.add(event)
        if len(builder.stack) == 1:
            top = builder.stack[0].value
            if not isinstance(top, list):
                builder.refuse(event, "the file holds a mapping, not a list of rows", "start each row with '- '")
            if top:
                builder.nodes = 0
                yield builder.started, top.pop()
    if builder.root is not None and not isinstance(builder.root, list):
        raise InputError([Problem(file, 1, 1, "the file is not a list of rows", "start each row with '- '")])


def holds_list(text: str) -> bool:
    """Tell whether the top of a document is a list (row data), looking no further than its start."""
    try:
        nodes = (event for event in yaml.parse(text, Loader=_LOADER) if type(event) in _NODES)
        return isinstance(next(nodes, None), yaml.SequenceStartEvent)
    except yaml.YAMLError:
        return False


def _events(source: str | IO[str], file: str) -> Iterator[Any]:
    last = None
    try:
        for last in yaml.parse(source, Loader=_LOADER):
            yield last
    except yaml.MarkedYAMLError as error:
        mark = place_of_fault(error, last)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        message = f"bad YAML: {error.problem or error.context}"
        hint = remedy(error, source if isinstance(source, str) else "", last)
        raise InputError([Problem(file, line, column, message, hint)]) from None
    except yaml.reader.ReaderError as error:
        place = place_of_byte(source.encode(), error.position) if isinstance(source, str) else (0, 0)
        found = error.character if isinstance(error.character, int) else ord(error.character)  # pure Python: a text
        message = f"bad YAML: the character U+{found:04X} is not allowed"
        raise InputError([Problem(file, *place, message, "remove it, or write it as an escape in quotes")]) from None
    except yaml.YAMLError as error:
        raise InputError([Problem(file, 0, 0, f"bad YAML: {str(error).splitlines()[0]}")]) from None


def place_of_byte(content: bytes, position: int) -> Spot:
    """Give the line and column of a byte."""
    before = content[:position].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(slots=True)
class _Frame:
    value: list[object] | dict[str, object]
    spot: Spot
    key: str | None = None  # of a mapping: the key whose value comes next
    spots: list[Spot] | None = None  # of a list right below the top: where its items start


@dataclass(slots=True)
class _Builder:
    """Turns events into values with a stack of its own, so that depth costs nothing."""

    file: str
    limit: int  # nodes
    streamed: bool = False  # items are taken away as they come, so that a duplicate key has no path
    root: object = None
    stack: list[_Frame] = field(default_factory=list)
    nodes: int = 0
    started: Spot = (1, 1)  # of the newest item of the top-level list
    item_spots: dict[str, list[Spot]] = field(default_factory=dict)
    documents: int = 0
    twice: list[tuple[Path, int, int]] = field(default_factory=list)  # keys that were there already: path, line, column

    def refuse(self, event: Any, message: str, hint: str = "") -> NoReturn:
        raise InputError([Problem(self.file, *_spot(event), message, hint)])

    def add(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._check(event)
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._check(event)
            self._open(event, mapping=kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            frame = self.stack.pop()
            self._put(frame.value, frame.spot)
        elif kind is yaml.AliasEvent:
            self.refuse(event, "aliases ('*') are refused", "write the value out, or put quotes around a text")
        elif kind is yaml.DocumentStartEvent:
            if self.documents:
                self.refuse(event, "a second document in one file", "use one file per document")
            if event.tags:
                self.refuse(event, "tag directives are refused")
            self.documents = 1

    def _check(self, event: Any) -> None:
        self.nodes += 1
        if event.anchor is not None:
            self.refuse(event, "anchors ('&') are refused", "write the value out, or put quotes around a text")
        if event.tag is not None:
            self.refuse(event, "tags ('!') are refused", "quote the value to make it text")
        if self.nodes > self.limit:
            self.refuse(event, f"more than {self.limit:,} values", "put the rows into a CSV or JSONL file")

    def _scalar(self, event: Any) -> None:
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            if event.value == "<<" and event.implicit[0]:
                self.refuse(event, "merge keys ('<<') are refused", "write the values out")
            if event.value in top.value:
                if self.streamed:
                    self.refuse(event, f"duplicate key '{event.value[:80]}'", _RENAME)
                if len(self.twice) < MAX_TWICE:
                    above = (len(one.value) if one.key is None else one.key for one in self.stack[:-1])
                    self.twice.append(((*above, event.value), *_spot(event)))
            top.key = event.value
            return
        try:
            value = read_written(event.value, _spot(event)) if event.implicit[0] else event.value
            self._put(value, _spot(event))
        except ValueError:
            self.refuse(event, "a number with too many digits", "quote it to make it text")

    def _open(self, event: Any, *, mapping: bool) -> None:
        top = self.stack[-1] if self.stack else None
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(event, f"more than {MAX_DEPTH} levels of nesting")
        if top is not None and isinstance(top.value, dict) and top.key is None:
            is_expression = mapping and event.flow_style and isinstance(self.stack[-1].value, dict) and not top.value
            self.refuse(event, "a key must be plain text", UNQUOTED if is_expression else "")
        frame = _Frame({} if mapping else [], _spot(event))
        if not mapping and len(self.stack) == 1 and top is not None and top.key is not None:
            frame.spots = self.item_spots[top.key] = []
        self.stack.append(frame)

    def _put(self, value: object, spot: Spot) -> None:
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            self.started = spot
            if top.spots is not None:
                top.spots.append(spot)
        else:
            assert top.key is not None
            top.value[top.key] = value
            top.key = None


def _spot(event: Any) -> Spot:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _walk(text: str, depth: int) -> Iterator[tuple[Path, tuple[int, int, int, int]]]:
    """Yield the place of every node down to a depth: of its key (or itself) and of its value."""
    path: list[str | int] = []
    stack: list[tuple[bool, int, Any]] = []  # (mapping, items so far, mark of the pending key)
    for event in _events(text, ""):
        if type(event) in _ENDS:
            stack.pop()
            if path:
                path.pop()
            continue
        if type(event) not in _NODES:
            continue
        mapping, count, key = stack[-1] if stack else (False, -1, None)
        if mapping and key is None:
            stack[-1] = (True, 0, event)
            continue
        if stack:
            path.append(key.value if key is not None else count)
            stack[-1] = (mapping, count + (not mapping), None)
        if len(path) <= depth:
            mark, first = event.start_mark, (event if key is None else key).start_mark
            yield tuple(path), (first.line + 1, first.column + 1, mark.line + 1, mark.column + 1)
        if type(event) is not yaml.ScalarEvent:
            stack.append((type(event) is yaml.MappingStartEvent, 0, None))
        elif path:
            path.pop()
