"""`gc`: drop what the embedded provider no longer needs."""

from __future__ import annotations

import click

from pictify_sync.cli.options import pass_settings, project_of


@click.command("gc")
@click.option("--days", type=click.FloatRange(0), default=7.0, show_default=True, help="Keep what ended since.")
@pass_settings
def gc_command(settings: str | None, days: float) -> None:
    """Drop what the embedded provider keeps of batches that ended: its second copy of each picture.

    Published pictures, the state and open batches are not touched.
    """
    from pictify_sync.report.words import count
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        removed = upkeep.collect_garbage(project, days)
    click.echo(f"Removed {count(removed, 'file')} of the embedded provider.")
