"""When two runs wrote at the same time: may their entries change places, and which of ours can still follow theirs.

Only entries that tell what became of batches are written before the remote has them; this says when that was harmless.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from pictify_sync.core.entries import (
    Abandoned,
    Applied,
    Bound,
    Cleaned,
    Doubted,
    Entry,
    Intended,
    Moved,
    MovesIntended,
    PastCosts,
    Probed,
    Recorded,
    Settled,
    Submitted,
    TemplateRecorded,
)

MAY_WAIT = (Submitted, Doubted, Settled, Abandoned, Cleaned)  # they only tell what became of what was intended


@dataclass(slots=True)
class _Reach:
    """What entries read or write."""

    attempts: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    frees: bool = False  # True: perhaps paths that the entry does not name, of records that it changes or takes out


def commute(ours: Iterable[Entry], theirs: Iterable[Entry]) -> bool:
    """Whether the tables are the same, whichever of both come first. False where that is not certain."""
    one, other = _reach(ours), _reach(theirs)
    apart = all(
        mine.isdisjoint(yours)
        for mine, yours in ((one.attempts, other.attempts), (one.keys, other.keys), (one.paths, other.paths))
    )
    return apart and not (one.frees and other.paths) and not (other.frees and one.paths)


def fits(connection: sqlite3.Connection, entry: Entry) -> bool:
    """Whether an entry that may wait can follow what an index holds now."""
    match entry:
        case Cleaned():
            return True
        case Submitted() | Doubted() | Settled() | Abandoned():
            row = connection.execute(
                "SELECT batch_id FROM attempts WHERE attempt = ? AND closed IS NULL", (entry.attempt,)
            ).fetchone()
            return row is not None and (row[0] is None or isinstance(entry, Settled | Abandoned))
        case _:
            return False


def _reach(entries: Iterable[Entry]) -> _Reach:
    reach = _Reach()
    for entry in entries:
        _add(reach, entry)
    return reach


def _add(reach: _Reach, entry: Entry) -> None:
    match entry:
        case Intended():
            reach.attempts.add(entry.attempt)
            reach.keys.update(claim.key for claim in entry.claims)
        case Submitted() | Doubted() | Abandoned():
            reach.attempts.add(entry.attempt)
        case Settled():
            reach.attempts.add(entry.attempt)
            _add_effect(reach, entry)
        case MovesIntended() | Moved() | Recorded():
            _add_effect(reach, entry)
            reach.keys.update(entry.removes)
            reach.frees = True
        case Cleaned():
            reach.paths.update(file.path for file in entry.paths)
        case TemplateRecorded() | Probed() | PastCosts() | Bound() | Applied():
            return
        case _:
            assert_never(entry)


def _add_effect(reach: _Reach, entry: Settled | MovesIntended | Moved | Recorded) -> None:
    reach.keys.update(record.key for record in entry.puts)
    reach.paths.update(record.artifact.path for record in entry.puts if record.artifact is not None)
    reach.paths.update(file.path for file in entry.obsolete)
