"""`doctor`: look at everything that an apply depends on, and find out a service's dialect."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import json_option, pass_settings, project_of

if TYPE_CHECKING:
    from pictify_sync.core.dialect import Standing
    from pictify_sync.core.health import Check
    from pictify_sync.report.json.documents import LiveCheck
    from pictify_sync.wiring import Project


@dataclass(slots=True)
class Examination:
    """What one run of the command found; checks are said as they come, unless a document is asked for."""

    quiet: bool
    checks: list[Check] = field(default_factory=list)
    dialects: tuple[Standing, ...] = ()
    live: LiveCheck | None = None

    def note(self, check: Check) -> None:
        """Keep a check, and say it."""
        from pictify_sync.cli.console import print_output
        from pictify_sync.report.terminal.health import check_line

        self.checks.append(check)
        if not self.quiet:
            print_output([check_line(check)])
            sys.stdout.flush()


@click.command("doctor")
@click.option("--live", is_flag=True, help="Render up to 4 pictures to find out how the service answers.")
@click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")
@click.option("--provider", help="Provider that --live checks [provider of the settings].")
@json_option
@pass_settings
def doctor_command(settings: str | None, live: bool, yes: bool, provider: str | None, as_json: bool) -> int:
    """Check settings, account, templates, webhooks, state, output folder and engine. Changes nothing.

    With --live up to 4 small pictures are rendered, which the account is billed for. What they show of the service's
    dialect is recorded in the state, and used by plan and apply from then on. Exits with 1 when anything is an error.
    """
    from pictify_sync.cli.console import print_output
    from pictify_sync.core.health import healthy
    from pictify_sync.errors import InputError
    from pictify_sync.report.json.report import health_document
    from pictify_sync.report.terminal.health import verdict_line
    from pictify_sync.workflows.doctor.checks import problems

    found = Examination(quiet=as_json)
    try:
        with project_of(settings) as project:
            _look(project, found, (provider or project.settings.provider) if live else None, yes=yes)
    except InputError as error:  # of the settings: nothing else can be looked at
        for check in problems("settings", settings or "", error.problems):
            found.note(check)
    good = healthy(found.checks) and (not live or (found.live is not None and found.live.found))
    if as_json:
        click.echo(health_document(found.checks, found.dialects, found.live, good=good))
    else:
        print_output([verdict_line(found.checks)])
    return 0 if good else 1


def _look(project: Project, found: Examination, live: str | None, *, yes: bool) -> None:
    """Make all checks, then the live one of a provider if one is named."""
    from pictify_sync.core.health import Health
    from pictify_sync.wiring import doctor

    service = "" if live is None else doctor.live_service(project, live)
    ask = _asking(service, yes=yes) if live else None
    for check in doctor.examine(project):
        found.note(check)
    broken = any(one.health is Health.ERROR and one.subject in ("account", "state") for one in found.checks)
    if live and ask and broken:
        click.echo("Nothing was rendered. Fix these errors first, then run doctor again.", err=True)
    elif live and ask and ask():
        _explore(project, found, live, service)
    found.dialects = doctor.known(project)


def _explore(project: Project, found: Examination, provider: str, service: str) -> None:
    from pictify_sync.cli.console import StopSignal, print_output
    from pictify_sync.core.health import Check, Health
    from pictify_sync.errors import ProviderError
    from pictify_sync.report.json.report import live_check
    from pictify_sync.report.terminal.health import live_lines
    from pictify_sync.wiring import doctor

    try:
        with StopSignal().watching() as stop:
            done = doctor.explore(project, provider, stop)
    except ProviderError as error:
        found.note(Check("dialect", service, Health.ERROR, error.message, error.hint))
        return
    found.live = live_check(done, provider, service)
    if not found.quiet:
        print_output(live_lines(done, service))


def _asking(service: str, *, yes: bool) -> Callable[[], bool]:
    """How to ask whether to render. Raises UsageError at once when stdin is not a terminal."""
    from pictify_sync.cli.console import confirmed, is_asked
    from pictify_sync.core.dialect import MAX_RENDERS
    from pictify_sync.errors import UsageError
    from pictify_sync.report.safe import safe

    if yes:
        return lambda: True
    if not is_asked():
        text = "stdin is not a terminal, so doctor cannot ask for confirmation; nothing was rendered"
        raise UsageError(text, hint="pass --yes")
    question = f"Render up to {MAX_RENDERS} pictures at {safe(service)}, which bills them?"

    return lambda: confirmed(question, "Nothing was rendered.")
