"""The state as sorted JSON lines: for review, Git and transport. Export then import is the identity.

Lines, in this order: meta, templates by name, assets by key, open batches by age, pending moves, obsolete files, live
checks by provider, what else was spent, the project that it belongs to, the commit applied last, and the end: how many
lines stand before it, and a digest of what they say.
A snapshot holds no history, no serial and never the sensitive key: equal contents give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any, Protocol

from pictify_sync.core.entries import Applied, MovesIntended, OpenBatch, Probed, ProjectIdentity
from pictify_sync.core.fingerprint import canonical
from pictify_sync.core.model import Fingerprint, Record
from pictify_sync.core.ports import StateStore
from pictify_sync.core.template import TemplateRecord
from pictify_sync.state import codec

FORMAT = "pictify-sync/snapshot"
FORMAT_VERSION = 3  # a reader refuses a larger one; in 1 there was no end, before 3 specs had no options
# in this order
KINDS = ("meta", "template", "asset", "open_batch", "moves", "obsolete", "probe", "spent", "bound", "applied", "end")
to_text = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode  # keeps the order of names


class Source(StateStore, Protocol):
    """A store all of whose reads can be kept to one serial."""

    def pinned(self) -> AbstractContextManager[None]: ...


class Content:
    """What lines say, summed up: how they are written (blanks, escapes, line ends, order of names) does not matter."""

    def __init__(self) -> None:
        self.lines = 0
        self._digest = blake2b(digest_size=16)

    def add(self, value: object) -> None:
        """Take the value of the next line."""
        self.lines += 1
        self._digest.update(canonical(value).encode("utf-8", "surrogatepass") + b"\n")

    def digest(self) -> str:
        """The digest of all lines so far."""
        return self._digest.hexdigest()


def export(store: Source, write: Callable[[str], object]) -> None:
    """Write the state as it is at one serial, one line after the other, and the end."""
    content = Content()
    for value in _values(store):
        content.add(value)
        write(_line(value))
    write(_line(_value("end", {"lines": content.lines, "digest": content.digest()})))


def lines_of(store: Source) -> Generator[str, None, None]:
    """The lines of the state as it is at one serial. Iterate to the end, or close."""
    yield from map(_line, _values(store))


def _values(store: Source) -> Generator[dict[str, Any], None, None]:
    with store.pinned():
        yield _value("meta", {"format": FORMAT, "format_version": FORMAT_VERSION, "lineage": store.lineage})
        for template in store.templates():
            yield _value("template", json.loads(codec.encode(TemplateRecord, template)))
        for record in store.records():
            yield _value("asset", _asset(store, record))
        for opened in store.open_batches():
            value = json.loads(codec.encode(OpenBatch, opened))
            del value["serial"]  # a matter of this log
            yield _value("open_batch", value)
        moves = store.pending_moves()
        if moves is not None:
            yield _value("moves", json.loads(codec.encode(MovesIntended, moves)))
        for file in store.obsolete():
            yield _value("obsolete", {"path": file.path, "sha256": file.sha256})
        for probed in store.probes():
            yield _value("probe", json.loads(codec.encode(Probed, probed)))
        if any(spent := _spent(store)):
            yield _value("spent", dict(zip(("attempts", "billed_min", "billed_max"), spent, strict=True)))
        project, applied = store.project(), store.applied()
        if project is not None:
            yield _value("bound", json.loads(codec.encode(ProjectIdentity, project)))
        if applied is not None:
            yield _value("applied", json.loads(codec.encode(Applied, applied)))


def _value(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, **{name: value[name] for name in sorted(value) if name != "kind"}}


def _line(value: dict[str, Any]) -> str:
    return to_text(value) + "\n"


def _spent(store: Source) -> tuple[int, int, int]:
    """Attempts and pictures billed that no other line tells of."""
    ledger, told = store.ledger(), store.probes()
    least, most = sum(one.billed_min for one in told), sum(one.billed_max for one in told)
    return ledger.attempts - ledger.open, ledger.billed_min - least, ledger.billed_max - most


def _asset(store: StateStore, record: Record) -> dict[str, Any]:
    value: dict[str, Any] = codec.adapter(Record).dump_python(record, mode="json")
    for name, fingerprint in fingerprints(record):
        kept = None if fingerprint is None else store.variables(fingerprint.variables)
        if kept is not None:
            value[name] = json.loads(kept)
    return value


def fingerprints(record: Record) -> Iterable[tuple[str, Fingerprint | None]]:
    """What of the variables a line may hold: those of the picture, and those of the newest failure if others."""
    failed = None if record.failure is None else record.failure.fingerprint
    same = failed is not None and record.fingerprint is not None and failed.variables == record.fingerprint.variables
    return ("variables", record.fingerprint), ("failed_variables", None if same else failed)
