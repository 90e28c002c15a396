"""Log entries that a stranger may have written: what is wrong with each, beyond its shape.

The fold refuses what cannot follow; this refuses what could do harm when it is used: paths that leave their folder,
times that are none, ids that would not fit where they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

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
from pictify_sync.core.model import AssetKey, Record
from pictify_sync.state.untrusted import key_fault, path_fault, record_faults

_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST = 4096  # characters of a path
_MOST_ROOTS = 64
_BATCH = re.compile(
    r"[^\x00-\x20\x7f-\x9f\ud800-\udfff]{1,1024}"
)  # as a provider names it; quoted where it enters a URL


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
