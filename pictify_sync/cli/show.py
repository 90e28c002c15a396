"""`show`: all that is recorded of an asset."""

from __future__ import annotations

import click

from pictify_sync.cli.options import json_option, near, pass_settings, project_of


@click.command("show")
@click.argument("key")
@json_option
@pass_settings
def show_command(settings: str | None, key: str, as_json: bool) -> None:
    """Show all that is recorded of an asset. KEY is 'manifest/item@layout'."""
    from pictify_sync.cli.console import say
    from pictify_sync.core.model import AssetKey
    from pictify_sync.errors import UsageError
    from pictify_sync.report.json_report import record_document
    from pictify_sync.report.records import record_lines

    with project_of(settings) as project:
        store = project.state()
        record = store.record(AssetKey(key))
        if record is None:
            raise UsageError(f"{key} is not recorded", hint=near(key, (other.key for other in store.records())))
        recall = store.variables
        if as_json:
            click.echo(record_document(record, recall))
        else:
            say(record_lines(record, recall))
