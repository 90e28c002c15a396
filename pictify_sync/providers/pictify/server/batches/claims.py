"""Who renders what: items are claimed in SQLite by a run, and a run lives as long as its process holds a file lock.

The operating system drops the lock the moment a process dies, however it dies, so a dead run's items are free at once
and no clock is involved.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from pictify_sync.providers.pictify.server.batches.dialects import picture_id
from pictify_sync.providers.pictify.server.store.database import FINISHED, WAITING, Store
from pictify_sync.providers.pictify.server.wire import digest


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """One variable set that this run, and no other, renders now."""

    position: int
    variables: str  # canonical JSON


@dataclass(frozen=True, slots=True)
class Claim:
    """Some items of one batch, and what they share."""

    batch: int  # its number
    source: str  # digest
    format: str
    quality: float | None
    layouts: tuple[str, ...]
    items: tuple[ClaimedItem, ...]
    reason: str = ""  # why items are made to fail; "": they are not
    failing: frozenset[int] = frozenset()  # their positions; none: all
    sensitive: tuple[str, ...] = ()  # names of variables whose values stand in no message

    def fails(self, position: int) -> bool:
        """Whether that item is made to fail."""
        return bool(self.reason) and (not self.failing or position in self.failing)


@dataclass(frozen=True, slots=True)
class PictureOutcome:
    """What became of one layout of one item: a file, or a code and a message."""

    position: int
    layout: str
    file: str | None
    size: int = 0  # bytes
    width: int = 0  # pixels
    height: int = 0
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class FinishedItem:
    """An item of which each layout has its outcome."""

    item: ClaimedItem
    outcomes: Sequence[PictureOutcome]


class EventSink(Protocol):
    """Queues the events of items that are recorded in the same transaction. `batch` is the row before it."""

    def __call__(
        self, db: sqlite3.Connection, batch: sqlite3.Row, finished: Sequence[FinishedItem], /, *, last: bool
    ) -> None: ...


class Claims:
    """The claims of one run on one store. The run's file is locked from construction to `close`."""

    def __init__(
        self, store: Store, folder: Path, announce: EventSink, *, keep_values: bool, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._folder = folder  # of the lock files
        self._announce = announce
        self._keep_values = keep_values  # False: the variables of a finished item are dropped
        self._now = now
        self.run = secrets.token_hex(8)
        # Locked before it has the name that others look for, so that nobody can take it for a dead run's.
        self._lock = FileLock(folder / f"{self.run}.new", thread_local=False)
        self._lock.acquire(timeout=0)
        (folder / f"{self.run}.new").rename(self._path(self.run))
        for run in {one.name.partition(".")[0] for one in folder.iterdir() if one.suffix != ".new"} - {self.run}:
            self._blame(run)

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.lock"

    def take(self, pictures: int) -> Claim | None:
        """Claim the first waiting items of one batch, about as many as make that many pictures. None: nothing waits."""
        with self._store.write() as db:
            first = db.execute(
                "SELECT batch FROM items WHERE state=0 AND run IS NULL ORDER BY batch LIMIT 1"
            ).fetchone()
            if first is None:
                return None
            row = db.execute("SELECT source, request, play FROM batches WHERE number=?", first).fetchone()
            request, play = json.loads(row["request"]), json.loads(row["play"])
            wanted = max(1, pictures // len(request["layouts"]))
            query = (
                "SELECT position, variables FROM items WHERE batch=? AND state=0 AND run IS NULL "
                "ORDER BY position LIMIT ?"
            )
            items = tuple(ClaimedItem(*one) for one in db.execute(query, (first[0], wanted)))
            update = "UPDATE items SET run=? WHERE batch=? AND position=?"
            db.executemany(update, [(self.run, first[0], one.position) for one in items])
            db.execute("UPDATE batches SET started=coalesce(started, ?) WHERE number=?", (self._now(), first[0]))
        how = (request["format"], request["quality"], tuple(request["layouts"]))
        failing = frozenset(play.get("positions", ()))
        sensitive = tuple(request.get("sensitive", ()))
        return Claim(first[0], row["source"], *how, items, play.get("reason", ""), failing, sensitive)

    def finish(self, number: int, finished: Sequence[FinishedItem]) -> bool:
        """Record outcomes and meter of one batch in one transaction. Returns whether the batch is still wanted.

        When it was cancelled meanwhile, what was rendered is metered and nothing else.
        """
        with self._store.write() as db:
            return self._finish(db, number, finished)

    def _finish(self, db: sqlite3.Connection, number: int, finished: Sequence[FinishedItem]) -> bool:
        batch = db.execute("SELECT * FROM batches WHERE number=?", (number,)).fetchone()
        name, template, team, now = batch["id"], batch["template"], batch["team"], self._now()
        metered = [
            (name, item.position, one.layout, template, digest(item.variables), now, picture, team)
            for item, one in ((done.item, one) for done in finished for one in done.outcomes if one.file)
            for picture in [picture_id(name, item.position, one.layout)]
        ]
        columns = "(batch, position, layout, template, variables, at, picture, team)"
        db.executemany(f"INSERT INTO meter{columns} VALUES(?,?,?,?,?,?,?,?)", metered)
        if batch["cancelled"]:
            return False
        rows = [
            (number, one.position, one.layout, one.file, one.size, one.width, one.height, one.code, one.message)
            for item in finished
            for one in item.outcomes
        ]
        db.executemany("INSERT INTO pictures VALUES(?,?,?,?,?,?,?,?,?)", rows)
        values = "variables" if self._keep_values else "'{}'"
        update = f"UPDATE items SET state=?, run=NULL, variables={values} WHERE batch=? AND position=?"  # noqa: S608
        db.executemany(update, [(FINISHED, number, one.item.position) for one in finished])
        done = sum(any(picture.file for picture in one.outcomes) for one in finished)
        last = batch["done"] + batch["failed"] + len(finished) == batch["total"]
        completed = now if last else None
        counts = (done, len(finished) - done, completed, number)
        db.execute("UPDATE batches SET done=done+?, failed=failed+?, completed=? WHERE number=?", counts)
        self._announce(db, batch, finished, last=last)
        return True

    def release_dead_runs(self) -> tuple[int, int]:
        """Free the items of runs that live no more. Returns (runs freed, living runs that hold items)."""
        with self._store.read() as db:
            query = "SELECT DISTINCT run FROM items WHERE state=0 AND run IS NOT NULL AND run<>?"
            others = [row[0] for row in db.execute(query, (self.run,))]
        freed = sum([self._blame(run) for run in others])
        return freed, len(others) - freed

    def _blame(self, run: str) -> bool:
        """Free what a run held and remove what it left, unless it lives."""
        lock = FileLock(self._path(run))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        try:
            self._free(run)
            for left in self._folder.glob(f"{run}.*"):
                left.unlink(missing_ok=True)
        finally:
            lock.release()
        return True

    def _free(self, run: str) -> None:
        with self._store.write() as db:
            db.execute("UPDATE items SET run=NULL WHERE state=? AND run=?", (WAITING, run))

    def close(self) -> None:
        """Free what this run still holds, then its lock."""
        with suppress(sqlite3.Error):
            self._free(self.run)
        for left in self._folder.glob(f"{self.run}.*"):
            with suppress(OSError):  # everything is recorded: whoever opens the folder next sweeps it
                left.unlink(missing_ok=True)
        self._lock.release()
