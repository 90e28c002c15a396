"""Routes of batches (Pictify, Batch render, Get batch results, Cancel batch)."""

from __future__ import annotations

from dataclasses import replace

from pictify_sync.providers.pictify.server.batches.accepted import BatchRenderRequest, Order
from pictify_sync.providers.pictify.server.batches.dialects import PROJECTIONS, accepted, cancelled
from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.faults import batch_faults
from pictify_sync.providers.pictify.server.requests import Call
from pictify_sync.providers.pictify.server.wire import Answer, WireError, checked

MONTH = 30 * 86_400.0  # seconds


def create_batch(context: ServerContext, call: Call) -> Answer:
    """Accept a batch."""
    uid, options = call.values["uid"], call.options
    source = context.templates.source_of(uid, call.team)
    body = call.body()
    if "csvUrl" in body:
        raise WireError(400, "csvUrl is not supported by this server: send variableSets")
    wanted = checked(BatchRenderRequest, body)
    sets, most = wanted.variableSets, options.allowed.items
    if not most:
        raise WireError(403, "Batch rendering is not part of this plan", "plan_required")
    if len(sets) > most:
        raise WireError(400, f"variableSets has {len(sets)} items, at most {most}")
    key = call.idempotency_key
    monthly, since = options.allowed.monthly, options.now() - MONTH
    is_again = bool(key) and context.batches.has_answered(call.team, key)
    if not is_again and monthly is not None and context.renders.asked(call.team, since) + len(sets) > monthly:
        raise WireError(options.quota_status, f"More than {monthly} items of batches a month", "quota_exceeded")
    flags = {"webhook_variables": options.webhook_variables, "batch_events": options.batch_events}
    how = batch_faults(call.faults, len(sets), options.batch_seconds)
    order = Order(source, sets, wanted, uid, call.team, base=call.base, play=how, flags=flags)
    answer = context.batches.create(order, max_open=options.allowed.open_batches, key=key)
    context.dispatch().wake()
    return replace(answer, body=accepted(answer.body, options.dialect))


def results(context: ServerContext, call: Call) -> Answer:
    """What became of a batch so far, in the dialect in force."""
    options, batch = call.options, call.values["batchId"]
    view = context.view(batch, call.team, values=options.dialect == "legacy")
    over = view.completed
    expired = over is not None and options.expiry is not None and options.now() - over > options.expiry
    if expired or call.fault("expired"):
        raise WireError(404, "Batch not found")
    body = PROJECTIONS[options.dialect](view, call.link)
    if view.open and options.poll_hint:
        body["retryAfter"] = context.hint(batch)
    return Answer(body)


def cancel(context: ServerContext, call: Call) -> Answer:
    """Skip what is not finished. The vendor's own tools send no body, or an empty one."""
    call.body(needed=False)
    batch, dialect = call.values["batchId"], call.options.dialect
    answer = context.batches.cancel(batch, call.team)
    return Answer(cancelled(answer.body, context.batches.view(batch, context.source, team=call.team), dialect))
