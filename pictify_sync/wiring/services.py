"""Programs that run until they are stopped, and the provider's side of webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pictify_sync.core.abilities import Webhooks
from pictify_sync.errors import UsageError
from pictify_sync.providers import registry
from pictify_sync.wiring.project import Project


def serve(project: Project, api: str, folder: str, options: Mapping[str, Any], started: Callable[[str], None]) -> None:
    """Serve an API on its own until a signal; `options` are those of its server. Raises UsageError."""
    spec = registry.serving(api)
    assert spec.server is not None
    spec.server.serve(project.connection(spec.name), project.settings.path(folder), options, started)


def receive(project: Project, address: tuple[str, int], header: str | None, started: Callable[[str], None]) -> None:
    """Receive webhooks into the inbox folder of the settings until a signal. Raises UsageError."""
    from pictify_sync.webhooks.receiver import ReceiverOptions, serve  # noqa: PLC0415 - its name is ours too

    settings = project.settings
    if settings.inbox.startswith(("http://", "https://")):
        raise UsageError("a receiver keeps its inbox in a folder", hint="set inbox to a folder in the settings")
    if not settings.webhook_secrets:
        raise UsageError("a receiver needs the secrets of its subscriptions", hint="set PICTIFY_WEBHOOK_SECRET")
    spec = registry.able(settings.provider, lambda one: one.webhooks)
    assert spec.webhooks is not None
    host, port = address
    chosen = ReceiverOptions(
        folder=settings.path(settings.inbox),
        secrets=settings.webhook_secrets,
        token=settings.inbox_token,
        host=host,
        port=port,
        format=spec.webhooks(project.provider_settings(spec.name), header or ""),
        started=started,
    )
    serve(chosen, project.clock)


def webhooks(project: Project, provider: str) -> Webhooks:
    """The webhooks of an account; "": of the settings' provider, else of the first that sends any.

    Raises UsageError when it sends none.
    """
    provider = provider or registry.able(project.settings.provider, lambda one: one.webhooks).name
    connected = project.provider(provider)
    if not isinstance(connected, Webhooks):
        raise UsageError(f"the provider {provider} has no webhook subscriptions")
    return connected
