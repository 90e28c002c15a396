"""The Pictify-compatible server as a WSGI app: routes, keys, error bodies, and the life of what stands behind them.

`create_app` opens a folder; nothing is rendered and no process is started before the first batch. Nothing of the rest
of the package but errors is imported, so that the emulator stays an honest counterpart of the provider.
"""

from __future__ import annotations

import mimetypes
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pictify_sync.emulator.batches import Batches, SingleBody
from pictify_sync.emulator.claims import Claims
from pictify_sync.emulator.dialects import PROJECTIONS
from pictify_sync.emulator.dispatch import Dispatcher, Rendering
from pictify_sync.emulator.pool import RenderPool, Renders
from pictify_sync.emulator.reading import Read
from pictify_sync.emulator.store import Store
from pictify_sync.emulator.templates import Source, Templates
from pictify_sync.emulator.wire import Answer, WireError, canonical, checked, parse_object

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MEGABYTE = 1_000_000
FILE_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]+")
STARTING = 120.0  # seconds that a worker may need until its engine and fonts are ready
FIRST_PACE = 0.002  # seconds per picture that a hint assumes before anything was rendered: look again soon
ROUTES = (
    ("GET", "/api/users/", "user"),
    ("POST", "/templates", "create_template"),
    ("GET", "/templates", "list_templates"),
    ("GET", "/templates/<uid>", "show_template"),
    ("PUT", "/templates/<uid>", "update_template"),
    ("DELETE", "/templates/<uid>", "delete_template"),
    ("GET", "/templates/<uid>/variables", "template_variables"),
    ("POST", "/templates/<uid>/render", "render"),
    ("POST", "/templates/<uid>/batch-render", "create_batch"),
    ("GET", "/templates/batch/<batch>/results", "results"),
    ("POST", "/templates/batch/<batch>/cancel", "cancel"),
    ("GET", "/files/<name>", "file"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen of one emulator."""

    renderer: Callable[[], Renders]  # makes a worker's renderer; picklable
    read: Read  # reads a template's text
    workers: int = 0  # render processes; 0: one per core
    render_seconds: float = 30.0  # limit for one picture
    dialect: str = "nested"  # of the results: a name of dialects.PROJECTIONS
    max_items: int = 100  # of a batch (Pictify, Batch render: maxItems 100)
    max_html: int = 500_000  # bytes (Pictify, Errors: TEMPLATE_TOO_LARGE over 500 KB)
    max_body: int = 64 * MEGABYTE  # bytes of a request
    idempotent: bool = False  # honour Idempotency-Key (the vendor's render routes do not)
    keep_values: bool = True  # of finished items: the dialect `legacy` shows them
    poll_hint: bool = False  # add `retryAfter` to the results of an open batch
    preload: Sequence[str] = ()  # modules that every worker needs, imported once
    now: Callable[[], float] = time.time
    pool: Callable[[], Executor] | None = None  # None: processes of this machine


class Emulator:
    """The WSGI app over one folder. Several processes may open the same folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._options = options
        self._folder = folder
        for name in ("files", "runs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._store = Store(folder / "emulator.db")
        self._templates = Templates(self._store, options.read, max_html=options.max_html, now=options.now)
        limits: dict[str, Any] = {"max_items": options.max_items, "idempotent": options.idempotent}
        self._batches = Batches(self._store, now=options.now, **limits)
        self._source: Callable[[str], Source] = lru_cache(maxsize=16)(self._templates.source)
        self._urls = Map([Rule(path, endpoint=name, methods=[method]) for method, path, name in ROUTES])
        self._urls.strict_slashes = False
        self._workers = options.workers or _cores()
        self._dispatcher: Dispatcher | None = None
        self._lock = threading.Lock()
        self._closed = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            endpoint, values = self._urls.bind_to_environ(request.environ).match()
            if endpoint != "file" and not _key(request):
                raise WireError(401, "Invalid Request")
            found = getattr(self, f"_{endpoint}")(request, **values)
            return found if isinstance(found, Response) else _json(found)
        except WireError as error:
            return _json(Answer(error.body, status=error.status))
        except HTTPException as error:
            return _json(Answer({"message": error.description or error.name}, status=error.code or 500))
        except (sqlite3.Error, OSError) as error:
            return _json(Answer({"message": f"{type(error).__name__}: {error}"}, status=500))

    def _body(self, request: Request) -> dict[str, object]:
        request.max_content_length = self._options.max_body
        return parse_object(request.get_data(cache=False))

    def _user(self, _: Request) -> Answer:
        return Answer({"user": {"plan": "local"}})

    def _create_template(self, request: Request) -> Answer:
        return Answer(self._templates.create(self._body(request)))

    def _update_template(self, request: Request, uid: str) -> Answer:
        return Answer(self._templates.update(uid, self._body(request)))

    def _list_templates(self, request: Request) -> Answer:
        page = request.args.get("page", 1, type=int)
        limit = request.args.get("limit", 12, type=int)
        if page < 1 or not 1 <= limit <= 100:
            raise WireError(400, "page starts at 1, limit is 1 to 100")
        return Answer(self._templates.page(page, limit))

    def _show_template(self, _: Request, uid: str) -> Answer:
        return Answer({"template": self._templates.show(uid)})

    def _delete_template(self, _: Request, uid: str) -> Answer:
        self._templates.delete(uid)
        return Answer({"message": "Template deleted"})

    def _template_variables(self, _: Request, uid: str) -> Answer:
        return Answer(self._templates.variables(uid))

    def _create_batch(self, request: Request, uid: str) -> Answer:
        source = self._templates.source_of(uid)
        answer = self._batches.create(uid, source, self._body(request), request.headers.get("Idempotency-Key", ""))
        self._dispatch().wake()
        return answer

    def _results(self, request: Request, batch: str) -> Answer:
        view = self._batches.view(batch, self._source, values=self._options.dialect == "legacy")
        body = PROJECTIONS[self._options.dialect](view, partial(_link, request))
        if view.open:
            dispatcher = self._dispatch()
            if dispatcher.failure:
                raise WireError(500, f"Rendering stopped: {dispatcher.failure}")
            if self._options.poll_hint:
                seconds = self._batches.ahead(batch) * (dispatcher.pace or FIRST_PACE) / self._workers
                body["retryAfter"] = round(min(max(seconds, 0.05), 1.0), 3)
        return Answer(body)

    def _cancel(self, request: Request, batch: str) -> Answer:
        self._body(request)
        return self._batches.cancel(batch)

    def _render(self, request: Request, uid: str) -> Answer:
        source = self._templates.source_of(uid)
        wanted = checked(SingleBody, self._body(request))
        layouts = wanted.chosen()
        fields = {"format": wanted.format, "quality": wanted.quality, "layouts": list(layouts)}
        alone = {"variableSets": [wanted.variables], **{name: one for name, one in fields.items() if one is not None}}
        batch = str(self._batches.create(uid, source, alone, "").body["batchId"])
        dispatcher = self._dispatch()
        dispatcher.wake()
        seen = dispatcher.recorded
        while (view := self._batches.view(batch, self._source)).open:
            if dispatcher.failure or self._closed:
                raise WireError(500, f"Rendering stopped: {dispatcher.failure}")
            dispatcher.wait(seen, 1.0)
            seen = dispatcher.recorded
        shown = PROJECTIONS["nested"](view, partial(_link, request))["results"]
        assert isinstance(shown, list)
        results, errors = shown[0]["results"], shown[0]["errors"]
        counts = {"totalLayouts": len(layouts), "totalRendered": len(results), "totalErrors": len(errors)}
        return Answer({"results": results, "errors": errors, **counts, "templateUid": uid})

    def _file(self, _: Request, name: str) -> Response:
        try:
            data = (self._folder / "files" / name).read_bytes() if FILE_NAME.fullmatch(name) else None
        except FileNotFoundError:
            data = None
        if data is None:
            raise WireError(404, "File not found")
        return Response(data, content_type=mimetypes.guess_type(name)[0] or "application/octet-stream")

    def _dispatch(self) -> Dispatcher:
        with self._lock:
            if self._closed:
                raise WireError(500, "The emulator is closed")
            if self._dispatcher is None:
                journals = self._folder / "runs"
                claims = Claims(self._store, journals, keep_values=self._options.keep_values, now=self._options.now)
                how = (self._options.renderer, self._folder / "files", journals, self._options.render_seconds)
                pool = self._options.pool or partial(
                    RenderPool, self._workers, self._options.preload, longest=self._options.render_seconds + STARTING
                )
                self._dispatcher = Dispatcher(claims, self._source, Rendering(*how, self._workers), pool)
            return self._dispatcher

    def close(self) -> None:
        """Stop rendering (what is not finished goes on when the folder is opened again) and let go of the folder."""
        with self._lock:
            closed, self._closed = self._closed, True
        if closed:
            return
        if self._dispatcher is not None:
            self._dispatcher.close()
        self._store.close()


def create_app(folder: Path, options: Options) -> Emulator:
    """Open a folder, making it if need be. Call `close` at the end."""
    return Emulator(folder, options)


def read_meter(folder: Path) -> list[dict[str, Any]]:
    """Every finished render of a folder in order: batch, position, layout, template, variables (digest), at."""
    store = Store(folder / "emulator.db")
    try:
        with store.read() as db:
            return [dict(row) for row in db.execute("SELECT * FROM meter ORDER BY number")]
    finally:
        store.close()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _key(request: Request) -> str:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else ""


def _json(answer: Answer) -> Response:
    body = canonical(answer.body).encode()
    return Response(body, status=answer.status, headers=dict(answer.headers), content_type="application/json")


def _link(request: Request, name: str) -> str:
    return f"{request.root_url}files/{name}"
