"""Reads snapshots, as if a stranger had written them: what is wrong is told with its line, and nothing is taken then.

This module must not know how a state is stored.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pictify_sync.core.collect import instant
from pictify_sync.core.entries import (
    Applied,
    Bound,
    Doubted,
    Entry,
    Intended,
    MovesIntended,
    Obsolete,
    OpenBatch,
    PastCosts,
    Probed,
    Recorded,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.core.fingerprint import canonical
from pictify_sync.core.model import Record, key_order
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, Problem, StateError
from pictify_sync.state import codec
from pictify_sync.state.snapshot.writer import FORMAT, FORMAT_VERSION, KINDS, Content, fingerprints, to_text
from pictify_sync.state.sqlite.fold import check_intended
from pictify_sync.state.untrusted import Faults, entry_faults, parse, path_fault, record_faults, variables_faults

_CHUNK = 1000  # records per log entry
_SETS: tuple[str, ...] = ("variables", "failed_variables")
_MAX_LINE = 64 << 20  # characters; an open batch is one line
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # by how a file begins
_HINT = "a snapshot is what `pictify-sync state export` writes"
_CUT = "it was cut off or edited since `pictify-sync state export` wrote it: use a copy that is whole"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import."""

    serial: int  # the state's, after it
    is_proven_whole: bool  # False: an older version wrote the snapshot, without an end


class Restorable(Protocol):
    """A store without history that can be filled under another lineage, all or nothing."""

    def restore(self, lineage: str, entries: Iterable[Entry]) -> int: ...


def read_file(file: Path) -> Generator[str, None, None]:
    """The lines of a text in UTF-8, or in UTF-16 as some shells write it. Raises InputError for what is neither."""
    number, encoding = 0, "utf-8-sig"
    try:
        with file.open("rb") as content:
            encoding = _ENCODINGS.get(content.read(2), encoding)
        with file.open(encoding=encoding, newline="\n") as text:
            while line := text.readline(_MAX_LINE + 1):
                number += 1
                yield line
    except UnicodeError:
        message = f"not {encoding.removesuffix('-sig').upper()}"
        raise InputError([Problem(str(file), number + 1, 0, message, _HINT)]) from None


def import_snapshot(lines: Iterable[str], store: Restorable, *, file: str, at: str) -> Imported:
    """Fill a state without history from a snapshot, all or nothing.

    `file` names it in messages, `at` is the time of the import (ISO 8601 UTC). Raises InputError with every problem.
    """
    reader = _Reader(Faults(file), at)
    numbered = enumerate(lines, start=1)
    lineage = reader.meta(numbered)
    try:
        serial = store.restore(lineage, reader.whole(numbered))
    except StateError as error:
        if reader.line == 0:
            raise
        reader.faults.stop(reader.line, error.message)
    return Imported(serial, is_proven_whole=reader.version > 1)


def read_lines(numbered: Iterator[tuple[int, str]], faults: Faults, *, lineage: str, at: str) -> Iterator[Entry]:
    """Return the entries that make a state like the numbered lines of a snapshot say, which must be of that lineage.

    Raises InputError with every problem.
    """
    reader = _Reader(faults, at)
    if reader.meta(numbered) != lineage:
        faults.stop(1, "the lineage differs")
    for entry in reader.entries(numbered):
        faults.add(reader.line, entry_faults(entry) if not isinstance(entry, Recorded) else ())
        yield entry
    faults.raise_any()


@dataclass(slots=True)
class _Reader:
    """Lines -> entries, with the place of what is wrong."""

    faults: Faults
    at: str
    line: int = 0  # being read
    version: int = FORMAT_VERSION
    _content: Content = field(default_factory=Content)
    _end: tuple[object, object] | None = None  # lines, digest
    _records: list[Record] = field(default_factory=list)
    _variables: dict[str, str] = field(default_factory=dict)

    def meta(self, lines: Iterator[tuple[int, str]]) -> str:
        """Read the first line and return the lineage."""
        number, text = next(lines, (1, ""))
        value = self._parse(number, text)
        if value is None or value.get("kind") != "meta" or value.get("format") != FORMAT:
            self.faults.stop(number, "not a snapshot", _HINT)
        version = value.get("format_version")
        if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
            self.faults.stop(number, f"format version {version!r}"[:80], "upgrade pictify-sync")
        self.version = version
        lineage = value.get("lineage")
        if not isinstance(lineage, str) or not lineage.isalnum() or not lineage.isascii() or len(lineage) > 64:
            self.faults.stop(number, "the lineage is not valid", _HINT)
        return lineage

    def whole(self, lines: Iterator[tuple[int, str]]) -> Iterator[Entry]:
        """Read the rest, which must be all that was written. Raises InputError at its end when anything was wrong."""
        yield from self.entries(lines)
        content = self._content
        if self._end is None and self.version > 1:
            self.faults.stop(self.line + 1, "the snapshot has no end", _CUT)
        if self._end is not None and self._end != (content.lines, content.digest()):
            self.faults.stop(self.line, "the snapshot does not hold what its end says", _CUT)

    def entries(self, lines: Iterator[tuple[int, str]]) -> Iterator[Entry]:
        """Read the rest. Raises InputError at its end when anything was wrong."""
        before = (0, b"")
        obsolete: list[Obsolete] = []
        for number, text in lines:
            if self._end is not None and not text.strip():
                continue
            self.line = number
            value = self._parse(number, text)
            if value is None:
                continue
            kind = value.pop("kind", None)
            if self._end is not None:
                self.faults.stop(number, "there is more after the end", _CUT)
            if kind not in KINDS[1:]:
                self.faults.add(number, [f"unknown kind {kind!r}"[:80]], "it may come from a newer pictify-sync")
                continue
            place = (KINDS.index(kind), key_order(value["key"]) if kind == "asset" and _has_key(value) else b"")
            if place < before or (kind == "asset" and place == before):
                self.faults.add(number, ["out of order, or twice"])
            before = place
            if kind != "asset":
                yield from self._flush()
            for entry in self._read(number, kind, value):
                if isinstance(entry, Obsolete):
                    obsolete.append(entry)
                else:
                    yield entry
        yield from self._flush()
        self.faults.raise_any()
        if obsolete:
            yield Recorded("import", (), (), tuple(obsolete), self.at)

    def _read(self, number: int, kind: str, value: dict[str, Any]) -> Iterator[Entry | Obsolete]:
        try:
            match kind:
                case "template":
                    yield TemplateRecorded(codec.decode(TemplateRecord, to_text(value)), self.at)
                case "probe":
                    yield self._probe(value)
                case "spent":
                    yield codec.decode(PastCosts, to_text(value | {"kind": "spent", "at": self.at}))
                case "bound" | "applied":
                    yield self._mark(number, kind, value)
                case "asset":
                    self._asset(number, value)
                    if len(self._records) >= _CHUNK:
                        yield from self._flush()
                case "open_batch":
                    yield from self._open_batch(number, value)
                case "moves":
                    yield self._moves(number, value)
                case "end":
                    self._end = value.get("lines"), value.get("digest")
                case _:
                    file: Obsolete = codec.decode(Obsolete, to_text(value))
                    self.faults.add(number, filter(None, [path_fault(file.path)]))
                    yield file
        except StateError as error:
            self.faults.add(number, [error.message], error.hint)

    def _asset(self, number: int, value: dict[str, Any]) -> None:
        sets: dict[str, str] = {name: canonical(value.pop(name)) for name in _SETS if name in value}
        record: Record = codec.decode(Record, to_text(value))
        self.faults.add(number, record_faults(record))
        for name, fingerprint in fingerprints(record):
            text = None if fingerprint is None else sets.pop(name, None)
            if fingerprint is not None and text is not None:
                self.faults.add(number, variables_faults(fingerprint, text))
                self._variables[fingerprint.variables] = text
        if sets:
            self.faults.add(number, ["variables that belong to nothing"])
        self._records.append(record)

    def _open_batch(self, number: int, value: dict[str, Any]) -> Iterator[Entry]:
        opened: OpenBatch = codec.decode(OpenBatch, to_text(value | {"serial": 1}))
        intended: Intended = opened.intended
        check_intended(intended)
        for claim in intended.claims:
            self.faults.add(number, filter(None, [path_fault(claim.output)]))
        yield intended
        if opened.doubt is not None:
            yield Doubted(intended.attempt, opened.doubt, intended.at)
        if opened.batch_id is not None:
            yield Submitted(intended.attempt, opened.batch_id, opened.submitted_at or intended.at)

    def _mark(self, number: int, kind: str, value: dict[str, Any]) -> Bound | Applied:
        named = {"project": value, "at": self.at} if kind == "bound" else value
        entry: Bound | Applied = codec.decode(Bound | Applied, to_text(named | {"kind": kind}))
        self.faults.add(number, entry_faults(entry))
        return entry

    def _probe(self, value: dict[str, Any]) -> Probed:
        probed: Probed = codec.decode(Probed, to_text(value | {"kind": "probed"}))
        if probed.facts is None:
            raise StateError("a live check without facts")
        if instant(probed.at) is None:
            raise StateError("the time of a live check is not valid")
        return probed

    def _moves(self, number: int, value: dict[str, Any]) -> MovesIntended:
        moves: MovesIntended = codec.decode(MovesIntended, to_text(value | {"kind": "moves_intended"}))
        paths = [path for move in moves.moves for path in (move.old_path, move.new_path)]
        self.faults.add(number, filter(None, map(path_fault, (*paths, *(file.path for file in moves.obsolete)))))
        for record in moves.puts:
            self.faults.add(number, record_faults(record))
        return moves

    def _flush(self) -> Iterator[Entry]:
        if self._records:
            records, variables = tuple(self._records), tuple(sorted(self._variables.items()))
            self._records.clear()
            self._variables.clear()
            yield replace(Recorded("import", records, (), (), self.at), variables=variables)

    def _parse(self, number: int, text: str) -> dict[str, Any] | None:
        if len(text) > _MAX_LINE:
            self.faults.stop(number, f"a line of more than {_MAX_LINE} characters")
        try:
            value = parse(text)
        except ValueError as error:
            self.faults.add(number, [f"not JSON: {error}"])
            return None
        if not isinstance(value, dict):
            self.faults.add(number, ["not a JSON object"])
            return None
        if value.get("kind") != "end":
            self._content.add(value)
        return value


def _has_key(value: dict[str, Any]) -> bool:
    return isinstance(value.get("key"), str)
