"""Many asset lines of a snapshot at once: read, checked and put into empty tables as fast as the machine allows.

It only says that something is wrong; where and what is found by reading the snapshot once more, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import Fingerprint, Record, key_order
from pictify_sync.state import codec
from pictify_sync.state.sqlite.tables import Tables
from pictify_sync.state.untrusted import record_faults

CHUNK = 1000  # lines
ASSET = '{"kind":"asset",'  # how each line begins


class Unsound(Exception):
    """Something is wrong with one of the lines."""


_NONE = object()  # no variables stand in the line


@dataclass(frozen=True, slots=True)
class _Line(Record):
    """A record and its variables: one pass over the text instead of two."""

    variables: Any = _NONE
    failed_variables: Any = _NONE


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
        try:
            records: Sequence[_Line] = codec.adapter(list[_Line]).validate_json(
                codec.current(f"[{','.join(lines)}]"), strict=True
            )
        except ValueError:
            raise Unsound from None
        if len(records) != len(lines):
            raise Unsound
        for record in records:
            place = key_order(record.key)
            if place <= self._last or any(record_faults(record)):
                raise Unsound
            self._last = place
        try:
            found = list(chain.from_iterable(map(_variables, records)))
        except (ValueError, RecursionError):
            raise Unsound from None
        self._tables.put_variables(found)
        self._tables.put_records(records)


def _variables(line: _Line) -> Iterator[tuple[str, str]]:
    if line.variables is not _NONE:
        yield _checked(line.fingerprint, line.variables)
    if line.failed_variables is not _NONE:
        yield _checked(None if line.failure is None else line.failure.fingerprint, line.failed_variables)


def _checked(fingerprint: Fingerprint | None, value: Any) -> tuple[str, str]:
    text = canonical(value)
    if fingerprint is None or digest(text) != fingerprint.variables:
        raise Unsound
    return fingerprint.variables, text
