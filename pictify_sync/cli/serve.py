"""`serve`: the embedded render server on its own."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of, with_options

DIALECTS = click.Choice(["nested", "names", "flat", "legacy", "dashboard"])

server_options = with_options(
    click.option("--host", default="127.0.0.1", show_default=True, help="Address; anything but loopback needs a key."),
    click.option("--port", default=8571, show_default=True, help="Port; 0 takes a free one."),
    click.option("--prefix", default="", help="Path below which everything is served."),
    click.option("--public-url", default="", help="How clients reach the server behind a proxy."),
    click.option("--key", "keys", multiple=True, envvar="PICTIFY_SERVE_KEYS", help="Bearer key that is taken."),
    click.option("--dialect", type=DIALECTS, default="nested", show_default=True, help="Shape of batch results."),
    click.option("--errors", type=click.Choice(["plain", "problem"]), default="plain", help="Shape of errors [plain]."),
    click.option("--plan", type=click.Choice(["free", "pro", "business", "enterprise"]), help="Limits of a plan."),
    click.option("--rate-headers", type=click.Choice(["off", "legacy"]), default="off", help="Rate headers [off]."),
    click.option("--idempotent", is_flag=True, help="Honour Idempotency-Key."),
    click.option("--lookup-variables", is_flag=True, help="Tell variables in GET /render."),
    click.option("--no-webhook-variables", is_flag=True, help="Leave variables out of render events."),
    click.option("--faults", is_flag=True, help="Let requests ask for faults: for tests, on loopback only."),
)


@click.command("serve")
@click.option("--folder", default=".pictify-sync/server", show_default=True, help="Where the server keeps everything.")
@server_options
@pass_settings
def serve_command(settings: str | None, /, folder: str, **options: object) -> None:
    """Serve the embedded render server: Pictify-compatible, for tests, previews and self-hosting.

    Engine, fonts, allowed hosts and workers are those of the settings. Ends at Ctrl-C; everything is durable.
    """
    from pictify_sync.wiring import services

    chosen = {**options, "plan": options["plan"] or "", "tokens": options["keys"]}
    chosen["webhook_variables"] = not options["no_webhook_variables"]
    del chosen["keys"], chosen["no_webhook_variables"]
    with project_of(settings) as project:
        services.serve(project, folder, chosen, _started)


def _started(url: str) -> None:
    click.echo(f"Serving at {url}", err=True)
