"""The state as sorted JSON lines: for review, Git and transport. Export then import is the identity.

Lines, in this order: meta, templates by name, assets by key, open batches by age, pending moves, obsolete files, live
checks by provider, what else was spent.
A snapshot holds no history, no serial and never the sensitive key: equal contents give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pictify_sync.core.collect import instant
from pictify_sync.core.entries import (
    Doubted,
    Entry,
    Intended,
    MovesIntended,
    Obsolete,
    OpenBatch,
    Probed,
    Recorded,
    Spent,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.core.fingerprint import canonical
from pictify_sync.core.model import Fingerprint, Record, key_order
from pictify_sync.core.ports import StateStore
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import StateError
from pictify_sync.state import codec
from pictify_sync.state.fold import check_intended
from pictify_sync.state.hostile import Faults, parse, path_fault, record_faults, variables_faults
from pictify_sync.state.hostile_entries import entry_faults

FORMAT = "pictify-sync/snapshot"
FORMAT_VERSION = 1
_CHUNK = 1000  # records per log entry
_SETS: tuple[str, ...] = ("variables", "failed_variables")
_MAX_LINE = 64 << 20  # characters; an open batch is one line
_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode  # keeps the order of names
_ORDER = ("meta", "template", "asset", "open_batch", "moves", "obsolete", "probe", "spent")


class Source(StateStore, Protocol):
    """A store all of whose reads can be kept to one serial."""

    def pinned(self) -> AbstractContextManager[None]: ...


class Restorable(Protocol):
    """A store without history that can be filled under another lineage, all or nothing."""

    def restore(self, lineage: str, entries: Iterable[Entry]) -> int: ...


def export(store: Source, write: Callable[[str], object]) -> None:
    """Write the state as it is at one serial, one line after the other."""
    for line in lines_of(store):
        write(line)


def lines_of(store: Source) -> Generator[str, None, None]:
    """The lines of the state as it is at one serial. Iterate to the end, or close."""
    with store.pinned():
        yield _line("meta", {"format": FORMAT, "format_version": FORMAT_VERSION, "lineage": store.lineage})
        for template in store.templates():
            yield _line("template", json.loads(codec.encode(TemplateRecord, template)))
        for record in store.records():
            yield _line("asset", _asset(store, record))
        for opened in store.open_batches():
            value = json.loads(codec.encode(OpenBatch, opened))
            del value["serial"]  # a matter of this log
            yield _line("open_batch", value)
        moves = store.pending_moves()
        if moves is not None:
            yield _line("moves", json.loads(codec.encode(MovesIntended, moves)))
        for file in store.obsolete():
            yield _line("obsolete", {"path": file.path, "sha256": file.sha256})
        for probed in store.probes():
            yield _line("probe", json.loads(codec.encode(Probed, probed)))
        if any(spent := _spent(store)):
            yield _line("spent", dict(zip(("attempts", "billed_min", "billed_max"), spent, strict=True)))


def import_snapshot(lines: Iterable[str], store: Restorable, *, file: str, at: str) -> int:
    """Fill a state without history from a snapshot, all or nothing; returns the new serial.

    `file` names it in messages, `at` is the time of the import (ISO 8601 UTC). Raises InputError with every problem.
    """
    reader = _Reader(Faults(file), at)
    numbered = enumerate(lines, start=1)
    lineage = reader.meta(numbered)
    try:
        return store.restore(lineage, reader.entries(numbered))
    except StateError as error:
        if reader.line == 0:
            raise
        reader.faults.stop(reader.line, error.message)


def read_lines(numbered: Iterator[tuple[int, str]], faults: Faults, *, lineage: str, at: str) -> Iterator[Entry]:
    """Give the entries that make a state like the numbered lines of a snapshot say, which must be of that lineage.

    Raises InputError with every problem.
    """
    reader = _Reader(faults, at)
    if reader.meta(numbered) != lineage:
        faults.stop(1, "the lineage is another")
    for entry in reader.entries(numbered):
        faults.add(reader.line, entry_faults(entry) if not isinstance(entry, Recorded) else ())
        yield entry
    faults.raise_any()


def _line(kind: str, value: dict[str, Any]) -> str:
    return _text({"kind": kind, **{name: value[name] for name in sorted(value) if name != "kind"}}) + "\n"


def _spent(store: Source) -> tuple[int, int, int]:
    """Attempts and pictures billed that no other line tells of."""
    ledger, told = store.ledger(), store.probes()
    least, most = sum(one.billed_min for one in told), sum(one.billed_max for one in told)
    return ledger.attempts - ledger.open, ledger.billed_min - least, ledger.billed_max - most


def _asset(store: StateStore, record: Record) -> dict[str, Any]:
    value: dict[str, Any] = codec.adapter(Record).dump_python(record, mode="json")
    for name, fingerprint in _fingerprints(record):
        kept = None if fingerprint is None else store.variables(fingerprint.variables)
        if kept is not None:
            value[name] = json.loads(kept)
    return value


def _fingerprints(record: Record) -> Iterable[tuple[str, Fingerprint | None]]:
    """What of the variables a line may hold: those of the picture, and those of the newest failure if others."""
    failed = None if record.failure is None else record.failure.fingerprint
    same = failed is not None and record.fingerprint is not None and failed.variables == record.fingerprint.variables
    return ("variables", record.fingerprint), ("failed_variables", None if same else failed)


@dataclass(slots=True)
class _Reader:
    """Lines -> entries, with the place of what is wrong."""

    faults: Faults
    at: str
    line: int = 0  # being read
    _records: list[Record] = field(default_factory=list)
    _variables: dict[str, str] = field(default_factory=dict)

    def meta(self, lines: Iterator[tuple[int, str]]) -> str:
        """Read the first line; gives the lineage."""
        number, text = next(lines, (1, ""))
        value = self._parse(number, text)
        hint = "a snapshot is what `pictify-sync state export` writes"
        if value is None or value.get("kind") != "meta" or value.get("format") != FORMAT:
            self.faults.stop(number, "not a snapshot", hint)
        if value.get("format_version") != FORMAT_VERSION:
            self.faults.stop(number, f"format version {value.get('format_version')!r}", "upgrade pictify-sync")
        lineage = value.get("lineage")
        if not isinstance(lineage, str) or not lineage.isalnum() or not lineage.isascii() or len(lineage) > 64:
            self.faults.stop(number, "the lineage is none", hint)
        return lineage

    def entries(self, lines: Iterator[tuple[int, str]]) -> Iterator[Entry]:
        """Read the rest. Raises InputError at its end when anything was wrong."""
        before = (0, b"")
        obsolete: list[Obsolete] = []
        for number, text in lines:
            self.line = number
            value = self._parse(number, text)
            if value is None:
                continue
            kind = value.pop("kind", None)
            if kind not in _ORDER[1:]:
                self.faults.add(number, [f"unknown kind {kind!r}"], "it may come from a newer pictify-sync")
                continue
            place = (_ORDER.index(kind), key_order(value["key"]) if kind == "asset" and _has_key(value) else b"")
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
                    yield TemplateRecorded(codec.decode(TemplateRecord, _text(value)), self.at)
                case "probe":
                    yield self._probe(value)
                case "spent":
                    yield codec.decode(Spent, _text(value | {"kind": "spent", "at": self.at}))
                case "asset":
                    self._asset(number, value)
                    if len(self._records) >= _CHUNK:
                        yield from self._flush()
                case "open_batch":
                    yield from self._open_batch(number, value)
                case "moves":
                    yield self._moves(number, value)
                case _:
                    file: Obsolete = codec.decode(Obsolete, _text(value))
                    self.faults.add(number, filter(None, [path_fault(file.path)]))
                    yield file
        except StateError as error:
            self.faults.add(number, [error.message], error.hint)

    def _asset(self, number: int, value: dict[str, Any]) -> None:
        sets: dict[str, str] = {name: canonical(value.pop(name)) for name in _SETS if name in value}
        record: Record = codec.decode(Record, _text(value))
        self.faults.add(number, record_faults(record))
        for name, fingerprint in _fingerprints(record):
            text = None if fingerprint is None else sets.pop(name, None)
            if fingerprint is not None and text is not None:
                self.faults.add(number, variables_faults(fingerprint, text))
                self._variables[fingerprint.variables] = text
        if sets:
            self.faults.add(number, ["variables that belong to nothing"])
        self._records.append(record)

    def _open_batch(self, number: int, value: dict[str, Any]) -> Iterator[Entry]:
        opened: OpenBatch = codec.decode(OpenBatch, _text(value | {"serial": 1}))
        intended: Intended = opened.intended
        check_intended(intended)
        for claim in intended.claims:
            self.faults.add(number, filter(None, [path_fault(claim.output)]))
        yield intended
        if opened.doubt is not None:
            yield Doubted(intended.attempt, opened.doubt, intended.at)
        if opened.batch_id is not None:
            yield Submitted(intended.attempt, opened.batch_id, opened.submitted_at or intended.at)

    def _probe(self, value: dict[str, Any]) -> Probed:
        probed: Probed = codec.decode(Probed, _text(value | {"kind": "probed"}))
        if probed.facts is None:
            raise StateError("a live check without facts")
        if instant(probed.at) is None:
            raise StateError("the time of a live check is none")
        return probed

    def _moves(self, number: int, value: dict[str, Any]) -> MovesIntended:
        moves: MovesIntended = codec.decode(MovesIntended, _text(value | {"kind": "moves_intended"}))
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
        return value


def _has_key(value: dict[str, Any]) -> bool:
    return isinstance(value.get("key"), str)
