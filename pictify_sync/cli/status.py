"""`status`: what is recorded, open and failed."""

from __future__ import annotations

import click

from pictify_sync.cli.options import json_option, pass_settings, project_of


@click.command("status")
@click.option("--failed", is_flag=True, help="List the failed assets with their reasons.")
@json_option
@pass_settings
def status_command(settings: str | None, failed: bool, as_json: bool) -> None:
    """Count recorded, open and failed assets."""
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.json.report import status_document
    from pictify_sync.report.terminal.health import dialect_line
    from pictify_sync.report.terminal.records import StatusFacts, census, failed_lines, status_lines
    from pictify_sync.wiring.current_status import capabilities_of, known_dialects
    from pictify_sync.wiring.place import place_note

    with project_of(settings) as project:
        store = project.state()
        if failed and not as_json and store.lineage:
            print_output(failed_lines(store.records(), project.remedies()))
            return
        dialects = known_dialects(project)
        found, opened = census(store.records(), project.settings.provider), store.open_batches()
        names = found.providers | {one.intended.batch.group.provider for one in opened} or {project.settings.provider}
        allowed = capabilities_of(project, names)
        free = tuple(sorted(name for name in allowed if not project.facts(name).billed))
        paid = bool(dialects) or len(free) < len(names)
        services = {name: project.service(name) for name in allowed}
        facts = StatusFacts(
            *(store.lineage, store.serial(), store.ledger(), free, store.obsolete(), paid),
            allowed=allowed,
            services=services,
            place=place_note(project),
        )
        if as_json:
            failures = store.records() if failed else ()
            click.echo(status_document(found, opened, facts, failures, dialects))
        else:
            print_output(status_lines(found, opened, facts))
            print_output(map(dialect_line, dialects))
