"""`state ...`: list, export, import and edit the state."""

from __future__ import annotations

from pathlib import Path

import click

from pictify_sync.cli.options import check_state, pass_settings, project_of


@click.group("state")
def state_command() -> None:
    """List, export, import and edit the state."""


@state_command.command("list")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--json", "as_json", is_flag=True, help="Print a versioned JSON document per line.")
@pass_settings
def list_command(settings: str | None, patterns: tuple[str, ...], as_json: bool) -> None:
    """List recorded assets: key, path, status. PATTERN is a shell pattern for keys [all]."""
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.json.report import record_document
    from pictify_sync.report.terminal.records import listed
    from pictify_sync.wiring import matcher

    chosen = matcher(patterns or ("*",))
    with project_of(settings) as project:
        store = project.state()
        records = (record for record in store.records() if chosen(record.key))
        if not as_json:
            print_output(map(listed, records))
            return
        for record in records:
            click.echo(record_document(record, store.variables, indent=None))


@state_command.command("export")
@pass_settings
def export_command(settings: str | None) -> None:
    """Write a snapshot to stdout: sorted JSON lines, without the key that sensitive values are hidden with."""
    from pictify_sync.cli.console import JsonOut
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        upkeep.export(project, JsonOut().write)


@state_command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, exists=True))
@pass_settings
def import_command(settings: str | None, file: str) -> None:
    """Read a snapshot into a state that has no history yet. All of it, or nothing."""
    from pictify_sync.report.words import pictures
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        done = upkeep.restore(project, Path(file))
        number = project.state().count()
    if not done.is_proven_whole:
        click.echo(
            f"Warning: {file} was written by an older version: whether it is complete cannot be checked.", err=True
        )
    click.echo(f"Imported {pictures(number)}; the state is at serial {done.serial}.", err=True)


@state_command.command("fetch")
@pass_settings
def fetch_command(settings: str | None) -> None:
    """Fetch the newest state into the cache on this machine; plan and other commands that only read use no network."""
    from pictify_sync.wiring.states import is_remote, place_of

    with project_of(settings) as project:
        place, store = place_of(project.settings), project.fetch()
        if not is_remote(project.settings):
            click.echo(f"Nothing to fetch: the state is the file {place}.", err=True)
        elif store.lineage:
            click.echo(f"Fetched {place}: serial {store.serial()}, {store.count():,} recorded.", err=True)
        else:
            click.echo(f"There is no {place} yet: the first apply makes it.", err=True)


@state_command.command("bind")
@pass_settings
def bind_command(settings: str | None) -> None:
    """Bind the state to this project, after its folder was renamed or its repository moved.

    A state is used by the project that made it, and refuses all others.
    """
    from pictify_sync.core.binding import project_title
    from pictify_sync.report.safe import safe
    from pictify_sync.wiring import upkeep
    from pictify_sync.wiring.states import place_of

    with project_of(settings) as project:
        title = project_title(upkeep.bind(project))
        place = place_of(project.settings)
    click.echo(f"The state {safe(place)} belongs to the project {safe(title)} now.", err=True)


@state_command.command("compact")
@pass_settings
def compact_command(settings: str | None) -> None:
    """Forget the history, keep what is recorded, open and spent. Exports stay the same; history and log start empty."""
    from pictify_sync.report.words import count
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        check_state(project)
        forgotten = upkeep.compact(project)
    click.echo(f"Forgotten: {count(forgotten, 'entry', 'entries')}. Nothing recorded was changed.", err=True)


@state_command.command("rm")
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@pass_settings
def rm_command(settings: str | None, patterns: tuple[str, ...]) -> None:
    """Forget matching assets; their files stay where they are. PATTERN is a shell pattern for keys."""
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.terminal.records import taken
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        check_state(project)
        print_output(taken(upkeep.edit_state(project).forget(patterns), "forgotten"))


@state_command.command("mv")
@click.argument("old")
@click.argument("new")
@pass_settings
def mv_command(settings: str | None, old: str, new: str) -> None:
    """Record the asset OLD under the key NEW; its file stays until the next apply."""
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.terminal.records import taken
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        check_state(project)
        print_output(taken([upkeep.edit_state(project).rename(old, new)], "renamed"))


@state_command.command("rebuild")
@click.option("--check", is_flag=True, help="Only check whether the tables match the log; exit with 1 if not.")
@pass_settings
def rebuild_command(settings: str | None, check: bool) -> int:
    """Rebuild all tables from the log."""
    from pictify_sync.report.words import count
    from pictify_sync.wiring import upkeep

    with project_of(settings) as project:
        if check:
            found = upkeep.verify(project)
            for problem in found:
                click.echo(problem)
            return 1 if found else 0
        serial = upkeep.rebuild(project)
    click.echo(f"Rebuilt from {count(serial, 'entry', 'entries')}.", err=True)
    return 0
