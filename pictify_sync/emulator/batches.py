"""Batches as the API sees them: accepted durably, shown while they go on, cancelled. Rendering is somewhere else.

Bodies, limits and words: Pictify, Batch render, Get batch results, Cancel batch.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pictify_sync.emulator.store import FINISHED, SKIPPED, WAITING, Store
from pictify_sync.emulator.templates import Source
from pictify_sync.emulator.wire import BASE_LAYOUT, LAYOUT_PATTERN, Answer, WireError, canonical, checked, digest

LayoutName = Annotated[str, Field(pattern=LAYOUT_PATTERN)]
# Pictify, Batch render: png, jpeg, webp. The vendor's n8n node offers jpg too.
FormatName = Annotated[Literal["png", "jpeg", "webp"], BeforeValidator(lambda one: "jpeg" if one == "jpg" else one)]


class RenderOptions(BaseModel):
    """What a single render and a batch share."""

    model_config = ConfigDict(extra="ignore")

    format: FormatName = "png"
    quality: Annotated[float, Field(ge=0.1, le=1.0)] | None = None
    layout: LayoutName | None = None
    layouts: Annotated[list[LayoutName], Field(max_length=20)] | None = None

    def chosen(self) -> tuple[str, ...]:
        """The layouts to render, each once; `layouts` wins over `layout`, as the vendor's tools do."""
        return tuple(dict.fromkeys(self.layouts or ([self.layout] if self.layout else [BASE_LAYOUT])))


class BatchBody(RenderOptions):
    """The body of a batch render."""

    variableSets: Annotated[list[dict[str, Any]], Field(min_length=1)]  # noqa: N815
    concurrency: Annotated[int, Field(ge=1, le=10)] = 5


class SingleBody(RenderOptions):
    """The body of a single render."""

    variables: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class PictureView:
    """One layout of one item: a file, or the reason why there is none."""

    layout: str
    name: str  # display name of the layout
    file: str | None
    width: int | None  # pixels
    height: int | None
    code: str  # "" when rendered
    message: str
    id: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One finished item."""

    position: int
    names: Sequence[str]  # of its variables
    variables: str | None  # canonical JSON; None unless asked for
    pictures: Sequence[PictureView]

    @property
    def success(self) -> bool:
        """Whether at least one layout was rendered."""
        return any(one.file for one in self.pictures)


@dataclass(frozen=True, slots=True)
class BatchView:
    """Everything that any result dialect shows of one batch."""

    id: str
    template: str
    status: str
    format: str
    total: int
    done: int  # items with a picture
    failed: int  # items without any
    created: float
    started: float | None
    completed: float | None
    items: Sequence[ItemView]

    @property
    def open(self) -> bool:
        """Whether there is still something to render."""
        return self.status in ("pending", "processing")


def picture_id(batch: str, position: int, layout: str) -> str:
    """The id of one render: the same whenever it is asked for."""
    return f"img_{digest(f'{batch}/{position}/{layout}')[:16]}"


class Batches:
    """The batches of one store."""

    def __init__(self, store: Store, *, max_items: int, idempotent: bool, now: Callable[[], float]) -> None:
        self._store = store
        self._max_items = max_items
        self._idempotent = idempotent  # honour Idempotency-Key, for ever
        self._now = now

    def create(self, uid: str, source: Source, body: Mapping[str, object], key: str) -> Answer:
        """Accept a batch: it is durable when this returns. The same key and body get the first answer again."""
        wanted = checked(BatchBody, body)
        if len(wanted.variableSets) > self._max_items:
            raise WireError(400, f"variableSets has {len(wanted.variableSets)} items, at most {self._max_items}")
        request = {"format": wanted.format, "quality": wanted.quality, "layouts": wanted.chosen()}
        items = [(canonical(sorted(one)), canonical(one)) for one in wanted.variableSets]
        asked = digest(canonical([uid, body])) if key and self._idempotent else ""
        letters = string.ascii_uppercase + string.digits
        batch = "batch_" + "".join(secrets.choice(letters) for _ in range(16))
        answer = {"batchId": batch, "status": "pending", "totalItems": len(items), "message": "Batch accepted"}
        with self._store.write() as db:
            if asked and (again := _answered(db, key, asked)):
                return again
            columns = "(id, template, source, request, total, created)"
            row = (batch, uid, source.digest, canonical(request), len(items), self._now())
            number = db.execute(f"INSERT INTO batches{columns} VALUES(?,?,?,?,?,?)", row).lastrowid
            rows = ((number, position, *one) for position, one in enumerate(items))
            db.executemany("INSERT INTO items(batch, position, names, variables) VALUES(?,?,?,?)", rows)
            if asked:
                db.execute("INSERT INTO answers VALUES(?,?,?,?,?)", (key, asked, 202, canonical(answer), self._now()))
        return Answer(answer, status=202)

    def view(self, batch: str, sizes: Callable[[str], Source], *, values: bool = False) -> BatchView:
        """See one batch and its finished items. 404 when unknown."""
        with self._store.read() as db:
            row = _row(db, batch)
            number, columns = row["number"], "position, names, variables" if values else "position, names, NULL"
            found = db.execute(f"SELECT {columns} FROM items WHERE batch=? AND state=?", (number, FINISHED)).fetchall()  # noqa: S608
            pictures = db.execute("SELECT * FROM pictures WHERE batch=?", (number,)).fetchall()
        names = {layout: size[2] for layout, size in sizes(row["source"]).sizes.items()}
        by_position: dict[int, list[PictureView]] = {}
        for one in pictures:
            by_position.setdefault(one["position"], []).append(_picture(batch, one, names))
        items = [ItemView(p, json.loads(n), v, by_position.get(p, [])) for p, n, v in found]
        counts = (row["total"], row["done"], row["failed"], row["created"], row["started"], row["completed"])
        return BatchView(
            batch, row["template"], _status(row), json.loads(row["request"])["format"], *counts, tuple(items)
        )

    def ahead(self, batch: str) -> int:
        """How many items are rendered until this batch is over: its own, and those of batches before it."""
        with self._store.read() as db:
            query = "SELECT count(*) FROM items WHERE state=0 AND batch<=(SELECT number FROM batches WHERE id=?)"
            return int(db.execute(query, (batch,)).fetchone()[0])

    def cancel(self, batch: str) -> Answer:
        """Skip what is not finished; a finished batch stays as it is. 404 when unknown."""
        with self._store.write() as db:
            row = _row(db, batch)
            if row["completed"] is None:
                change = "UPDATE items SET state=?, run=NULL WHERE batch=? AND state=?"
                db.execute(change, (SKIPPED, row["number"], WAITING))
                db.execute("UPDATE batches SET cancelled=1, completed=? WHERE number=?", (self._now(), row["number"]))
            status = _status(_row(db, batch))
        return Answer({"batchId": batch, "status": status, "message": f"The batch is {status}"})


def _answered(db: sqlite3.Connection, key: str, asked: str) -> Answer | None:
    """Give the answer that this key got before. 409 when it was another request."""
    found = db.execute("SELECT request, status, body FROM answers WHERE key=?", (key,)).fetchone()
    if found is None:
        return None
    if found["request"] != asked:
        raise WireError(409, "This Idempotency-Key was used for another request", "idempotency_key_reused")
    return Answer(json.loads(found["body"]), status=found["status"])


def _row(db: sqlite3.Connection, batch: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM batches WHERE id=?", (batch,)).fetchone()
    if row is None:
        raise WireError(404, "Batch not found")
    return row


def _status(row: sqlite3.Row) -> str:
    """Word of a batch (Pictify, Batch render: completed = all ok, partial = some failed, failed = all failed)."""
    if row["cancelled"]:
        return "cancelled"
    if row["completed"] is None:
        return "pending" if row["started"] is None else "processing"
    if row["failed"] == 0:
        return "completed"
    return "failed" if row["done"] == 0 else "partial"


def _picture(batch: str, row: sqlite3.Row, names: Mapping[str, str]) -> PictureView:
    layout = row["layout"]
    shown = (row["file"], row["width"], row["height"], row["code"] or "", row["message"] or "")
    return PictureView(layout, names.get(layout, layout), *shown, id=picture_id(batch, row["position"], layout))
