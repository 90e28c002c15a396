"""The OpenAPI document of this server: every route with its parameters, bodies and documented errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pictify_sync.providers.pictify.server.openapi.schemas import WHOLE, Schema, ref, schemas, words
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.problems import PICTURES
from pictify_sync.providers.pictify.server.routes.table import OPEN, RENDERING, ROUTES, Route
from pictify_sync.providers.pictify.server.store.templates import ORDERS
from pictify_sync.providers.pictify.server.webhooks.subscriptions import EventName, Platform

TITLE = "Pictify-compatible render server"
VERSION = "1.0.0"  # of the vendor's document that it follows
PAGE, LIMIT = {**WHOLE, "minimum": 1}, {**WHOLE, "minimum": 1, "maximum": 100}
OFFSET = {**WHOLE, "minimum": 0}


class Said(NamedTuple):
    """What is said of one operation."""

    summary: str
    answer: str  # name of a schema
    status: int = 200
    body: str = ""  # name of a schema; "": none
    query: Mapping[str, Schema] = {}
    refusals: Sequence[int] = ()  # besides 401 and 429


SAID: Mapping[str, Said] = {
    "getCurrentUser": Said("Who is calling", "User"),
    "createTemplate": Said("Create template", "TemplateAnswer", body="TemplateCreate", refusals=(400, 413, 422)),
    "listTemplates": Said("List templates", "TemplateList", refusals=(400,), query={
        "page": PAGE, "limit": LIMIT, "sort": words(*ORDERS), "hasDynamicLink": words("true", "false"),
        "outputFormat": words("all", "image", "pdf", "gif"),
    }),
    "getTemplate": Said("Get template", "TemplateAnswer", refusals=(404,)),
    "updateTemplate": Said("Update template", "TemplateAnswer", body="TemplateUpdate", refusals=(400, 404, 413, 422)),
    "deleteTemplate": Said("Delete template", "Deleted", refusals=(404,)),
    "getTemplateVariables": Said("Get template variables", "TemplateVariables", refusals=(404,)),
    "renderTemplate": Said("Render template", "RenderResponse", body="RenderRequest", refusals=(400, 404)),
    "batchRenderTemplate": Said(
        "Batch render template", "BatchResponse", 202, body="BatchRenderRequest", refusals=(400, 403, 404, 409, 422)
    ),
    "getBatchResults": Said("Get batch job results", "BatchStatus", refusals=(404,)),
    "cancelBatch": Said("Cancel batch job", "CancelResponse", refusals=(400, 404)),
    "createImage": Said("Render a page", "Image", body="ImageRequest", refusals=(400, 404, 422)),
    "listImages": Said("List images", "ImageList", query={"limit": LIMIT, "offset": OFFSET}, refusals=(400,)),
    "getImage": Said("Get image", "ImageAnswer", refusals=(404,)),
    "createGif": Said("Render a page as a GIF", "Gif", body="GifRequest", refusals=(400, 404, 422)),
    "listRenders": Said("List renders, newest first", "RenderList", refusals=(400,), query={
        "format": words("ALL", "PNG", "PDF", "GIF", "MP4"), "template": {"type": "string"},
        "source": {"type": "string"}, "limit": LIMIT, "offset": OFFSET,
    }),
    "listWebhookSubscriptions": Said("List webhook subscriptions", "SubscriptionList", refusals=(400,), query={
        "event": words(*get_args(EventName)), "status": words("active", "paused", "failed"),
        "platform": words(*get_args(Platform)), "page": PAGE, "limit": LIMIT,
    }),
    "createWebhookSubscription": Said(
        "Subscribe to an event", "SubscriptionAnswer", 201, body="SubscriptionCreate", refusals=(400, 422)
    ),
    "getWebhookSubscription": Said("Get webhook subscription", "SubscriptionAnswer", refusals=(404,)),
    "updateWebhookSubscription": Said(
        "Update webhook subscription", "SubscriptionAnswer", body="SubscriptionUpdate", refusals=(400, 404, 422)
    ),
    "deleteWebhookSubscription": Said("Delete webhook subscription", "Deleted", refusals=(404,)),
    "getFile": Said("A rendered file", "", refusals=(404,)),
}  # fmt: skip


def document(options: Options, url: str) -> dict[str, Any]:
    """Return the document for these options, of a server at a URL."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        path = re.sub(r"<(\w+)>", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, options)
    scheme = {"type": "http", "scheme": "bearer", "description": "API key"}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION},
        "servers": [{"url": url.rstrip("/") or "/"}],
        "security": [{"bearerAuth": []}],
        "paths": paths,
        "components": {"schemas": schemas(options.allowed.items), "securitySchemes": {"bearerAuth": scheme}},
    }


def _operation(route: Route, options: Options) -> dict[str, Any]:
    said, operation = SAID[route.operation], route.operation
    names = re.findall(r"<(\w+)>", route.path)
    required = {"type": "string", "minLength": 1}
    parameters = [{"name": name, "in": "path", "required": True, "schema": required} for name in names]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in said.query.items()]
    found: dict[str, Any] = {"operationId": operation, "summary": said.summary, "parameters": parameters}
    if said.body:
        content = {"application/json": {"schema": ref(said.body)}}
        found["requestBody"] = {"required": True, "content": content}
    if operation in OPEN:
        found["security"] = []
    found["responses"] = _responses(said, operation, options)
    return found


def _responses(said: Said, operation: str, options: Options) -> dict[str, Any]:
    legacy = options.dialect == "legacy" and operation in ("batchRenderTemplate", "getBatchResults", "cancelBatch")
    name = f"Legacy{said.answer}" if legacy else said.answer
    content: dict[str, Any] = {"application/json": {"schema": ref(name)}} if name else {"image/*": {}}
    answers: dict[str, Any] = {str(said.status): {"description": "Done", "content": content}}
    statuses = set(said.refusals)
    if operation not in OPEN:
        statuses |= {401, 429}
    if operation in RENDERING:
        statuses.add(options.quota_status)
    for status in sorted(statuses):
        picture = operation in PICTURES and status != 401
        shape, kind = ("PictureError" if picture else "Message"), "application/json"
        if options.errors == "problem":
            shape, kind = "Error", "application/problem+json"
        answers[str(status)] = {"description": f"Refused: {status}", "content": {kind: {"schema": ref(shape)}}}
    return answers
