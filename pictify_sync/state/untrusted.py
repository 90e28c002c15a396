"""What is read from a file that anybody may have written: JSON within limits, keys, paths and entries checked again.

Snapshots, saved plans and logs travel through repositories and pull requests, so nothing in them is believed. The fold
refuses entries that cannot follow; this refuses what could do harm when it is used: paths that leave their folder,
times that are none, ids that would not fit where they are sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn, assert_never

from pictify_sync.core.entries import (
    Abandoned,
    Applied,
    Bound,
    Cleaned,
    Doubted,
    Entry,
    FileMove,
    Intended,
    Moved,
    MovesIntended,
    Obsolete,
    PastCosts,
    Probed,
    ProjectIdentity,
    Recorded,
    Settled,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.core.fingerprint import canonical, digest, spec_digest
from pictify_sync.core.model import Artifact, AssetKey, Fingerprint, Record, RenderSpec, is_key
from pictify_sync.errors import InputError, Problem

_PART = r'(?!\.{1,2}(?:/|\Z))[^\x00-\x1f\x7f-\x9f<>:"|?*\\/\ud800-\udfff]{1,255}'
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_FORMAT = re.compile(r"[a-z0-9]{1,16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST = 4096  # characters of a path
_MOST_ROOTS = 64
_BATCH = re.compile(
    r"[^\x00-\x20\x7f-\x9f\ud800-\udfff]{1,1024}"
)  # as a provider names it; quoted where it enters a URL
MAX_DEPTH_HINT = "nested too deeply"


def parse(text: str | bytes) -> Any:
    """Read JSON: no NaN, no infinity, no name twice. Raises ValueError that says what is wrong."""
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(MAX_DEPTH_HINT) from None


def key_fault(key: str) -> str | None:
    """What is wrong with an asset key, None when nothing is."""
    return None if is_key(key) else f"{_short(key)} is not an asset key"


def path_fault(path: str) -> str | None:
    """What is wrong with an output path, None when it stays below the root."""
    return (
        None if len(path) <= 4096 and _PATH.fullmatch(path) else f"{_short(path)} is not a path below the output folder"
    )


def record_faults(record: Record) -> Iterator[str]:
    """What is wrong with a record that came from a file."""
    published = record.artifact is not None and record.artifact.path == record.output
    yield from filter(
        None, (key_fault(record.key), path_fault(record.output) if record.output and not published else None)
    )
    if (record.fingerprint is None) != (record.spec is None):
        yield "the fingerprint needs its spec, and the spec its fingerprint"
    if record.fingerprint is not None and record.spec is not None:
        yield from spec_faults(record.fingerprint, record.spec)
    if record.artifact is not None:
        yield from artifact_faults(record.artifact)
    if not 0 <= record.attempts < 1 << 31:
        yield "the number of attempts is not valid"


def spec_faults(fingerprint: Fingerprint, spec: RenderSpec) -> Iterator[str]:
    """A fingerprint must be the digest of what stands beside it."""
    yield from _spec_faults(fingerprint.spec, spec)


@lru_cache(1024)  # there is one spec per manifest and layout
def _spec_faults(found: str, spec: RenderSpec) -> tuple[str, ...]:
    faults = list(_options_faults(spec.options))
    if not _FORMAT.fullmatch(spec.format):
        faults.append("the format is no name")
    if not faults and spec_digest(spec) != found:
        faults.append("the fingerprint is not that of the spec")
    return tuple(faults)


def _options_faults(text: str) -> Iterator[str]:
    try:
        options = parse(text)
    except ValueError as error:
        yield f"the options are not JSON: {error}"
        return
    if not isinstance(options, dict) or canonical(options) != text:
        yield "the options are not a mapping in canonical form"
    elif isinstance(quality := options.get("quality"), int | float) and not 0 < quality <= 1:
        yield "the quality is not above 0 and up to 1"


def variables_faults(fingerprint: Fingerprint, variables: str) -> Iterator[str]:
    """The same for the variables."""
    if digest(variables) != fingerprint.variables:
        yield "the fingerprint is not that of the variables"


def artifact_faults(artifact: Artifact) -> Iterator[str]:
    """What is wrong with an artifact that came from a file."""
    yield from filter(None, (path_fault(artifact.path),))
    if not _SHA256.fullmatch(artifact.sha256) or not 0 <= artifact.size < 2**62:
        yield "the artifact's checksum or size is not valid"


def entry_faults(entry: Entry) -> Iterator[str]:
    """What is wrong with an entry that came from elsewhere; nothing when all is well."""
    yield from [] if _is_time(entry.at) else ["the time is not valid"]
    match entry:
        case Intended():
            yield from _intended_faults(entry)
        case Submitted():
            yield from _id_faults(entry.attempt)
            yield from [] if _BATCH.fullmatch(entry.batch_id) else ["the batch id is not valid"]
        case Doubted() | Abandoned():
            yield from _id_faults(entry.attempt)
        case Settled():
            yield from _id_faults(entry.attempt)
            yield from _effect_faults(entry.puts, (), entry.obsolete)
        case MovesIntended() | Moved() | Recorded():
            yield from _effect_faults(entry.puts, entry.removes, entry.obsolete)
            yield from _move_faults(entry.moves if isinstance(entry, MovesIntended) else ())
        case Cleaned():
            yield from _effect_faults((), (), entry.paths)
        case Probed():
            yield from _id_faults(entry.run)
        case TemplateRecorded():
            yield from (
                [] if _is_time(entry.record.observed_at or entry.at) else ["the time it was observed is not valid"]
            )
        case Bound():
            yield from _identity_faults(entry.project)
        case Applied():
            yield from _id_faults(entry.run)
            yield from [] if _COMMIT.fullmatch(entry.commit) else ["the commit is not valid"]
        case PastCosts():
            return
        case _:
            assert_never(entry)


def _intended_faults(entry: Intended) -> Iterator[str]:
    yield from _id_faults(entry.attempt)
    yield from _id_faults(entry.run)
    for claim in entry.claims:
        yield from filter(None, (key_fault(claim.key), path_fault(claim.output)))


def _effect_faults(puts: Iterable[Record], removes: Iterable[AssetKey], obsolete: Iterable[Obsolete]) -> Iterator[str]:
    for record in puts:
        yield from record_faults(record)
        if record.rendered_at is not None and not _is_time(record.rendered_at):
            yield f"the time of {record.key} is not valid"
    yield from filter(None, map(key_fault, removes))
    yield from filter(None, (path_fault(file.path) for file in obsolete))


def _move_faults(moves: Iterable[FileMove]) -> Iterator[str]:
    for move in moves:
        yield from filter(None, (key_fault(move.key), path_fault(move.old_path), path_fault(move.new_path)))


def _id_faults(attempt: str) -> Iterator[str]:
    if not _ID.fullmatch(attempt):
        yield "the id of an attempt or a run is not valid"


def _identity_faults(project: ProjectIdentity) -> Iterator[str]:
    texts = (project.name, project.folder, project.manifests, project.path, project.repository, project.place)
    if len(project.scattered) > _MOST_ROOTS:
        yield "the pictures are in too many places"
    if any(len(text) > _LONGEST or not text.isprintable() for text in (*texts, *project.scattered)):
        yield "the project's name is not plain text"
    if len(project.roots) > _MOST_ROOTS or not all(map(_COMMIT.fullmatch, project.roots)):
        yield "the first commits of the project are not valid"


def _is_time(text: str) -> bool:
    if len(text) > 40:
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class Faults:
    """Problems of one file, collected until there are too many to read."""

    LIMIT = 100

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

    def add(self, line: int, messages: Iterable[str], hint: str = "") -> None:
        """Note what is wrong in a line; raises InputError at once when it is too much."""
        self._found.extend(Problem(self.file, line, 0, message, hint) for message in messages)
        if len(self._found) >= self.LIMIT:
            self.raise_any()

    def stop(self, line: int, message: str, hint: str = "") -> NoReturn:
        """Nothing more can be read: raise with everything found so far."""
        raise InputError([*self._found, Problem(self.file, line, 0, message, hint)])

    def raise_any(self) -> None:
        """Raise InputError when anything was found."""
        if self._found:
            raise InputError(self._found)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice in an object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
