"""Routes of templates (Pictify, Templates API)."""

from __future__ import annotations

from pictify_sync.providers.pictify.server.batches.accepted import Order, RenderRequest
from pictify_sync.providers.pictify.server.batches.dialects import failure_shape, picture_shape
from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.requests import Call
from pictify_sync.providers.pictify.server.store.templates import ORDERS
from pictify_sync.providers.pictify.server.wire import Answer, checked, one_of, whole


def create_template(context: ServerContext, call: Call) -> Answer:
    """Keep a new template."""
    return Answer(context.templates.create(call.body(), call.team))


def list_templates(context: ServerContext, call: Call) -> Answer:
    """One page of templates. Only images are made here, so that other output formats have none."""
    page, limit = whole(call.args, "page", 1, 1), whole(call.args, "limit", 12, 1, 100)
    order = one_of(call.args, "sort", *ORDERS)
    wanted = one_of(call.args, "outputFormat", "all", "image", "pdf", "gif")
    one_of(call.args, "hasDynamicLink", "false", "true")
    found = context.templates.page(page, limit, order, call.team)
    if wanted in ("pdf", "gif"):
        none = {"page": page, "limit": limit, "total": 0, "totalPages": 0, "hasNext": False, "hasPrev": page > 1}
        found = {"templates": [], "pagination": none}
    return Answer(found)


def show_template(context: ServerContext, call: Call) -> Answer:
    """One template."""
    return Answer({"template": context.templates.show(call.values["uid"], call.team)})


def update_template(context: ServerContext, call: Call) -> Answer:
    """Change some fields of a template."""
    return Answer(context.templates.update(call.values["uid"], call.body(), call.team))


def delete_template(context: ServerContext, call: Call) -> Answer:
    """Forget a template."""
    context.templates.delete(call.values["uid"], call.team)
    return Answer({"message": "Template deleted"})


def template_variables(context: ServerContext, call: Call) -> Answer:
    """The variables that a template declares."""
    return Answer(context.templates.variables(call.values["uid"], call.team))


def render(context: ServerContext, call: Call) -> Answer:
    """Render one variable set at once: arrays of results and errors, 200 even when nothing could be made."""
    uid = call.values["uid"]
    context.templates.source_of(uid, call.team)  # an unknown template before a bad body
    wanted = checked(RenderRequest, call.body())
    source = context.templates.source_of(uid, call.team, (wanted.width, wanted.height))
    flags = {"webhook_variables": call.options.webhook_variables}
    order = Order(source, [wanted.variables], wanted, uid, call.team, "render", call.base, flags=flags)
    view = context.render_now(order)
    pictures = [one for item in view.items for one in item.pictures]
    results = [picture_shape(one, view.format, call.link) for one in pictures if one.file]
    errors = [failure_shape(one) for one in pictures if not one.file]
    counts = {"totalLayouts": len(wanted.chosen()), "totalRendered": len(results), "totalErrors": len(errors)}
    return Answer({"results": results, "errors": errors, **counts, "templateUid": uid})
