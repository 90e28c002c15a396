"""`explain`: why an asset would be rendered, or not."""

from __future__ import annotations

from contextlib import closing

import click

from pictify_sync.cli.options import json_option, pass_settings, paths_argument, project_of


@click.command("explain")
@click.argument("key")
@paths_argument
@json_option
@pass_settings
def explain_command(settings: str | None, key: str, paths: tuple[str, ...], as_json: bool) -> int:
    """Say why an asset would be rendered, or not: recorded and desired side by side.

    KEY is 'manifest/item@layout'; PATH is where its manifest lies [the manifests folder of the settings].
    """
    from pictify_sync.cli.console import say
    from pictify_sync.errors import UsageError
    from pictify_sync.report.explain import explain_lines
    from pictify_sync.report.json_report import explanation_document
    from pictify_sync.wiring import Choice

    with project_of(settings) as project:
        plan, manifests = project.plan(paths, Choice(select=(key,)))
        with closing(manifests):
            change = next((change for change in plan.changes if change.key == key), None)
            if change is None:
                raise UsageError(f"{key} is neither desired nor recorded", hint="pictify-sync state list")
            if as_json:
                click.echo(explanation_document(change, project.state().variables))
            else:
                say(explain_lines(change, project.state().variables))
    return 0
