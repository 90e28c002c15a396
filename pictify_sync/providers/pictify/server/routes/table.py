"""The table of routes: method, path, the operation's name in the OpenAPI document, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from werkzeug.wrappers import Response

from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.requests import Call
from pictify_sync.providers.pictify.server.routes import batches, subscriptions, templates
from pictify_sync.providers.pictify.server.routes import images as pictures
from pictify_sync.providers.pictify.server.wire import Answer

Serve = Callable[[ServerContext, Call], Answer | Response]


class Route(NamedTuple):
    """One route."""

    method: str
    path: str
    operation: str  # operationId
    serve: Serve


ROUTES: Sequence[Route] = (
    Route("GET", "/api/users/", "getCurrentUser", subscriptions.user),
    Route("POST", "/templates", "createTemplate", templates.create_template),
    Route("GET", "/templates", "listTemplates", templates.list_templates),
    Route("GET", "/templates/<uid>", "getTemplate", templates.show_template),
    Route("PUT", "/templates/<uid>", "updateTemplate", templates.update_template),
    Route("DELETE", "/templates/<uid>", "deleteTemplate", templates.delete_template),
    Route("GET", "/templates/<uid>/variables", "getTemplateVariables", templates.template_variables),
    Route("POST", "/templates/<uid>/render", "renderTemplate", templates.render),
    Route("POST", "/templates/<uid>/batch-render", "batchRenderTemplate", batches.create_batch),
    Route("GET", "/templates/batch/<batchId>/results", "getBatchResults", batches.results),
    Route("POST", "/templates/batch/<batchId>/cancel", "cancelBatch", batches.cancel),
    Route("POST", "/image", "createImage", pictures.create_image),
    Route("GET", "/image", "listImages", pictures.list_images),
    Route("GET", "/image/<image>", "getImage", pictures.show_image),
    Route("POST", "/gif", "createGif", pictures.create_gif),
    Route("GET", "/render", "listRenders", pictures.list_renders),
    Route("GET", "/webhook-subscriptions", "listWebhookSubscriptions", subscriptions.list_subscriptions),
    Route("POST", "/webhook-subscriptions", "createWebhookSubscription", subscriptions.create_subscription),
    Route("GET", "/webhook-subscriptions/<uid>", "getWebhookSubscription", subscriptions.show_subscription),
    Route("PUT", "/webhook-subscriptions/<uid>", "updateWebhookSubscription", subscriptions.update_subscription),
    Route("DELETE", "/webhook-subscriptions/<uid>", "deleteWebhookSubscription", subscriptions.delete_subscription),
    Route("GET", "/files/<name>", "getFile", pictures.file),
)
BY_OPERATION: Mapping[str, Route] = {route.operation: route for route in ROUTES}
RENDERING = frozenset({"batchRenderTemplate", "renderTemplate", "createImage", "createGif"})  # they cost renders
# Words that stand for other routes of the vendor where we have an id: they are no unknown template or image.
RESERVED = frozenset(
    {("templates", word) for word in ("search", "preview", "upload-csv", "expression", "batch")}
    | {("image", word) for word in ("canvas", "og-image", "public")}
)
OPEN = frozenset({"getFile", "getOpenApi"})  # no key is needed
