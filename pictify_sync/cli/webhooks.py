"""`webhooks ...`: receive them and manage subscriptions."""

from __future__ import annotations

import click

from pictify_sync.cli.options import json_option, pass_settings, project_of

provider_option = click.option(
    "--provider", default="", help="Provider of the webhooks [that of the settings, else the first that sends any]."
)


@click.group("webhooks")
def webhooks_command() -> None:
    """Receive webhooks and manage subscriptions."""


@webhooks_command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8572, show_default=True, help="Port; 0: a free one.")
@click.option("--header", help="Header that carries the signature [signature_header of the settings].")
@pass_settings
def serve_command(settings: str | None, host: str, port: int, header: str | None) -> None:
    """Receive deliveries into the inbox of the settings; a receiver needs a public https address in front of it.

    Secrets come from PICTIFY_WEBHOOK_SECRET (several between commas); PICTIFY_INBOX_TOKEN lets `collect` read the inbox
    over HTTP.
    """
    from pictify_sync.wiring import services

    with project_of(settings) as project:
        services.receive(project, (host, port), header, lambda url: click.echo(f"Receiving at {url}", err=True))


@webhooks_command.command("subscribe")
@click.argument("url")
@click.option("--event", help="The event to subscribe to [a picture was rendered].")
@click.option("--template", default="", help="Only for this template uid.")
@provider_option
@pass_settings
def subscribe_command(settings: str | None, url: str, event: str | None, template: str, provider: str) -> None:
    """Subscribe a public https URL. The secret is printed once, to stdout, and kept nowhere."""
    from pictify_sync.wiring import services

    with project_of(settings) as project:
        webhooks = services.webhooks(project, provider)
        made = webhooks.subscribe(event or webhooks.webhook_format.render_event, url, template)
    click.echo(f"Subscribed {made.uid} to {made.event}. Keep this secret for PICTIFY_WEBHOOK_SECRET:", err=True)
    click.echo(made.secret)


@webhooks_command.command("list")
@provider_option
@json_option
@pass_settings
def list_command(settings: str | None, provider: str, as_json: bool) -> None:
    """List subscriptions: uid, event, status, URL."""
    from pictify_sync.report.json.report import subscriptions_document
    from pictify_sync.report.safe import safe
    from pictify_sync.wiring import services

    with project_of(settings) as project:
        if as_json:
            click.echo(subscriptions_document(services.webhooks(project, provider).subscriptions()))
            return
        for one in services.webhooks(project, provider).subscriptions():
            click.echo(safe(f"{one.uid}  {one.event}  {one.status or '-'}  {one.target_url}"))


@webhooks_command.command("unsubscribe")
@click.argument("uid")
@provider_option
@pass_settings
def unsubscribe_command(settings: str | None, uid: str, provider: str) -> int:
    """Remove a subscription. Exits with 1 when there is none of that uid."""
    from pictify_sync.wiring import services

    with project_of(settings) as project:
        removed = services.webhooks(project, provider).unsubscribe(uid)
    click.echo("Unsubscribed." if removed else f"There is no subscription {uid}.", err=True)
    return 0 if removed else 1
