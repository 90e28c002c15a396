"""`refresh`: compare templates and published files with the state, and record what differs."""

from __future__ import annotations

import click

from pictify_sync.cli.options import github_option, json_option, pass_settings, project_of, reporting
from pictify_sync.cli.pages import page_options, pages_of


@click.command("refresh")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--check", is_flag=True, help="Record nothing; exit with 2 when something differs.")
@click.option("--deep", is_flag=True, help="Read objects in a bucket, rather than the checksum written beside them.")
@page_options
@json_option
@github_option
@pass_settings
def refresh_command(
    settings: str | None, /, patterns: tuple[str, ...], as_json: bool, github: bool, **looks: object
) -> int:
    """Compare templates and published files with the state, and record what differs; the next apply repairs it.

    PATTERN is a shell pattern for keys [all].
    """
    from pictify_sync.cli.console import print_output
    from pictify_sync.errors import UsageError
    from pictify_sync.report.json.report import drift_document
    from pictify_sync.report.outcome import review_of_drift
    from pictify_sync.report.terminal.records import drift_lines
    from pictify_sync.wiring import matcher, upkeep

    pages = pages_of(looks)
    with reporting(github=github) as reporter, project_of(settings) as project:
        recorded = project.fetch(record=not looks["check"])
        matches = matcher(patterns or ("*",))
        if patterns and not any(matches(record.key) for record in recorded.records()):
            raise UsageError(f"nothing recorded matches {' '.join(patterns)}", hint="pictify-sync state list")
        found = upkeep.refresh(project, patterns, record=not looks["check"], deep=bool(looks["deep"]))
        if pages:
            pages.write_pictured(review_of_drift(found), project, (drift.key for drift in found.assets))
    reporter.put({"changed": bool(found)})
    if as_json:
        click.echo(drift_document(found))
    else:
        print_output(drift_lines(found))
    return 2 if looks["check"] and found else 0
