"""Programs that run until they are stopped, and the provider's side of webhooks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from pictify_sync.core.abilities import Webhooks
from pictify_sync.errors import ProviderError, UsageError
from pictify_sync.wiring.project import Project


def serve(project: Project, folder: str, options: Mapping[str, Any], started: Callable[[str], None]) -> None:
    """Serve the embedded render server until a signal; `options` are those of `ServeOptions`. Raises UsageError."""
    from pictify_sync.providers.pictify.server.serving import ServeOptions, serve  # noqa: PLC0415 - its name is ours too

    settings = project.settings
    given = dict(options)
    chosen = ServeOptions(
        folder=settings.path(folder),
        engine=settings.engine,
        families=tuple(settings.fonts),
        allow_hosts=(*settings.allow_hosts, *given.pop("allow_hosts", ())),
        workers=settings.workers or 0,
        render_timeout=settings.render_timeout,
        started=started,
        **given,
    )
    try:
        serve(chosen)
    except sqlite3.Error as error:
        hint = (
            "make room, check its permissions; or, if its database is damaged, restore the folder from a copy or "
            "remove it: that forgets its templates, subscriptions and batches"
        )
        raise ProviderError(f"the server cannot use the folder {chosen.folder}: {error}", hint=hint) from error


def receive(project: Project, address: tuple[str, int], header: str | None, started: Callable[[str], None]) -> None:
    """Receive webhooks into the inbox folder of the settings until a signal. Raises UsageError."""
    from pictify_sync.providers.pictify.webhooks import PictifyWebhooks  # noqa: PLC0415 - one command's
    from pictify_sync.webhooks.receiver import ReceiverOptions, serve  # noqa: PLC0415 - its name is ours too

    settings = project.settings
    if settings.inbox.startswith(("http://", "https://")):
        raise UsageError("a receiver keeps its inbox in a folder", hint="set inbox to a folder in the settings")
    if not settings.webhook_secrets:
        raise UsageError("a receiver needs the secrets of its subscriptions", hint="set PICTIFY_WEBHOOK_SECRET")
    host, port = address
    chosen = ReceiverOptions(
        folder=settings.path(settings.inbox),
        secrets=settings.webhook_secrets,
        token=settings.inbox_token,
        host=host,
        port=port,
        format=PictifyWebhooks(header or settings.signature_header),
        started=started,
    )
    serve(chosen, project.clock)


def webhooks(project: Project, provider: str) -> Webhooks:
    """The webhook subscriptions of an account. Raises UsageError when the provider has none."""
    connected = project.provider(provider)
    if not isinstance(connected, Webhooks):
        raise UsageError(f"the provider {provider} has no webhook subscriptions")
    return connected
