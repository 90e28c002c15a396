"""What was rendered, newest first: rows for the look-ups, and counts for the quota.

Pictify, Renders (vendor's MCP server): rows have URL, format, size, template and time; their names are not published.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pictify_sync.providers.pictify.server.store.database import WAITING, Store
from pictify_sync.providers.pictify.server.wire import WireError, instant

JOINED = (
    "FROM meter m JOIN batches b ON b.id=m.batch JOIN pictures p ON p.batch=b.number AND p.position=m.position "
    "AND p.layout=m.layout JOIN items i ON i.batch=b.number AND i.position=m.position WHERE m.team=:team"
)
DAY = 86_400  # seconds
COLUMNS = "m.number, m.at, m.picture, m.template, p.file, p.width, p.height, b.request, b.kind, i.variables"
# A picture of a batch that takes its time by the server's clock is not there before its item is shown.
SHOWN = " AND (b.ends<=:now OR b.created>:now OR m.position < (:now - b.created) / (b.ends - b.created) * b.total)"

Link = Callable[[str], str]  # file name -> URL


@dataclass(frozen=True, slots=True)
class RenderQuery:
    """Which renders."""

    team: str
    now: float
    template: str = ""  # uid; "": any
    kinds: tuple[str, ...] = ()  # of batches; none: any
    limit: int = 24
    offset: int = 0

    def where(self) -> tuple[str, dict[str, Any]]:
        """Return SQL and its values."""
        values: dict[str, Any] = {"team": self.team, "now": self.now, "limit": self.limit, "offset": self.offset}
        text = SHOWN
        if self.template:
            text += " AND m.template=:template"
            values["template"] = self.template
        for number, kind in enumerate(self.kinds):
            text += f" {'AND (' if not number else 'OR '}b.kind=:kind{number}"
            values[f"kind{number}"] = kind
        return text + (")" if self.kinds else ""), values


class Renders:
    """The renders of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, wanted: RenderQuery) -> tuple[list[sqlite3.Row], int]:
        """Return rows, newest first, and how many there are in all."""
        where, values = wanted.where()
        with self._store.read() as db:
            total = db.execute(f"SELECT count(*) {JOINED}{where}", values).fetchone()[0]
            query = f"SELECT {COLUMNS} {JOINED}{where} ORDER BY m.number DESC LIMIT :limit OFFSET :offset"
            return db.execute(query, values).fetchall(), total

    def find(self, picture: str, wanted: RenderQuery) -> sqlite3.Row:
        """Return the render of an id. 404 when unknown."""
        where, values = wanted.where()
        query = f"SELECT {COLUMNS} {JOINED}{where} AND m.picture=:picture ORDER BY m.number DESC LIMIT 1"
        with self._store.read() as db:
            row: sqlite3.Row | None = db.execute(query, {**values, "picture": picture}).fetchone()
        if row is None:
            raise WireError(404, "Image not found")
        return row

    def turn(self, picture: str, file: str) -> None:
        """Let a render have another file."""
        place = "SELECT b.number, m.position, m.layout FROM meter m JOIN batches b ON b.id=m.batch WHERE m.picture=?"
        update = f"UPDATE pictures SET file=? WHERE (batch, position, layout) IN ({place})"  # noqa: S608
        with self._store.write() as db:
            db.execute(update, (file, picture))

    def counts(self, wanted: RenderQuery, kinds: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        """Count the renders of each format, whatever format was asked for."""
        return {name: self.page(replace(wanted, kinds=some, limit=0))[1] for name, some in kinds.items()}

    def histogram(self, wanted: RenderQuery) -> list[dict[str, Any]]:
        """Count the renders of each of the last 14 days (UTC), the oldest first."""
        where, values = wanted.where()
        today = int(wanted.now // DAY)
        query = f"SELECT CAST(m.at / {DAY} AS INTEGER) AS day, count(*) AS number {JOINED}{where} GROUP BY day"
        with self._store.read() as db:
            found = {row["day"]: row["number"] for row in db.execute(query, values)}
        days = range(today - 13, today + 1)
        return [{"date": str(instant(day * DAY))[:10], "count": found.get(day, 0)} for day in days]

    def asked(self, team: str, since: float) -> int:
        """How many items of batches a team has asked for since a time."""
        query = "SELECT coalesce(sum(total), 0) FROM batches WHERE team=? AND kind='batch' AND created>=?"
        with self._store.read() as db:
            return int(db.execute(query, (team, since)).fetchone()[0])

    def spent(self, team: str) -> int:
        """How many pictures a team has been given, and how many items of its batches are still to be rendered."""
        given = "SELECT count(*) FROM meter WHERE team=:team"
        items = (
            "SELECT count(*) FROM items i JOIN batches b ON b.number=i.batch WHERE i.state=:waiting AND b.team=:team"
        )
        with self._store.read() as db:
            return int(db.execute(f"SELECT ({given}) + ({items})", {"team": team, "waiting": WAITING}).fetchone()[0])


def image_shape(row: sqlite3.Row, link: Link) -> dict[str, Any]:
    """One image, as `GET /image` lists it."""
    return {"url": link(row["file"]), "id": row["picture"], "createdAt": instant(row["at"])}


def render_shape(row: sqlite3.Row, link: Link, *, variables: bool) -> Mapping[str, Any]:
    """One row of `GET /render`."""
    name = "gif" if row["kind"] == "gif" else json.loads(row["request"])["format"]
    size = {"width": row["width"], "height": row["height"], "format": name}
    about = {"template": row["template"] or None, "source": "api"}
    echoed = {"variables": json.loads(row["variables"])} if variables and row["kind"] in ("batch", "render") else {}
    return {**image_shape(row, link), **size, **about, **echoed}
