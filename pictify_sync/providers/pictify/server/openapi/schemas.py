"""Schemas of the OpenAPI document: the vendor's published ones, and ours where nothing is published.

Published: BatchRenderRequest, BatchResponse, BatchStatus, Error (problem+json). The rest restates the vendor's pages
and what the vendor's Python client reads. An item of the results is wider than published, to fit every dialect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pictify_sync.providers.pictify.server.batches.accepted import BatchBody
from pictify_sync.providers.pictify.server.store.templates import MAX_SIDE
from pictify_sync.providers.pictify.server.webhooks.subscriptions import EventName, Platform
from pictify_sync.providers.pictify.server.wire import BASE_LAYOUT, LAYOUT_PATTERN

Schema = dict[str, Any]

STATUSES = ["pending", "processing", "completed", "failed", "partial", "cancelled"]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri"}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}
COUNT: Schema = {"type": "integer", "minimum": 0}
SIDE: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE}
LAYOUT: Schema = {"type": "string", "pattern": LAYOUT_PATTERN}


def fields(needed: Sequence[str] = (), /, **properties: Schema) -> Schema:
    """An object; other fields are allowed."""
    return {"type": "object", "properties": properties, **({"required": list(needed)} if needed else {})}


def listed(items: Schema, **limits: int) -> Schema:
    """An array."""
    return {"type": "array", "items": items, **limits}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def words(*known: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(known)}


EXTENSIONS = words("png", "jpg", "jpeg", "webp")  # of POST /image
LAYOUTS = listed(LAYOUT, maxItems=20)
QUALITY: Schema = {"type": "number", "minimum": 0.1, "maximum": 1, "default": 0.9}
PAGE_SOURCE: Mapping[str, Schema] = {
    "html": {"type": "string", "minLength": 1},
    "url": {"type": "string", "minLength": 1, "maxLength": 2000},
    "template": {"type": "string", "minLength": 1},
    "variables": ANY_OBJECT,
    "width": SIDE,
    "height": SIDE,
}
ONE_SOURCE = {"oneOf": [{"required": ["html"]}, {"required": ["url"]}, {"required": ["template"]}]}


def _template() -> dict[str, Schema]:
    checks = fields(required=FLAG, minLength=nullable(WHOLE), maxLength=nullable(WHOLE))
    variable = fields(("name",), name={**TEXT, "minLength": 1, "maxLength": 200}, type=TEXT, description=TEXT,
                      defaultValue={}, allowRawHtml=FLAG, validation=checks)  # fmt: skip
    layout = fields(("width", "height"), width=SIDE, height=SIDE, name=TEXT)
    names = {"pattern": LAYOUT_PATTERN, "not": {"const": BASE_LAYOUT}}
    layouts = {"type": "object", "additionalProperties": layout, "propertyNames": names, "maxProperties": 20}
    body = {
        "name": {**TEXT, "maxLength": 500}, "engine": words("html"), "outputFormat": words("image"),
        "html": {"type": "string", "minLength": 1}, "width": SIDE, "height": SIDE, "layouts": layouts,
        "variableDefinitions": listed(ref("VariableDefinition"), maxItems=1000), "strictVariables": FLAG,
    }  # fmt: skip
    shown = {**body, "uid": TEXT, "createdAt": TIME, "updatedAt": TIME}
    page = fields(page=WHOLE, limit=WHOLE, total=WHOLE, totalPages=WHOLE, hasNext=FLAG, hasPrev=FLAG)
    return {
        "VariableDefinition": variable,
        "TemplateCreate": fields(("html",), **body),
        "TemplateUpdate": fields(**body),
        "Template": fields(("uid", "name"), **shown),
        "TemplateAnswer": fields(("template",), template=ref("Template"), addedVariables=listed(TEXT)),
        "TemplateList": fields(("templates", "pagination"), templates=listed(ref("Template")), pagination=ref("Page")),
        "TemplateVariables": fields(("templateUid", "variables"), templateUid=TEXT, templateName=TEXT,
                                    variables=listed(ref("VariableDefinition"))),
        "Page": page,
    }  # fmt: skip


def _batches(most: int) -> dict[str, Schema]:
    sets = listed(ANY_OBJECT, minItems=1, maxItems=most)
    concurrency = {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": BatchBody.model_fields["concurrency"].default,
    }
    # The vendor's n8n node says jpg; OpenAPI does not.
    request = fields(("variableSets",), variableSets=sets, format=words("png", "jpeg", "webp", "jpg"), quality=QUALITY,
                     layout=LAYOUT, layouts=LAYOUTS, concurrency=concurrency)  # fmt: skip
    identity = {"batchId": TEXT, "status": words(*STATUSES)}
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
    now = fields(("batchId", "status", "results"), batchId=TEXT, status=words(*STATUSES), progress=progress, **counts,
                 results=listed(item), errors=listed(missed), retryAfter={"type": "number"}, **times)  # fmt: skip
    counted = {
        "id": TEXT,
        "status": words(*STATUSES),
        "totalCount": COUNT,
        "completedCount": COUNT,
        "failedCount": COUNT,
    }
    inner = fields(("id", "status"), **counted, templateUid=TEXT)
    legacy = fields(("batch", "results"), batch=inner, results=listed(item), pagination=ref("Page"))
    single = fields(variables=ANY_OBJECT, format=words("png", "jpeg", "webp", "jpg"), quality=QUALITY, layout=LAYOUT,
                    layouts=LAYOUTS, width=SIDE, height=SIDE)  # fmt: skip
    rendered = fields(("results", "errors"), results=listed(picture), errors=listed(failed), totalLayouts=COUNT,
                      totalRendered=COUNT, totalErrors=COUNT, templateUid=TEXT)  # fmt: skip
    return {
        "BatchRenderRequest": request,
        "BatchResponse": fields(("batchId", "status"), **identity, totalItems=COUNT, message=TEXT),
        "BatchStatus": now,
        "LegacyBatchStatus": legacy,
        "LegacyBatchResponse": fields(("id", "status"), **counted, message=TEXT),
        "LegacyCancelResponse": fields(("id", "status"), **counted, cancelledCount=COUNT),
        "RenderRequest": single,
        "RenderResponse": rendered,
    }  # fmt: skip


def _pictures() -> dict[str, Schema]:
    image = fields(("url", "id"), url=URL, id=TEXT, createdAt=TIME)
    window = fields(total=COUNT, limit=COUNT, offset=COUNT, hasMore=FLAG)
    row = fields(("url", "id"), url=URL, id=TEXT, createdAt=TIME, width=WHOLE, height=WHOLE, format=TEXT,
                 template=nullable(TEXT), source=TEXT, variables=ANY_OBJECT)  # fmt: skip
    gif = fields(("url", "uid"), url=URL, uid=TEXT, width=WHOLE, height=WHOLE, animationLength=WHOLE)
    days = listed(fields(date=TEXT, count=COUNT))
    return {
        "ImageRequest": {
            **fields(**PAGE_SOURCE, selector=TEXT, fileExtension=EXTENSIONS),
            **ONE_SOURCE,
        },
        "GifRequest": {**fields(**PAGE_SOURCE, quality=words("low", "medium", "high")), **ONE_SOURCE},
        "Image": image,
        "ImageAnswer": fields(("image",), image=ref("Image")),
        "ImageList": fields(("images", "pagination"), images=listed(ref("Image")), pagination=window),
        "Gif": fields(("gif",), gif=gif),
        "RenderList": fields(
            ("renders", "pagination"),
            renders=listed(row),
            pagination=window,
            counts=ANY_OBJECT,
            histogram=days,
        ),
    }


def _subscriptions() -> dict[str, Schema]:
    target = {"type": "string", "minLength": 1, "maxLength": 2000}
    filters = fields(templateId=TEXT, bindingId=TEXT)
    events, platforms = words(*get_args(EventName)), words(*get_args(Platform))
    shown = {"uid": TEXT, "event": events, "targetUrl": TEXT, "platform": platforms, "filters": filters}
    counts = {"deliveryCount": COUNT, "failureCount": COUNT, "lastDeliveryAt": nullable(TIME), "createdAt": TIME}
    one = fields(("uid", "event", "targetUrl", "status"), **shown, **counts, secret=TEXT,
                 status=words("active", "paused", "failed"))  # fmt: skip
    create = fields(("event", "targetUrl"), event=events, targetUrl=target, platform=platforms, filters=filters)
    change = fields(targetUrl=target, platform=platforms, filters=filters, status=words("active", "paused"))
    return {
        "SubscriptionCreate": create,
        "SubscriptionUpdate": change,
        "Subscription": one,
        "SubscriptionAnswer": fields(("subscription",), subscription=ref("Subscription")),
        "SubscriptionList": fields(
            ("subscriptions", "pagination"), subscriptions=listed(ref("Subscription")), pagination=ref("Page")
        ),
    }  # fmt: skip


def _errors() -> dict[str, Schema]:
    problems = listed(fields(field=TEXT, message=TEXT, code=TEXT))
    return {
        "Message": fields(("message",), message=TEXT, code=TEXT, errors=listed(TEXT), error=TEXT, context=ANY_OBJECT),
        "PictureError": fields(("error", "code"), error=TEXT, code=TEXT, retriable=FLAG),
        "Error": fields(("type", "title", "status"), type=URL, title=TEXT, status=WHOLE, detail=TEXT, instance=TEXT,
                        errors=problems, retryAfter=WHOLE),
        "Deleted": fields(message=TEXT, deleted=FLAG),
        "CancelResponse": fields(("batchId", "status"), batchId=TEXT, status=words(*STATUSES), message=TEXT),
        "User": fields(("user",), user=ANY_OBJECT),
    }  # fmt: skip


def schemas(most: int) -> dict[str, Schema]:
    """Return all by name. `most`: items of a batch."""
    return {**_template(), **_batches(most), **_pictures(), **_subscriptions(), **_errors()}
