"""The OpenAPI document of this server: every route with its parameters, bodies and documented errors.

Bodies of requests are the models that check them. Answers are the vendor's published schemas (BatchResponse,
BatchStatus, Error), and ours where nothing is published: they restate the vendor's pages and what the vendor's Python
client reads. An item of the results is wider than published, to fit every dialect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pydantic.json_schema import models_json_schema

from pictify_sync.providers.pictify.server.batches.accepted import BatchRenderRequest, RenderRequest
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.problems import PICTURES
from pictify_sync.providers.pictify.server.routes.images import GifRequest, ImageRequest
from pictify_sync.providers.pictify.server.routes.table import OPEN, RENDERING, ROUTES, Route
from pictify_sync.providers.pictify.server.store.templates import ORDERS, TemplateCreate
from pictify_sync.providers.pictify.server.webhooks.subscriptions import (
    EventName,
    Platform,
    SubscriptionCreate,
    SubscriptionUpdate,
)

Schema = dict[str, Any]

TITLE = "Pictify-compatible render server"
VERSION = "1.0.0"  # of the vendor's document that it follows
BODIES = (
    TemplateCreate, RenderRequest, BatchRenderRequest, ImageRequest, GifRequest, SubscriptionCreate, SubscriptionUpdate,
)  # fmt: skip
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri"}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}
COUNT: Schema = {"type": "integer", "minimum": 0}
PAGE, LIMIT = {**WHOLE, "minimum": 1}, {**WHOLE, "minimum": 1, "maximum": 100}


def fields(needed: Sequence[str] = (), /, **properties: Schema) -> Schema:
    """An object; other fields are allowed."""
    return {"type": "object", "properties": properties, **({"required": list(needed)} if needed else {})}


def listed(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def words(*known: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(known)}


STATUS = words("pending", "processing", "completed", "failed", "partial", "cancelled")


class Operation(NamedTuple):
    """What the document says of one operation, besides its path."""

    summary: str
    answer: str  # name of a schema
    status: int = 200
    body: str = ""  # name of a schema; "": none
    query: Mapping[str, Schema] = {}
    refusals: Sequence[int] = ()  # besides 401 and 429


OPERATIONS: Mapping[str, Operation] = {
    "getCurrentUser": Operation("Who is calling", "User"),
    "createTemplate": Operation("Create template", "TemplateAnswer", body="TemplateCreate", refusals=(400, 413, 422)),
    "listTemplates": Operation("List templates", "TemplateList", refusals=(400,), query={
        "page": PAGE, "limit": LIMIT, "sort": words(*ORDERS), "hasDynamicLink": words("true", "false"),
        "outputFormat": words("all", "image", "pdf", "gif"),
    }),
    "getTemplate": Operation("Get template", "TemplateAnswer", refusals=(404,)),
    "updateTemplate": Operation(
        "Update template", "TemplateAnswer", body="TemplateUpdate", refusals=(400, 404, 413, 422)
    ),
    "deleteTemplate": Operation("Delete template", "Deleted", refusals=(404,)),
    "getTemplateVariables": Operation("Get template variables", "TemplateVariables", refusals=(404,)),
    "renderTemplate": Operation("Render template", "RenderResponse", body="RenderRequest", refusals=(400, 404)),
    "batchRenderTemplate": Operation(
        "Batch render template", "BatchResponse", 202, body="BatchRenderRequest", refusals=(400, 403, 404, 409, 422)
    ),
    "getBatchResults": Operation("Get batch job results", "BatchStatus", refusals=(404,)),
    "cancelBatch": Operation("Cancel batch job", "CancelResponse", refusals=(400, 404)),
    "createImage": Operation("Render a page", "Image", body="ImageRequest", refusals=(400, 404, 422)),
    "listImages": Operation("List images", "ImageList", query={"limit": LIMIT, "offset": COUNT}, refusals=(400,)),
    "getImage": Operation("Get image", "ImageAnswer", refusals=(404,)),
    "createGif": Operation("Render a page as a GIF", "Gif", body="GifRequest", refusals=(400, 404, 422)),
    "listRenders": Operation("List renders, newest first", "RenderList", refusals=(400,), query={
        "format": words("ALL", "PNG", "PDF", "GIF", "MP4"), "template": {"type": "string"},
        "source": {"type": "string"}, "limit": LIMIT, "offset": COUNT,
    }),
    "listWebhookSubscriptions": Operation("List webhook subscriptions", "SubscriptionList", refusals=(400,), query={
        "event": words(*get_args(EventName)), "status": words("active", "paused", "failed"),
        "platform": words(*get_args(Platform)), "page": PAGE, "limit": LIMIT,
    }),
    "createWebhookSubscription": Operation(
        "Subscribe to an event", "SubscriptionAnswer", 201, body="SubscriptionCreate", refusals=(400, 422)
    ),
    "getWebhookSubscription": Operation("Get webhook subscription", "SubscriptionAnswer", refusals=(404,)),
    "updateWebhookSubscription": Operation(
        "Update webhook subscription", "SubscriptionAnswer", body="SubscriptionUpdate", refusals=(400, 404, 422)
    ),
    "deleteWebhookSubscription": Operation("Delete webhook subscription", "Deleted", refusals=(404,)),
    "getFile": Operation("A rendered file", "", refusals=(404,)),
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
    said, operation = OPERATIONS[route.operation], route.operation
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


def _responses(said: Operation, operation: str, options: Options) -> dict[str, Any]:
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


def _requests(most: int) -> dict[str, Schema]:
    """Return the schemas of the models that check bodies. `most`: items of a batch."""
    _, found = models_json_schema([(one, "validation") for one in BODIES], ref_template="#/components/schemas/{model}")
    models: dict[str, Schema] = _tidy(found["$defs"])
    models["BatchRenderRequest"]["properties"]["variableSets"]["maxItems"] = most
    # A field that an update leaves out is the template's own, whatever the default of a new one.
    kept = {name: _without(one, "default") for name, one in models["TemplateCreate"]["properties"].items()}
    return {**models, "TemplateUpdate": fields(**kept)}


def _tidy(schema: Any) -> Any:
    """Leave out what pydantic adds for itself: titles, and null as the default of what may only be left out."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    noise = {name for name, value in schema.items() if (name, value) == ("default", None) or name == "title"}
    return {name: _tidy(value) for name, value in schema.items() if name not in noise}


def _without(schema: Schema, *names: str) -> Schema:
    return {name: value for name, value in schema.items() if name not in names}


def _answers(template: Mapping[str, Schema], filters: Schema) -> dict[str, Schema]:
    """Return the schemas of answers. `template`: the fields of a template's body; `filters`: of a subscription."""
    page = fields(page=WHOLE, limit=WHOLE, total=WHOLE, totalPages=WHOLE, hasNext=FLAG, hasPrev=FLAG)
    window = fields(total=COUNT, limit=COUNT, offset=COUNT, hasMore=FLAG)
    shown = fields(("uid", "name"), **template, uid=TEXT, createdAt=TIME, updatedAt=TIME)
    image = fields(("url", "id"), url=URL, id=TEXT, createdAt=TIME)
    row = fields(("url", "id"), url=URL, id=TEXT, createdAt=TIME, width=WHOLE, height=WHOLE, format=TEXT,
                 template=nullable(TEXT), source=TEXT, variables=ANY_OBJECT)  # fmt: skip
    gif = fields(("url", "uid"), url=URL, uid=TEXT, width=WHOLE, height=WHOLE, animationLength=WHOLE)
    subscription = fields(
        ("uid", "event", "targetUrl", "status"), uid=TEXT, event=words(*get_args(EventName)), targetUrl=TEXT,
        platform=words(*get_args(Platform)), filters=filters, deliveryCount=COUNT, failureCount=COUNT,
        lastDeliveryAt=nullable(TIME), createdAt=TIME, secret=TEXT, status=words("active", "paused", "failed"),
    )  # fmt: skip
    problems = listed(fields(field=TEXT, message=TEXT, code=TEXT))
    return {
        "Page": page,
        "Template": shown,
        "TemplateAnswer": fields(("template",), template=ref("Template"), addedVariables=listed(TEXT)),
        "TemplateList": fields(("templates", "pagination"), templates=listed(ref("Template")), pagination=ref("Page")),
        "TemplateVariables": fields(("templateUid", "variables"), templateUid=TEXT, templateName=TEXT,
                                    variables=listed(ref("VariableDefinition"))),
        "Image": image,
        "ImageAnswer": fields(("image",), image=ref("Image")),
        "ImageList": fields(("images", "pagination"), images=listed(ref("Image")), pagination=window),
        "Gif": fields(("gif",), gif=gif),
        "RenderList": fields(("renders", "pagination"), renders=listed(row), pagination=window, counts=ANY_OBJECT,
                             histogram=listed(fields(date=TEXT, count=COUNT))),
        "Subscription": subscription,
        "SubscriptionAnswer": fields(("subscription",), subscription=ref("Subscription")),
        "SubscriptionList": fields(("subscriptions", "pagination"), subscriptions=listed(ref("Subscription")),
                                   pagination=ref("Page")),
        "Message": fields(("message",), message=TEXT, code=TEXT, errors=listed(TEXT), error=TEXT, context=ANY_OBJECT),
        "PictureError": fields(("error", "code"), error=TEXT, code=TEXT, retriable=FLAG),
        "Error": fields(("type", "title", "status"), type=URL, title=TEXT, status=WHOLE, detail=TEXT, instance=TEXT,
                        errors=problems, retryAfter=WHOLE),
        "Deleted": fields(message=TEXT, deleted=FLAG),
        "User": fields(("user",), user=ANY_OBJECT),
    }  # fmt: skip


def _results() -> dict[str, Schema]:
    """Return the schemas of what is answered about batches and renders."""
    picture = fields(layout=TEXT, name=TEXT, url=URL, width=WHOLE, height=WHOLE, format=TEXT, id=TEXT, createdAt=TIME)
    failed = fields(("error",), layout=TEXT, error=TEXT, message=TEXT)
    item = fields(
        ("index",), index=COUNT, success=FLAG, variables={"anyOf": [listed(TEXT), ANY_OBJECT]}, results=listed(picture),
        errors=listed(failed), error=TEXT, message=TEXT, url=URL, width=WHOLE, height=WHOLE, id=TEXT, status=TEXT,
    )  # fmt: skip
    counts = {"totalItems": COUNT, "completedItems": COUNT, "failedItems": COUNT}
    times = {"createdAt": TIME, "startedAt": TIME, "completedAt": TIME}
    progress = {"type": "integer", "minimum": 0, "maximum": 100}
    missed = fields(("index", "error"), index=COUNT, layout=TEXT, error=TEXT, message=TEXT)
    counted = {"id": TEXT, "status": STATUS, "totalCount": COUNT, "completedCount": COUNT, "failedCount": COUNT}
    inner = fields(("id", "status"), **counted, templateUid=TEXT)
    return {
        "BatchResponse": fields(("batchId", "status"), batchId=TEXT, status=STATUS, totalItems=COUNT, message=TEXT),
        "BatchStatus": fields(("batchId", "status", "results"), batchId=TEXT, status=STATUS, progress=progress,
                              **counts, results=listed(item), errors=listed(missed), retryAfter={"type": "number"},
                              **times),
        "CancelResponse": fields(("batchId", "status"), batchId=TEXT, status=STATUS, message=TEXT),
        "LegacyBatchStatus": fields(("batch", "results"), batch=inner, results=listed(item), pagination=ref("Page")),
        "LegacyBatchResponse": fields(("id", "status"), **counted, message=TEXT),
        "LegacyCancelResponse": fields(("id", "status"), **counted, cancelledCount=COUNT),
        "RenderResponse": fields(("results", "errors"), results=listed(picture), errors=listed(failed),
                                 totalLayouts=COUNT, totalRendered=COUNT, totalErrors=COUNT, templateUid=TEXT),
    }  # fmt: skip


def schemas(most: int) -> dict[str, Schema]:
    """Return all by name. `most`: items of a batch."""
    requests = _requests(most)
    filters = ref("SubscriptionFilters")
    return {**requests, **_answers(requests["TemplateCreate"]["properties"], filters), **_results()}
