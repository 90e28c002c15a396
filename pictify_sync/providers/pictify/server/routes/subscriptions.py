"""Routes of webhook subscriptions, and of the caller's own account (Pictify, Webhook subscriptions)."""

from __future__ import annotations

from typing import get_args

from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.requests import Call
from pictify_sync.providers.pictify.server.webhooks.subscriptions import EventName, Platform
from pictify_sync.providers.pictify.server.wire import Answer, one_of, whole

STATUSES = ("active", "paused", "failed")


def list_subscriptions(context: ServerContext, call: Call) -> Answer:
    """One page of subscriptions."""
    page, limit = whole(call.args, "page", 1, 1), whole(call.args, "limit", 20, 1, 100)
    words = {"event": get_args(EventName), "status": STATUSES, "platform": get_args(Platform)}
    only = {name: one_of(call.args, name, *known) for name, known in words.items() if name in call.args}
    return Answer(context.subscriptions.page(page, limit, call.team, only))


def create_subscription(context: ServerContext, call: Call) -> Answer:
    """A new subscription; the only answer with the secret."""
    return Answer({"subscription": context.subscriptions.create(call.body(), call.team)}, status=201)


def show_subscription(context: ServerContext, call: Call) -> Answer:
    """One subscription."""
    return Answer({"subscription": context.subscriptions.show(call.values["uid"], call.team)})


def update_subscription(context: ServerContext, call: Call) -> Answer:
    """Change a subscription, or make it active again."""
    found = context.subscriptions.change(call.values["uid"], call.body(), call.team)
    context.sender.wake()
    return Answer({"subscription": found})


def delete_subscription(context: ServerContext, call: Call) -> Answer:
    """Forget a subscription."""
    context.subscriptions.delete(call.values["uid"], call.team)
    return Answer({"deleted": True})


def user(_: ServerContext, call: Call) -> Answer:
    """Who is calling: what the vendor's tools ask to check a key."""
    return Answer({"user": {"plan": call.options.plan or "local"}})
