"""`taint` and `untaint`: render assets again, or not."""

from __future__ import annotations

import click

from pictify_sync.cli.options import check_state, pass_settings, project_of


@click.command("taint")
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@pass_settings
def taint_command(settings: str | None, patterns: tuple[str, ...]) -> None:
    """Mark matching assets to be rendered again by the next apply. PATTERN is a shell pattern for keys."""
    _mark(settings, patterns, tainted=True)


@click.command("untaint")
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@pass_settings
def untaint_command(settings: str | None, patterns: tuple[str, ...]) -> None:
    """Remove the taint from matching assets. PATTERN is a shell pattern for keys."""
    _mark(settings, patterns, tainted=False)


def _mark(settings: str | None, patterns: tuple[str, ...], *, tainted: bool) -> None:
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.terminal.records import taken
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        check_state(project)
        keys = upkeep.edit_state(project).taint(patterns, tainted=tainted)
        print_output(taken(keys, "tainted" if tainted else "no longer tainted"))
