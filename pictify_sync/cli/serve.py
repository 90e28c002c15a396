"""`serve`: the embedded render server on its own."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of, with_options

DIALECTS = click.Choice(["nested", "names", "flat", "legacy", "dashboard"])
PLANS = click.Choice(["free", "basic", "pro", "business", "enterprise"])

place_options = with_options(
    click.option("--folder", default=".pictify-sync/server", show_default=True, help="Where everything is kept."),
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="Address; anything but loopback needs a token."
    ),
    click.option("--port", type=click.IntRange(0, 65535), default=8571, show_default=True, help="Port; 0: a free one."),
    click.option("--prefix", default="", help="Path below which everything is served."),
    click.option("--public-url", default="", help="How clients reach the server behind a proxy."),
)
access_options = with_options(
    click.option("--token", "tokens", multiple=True, envvar="PICTIFY_SERVE_TOKENS", help="Bearer key that is taken."),
    click.option(
        "--strict-keys",
        is_flag=True,
        help="Take only keys of the vendor's forms: pic_live_ and 64 hex, or older ones.",
    ),
    click.option("--teams", is_flag=True, help="Each key sees only what is its own."),
    click.option("--allow-host", "allow_hosts", multiple=True, help="Host that pictures may come from (repeatable)."),
    click.option("--plan", type=PLANS, help="Hold clients to the limits of a plan."),
    click.option(
        "--plan-table",
        type=click.Choice(["batch", "usage"]),
        default="batch",
        show_default=True,
        help="Which of the two published tables of plans.",
    ),
    click.option(
        "--quota-status",
        type=click.Choice(["429", "402"]),
        default="429",
        show_default=True,
        help="Status beyond the quota.",
    ),
    click.option("--quota", type=click.IntRange(0), help="Pictures that a team may render, ever."),
    click.option("--keep", type=click.FloatRange(0), metavar="DAYS", help="Forget what ended before so many days [7]."),
)
dialect_options = with_options(
    click.option("--dialect", type=DIALECTS, default="nested", show_default=True, help="Shape of batch results."),
    click.option("--errors", type=click.Choice(["plain", "problem"]), default="plain", help="Shape of errors [plain]."),
    click.option(
        "--rate-headers",
        type=click.Choice(["documented", "off", "legacy"]),
        default="documented",
        show_default=True,
        help="Where rate headers are sent.",
    ),
    click.option("--idempotent", is_flag=True, help="Honour Idempotency-Key."),
    click.option("--lookup-variables", is_flag=True, help="Tell variables in GET /render."),
    click.option("--no-webhook-variables", is_flag=True, help="Leave variables out of render events."),
    click.option("--no-batch-events", is_flag=True, help="Send no batch events."),
    click.option("--faults", is_flag=True, help="Let requests ask for faults: for tests, on loopback only."),
    click.option("--fault", "rules", multiple=True, help="A fault that befalls every request (repeatable)."),
)


@click.command("serve")
@click.option("--api", default="pictify", show_default=True, help="Which API: that of a provider with a server.")
@place_options
@access_options
@dialect_options
@pass_settings
def serve_command(settings: str | None, /, api: str, folder: str, keep: float | None, **options: object) -> None:
    """Serve the embedded render server: Pictify-compatible, for tests, previews and self-hosting.

    Engine, fonts, allowed hosts and workers are those of the settings. Ends at Ctrl-C; everything is durable.
    """
    from pictify_sync.wiring import services

    for name in ("webhook_variables", "batch_events"):
        options[name] = not options.pop(f"no_{name}")
    options["plan"] = options["plan"] or ""
    options["quota_status"] = int(str(options["quota_status"]))
    if keep is not None:
        options["expiry"] = keep * 86_400
    with project_of(settings) as project:
        services.serve(project, api, folder, options, _started)


def _started(url: str) -> None:
    click.echo(f"Serving at {url}", err=True)
