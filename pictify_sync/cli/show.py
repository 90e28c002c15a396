"""`show`: all that is recorded of an asset, or of all of them on one page."""

from __future__ import annotations

import click

from pictify_sync.cli.options import json_option, near, pass_settings, project_of
from pictify_sync.cli.pages import Pages, check_place, html_option


@click.command("show")
@click.argument("key", required=False)
@html_option
@json_option
@pass_settings
def show_command(settings: str | None, key: str | None, html: str | None, as_json: bool) -> None:
    """Show everything that is recorded about an asset. KEY is 'manifest/item@layout'.

    With --html, and without KEY, a page shows all recorded assets with their pictures, those in trouble first.
    """
    from pictify_sync.errors import UsageError

    if (key is None) == (html is None):
        raise UsageError("show takes either a KEY or --html FILE", hint="pictify-sync state list shows the keys")
    if html is not None:
        _show_all(settings, html)
    elif key is not None:
        _show(settings, key, as_json=as_json)


def _show_all(settings: str | None, html: str) -> None:
    from pictify_sync.report.outcome import review_of_records

    check_place("html", html)
    with project_of(settings) as project:
        store = project.state()
        review = review_of_records(store.records, store.variables, project.remedies())
        Pages(html).write_pictured(review, project, (change.key for change in review.changes))


def _show(settings: str | None, key: str, *, as_json: bool) -> None:
    from pictify_sync.cli.console import print_output
    from pictify_sync.core.model import AssetKey
    from pictify_sync.errors import UsageError
    from pictify_sync.report.json.report import record_document
    from pictify_sync.report.terminal.records import record_lines

    with project_of(settings) as project:
        store = project.state()
        record = store.record(AssetKey(key))
        if record is None:
            raise UsageError(
                f"there is no recorded asset named {key}", hint=near(key, (other.key for other in store.records()))
            )
        recall = store.variables
        if as_json:
            click.echo(record_document(record, recall))
        else:
            print_output(record_lines(record, recall, project.remedies()))
