"""`collect`: publish pictures that were rendered and whose URL is not known yet."""

from __future__ import annotations

import click

from pictify_sync.cli.options import check_state, json_option, pass_settings, project_of


@click.command("collect")
@click.argument("inbox", required=False)
@json_option
@pass_settings
def collect_command(settings: str | None, inbox: str | None, as_json: bool) -> int:
    """Find pictures that were rendered and whose URL is not known yet; fetch and publish them.

    Renders nothing, unless url_sources in the settings names 'single'.

    INBOX is a folder of webhook deliveries, or the URL of a receiver's inbox (its token in PICTIFY_INBOX_TOKEN) [inbox
    of the settings]. Exits with 1 when a picture that was found could not be fetched.
    """
    from pictify_sync.cli.console import StopSignal, print_output, progress
    from pictify_sync.report.json.report import collect_document
    from pictify_sync.report.terminal.summary import collected_lines
    from pictify_sync.wiring.session import Watch, open_session
    from pictify_sync.workflows.collect import collect

    with project_of(settings) as project, StopSignal().watching() as stop:
        check_state(project)
        with progress() as sink:
            done = collect(open_session(project, Watch(sink, stop, inbox=inbox)))
        if as_json:
            click.echo(collect_document(done))
        else:
            print_output(collected_lines(done, project.remedies()))
    return 1 if done.failed else 0
