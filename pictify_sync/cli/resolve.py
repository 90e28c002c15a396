"""`resolve`: decide about a batch whose submission could not be confirmed."""

from __future__ import annotations

import click

from pictify_sync.cli.options import check_state, pass_settings, project_of


@click.command("resolve")
@click.argument("attempt")
@click.option("--adopt", metavar="BATCH_ID", help="The provider took it: continue with this batch id.")
@click.option("--resubmit", is_flag=True, help="Submit it again; the provider may have rendered and billed it already.")
@click.option("--write-off", is_flag=True, help="Record it as billed and lost.")
@pass_settings
def resolve_command(settings: str | None, attempt: str, adopt: str | None, resubmit: bool, write_off: bool) -> None:
    """Resolve a batch whose submission could not be confirmed. ATTEMPT is as status shows it.

    Without this command such a batch is decided after its quarantine (settings: in_doubt).
    """
    from pictify_sync.wiring.session import open_session
    from pictify_sync.workflows.resolve import Resolution, resolve

    chosen = [
        how
        for how, wanted in (
            (Resolution.ADOPT, adopt is not None),
            (Resolution.RESUBMIT, resubmit),
            (Resolution.WRITE_OFF, write_off),
        )
        if wanted
    ]
    if len(chosen) != 1:
        raise click.UsageError("Specify exactly one of --adopt BATCH_ID, --resubmit, --write-off.")
    with project_of(settings) as project:
        check_state(project)
        opened = resolve(open_session(project), attempt, chosen[0], adopt or "")
    click.echo(f"{opened.intended.attempt} resolved. Go on with: pictify-sync apply", err=True)
