"""Batches as the API sees them: accepted durably, shown while they go on, cancelled. Rendering is somewhere else.

Bodies, limits and words: Pictify, Batch render, Get batch results, Cancel batch.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from pictify_sync.providers.pictify.server.batches.dialects import BatchView, ItemView, PictureView, picture_id
from pictify_sync.providers.pictify.server.faults import BatchFaults
from pictify_sync.providers.pictify.server.store.database import FINISHED, SKIPPED, WAITING, Store
from pictify_sync.providers.pictify.server.store.templates import Side, Source, keep_source
from pictify_sync.providers.pictify.server.wire import (
    BASE_LAYOUT,
    LAYOUT_PATTERN,
    Answer,
    AsWhole,
    Omittable,
    WireError,
    WireModel,
    canonical,
    digest,
)

LayoutName = Annotated[str, Field(pattern=LAYOUT_PATTERN)]
# Pictify, Batch render: png, jpeg, webp. The vendor's n8n node offers jpg too.
FormatName = Annotated[
    Literal["png", "jpeg", "webp"],
    BeforeValidator(lambda one: "jpeg" if one == "jpg" else one),
    WithJsonSchema({"type": "string", "enum": ["png", "jpeg", "webp", "jpg"]}),
]


class RenderOptions(WireModel):
    """What a single render and a batch share."""

    format: FormatName = "png"
    quality: Omittable[Annotated[float, Field(ge=0.1, le=1.0)]] = None
    layout: Omittable[LayoutName] = None
    layouts: Omittable[Annotated[list[LayoutName], Field(max_length=20)]] = None

    def chosen(self) -> tuple[str, ...]:
        """The layouts to render, each once; `layouts` wins over `layout`, as the vendor's tools do."""
        return tuple(dict.fromkeys(self.layouts or ([self.layout] if self.layout else [BASE_LAYOUT])))


class BatchRenderRequest(RenderOptions):
    """The body of a batch render."""

    variableSets: Annotated[list[dict[str, Any]], Field(min_length=1)]  # noqa: N815
    concurrency: Annotated[int, Field(ge=1, le=10), AsWhole] = 5
    sensitiveVariables: list[str] = Field(default=[], exclude=True)  # noqa: N815 - an extension: in no message


class RenderRequest(RenderOptions):
    """The body of a single render."""

    variables: dict[str, Any] = Field(default={})
    width: Omittable[Side] = None  # of the base size
    height: Omittable[Side] = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be rendered, for whom, and how it is to misbehave."""

    source: Source
    sets: Sequence[Mapping[str, Any]]  # of variables
    options: RenderOptions
    template: str = ""  # uid; "": a page that is no template
    team: str = ""
    kind: str = "batch"  # or render, image, gif: answered at once
    base: str = ""  # URL of the server, ending in /
    play: BatchFaults = field(default_factory=BatchFaults)
    flags: Mapping[str, bool] | None = None  # switches of Options that its events obey


class Batches:
    """The batches of one store."""

    def __init__(
        self, store: Store, *, now: Callable[[], float], key_seconds: float | None, keep_values: bool = True
    ) -> None:
        self._store = store
        self._keep_values = keep_values  # False: the variables of a skipped item are dropped
        self._key_seconds = float("inf") if key_seconds is None else key_seconds  # that a key is remembered
        self._now = now

    def create(self, order: Order, *, max_open: int | None = None, key: str = "") -> Answer:
        """Accept a batch: it is durable when this returns. The same key and order get the first answer again.

        429 when the team has `max_open` batches open already, 409 when the key was used for another order.
        """
        letters = string.ascii_uppercase + string.digits
        batch = "batch_" + "".join(secrets.choice(letters) for _ in range(16))
        answer = {"batchId": batch, "status": "pending", "totalItems": len(order.sets), "message": "Batch accepted"}
        asked = digest(canonical([order.template, order.options.model_dump()])) if key else ""
        name, now = f"{order.team}/{key}", self._now()
        with self._store.write() as db:
            if asked and (again := _answered(db, name, asked, now - self._key_seconds)):
                return again
            if max_open is not None and self._open(db, order.team) >= max_open:
                raise WireError(429, f"At most {max_open} batches may be open at once", "concurrent_batch_limit")
            self._insert(db, batch, order)
            if asked:
                row = (name, asked, 202, canonical(answer), now)
                db.execute("INSERT OR REPLACE INTO answers VALUES(?,?,?,?,?)", row)
        return Answer(answer, status=202)

    def has_answered(self, team: str, key: str) -> bool:
        """Whether a batch was accepted with this key: sent again it gets the same answer, and costs nothing."""
        with self._store.read() as db:
            row = db.execute("SELECT at FROM answers WHERE key=?", (f"{team}/{key}",)).fetchone()
        return row is not None and bool(row["at"] > self._now() - self._key_seconds)

    def _open(self, db: sqlite3.Connection, team: str) -> int:
        query = (
            "SELECT count(*) FROM batches WHERE team=? AND kind='batch' AND "
            "((created<=? AND ends>?) OR (ends=0 AND completed IS NULL))"
        )
        now = self._now()
        return int(db.execute(query, (team, now, now)).fetchone()[0])

    def _insert(self, db: sqlite3.Connection, batch: str, order: Order) -> None:
        now, play = self._now(), order.play
        request: dict[str, object] = {"format": order.options.format, "quality": order.options.quality}
        request["layouts"] = order.options.chosen()
        if isinstance(order.options, BatchRenderRequest) and order.options.sensitiveVariables:
            request["sensitive"] = sorted(order.options.sensitiveVariables)
        row: dict[str, object] = {"id": batch, "template": order.template, "source": order.source.digest}
        row |= {"request": canonical(request), "total": len(order.sets), "created": now, "team": order.team}
        row |= {"kind": order.kind, "base": order.base, "ends": now + play.seconds if play.seconds else 0.0}
        row["play"] = canonical({**asdict(play), **(order.flags or {})})
        keep_source(db, order.source)
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        number = db.execute(f"INSERT INTO batches({names}) VALUES({marks})", tuple(row.values())).lastrowid
        items = ((number, position, canonical(sorted(one)), canonical(one)) for position, one in enumerate(order.sets))
        db.executemany("INSERT INTO items(batch, position, names, variables) VALUES(?,?,?,?)", items)

    def view(self, batch: str, sizes: Callable[[str], Source], *, values: bool = False, team: str = "") -> BatchView:
        """See one batch and its finished items, as far as it may show them yet. 404 when unknown."""
        with self._store.read() as db:
            row = _row(db, batch, team)
            number, columns = row["number"], "position, names, variables" if values else "position, names, NULL"
            found = db.execute(f"SELECT {columns} FROM items WHERE batch=? AND state=?", (number, FINISHED)).fetchall()  # noqa: S608
            pictures = db.execute("SELECT * FROM pictures WHERE batch=?", (number,)).fetchall()
        names = {layout: size[2] for layout, size in sizes(row["source"]).sizes.items()}
        by_position: dict[int, list[PictureView]] = {}
        for one in pictures:
            by_position.setdefault(one["position"], []).append(_picture(batch, one, names))
        now, over = self._now(), ended(row)
        shown, early = visible(row, now), over is not None and row["created"] <= now < row["ends"]
        items = [ItemView(p, json.loads(n), v, by_position.get(p, [])) for p, n, v in found if p < shown]
        done = sum(one.success for one in items)
        return BatchView(
            id=batch,
            template=row["template"],
            status="processing" if early else _status(row),
            format=json.loads(row["request"])["format"],
            total=row["total"],
            done=done,
            failed=len(items) - done,
            created=row["created"],
            started=row["started"],
            completed=None if early else over,
            items=items,
            late=over is None and row["ends"] > 0 and len(items) < shown,
        )

    def rendering(self, batch: str, team: str = "") -> bool:
        """Whether anything of a batch is still to be rendered. 404 when unknown."""
        with self._store.read() as db:
            return _row(db, batch, team)["completed"] is None

    def ahead(self, batch: str) -> int:
        """How many items are rendered until this batch is over: its own, and those of batches before it."""
        with self._store.read() as db:
            query = "SELECT count(*) FROM items WHERE state=0 AND batch<=(SELECT number FROM batches WHERE id=?)"
            return int(db.execute(query, (batch,)).fetchone()[0])

    def cancel(self, batch: str, team: str = "") -> Answer:
        """Skip what is not finished, or not shown yet; a finished batch stays as it is. 404 when unknown."""
        with self._store.write() as db:
            row = _row(db, batch, team)
            now, shown = self._now(), visible(row, self._now())
            if row["completed"] is None or shown < row["total"]:
                values = "variables" if self._keep_values else "'{}'"
                change = f"UPDATE items SET state=?, run=NULL, variables={values} "  # noqa: S608 - one of two words
                change += "WHERE batch=? AND (state=? OR position>=?)"
                db.execute(change, (SKIPPED, row["number"], WAITING, shown))
                db.execute("DELETE FROM pictures WHERE batch=? AND position>=?", (row["number"], shown))
                db.execute("DELETE FROM meter WHERE batch=? AND position>=?", (batch, shown))
                db.execute("DELETE FROM deliveries WHERE batch=? AND due>? AND attempts=0", (row["number"], now))
                end = "UPDATE batches SET cancelled=1, completed=?, ends=0 WHERE number=?"
                db.execute(end, (now, row["number"]))
            status = _status(_row(db, batch, team))
        return Answer({"batchId": batch, "status": status, "message": f"The batch is {status}"})


def visible(row: sqlite3.Row, now: float) -> int:
    """How many items, from the first, a batch may show: all, or those whose time has come by the clock.

    All as well where the clock was set back to before it was created: how old it is cannot be known then.
    """
    if not row["created"] <= now < row["ends"]:
        return int(row["total"])
    return int((now - row["created"]) / (row["ends"] - row["created"]) * row["total"])


def ended(row: sqlite3.Row) -> float | None:
    """When a batch was over; None: it is not yet."""
    return None if row["completed"] is None else max(row["completed"], row["ends"])


def _answered(db: sqlite3.Connection, key: str, asked: str, since: float) -> Answer | None:
    """Return the answer that this key got since a time. 409 when it was another request."""
    query = "SELECT request, status, body FROM answers WHERE key=? AND at>?"
    found = db.execute(query, (key, since)).fetchone()
    if found is None:
        return None
    if found["request"] != asked:
        raise WireError(409, "This Idempotency-Key was used for another request", "idempotency_key_reused")
    return Answer(json.loads(found["body"]), status=found["status"])


def _row(db: sqlite3.Connection, batch: str, team: str) -> sqlite3.Row:
    query = "SELECT * FROM batches WHERE id=? AND team=?"
    row: sqlite3.Row | None = db.execute(query, (batch, team)).fetchone()
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
