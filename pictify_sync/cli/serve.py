"""`serve`: the embedded render server on its own."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of, with_options
from pictify_sync.providers import registry

API = "pictify"  # unless the command line names another

place_options = with_options(
    click.option("--folder", default=".pictify-sync/server", show_default=True, help="Where everything is kept."),
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="Address; anything but loopback needs a token."
    ),
    click.option("--port", type=click.IntRange(0, 65535), default=8571, show_default=True, help="Port; 0: a free one."),
    click.option("--prefix", default="", help="Path below which everything is served."),
    click.option("--public-url", default="", help="How clients reach the server behind a proxy."),
)


@click.command("serve")
@click.option("--api", default=API, show_default=True, help="Which API: that of a provider with a server.")
@place_options
@with_options(*registry.server_options(API))
@pass_settings
def serve_command(settings: str | None, /, api: str, folder: str, **options: object) -> None:
    """Serve the embedded render server: Pictify-compatible, for tests, previews and self-hosting.

    Engine, fonts, allowed hosts and workers are those of the settings. Ends at Ctrl-C; everything is durable.
    """
    from pictify_sync.wiring import services

    with project_of(settings) as project:
        services.serve(project, api, folder, options, _started)


def _started(url: str) -> None:
    click.echo(f"Serving at {url}", err=True)
