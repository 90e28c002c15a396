"""Webhook subscriptions: one event and one target each. The secret is shown once, when it is made.

Fields and words: Pictify, Webhook subscriptions.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pictify_sync.providers.pictify.server.store.database import Store
from pictify_sync.providers.pictify.server.wire import Omittable, WireError, WireModel, canonical, checked, instant

# The last two are described on the webhooks page and in guides, but are not in OpenAPI's enum.
EventName = Literal[
    "render.completed", "render.failed", "binding.updated", "binding.failed", "batch.completed", "batch.failed"
]
Platform = Literal["zapier", "make", "n8n", "pipedream", "custom"]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
MAX_SUBSCRIPTIONS = 100  # of a team: ours, so that nobody can make the server a loudspeaker


class SubscriptionFilters(WireModel):
    """What an event must be about."""

    templateId: Omittable[str] = None  # noqa: N815
    bindingId: Omittable[str] = None  # noqa: N815


class SubscriptionCreate(WireModel):
    """The body of a create."""

    event: EventName
    targetUrl: Url  # noqa: N815
    platform: Platform = "custom"
    filters: SubscriptionFilters = SubscriptionFilters()


class SubscriptionUpdate(WireModel):
    """The body of an update: what is left out stays."""

    targetUrl: Omittable[Url] = None  # noqa: N815
    platform: Omittable[Platform] = None
    filters: Omittable[SubscriptionFilters] = None
    status: Omittable[Literal["active", "paused"]] = None


class Subscriptions:
    """The subscriptions of one store. `allowed` raises ValueError for a target that is not to be called."""

    def __init__(self, store: Store, allowed: Callable[[str], None], now: Callable[[], float]) -> None:
        self._store = store
        self._allowed = allowed
        self._now = now

    def create(self, body: Mapping[str, object], team: str) -> dict[str, object]:
        """Keep a new one and return it with its secret."""
        wanted = checked(SubscriptionCreate, body)
        self._check(wanted.targetUrl)
        uid, secret = f"wh_{secrets.token_hex(10)}", f"whsec_{secrets.token_hex(32)}"
        filters = canonical(wanted.filters.model_dump(exclude_none=True))
        row = (uid, team, wanted.event, wanted.targetUrl, wanted.platform, "active", secret, filters, self._now())
        columns = "(uid, team, event, target, platform, status, secret, filters, created)"
        with self._store.write() as db:
            count = db.execute("SELECT count(*) FROM subscriptions WHERE team=?", (team,)).fetchone()[0]
            if count >= MAX_SUBSCRIPTIONS:
                raise WireError(422, f"At most {MAX_SUBSCRIPTIONS} subscriptions")
            db.execute(f"INSERT INTO subscriptions{columns} VALUES(?,?,?,?,?,?,?,?,?)", row)
        return {**self.show(uid, team), "secret": secret}

    def _check(self, target: str) -> None:
        try:
            self._allowed(target)
        except ValueError as error:
            raise WireError(422, f"targetUrl: {error}") from None

    def show(self, uid: str, team: str) -> dict[str, object]:
        """One subscription, without its secret. 404 when unknown."""
        with self._store.read() as db:
            return _shape(_row(db, uid, team))

    def change(self, uid: str, body: Mapping[str, object], team: str) -> dict[str, object]:
        """Change some fields; to be active again forgives its failures. 404 when unknown."""
        wanted = checked(SubscriptionUpdate, body)
        if wanted.targetUrl is not None:
            self._check(wanted.targetUrl)
        fields: dict[str, object] = {"target": wanted.targetUrl, "platform": wanted.platform, "status": wanted.status}
        if wanted.filters is not None:
            fields["filters"] = canonical(wanted.filters.model_dump(exclude_none=True))
        if wanted.status == "active":
            fields["failures"] = 0
        with self._store.write() as db:
            _row(db, uid, team)
            for name, value in fields.items():
                if value is not None:
                    db.execute(f"UPDATE subscriptions SET {name}=? WHERE uid=?", (value, uid))  # noqa: S608
        return self.show(uid, team)

    def delete(self, uid: str, team: str) -> None:
        """Forget one, and its deliveries. 404 when unknown."""
        with self._store.write() as db:
            _row(db, uid, team)
            db.execute("DELETE FROM deliveries WHERE subscription=?", (uid,))
            db.execute("DELETE FROM subscriptions WHERE uid=?", (uid,))

    def page(self, number: int, limit: int, team: str, only: Mapping[str, str]) -> dict[str, object]:
        """One page, newest first. `only`: event, status and platform that are asked for."""
        where = "".join(f" AND {name}=?" for name in only)
        values = (team, *only.values())
        with self._store.read() as db:
            total = db.execute(f"SELECT count(*) FROM subscriptions WHERE team=?{where}", values).fetchone()[0]  # noqa: S608
            query = f"SELECT * FROM subscriptions WHERE team=?{where} ORDER BY created DESC, uid LIMIT ? OFFSET ?"  # noqa: S608
            rows = db.execute(query, (*values, limit, (number - 1) * limit)).fetchall()
        pages = -(-total // limit)
        around = {"totalPages": pages, "hasNext": number < pages, "hasPrev": number > 1}
        pagination = {"page": number, "limit": limit, "total": total, **around}
        return {"subscriptions": [_shape(row) for row in rows], "pagination": pagination}


def _row(db: sqlite3.Connection, uid: str, team: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM subscriptions WHERE uid=? AND team=?", (uid, team)).fetchone()
    if row is None:
        raise WireError(404, "Webhook subscription not found")
    return row


def _shape(row: sqlite3.Row) -> dict[str, Any]:
    shown = {"uid": row["uid"], "event": row["event"], "targetUrl": row["target"], "platform": row["platform"]}
    counts = {"deliveryCount": row["delivered"], "failureCount": row["failures"]}
    times = {"lastDeliveryAt": instant(row["last"]), "createdAt": instant(row["created"])}
    return {**shown, "status": row["status"], "filters": json.loads(row["filters"]), **counts, **times}
