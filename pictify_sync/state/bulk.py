"""Many asset lines of a snapshot at once: read, checked and put into empty tables as fast as the machine allows.

It only says that something is wrong; where and what is found by reading the snapshot once more, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NotRequired

from typing_extensions import TypedDict

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import Fingerprint, Record, key_order
from pictify_sync.state import codec
from pictify_sync.state.hostile import record_faults
from pictify_sync.state.tables import Tables

CHUNK = 1000  # lines
ASSET = '{"kind":"asset",'  # how each line begins


class Unsound(Exception):
    """Something is wrong with one of the lines."""


class _Sets(TypedDict):
    """The variables of a line."""

    variables: NotRequired[Any]
    failed_variables: NotRequired[Any]


class Bulk:
    """Puts asset lines into tables. Within `schema.filling`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._last = b""
        self._waiting: list[str] = []

    def add(self, line: str) -> None:
        """Take a line. Raises Unsound, perhaps for one of the lines before it."""
        self._waiting.append(line)
        if len(self._waiting) >= CHUNK:
            self.finish()

    def finish(self) -> None:
        """Put what is left. Raises Unsound."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        text = f"[{','.join(lines)}]"
        records: Sequence[Record] = _decoded(list[Record], text)
        sets: Sequence[_Sets] = _decoded(list[_Sets], text)
        if not len(records) == len(sets) == len(lines):
            raise Unsound
        for record in records:
            place = key_order(record.key)
            if place <= self._last or any(record_faults(record)):
                raise Unsound
            self._last = place
        try:
            found = list(chain.from_iterable(map(_variables, records, sets)))
        except (ValueError, RecursionError):
            raise Unsound from None
        self._tables.put_variables(found)
        self._tables.put_records(records)


def _decoded(kind: Any, text: str) -> Any:
    try:
        return codec.adapter(kind).validate_json(text, strict=True)
    except ValueError:
        raise Unsound from None


def _variables(record: Record, sets: _Sets) -> Iterator[tuple[str, str]]:
    if "variables" in sets:
        yield _checked(record.fingerprint, sets["variables"])
    if "failed_variables" in sets:
        yield _checked(None if record.failure is None else record.failure.fingerprint, sets["failed_variables"])


def _checked(fingerprint: Fingerprint | None, value: Any) -> tuple[str, str]:
    text = canonical(value)
    if fingerprint is None or digest(text) != fingerprint.variables:
        raise Unsound
    return fingerprint.variables, text
