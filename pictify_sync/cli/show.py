"""`show`: all that is recorded of an asset."""

from __future__ import annotations

import click

from pictify_sync.cli.options import json_option, pass_settings, project_of


@click.command("show")
@click.argument("key")
@json_option
@pass_settings
def show_command(settings: str | None, key: str, as_json: bool) -> None:
    """Show all that is recorded of an asset. KEY is 'manifest/item@layout'."""
    from pictify_sync.cli.console import say
    from pictify_sync.report.json_report import record_document
    from pictify_sync.report.records import record_lines

    with project_of(settings) as project:
        record = project.record(key)
        recall = project.state().variables
        if as_json:
            click.echo(record_document(record, recall))
        else:
            say(record_lines(record, recall))
