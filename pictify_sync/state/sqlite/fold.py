"""The effect of one log entry on the derived tables: written once, used by commit, rebuild and verify alike.

An entry carries its own effect, so this module needs no rule of planning or rendering. It refuses entries that cannot
follow what came before, in production too: better a run that stops than a record that lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    Obsolete,
    PastCosts,
    Probed,
    Recorded,
    Settled,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.model import AssetKey, Record
from pictify_sync.errors import StateError
from pictify_sync.state.sqlite.tables import Tables

_MOST = 1 << 48  # pictures; sums of them stay numbers that SQLite holds
ReadIntended = Callable[[int], Intended]  # the Intended entry of a serial


def fold(tables: Tables, intended: ReadIntended, serial: int, entry: Entry) -> None:
    """Write the effect of the entry with that serial. Raises StateError when it cannot follow what came before."""
    match entry:
        case Intended():
            _intend(tables, intended, serial, entry)
        case Submitted() | Doubted():
            _note_answer(tables, entry)
        case Settled() | Abandoned():
            _close(tables, intended, serial, entry)
        case MovesIntended():
            _refuse_if(tables.pending() is not None, "moves are pending already")
            _check_effect(entry.puts, entry.removes)
            tables.connection.execute("INSERT INTO pending VALUES (?)", (serial,))
        case Moved():
            _refuse_if(tables.pending() is None, "no moves are pending")
            tables.connection.execute("DELETE FROM pending")
            _apply(tables, entry.puts, entry.removes, entry.obsolete)
        case Recorded():
            tables.put_variables(_checked(entry.variables))
            _apply(tables, entry.puts, entry.removes, entry.obsolete)
        case Cleaned():
            tables.drop_obsolete(entry.paths)
        case TemplateRecorded():
            tables.put_template(entry.record)
        case Probed():
            _check_billed(entry)
            _refuse_if(not tables.put_probe(serial, entry), f"the live check {entry.run} has ended already")
        case PastCosts():
            _check_billed(entry)
            _refuse_if(not 0 <= entry.attempts <= _MOST, "fewer than no attempts")
            tables.put_spent(entry)
        case Bound() | Applied():
            return  # the newest is read from the log itself
        case _:
            assert_never(entry)


def check_intended(entry: Intended) -> None:
    """Refuse an Intended that contradicts itself: its claims must be what its batch renders."""
    batch = entry.batch
    _refuse_if(len(entry.specs) != len(batch.layouts), "one spec per layout is needed")
    _refuse_if(len(entry.variables) != len(batch.items), "one variable set per item is needed")
    _refuse_if(len({claim.key for claim in entry.claims}) != len(entry.claims), "a key is claimed twice")
    layouts = {layout: number for number, layout in enumerate(batch.layouts)}
    for claim in entry.claims:
        number = layouts.get(claim.layout)
        _refuse_if(number is None or not 0 <= claim.index < len(batch.items), f"{claim.key} is in no item of the batch")
        assert number is not None
        item = batch.items[claim.index]
        fits = claim.key in item.keys[number] and claim.fingerprint.variables == item.variables
        _refuse_if(not fits, f"the claim of {claim.key} is not what its item renders")


def _intend(tables: Tables, intended: ReadIntended, serial: int, entry: Intended) -> None:
    check_intended(entry)
    execute = tables.connection.execute
    known = execute("SELECT 1 FROM attempts WHERE attempt = ?", (entry.attempt,)).fetchone()
    _refuse_if(known is not None, f"the attempt {entry.attempt} exists already")
    wanted = {claim.key for claim in entry.claims}
    for (number,) in execute("SELECT serial FROM attempts WHERE closed IS NULL ORDER BY serial").fetchall():
        taken = next((claim.key for claim in intended(number).claims if claim.key in wanted), None)
        _refuse_if(taken is not None, f"{taken} is claimed by an open batch")
    row = (entry.attempt, serial, entry.batch.renders)
    execute("INSERT INTO attempts (attempt, serial, pictures) VALUES (?, ?, ?)", row)
    sets = zip((item.variables for item in entry.batch.items), entry.variables, strict=True)
    tables.put_variables(_checked((name, body) for name, body in sets if body))


def _note_answer(tables: Tables, entry: Submitted | Doubted) -> None:
    _expect_unsubmitted(tables, entry.attempt)
    if isinstance(entry, Submitted):
        _update(tables, entry.attempt, batch_id=entry.batch_id, submitted_at=entry.at, doubt=None)
    else:
        _update(tables, entry.attempt, doubt=entry.detail)


def _close(tables: Tables, intended: ReadIntended, serial: int, entry: Settled | Abandoned) -> None:
    number, _ = _open_attempt(tables, entry.attempt)
    _check_billed(entry)
    status = entry.status if isinstance(entry, Settled) else "abandoned"
    _update(
        tables, entry.attempt, closed=serial, status=status, billed_min=entry.billed_min, billed_max=entry.billed_max
    )
    if isinstance(entry, Settled):
        claimed = {claim.key for claim in intended(number).claims}
        stray = next((record.key for record in entry.puts if record.key not in claimed), None)
        _refuse_if(stray is not None, f"{stray} was not claimed by the attempt {entry.attempt}")
        _apply(tables, entry.puts, (), entry.obsolete)


def _check_billed(entry: Settled | Abandoned | Probed | PastCosts) -> None:
    _refuse_if(
        not 0 <= entry.billed_min <= entry.billed_max <= _MOST, "billed_min and billed_max contradict each other"
    )


def _apply(
    tables: Tables, puts: tuple[Record, ...], removes: tuple[AssetKey, ...], obsolete: tuple[Obsolete, ...]
) -> None:
    _check_effect(puts, removes)
    tables.remove_records(removes)
    tables.put_records(puts)
    tables.own_paths(record.artifact.path for record in puts if record.artifact is not None)
    tables.put_obsolete(obsolete)


def _check_effect(puts: tuple[Record, ...], removes: tuple[AssetKey, ...]) -> None:
    keys = {record.key for record in puts}
    _refuse_if(len(keys) != len(puts), "a record is put twice")
    _refuse_if(not keys.isdisjoint(removes), "a record is put and removed")
    for record in puts:
        _refuse_if((record.fingerprint is None) != (record.spec is None), f"{record.key} has half a fingerprint")


def _checked(sets: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for name, body in sets:
        _refuse_if(digest(body) != name, f"the variables {name} have another digest")
        yield name, body


def _open_attempt(tables: Tables, attempt: str) -> tuple[int, str | None]:
    row = tables.connection.execute(
        "SELECT serial, batch_id FROM attempts WHERE attempt = ? AND closed IS NULL", (attempt,)
    ).fetchone()
    _refuse_if(row is None, f"the attempt {attempt} is not open")
    return row[0], row[1]


def _expect_unsubmitted(tables: Tables, attempt: str) -> None:
    _, batch_id = _open_attempt(tables, attempt)
    _refuse_if(batch_id is not None, f"the attempt {attempt} was submitted as {batch_id}")


def _update(tables: Tables, attempt: str, **values: object) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in values)
    tables.connection.execute(
        f"UPDATE attempts SET {columns} WHERE attempt = :attempt",  # noqa: S608
        {**values, "attempt": attempt},
    )


def _refuse_if(wrong: bool, message: str) -> None:
    if wrong:
        raise StateError(f"an impossible log entry: {message}", hint="this is a bug of pictify-sync: please report it")
