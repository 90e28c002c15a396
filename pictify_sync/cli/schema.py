"""`schema`: the JSON Schema that editors check manifests with."""

from __future__ import annotations

import json

import click


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of manifests, for editors.

    Save it beside the manifests and name it in their first line:
    `# yaml-language-server: $schema=pictify-sync.schema.json`.
    """
    from pictify_sync.manifest.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
