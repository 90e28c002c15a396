"""`schema`: JSON Schemas, of manifests for editors and of everything that `--json` prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

KINDS = (
    "manifest",
    "settings",
    "plan",
    "validation",
    "apply",
    "status",
    "record",
    "drift",
    "explanation",
    "previews",
    "health",
    "collect",
    "subscriptions",
)


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS), default="manifest", metavar="[KIND]")
def schema_command(kind: str) -> None:
    """Print the JSON Schema of manifests, settings or documents.

    For editors, save it beside the manifests and name it in their first line:
    `# yaml-language-server: $schema=pictify-sync.schema.json`.

    KIND chooses another schema: settings, or one of the JSON documents plan, validation, apply, status, record, drift,
    explanation, previews, health, collect, subscriptions.
    """
    click.echo(json.dumps(_schema_of(kind)(), indent=2, ensure_ascii=False))


def _schema_of(kind: str) -> Callable[[], dict[str, Any]]:
    if kind == "manifest":
        from pictify_sync.manifest.schema import json_schema as manifest_schema
        from pictify_sync.providers.registry import specs

        formats = list(dict.fromkeys(name for spec in specs() for name in spec.media))
        return lambda: manifest_schema(formats)
    if kind == "settings":
        from pictify_sync.providers.registry import names, parts
        from pictify_sync.settings import fields_model

        return fields_model(parts(names())).model_json_schema
    if kind == "plan":
        from pictify_sync.state.planfile.document import json_schema as plan_schema

        return plan_schema
    from pictify_sync.report.json.reference import schema

    return lambda: schema(kind)
