"""The options that `serve` has for this server, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

DIALECTS = click.Choice(["nested", "names", "flat", "legacy", "dashboard"])
PLANS = click.Choice(["free", "basic", "pro", "business", "enterprise"])

OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--token", "tokens", multiple=True, envvar="PICTIFY_SERVE_TOKENS", help="Bearer key that is taken."),
    click.option(
        "--strict-keys", is_flag=True, help="Take only keys of the vendor's forms: pic_live_ and 64 hex, or older ones."
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


def served(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `ServeOptions` that the options of the command line set."""
    fields = dict(options)
    for name in ("webhook_variables", "batch_events"):
        fields[name] = not fields.pop(f"no_{name}")
    fields["plan"] = fields["plan"] or ""
    fields["quota_status"] = int(fields["quota_status"])
    if (days := fields.pop("keep")) is not None:
        fields["expiry"] = days * 86_400
    return fields
