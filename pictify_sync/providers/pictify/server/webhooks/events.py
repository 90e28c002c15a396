"""Webhook events of finished items: put into the queue in the transaction that records the items.

Payloads: Pictify, Webhooks: Events. They carry no batch id, no index and no layout; whether `variables` are there is
contradicted, and so is whether `batch.*` events exist: both are switches, kept with the batch.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pictify_sync.providers.pictify.server.batches.claims import FinishedItem, PictureOutcome
from pictify_sync.providers.pictify.server.batches.dialects import picture_id
from pictify_sync.providers.pictify.server.wire import canonical, instant
from pictify_sync.rendering.engines.pool import EXTENSIONS

STEP = 0.01  # seconds between two events of a batch that are sent in the wrong order

Row = tuple[str, str, int, str, float]  # delivery id, subscription, batch, body, due


class EventQueue:
    """Queues events; `queued` is called when there are new ones (they are durable a moment later)."""

    def __init__(self, now: Callable[[], float], queued: Callable[[], None]) -> None:
        self._now = now
        self._queued = queued

    def __call__(
        self, db: sqlite3.Connection, batch: sqlite3.Row, finished: Sequence[FinishedItem], /, *, last: bool
    ) -> None:
        """Queue an event per picture and subscription, and that of the batch when these items were its last."""
        query = "SELECT uid, event, filters FROM subscriptions WHERE team=? AND status='active'"
        listening = db.execute(query, (batch["team"],)).fetchall()
        play = json.loads(batch["play"])
        if not listening or play.get("lose"):
            return
        rows: list[Row] = []
        for event, template, due, payload in self._events(db, batch, finished, last=last):
            body = canonical({"event": event, "timestamp": instant(max(due, self._now())), "data": payload})
            for uid, wanted, filters in listening:
                if wanted == event and json.loads(filters).get("templateId", template) == template:
                    rows += [(f"del_{secrets.token_hex(12)}", uid, batch["number"], body, due)] * play.get("repeat", 1)
        if rows:
            columns = "(id, subscription, batch, body, due)"
            db.executemany(f"INSERT INTO deliveries{columns} VALUES(?,?,?,?,?)", rows)
            self._queued()

    def _events(
        self, db: sqlite3.Connection, batch: sqlite3.Row, finished: Sequence[FinishedItem], *, last: bool
    ) -> Iterator[tuple[str, str, float, Mapping[str, Any]]]:
        """Return the event's name, the template's uid, when it is due, and its data."""
        play, template, total = json.loads(batch["play"]), batch["template"], batch["total"]
        now, length = self._now(), max(0.0, batch["ends"] - batch["created"])
        reorder = play.get("reorder", False)
        for one in finished:
            position = one.item.position
            due = max(now, batch["created"] + length * (position + 1) / total) if length else now
            due += STEP * (total - position) if reorder else 0.0
            variables = json.loads(one.item.variables) if batch["kind"] in ("batch", "render") else {}
            echoed = {"variables": variables} if play.get("webhook_variables", True) else {}
            for outcome in one.outcomes:
                event = "render.completed" if outcome.file else "render.failed"
                yield event, template, due, {**_picture(batch, position, outcome), **echoed}
        if last and batch["kind"] == "batch" and play.get("batch_events", True):
            yield from _batch(db, batch, now if reorder else max(now, batch["ends"]))


def _picture(batch: sqlite3.Row, position: int, outcome: PictureOutcome) -> Mapping[str, Any]:
    shared = {"type": "image", "source": "api", "templateId": batch["template"] or None}
    if not outcome.file:
        return {**shared, "error": outcome.message, "errorCode": outcome.code}
    suffix = outcome.file.rpartition(".")[2]
    name = next((name for name, one in EXTENSIONS.items() if one == suffix), suffix)
    size = {"width": outcome.width, "height": outcome.height, "format": name}
    identity = picture_id(batch["id"], position, outcome.layout)
    return {**shared, "imageId": identity, "url": f"{batch['base']}files/{outcome.file}", **size}


def _batch(
    db: sqlite3.Connection, batch: sqlite3.Row, due: float
) -> Iterator[tuple[str, str, float, Mapping[str, Any]]]:
    done, failed = db.execute("SELECT done, failed FROM batches WHERE number=?", (batch["number"],)).fetchone()
    status = "completed" if not failed else "partial" if done else "failed"
    event = "batch.completed" if done else "batch.failed"
    counts = {"totalCount": batch["total"], "completedCount": done, "failedCount": failed}
    data: dict[str, Any] = {"batchId": batch["id"], "templateUid": batch["template"], "status": status, **counts}
    data["duration"] = int(max(0.0, due - batch["created"]) * 1000)
    if not done:
        data["error"] = "All items failed"
    yield event, batch["template"], due, data
