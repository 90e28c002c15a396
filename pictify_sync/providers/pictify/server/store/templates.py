"""Templates of the server: what a body may hold, how it is kept, how it is shown.

What shapes pictures (html, sizes, layouts, variables) is a source, kept by digest, so that a batch renders what it was
accepted with. Fields: Pictify, Templates API.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from pictify_sync.providers.pictify.server.problems import CODES
from pictify_sync.providers.pictify.server.store.database import Store
from pictify_sync.providers.pictify.server.wire import (
    BASE_LAYOUT,
    LAYOUT_PATTERN,
    AsWhole,
    Whole,
    WireError,
    WireModel,
    canonical,
    checked,
    digest,
    instant,
)
from pictify_sync.rendering.handlebars.syntax import read

MAX_SIDE = 10_000  # pixels
MAX_PIXELS = 50_000_000  # Pictify, Multi-size render: 50 megapixels in sum
ORDERS = {"newest": "t.created DESC", "oldest": "t.created", "name": "json_extract(t.fields, '$.name')"}
UID_LETTERS = string.ascii_uppercase + string.digits  # real uids look like XL13XACH2V

Side = Annotated[int, Field(ge=1, le=MAX_SIDE), AsWhole]


def _names_of_layouts(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = schema.pop("patternProperties")[LAYOUT_PATTERN]
    schema["propertyNames"] = {"pattern": LAYOUT_PATTERN, "not": {"const": BASE_LAYOUT}}


class LayoutSize(WireModel):
    """One more size of a template."""

    width: Side
    height: Side
    name: str = ""


class VariableChecks(WireModel):
    """Rules of one variable."""

    required: bool = False
    minLength: Whole | None = None  # noqa: N815
    maxLength: Whole | None = None  # noqa: N815


class VariableDefinition(WireModel):
    """One declared variable."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    type: str = "text"
    defaultValue: Any = None  # noqa: N815
    description: str = ""
    allowRawHtml: bool = False  # noqa: N815
    validation: VariableChecks = VariableChecks()


class TemplateCreate(WireModel):
    """The body of a create or an update, after an update's missing fields were filled in."""

    name: Annotated[str, Field(max_length=500)] = "Untitled"
    engine: Literal["html"] = "html"  # fabric, the visual editor's engine, is not emulated
    outputFormat: Literal["image"] = "image"  # noqa: N815
    html: Annotated[str, Field(min_length=1)]
    width: Side = 1200
    height: Side = 630
    layouts: dict[Annotated[str, Field(pattern=LAYOUT_PATTERN)], LayoutSize] = Field(
        default={}, max_length=20, json_schema_extra=_names_of_layouts
    )
    variableDefinitions: list[VariableDefinition] = Field(default=[], max_length=1000)  # noqa: N815
    strictVariables: bool = False  # noqa: N815


@dataclass(frozen=True, slots=True)
class Source:
    """What shapes pictures. `sizes` holds the base size under `default`."""

    digest: str
    html: str
    sizes: Mapping[str, tuple[int, int, str]]  # layout -> width, height, display name
    definitions: tuple[Mapping[str, Any], ...]
    strict: bool  # names without a value are an error
    shape: str = ""  # all but html, as it is kept


def _source(key: str, html: str, shape: str) -> Source:
    fields = json.loads(shape)
    sizes = {name: (size[0], size[1], size[2]) for name, size in fields["sizes"].items()}
    return Source(key, html, sizes, tuple(fields["variables"]), fields["strict"], shape)


class Templates:
    """The templates of one store."""

    def __init__(self, store: Store, *, max_html: int, now: Callable[[], float]) -> None:
        self._store = store
        self._max_html = max_html  # bytes
        self._now = now

    def create(self, body: Mapping[str, object], team: str = "") -> dict[str, object]:
        """Keep a new template and return `{template, addedVariables?}`."""
        uid = "".join(secrets.choice(UID_LETTERS) for _ in range(10))
        return self._put(uid, body, team)

    def update(self, uid: str, body: Mapping[str, object], team: str = "") -> dict[str, object]:
        """Change the given fields of a template and return `{template, addedVariables?}`. 404 when unknown."""
        known = self.show(uid, team)
        if "engine" in body and body["engine"] != known["engine"]:
            raise WireError(400, "engine cannot be changed")
        return self._put(uid, {**known, **body}, team)

    def _put(self, uid: str, body: Mapping[str, object], team: str) -> dict[str, object]:
        html = body.get("html")
        size = len(html.encode()) if isinstance(html, str) else 0
        if size > self._max_html:
            raise WireError(413, f"html has {size} bytes, at most {self._max_html} are allowed", "TEMPLATE_TOO_LARGE")
        wanted = checked(TemplateCreate, body)
        if BASE_LAYOUT in wanted.layouts:
            raise WireError(400, f"layouts.{BASE_LAYOUT}: the name is reserved for the base size")
        sizes = {BASE_LAYOUT: LayoutSize(width=wanted.width, height=wanted.height, name="Default"), **wanted.layouts}
        for name, one in sizes.items():
            if one.width * one.height > MAX_PIXELS:
                raise WireError(422, f"layout {name}: more than {MAX_PIXELS} pixels")
        text = read(wanted.html, frozenset(one.name for one in wanted.variableDefinitions if one.allowRawHtml))
        for fault in text.faults:
            if fault.cause:
                message = f"line {fault.line}: {fault.message}"
                raise WireError(422, message, CODES[fault.cause], extra={"error": message, "context": {}})
        declared = {one.name for one in wanted.variableDefinitions}
        added = [VariableDefinition(name=name) for name in text.names if name not in declared]
        definitions = [one.model_dump() for one in (*wanted.variableDefinitions, *added)]
        shape = {"variables": definitions, "strict": wanted.strictVariables}
        shape["sizes"] = {name: (one.width, one.height, one.name or name) for name, one in sizes.items()}
        fields = {"name": wanted.name, "engine": wanted.engine, "outputFormat": wanted.outputFormat}
        self._write((uid, team), _made(wanted.html, canonical(shape)), canonical(fields))
        names: dict[str, object] = {"addedVariables": [one.name for one in added]} if added else {}
        return {"template": self.show(uid, team), **names}

    def _write(self, whose: tuple[str, str], source: Source, fields: str) -> None:
        """Keep a template of (uid, team); the time of its creation stays."""
        now = self._now()
        with self._store.write() as db:
            keep_source(db, source)
            row = (whose[0], source.digest, fields, now, now, whose[1])
            columns = "(uid, source, fields, created, updated, team)"
            change = "DO UPDATE SET source=excluded.source, fields=excluded.fields, updated=excluded.updated"
            db.execute(f"INSERT INTO templates{columns} VALUES(?,?,?,?,?,?) ON CONFLICT(uid) {change}", row)

    def _row(self, uid: str, team: str) -> tuple[str, str, float, float]:
        query = "SELECT source, fields, created, updated FROM templates WHERE uid=? AND team=?"
        with self._store.read() as db:
            found = db.execute(query, (uid, team)).fetchone()
        if found is None:
            raise WireError(404, "Template not found")
        return tuple(found)

    def source_of(self, uid: str, team: str = "", size: tuple[int | None, int | None] = (None, None)) -> Source:
        """The newest source of a template, its base in another size if one is given. 404 when unknown."""
        found = self.source(self._row(uid, team)[0])
        width, height, name = found.sizes[BASE_LAYOUT]
        wanted = (size[0] or width, size[1] or height)
        if wanted == (width, height):
            return found
        sizes = {**found.sizes, BASE_LAYOUT: (*wanted, name)}
        shape = {"variables": found.definitions, "strict": found.strict, "sizes": sizes}
        return _made(found.html, canonical(shape))

    @staticmethod
    def page_source(width: int, height: int) -> Source:
        """The source of a page that comes as a variable: its html is `{{{content}}}`."""
        content = VariableDefinition(name="content", allowRawHtml=True).model_dump()
        shape = {"variables": [content], "strict": False, "sizes": {BASE_LAYOUT: (width, height, "Default")}}
        return _made("{{{content}}}", canonical(shape))

    def source(self, key: str) -> Source:
        """The source of a digest that a template or batch names."""
        with self._store.read() as db:
            html, shape = db.execute("SELECT html, shape FROM sources WHERE digest=?", (key,)).fetchone()
        return _source(key, html, shape)

    def show(self, uid: str, team: str = "") -> dict[str, object]:
        """One template as the wire shows it. 404 when unknown."""
        key, fields, created, updated = self._row(uid, team)
        source = self.source(key)
        width, height, _ = source.sizes[BASE_LAYOUT]
        layouts = {name: _layout(size) for name, size in source.sizes.items() if name != BASE_LAYOUT}
        shown = {"html": source.html, "width": width, "height": height, "layouts": layouts}
        shown |= {"variableDefinitions": list(source.definitions), "strictVariables": source.strict}
        shown |= {"createdAt": instant(created), "updatedAt": instant(updated)}
        return {"uid": uid, **json.loads(fields), **shown}

    def page(self, number: int, limit: int, order: str = "newest", team: str = "") -> dict[str, object]:
        """One page of templates in an order of ORDERS; rows omit html and layouts."""
        columns = "t.uid, t.fields, t.created, t.updated, s.shape"
        with self._store.read() as db:
            total = db.execute("SELECT count(*) FROM templates WHERE team=?", (team,)).fetchone()[0]
            query = (
                f"SELECT {columns} FROM templates t JOIN sources s ON s.digest = t.source WHERE t.team=? "  # noqa: S608
                f"ORDER BY {ORDERS[order]}, t.uid LIMIT ? OFFSET ?"
            )
            rows = db.execute(query, (team, limit, (number - 1) * limit)).fetchall()
        shown = []
        for uid, fields, created, updated, shape in rows:
            source = _source("", "", shape)
            width, height, _ = source.sizes[BASE_LAYOUT]
            times = {"createdAt": instant(created), "updatedAt": instant(updated)}
            size = {"width": width, "height": height, "variableDefinitions": source.definitions}
            shown.append({"uid": uid, **json.loads(fields), **size, **times})
        pages = -(-total // limit)
        around = {"hasNext": number < pages, "hasPrev": number > 1}
        return {
            "templates": shown,
            "pagination": {"page": number, "limit": limit, "total": total, "totalPages": pages, **around},
        }

    def variables(self, uid: str, team: str = "") -> dict[str, object]:
        """Return `{templateUid, templateName, variables}`."""
        shown = self.show(uid, team)
        return {"templateUid": uid, "templateName": shown["name"], "variables": shown["variableDefinitions"]}

    def delete(self, uid: str, team: str = "") -> None:
        """Forget a template; its batches keep their source. 404 when unknown."""
        with self._store.write() as db:
            if db.execute("DELETE FROM templates WHERE uid=? AND team=?", (uid, team)).rowcount == 0:
                raise WireError(404, "Template not found")


def _made(html: str, shape: str) -> Source:
    return _source(digest(shape + "\n" + html), html, shape)


def keep_source(db: sqlite3.Connection, source: Source) -> None:
    """Keep a source, in the transaction of what names it: what nothing names may be forgotten at any time."""
    db.execute("INSERT OR IGNORE INTO sources VALUES(?,?,?)", (source.digest, source.html, source.shape))


def _layout(size: tuple[int, int, str]) -> dict[str, object]:
    width, height, name = size
    return {"width": width, "height": height, "name": name}
