"""The derived tables: how records and the rest lie in them, one small statement per need.

This module knows rows and records; it must not know why a row is written (that is the fold) nor when it is durable.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from pictify_sync.core.entries import Obsolete, PastCosts, Probed
from pictify_sync.core.fingerprint import canonical, plain_quality, spec_digest
from pictify_sync.core.fingerprint import digest as digest_of
from pictify_sync.core.model import (
    Artifact,
    AssetKey,
    DriftKind,
    Failure,
    Fingerprint,
    Record,
    RenderSpec,
    Status,
)
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import StateError
from pictify_sync.state import codec

_COLUMNS = (
    "key, status, spec, variables, path, sha256, size, output, url, failure, attempt, rendered_at, attempts, "
    "tainted, drift, protect"
)
_PUT = (
    f"INSERT INTO records ({_COLUMNS}) VALUES ({', '.join('?' * 16)}) ON CONFLICT (key) DO UPDATE SET "  # noqa: S608
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
)
_PAGE = 512  # rows fetched at once
_TEXT = str | None
_TYPES = (str, str, int | None, _TEXT, _TEXT, _TEXT, int | None, *((_TEXT,) * 5), int, int, _TEXT, int)  # of _COLUMNS
_STATUS = {str(status): status for status in Status}
_DRIFT: dict[str | None, DriftKind | None] = {None: None, **{str(kind): kind for kind in DriftKind}}


class Tables:
    """The derived tables of one connection. Keeps the specs it has seen: there is one per manifest and layout."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._specs: dict[int, tuple[str, RenderSpec]] = {}  # id -> (digest, spec)
        self._ids: dict[tuple[str, RenderSpec], int] = {}

    def forget(self) -> None:
        """Drop what was kept in memory: after a rollback its rows may not exist."""
        self._specs.clear()
        self._ids.clear()

    # Records -----------------------------------------------------------------------------------------------------

    def put_records(self, records: Iterable[Record]) -> None:
        """Insert or replace records."""
        self.connection.executemany(_PUT, map(self._row, records))

    def remove_records(self, keys: Iterable[AssetKey]) -> None:
        """Forget records; one that is not there is fine."""
        self.connection.executemany("DELETE FROM records WHERE key = ?", ((key,) for key in keys))

    def record(self, key: str) -> Record | None:
        """The record of a key."""
        rows = self._rows("WHERE key = ?", (key,))
        return next(rows, None)

    def records(self, prefix: str = "") -> Iterator[Record]:
        """Records whose key starts with prefix, in the order of the keys' UTF-8 bytes (SQLite's BINARY collation)."""
        end = _after_prefix(prefix)
        if end is None:
            return _ascending(self._rows("WHERE key >= ? ORDER BY key", (prefix,)))
        return _ascending(self._rows("WHERE key >= ? AND key < ? ORDER BY key", (prefix, end)))

    def find(self, fingerprint: Fingerprint) -> Record | None:
        """The first record by key whose published file has that fingerprint, untainted and without drift."""
        rows = self._rows(
            "WHERE path IS NOT NULL AND variables = ? AND spec IN (SELECT id FROM specs WHERE digest = ?) "
            "AND status <> 'rendered' AND tainted = 0 AND drift IS NULL ORDER BY key LIMIT 1",
            (fingerprint.variables, fingerprint.spec),
        )
        return next(rows, None)

    def owners(self, path: str) -> tuple[AssetKey, ...]:
        """Keys whose artifact lies at path, in order."""
        return tuple(
            row[0] for row in self.connection.execute("SELECT key FROM records WHERE path = ? ORDER BY key", (path,))
        )

    def count(self) -> int:
        """Number of records."""
        (value,) = self.connection.execute("SELECT value FROM tally WHERE name = 'records'").fetchone()
        return int(value)

    def _rows(self, where: str, values: Sequence[object]) -> Iterator[Record]:
        cursor = self.connection.execute(f"SELECT {_COLUMNS} FROM records {where}", values)  # noqa: S608
        try:
            while page := cursor.fetchmany(_PAGE):
                _expect_records(page)
                yield from map(self._record, page)
        finally:
            with suppress(sqlite3.ProgrammingError):  # whoever asked went away, and the connection before us
                cursor.close()

    def _record(self, row: tuple[Any, ...]) -> Record:
        key, status, spec_id, variables, path, sha256, size, output, url, failure, attempt, rendered_at = row[:12]
        attempts, tainted, drift, protect = row[12:]
        fingerprint = spec = None
        if spec_id is not None:
            digest, spec = self._specs.get(spec_id) or self._load_spec(spec_id)
            fingerprint = Fingerprint(digest, variables)
        return Record(
            key,
            _STATUS[status],
            fingerprint,
            spec,
            None if path is None else Artifact(path, sha256, size),
            path if output is None else output,
            url,
            None if failure is None else _failure(failure),
            attempt,
            rendered_at,
            attempts,
            tainted == 1,
            _DRIFT[drift],
            protect == 1,
        )

    def _row(self, record: Record) -> tuple[object, ...]:
        spec_id = variables = None
        if record.fingerprint is not None and record.spec is not None:
            spec_id, variables = self._intern(record.fingerprint.spec, record.spec), record.fingerprint.variables
        artifact, failure = record.artifact, record.failure
        return (
            record.key,
            record.status.value,
            spec_id,
            variables,
            *((None, None, None) if artifact is None else (artifact.path, artifact.sha256, artifact.size)),
            None if artifact is not None and artifact.path == record.output else record.output,
            record.url,
            None
            if failure is None
            else canonical([failure.code, failure.message, failure.fingerprint.spec, failure.fingerprint.variables]),
            record.attempt,
            record.rendered_at,
            record.attempts,
            int(record.tainted),
            None if record.drift is None else record.drift.value,
            int(record.protect),
        )

    def _intern(self, digest: str, spec: RenderSpec) -> int:
        found = self._ids.get((digest, spec))
        if found is None:
            body = _spec_body(spec)
            self.connection.execute(
                "INSERT INTO specs (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, body)
            )
            row = self.connection.execute(
                "SELECT id FROM specs WHERE digest = ? AND body = ?", (digest, body)
            ).fetchone()
            found = self._ids[digest, spec] = int(row[0])
        return found

    def _load_spec(self, spec_id: int) -> tuple[str, RenderSpec]:
        row = self.connection.execute("SELECT digest, body FROM specs WHERE id = ?", (spec_id,)).fetchone()
        if row is None:
            raise StateError("the derived tables contradict each other", hint="run `pictify-sync state rebuild`")
        spec = _spec(row[1])
        if spec_digest(spec) != row[0]:
            raise ValueError("a spec with another digest")
        self._specs[spec_id] = row[0], spec
        return self._specs[spec_id]

    # Everything else ---------------------------------------------------------------------------------------------

    def put_variables(self, sets: Iterable[tuple[str, str]]) -> None:
        """Keep canonical JSON by its digest."""
        self.connection.executemany("INSERT INTO variables VALUES (?, ?) ON CONFLICT DO NOTHING", sets)

    def variables(self, digest: str) -> str | None:
        """Canonical JSON of a digest, None when it is not kept."""
        row = self.connection.execute("SELECT body FROM variables WHERE digest = ?", (digest,)).fetchone()
        if row is not None and digest_of(row[0]) != digest:
            raise ValueError("variables with another digest")
        return None if row is None else str(row[0])

    def put_template(self, record: TemplateRecord) -> None:
        """Insert or replace a template."""
        row = (record.provider, record.name, codec.encode(TemplateRecord, record))
        self.connection.execute("INSERT OR REPLACE INTO templates VALUES (?, ?, ?)", row)

    def templates(self) -> tuple[TemplateRecord, ...]:
        """All templates by name, then provider."""
        rows = self.connection.execute("SELECT body FROM templates ORDER BY name, provider")
        return tuple(codec.decode(TemplateRecord, body) for (body,) in rows)

    def put_probe(self, serial: int, probed: Probed) -> bool:
        """Insert a live check, or replace what it wrote at its beginning; False when it has ended already."""
        body = None if probed.facts is None else codec.encode(Probed, probed)
        row = (probed.run, serial, probed.provider, probed.service, probed.billed_min, probed.billed_max, body)
        put = (
            "INSERT INTO probes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET serial = excluded.serial, "
        )
        put += "billed_min = excluded.billed_min, billed_max = excluded.billed_max, body = excluded.body "
        put += "WHERE body IS NULL AND provider = excluded.provider AND service = excluded.service"
        return self.connection.execute(put, row).rowcount == 1

    def put_spent(self, spent: PastCosts) -> None:
        """Add to what is told of no attempt and no live check."""
        put = "INSERT INTO tally VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
        values = (("attempts", spent.attempts), ("billed_min", spent.billed_min), ("billed_max", spent.billed_max))
        self.connection.executemany(put, values)

    def spent(self) -> tuple[int, int, int]:
        """Attempts, pictures certainly and possibly billed, of which nothing else is told."""
        found = dict(self.connection.execute("SELECT name, value FROM tally"))
        return found.get("attempts", 0), found.get("billed_min", 0), found.get("billed_max", 0)

    def probes(self) -> tuple[Probed, ...]:
        """The newest live check with facts of each provider and service."""
        rows = self.connection.execute(
            "SELECT body, max(serial) FROM probes WHERE body IS NOT NULL GROUP BY provider, service "
            "ORDER BY provider, service"
        )
        return tuple(codec.decode(Probed, body) for body, _ in rows)

    def obsolete(self) -> tuple[Obsolete, ...]:
        """Files still to be removed, by path."""
        rows = self.connection.execute("SELECT path, sha256 FROM obsolete ORDER BY path, sha256")
        expect_types(found := rows.fetchall(), (str, str))
        return tuple(Obsolete(path, sha256) for path, sha256 in found)

    def put_obsolete(self, files: Iterable[Obsolete]) -> None:
        """Add files to be removed, but for paths that a record owns."""
        self.connection.executemany(
            "INSERT INTO obsolete SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM records WHERE path = ?1) "
            "ON CONFLICT DO NOTHING",
            ((file.path, file.sha256) for file in files),
        )

    def drop_obsolete(self, files: Iterable[Obsolete]) -> None:
        """Files that are dealt with."""
        rows = ((file.path, file.sha256) for file in files)
        self.connection.executemany("DELETE FROM obsolete WHERE path = ? AND sha256 = ?", rows)

    def own_paths(self, paths: Iterable[str]) -> None:
        """A path that a record owns is not obsolete, whatever bytes were to be removed there."""
        self.connection.executemany("DELETE FROM obsolete WHERE path = ?", ((path,) for path in paths))

    def pending(self) -> int | None:
        """Serial of the moves that were intended and not finished."""
        row = self.connection.execute("SELECT serial FROM pending").fetchone()
        return None if row is None else int(row[0])


def _ascending(records: Iterator[Record]) -> Iterator[Record]:
    last = ""
    for record in records:
        if record.key <= last:
            raise ValueError("records out of order")
        last = record.key
        yield record


def _expect_records(page: Sequence[tuple[Any, ...]]) -> None:
    """The same as `expect_types`, by columns: a large state is read through this."""
    columns = zip(zip(*page, strict=True), _TYPES, strict=True)
    is_typed = all(issubclass(one, types) for column, types in columns for one in set(map(type, column)))
    if not is_typed or any(row[4:7].count(None) not in (0, 3) or row[4] == "" for row in page):  # path, sha256, size
        raise ValueError("a record with impossible columns")


def expect_types(rows: Iterable[Sequence[object]], types: tuple[object, ...]) -> None:
    """Raise ValueError for a row that we cannot have written: a bit that flips in a file changes types as well."""
    for row in rows:
        if not _are(tuple(map(type, row)), types):
            raise ValueError("a row with impossible columns")


@cache
def _are(found: tuple[type, ...], types: tuple[Any, ...]) -> bool:
    return len(found) == len(types) and all(map(issubclass, found, types))


def _spec_body(spec: RenderSpec) -> str:
    """Return the text of a spec: a list in which a quality alone is a number, as it was before there were options."""
    options: object = spec.options
    with suppress(ValueError):
        options = plain_quality(spec.options)
    return canonical(
        [spec.provider, spec.template, spec.template_revision, spec.variant, spec.format, options, spec.engine]
    )


def _spec(body: str) -> RenderSpec:
    provider, template, revision, variant, format_, options, engine = json.loads(body)
    if not isinstance(options, str):
        options = codec.options_of_quality(options)
    return RenderSpec(provider, template, revision, variant, format_, options, engine)


def _failure(text: str) -> Failure:
    found = json.loads(text)
    expect_types([found], (str, str, str, str))
    code, message, spec, variables = found
    return Failure(code, message, Fingerprint(spec, variables))


def _after_prefix(prefix: str) -> str | None:
    """The least text above all with that prefix, by UTF-8 bytes (the order of code points); None: there is none."""
    for at in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[at])
        if code < 0x10FFFF:
            return prefix[:at] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None
