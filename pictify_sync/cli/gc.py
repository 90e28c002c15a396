"""`gc`: delete the embedded server's copies of finished batches."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of


@click.command("gc")
@click.option("--days", type=click.FloatRange(0), default=7.0, show_default=True, help="Keep those of so many days.")
@pass_settings
def gc_command(settings: str | None, days: float) -> None:
    """Delete the embedded server's copies of finished batches.

    Published pictures, the state and open batches are not touched.
    """
    from pictify_sync.report.words import count
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        removed = upkeep.collect_garbage(project, days)
    click.echo(f"Removed {count(removed, 'file')} of the embedded server.")
