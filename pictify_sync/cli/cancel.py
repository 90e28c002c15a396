"""`cancel`: stop open batches at their provider."""

from __future__ import annotations

import click

from pictify_sync.cli.options import check_state, pass_settings, project_of


@click.command("cancel")
@click.argument("batch", required=False)
@click.option("--all", "everything", is_flag=True, help="Cancel every open batch.")
@pass_settings
def cancel_command(settings: str | None, batch: str | None, everything: bool) -> None:
    """Cancel an open batch at its provider, and record what it had finished.

    BATCH is an attempt or a batch id, as status shows them. What was not rendered is planned again by the next apply.
    """
    from pictify_sync.cli.console import StopSignal, print_output, progress
    from pictify_sync.report.terminal.summary import summary_lines
    from pictify_sync.report.words import batches
    from pictify_sync.wiring import ApplyRun
    from pictify_sync.wiring.session import Watch, open_session
    from pictify_sync.workflows.apply.outcome import ApplySummary
    from pictify_sync.workflows.resolve import cancel

    if (batch is None) is not everything:
        raise click.UsageError("Specify one batch, or --all.")
    with project_of(settings) as project, StopSignal().watching() as stop, progress() as sink:
        check_state(project)
        asked = cancel(open_session(project, Watch(sink, stop)), batch)
        done = ApplyRun(project, sink, stop).recover()
    click.echo(f"Asked to cancel {batches(len(asked))}." if asked else "No open batch can be cancelled.", err=True)
    if done != ApplySummary():
        print_output(summary_lines(done, project.remedies(), again="pictify-sync apply"))
