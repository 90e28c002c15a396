"""`history` and `log`: what changed the state, in words and as the entries that it is a fold of."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of


@click.command("history")
@pass_settings
def history_command(settings: str | None) -> None:
    """List what changed the state: batches, moves, deletes and edits of the state, oldest first."""
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.terminal.history import history_lines

    with project_of(settings) as project:
        print_output(history_lines(project.state().entries()))


@click.command("log")
@click.option("--after", type=click.IntRange(0), default=0, metavar="SERIAL", help="Only entries after this one.")
@pass_settings
def log_command(settings: str | None, after: int) -> None:
    """Print the log of the state, one JSON object per entry: serial, time, entry."""
    from pictify_sync.report.safe import escaped
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        for line in upkeep.log_lines(project, after):
            click.echo(escaped(line))
