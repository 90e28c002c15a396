"""`history`: the runs that changed the state."""

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
