"""The Pictify-compatible server as a WSGI app: what a request meets on its way to its route and back.

`create_app` opens a folder; nothing is rendered and no process is started before the first batch. Nothing of the rest
of the package but errors, addresses and databases is imported, so that the server stays an honest counterpart of the
provider.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.faults import ConnectionDropped, parse
from pictify_sync.providers.pictify.server.options import Options, switched
from pictify_sync.providers.pictify.server.problems import error_answer
from pictify_sync.providers.pictify.server.requests import (
    Buckets,
    Call,
    inject_after,
    inject_before,
    rate_headers,
    refuse_rate,
    team_of,
)
from pictify_sync.providers.pictify.server.routes.control import PATHS, Control
from pictify_sync.providers.pictify.server.routes.table import BY_OPERATION, OPEN, RENDERING, RESERVED, ROUTES
from pictify_sync.providers.pictify.server.store.database import Store, missing
from pictify_sync.providers.pictify.server.webhooks.sender import WebhookSender
from pictify_sync.providers.pictify.server.wire import Answer, WireError, canonical

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Options", "ServerApp", "create_app", "read_meter"]


class ServerApp:
    """The WSGI app over one folder. Several processes may open the same folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._context = ServerContext(folder, options)
        self._control = Control(options, self._context.sender.wake)
        self._buckets = Buckets(options.now)
        rules = [Rule(route.path, endpoint=route.operation, methods=[route.method]) for route in ROUTES]
        rules.append(Rule("/openapi.json", endpoint="getOpenApi", methods=["GET"]))
        if options.faults:
            rules += [Rule(path, endpoint="control", methods=["POST"]) for path in PATHS]
        self._urls = Map(rules, strict_slashes=False, merge_slashes=False)

    @property
    def sender(self) -> WebhookSender:
        """The sender of webhooks: a test on a clock of its own calls `send_due`."""
        return self._context.sender

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        options, operation = self._control.options, ""
        try:
            operation, values = self._matched(request)
            options = self._options(request)
            return self._serve(request, operation, values, options)
        except WireError as error:
            found = error
        except HTTPException as error:
            found = WireError(error.code or 500, error.description or error.name)
        except ConnectionDropped:
            raise  # whoever serves the app closes the connection
        except (sqlite3.Error, OSError) as error:
            damaged = f" ({self._control.options.damaged})" if type(error) is sqlite3.DatabaseError else ""
            found = WireError(500, missing(error) or f"the server cannot use its files: {error}{damaged}")
        return _json(*error_answer(found, operation, options.errors, request.path))

    def _matched(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Find the route. 404 for every method and path that there is no route for, as the vendor's server answers."""
        try:
            operation, values = self._urls.bind_to_environ(request.environ).match()
        except (NotFound, MethodNotAllowed):
            operation, values = "", {}
        if not operation or (request.path.split("/")[1], *values.values()) in RESERVED:
            raise WireError(404, f"Route {request.method}:{request.path} not found", "route_not_found")
        return operation, values

    def _options(self, request: Request) -> Options:
        """The options in force for one request."""
        options = self._control.options
        words = request.headers.get("X-Emulator-Set", "") if options.faults else ""
        try:
            return switched(options, words) if words else options
        except ValueError as error:
            raise WireError(400, str(error)) from None

    def _serve(self, request: Request, operation: str, values: Mapping[str, Any], options: Options) -> Response:
        team = "" if operation in OPEN else team_of(request, options)
        if operation == "control":
            return _json(self._control.serve(request.path, Call(request, values, options).body()))
        if operation == "getOpenApi":
            from pictify_sync.providers.pictify.server.openapi import document  # noqa: PLC0415 - the embedded server is never asked

            return _json(Answer(document(options, request.root_url)))
        headers = {} if operation == "getFile" else self._rate(request, options, operation)
        faults = self._control.rules.due(operation)
        if options.faults and (words := request.headers.get("X-Emulator-Fault")):
            try:
                faults += tuple(one for one in parse(words) if one.operation in ("", operation))
            except ValueError as error:
                raise WireError(400, str(error)) from None
        if (answer := inject_before(faults, options.now())) is not None:
            return answer
        call = Call(request, values, options, team, faults)
        if operation in RENDERING:
            self._check_quota(call)
        found = BY_OPERATION[operation].serve(self._context, call)
        inject_after(faults)
        response = found if isinstance(found, Response) else _json(found)
        response.headers.update(headers)
        return response

    def _check_quota(self, call: Call) -> None:
        """Refuse what is over the quota; a batch that was accepted before is not."""
        options, key = call.options, call.idempotency_key
        if options.quota is None or (key and self._context.batches.has_answered(call.team, key)):
            return
        if self._context.renders.spent(call.team) >= options.quota:
            raise WireError(options.quota_status, "Quota exceeded", "quota_exceeded")

    def _rate(self, request: Request, options: Options, operation: str) -> dict[str, str]:
        """Count the request and return the headers to send. 429 when there were too many."""
        limit = options.allowed.requests_per_minute
        if limit is None:
            return {}
        allowance = self._buckets.take(request.headers.get("Authorization", ""), limit)
        if allowance.wait:
            raise refuse_rate(allowance, options, operation)
        return rate_headers(allowance, options.now()) if options.rate_headers == "legacy" else {}

    def close(self) -> None:
        """Stop rendering (what is not finished goes on when the folder is opened again) and let go of the folder."""
        self._context.close()


def create_app(folder: Path, options: Options) -> ServerApp:
    """Open a folder, making it if need be. Call `close` at the end."""
    return ServerApp(folder, options)


def read_meter(folder: Path) -> list[dict[str, Any]]:
    """Every finished render of a folder in order: batch, position, layout, template, variables (digest), at."""
    store = Store(folder / "emulator.db")
    try:
        with store.read() as db:
            return [dict(row) for row in db.execute("SELECT * FROM meter ORDER BY number")]
    finally:
        store.close()


def _json(answer: Answer, content_type: str = "application/json") -> Response:
    body = canonical(answer.body).encode()
    return Response(body, status=answer.status, headers=dict(answer.headers), content_type=content_type)
