"""`apply`: bring provider, files and state to where the manifests, or a saved plan, say."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import (
    choice_of,
    choice_options,
    json_option,
    pass_settings,
    paths_argument,
    project_of,
    with_options,
)

if TYPE_CHECKING:
    from pictify_sync.core.plan import Plan
    from pictify_sync.manifest.desired import Manifests
    from pictify_sync.wiring import ApplyRun, Project
    from pictify_sync.workflows.apply import ApplySummary

own_options = with_options(
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--allow-deletes", is_flag=True, help="Lift the guard's limit on deletes."),
    click.option("--approve", metavar="DIGEST|FILE", help="Do only what this digest, or saved plan, names."),
    click.option(
        "--max-failure-rate",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="SHARE",
        help="Exit with 0 although this share of the pictures failed [0].",
    ),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    exclude: tuple[str, ...]
    replace: tuple[str, ...]
    yes: bool
    allow_deletes: bool
    approve: str | None
    max_failure_rate: float

    @property
    def saved(self) -> Path | None:
        """The saved plan, when the only path is one."""
        only = self.paths[0] if len(self.paths) == 1 else ""
        return Path(only) if only.endswith(".json") else None


@click.command("apply")
@paths_argument
@own_options
@choice_options
@json_option
@pass_settings
def apply_command(settings: str | None, /, as_json: bool, **options: object) -> int:
    """Render, fetch and publish what the manifests ask for; move and remove what they no longer do.

    PATH is a manifest, a folder, a glob [the manifests folder of the settings], or a plan saved by 'plan --out', which
    is then carried out as it is. What an earlier run left unfinished is finished first. Exits with 1 when any picture
    failed.
    """
    from pictify_sync.cli.console import Stopper, progress, say
    from pictify_sync.report.json_report import apply_document
    from pictify_sync.report.summary import summary_lines
    from pictify_sync.wiring import ApplyRun
    from pictify_sync.workflows.apply import combined

    wish = Wish(**options)  # type: ignore[arg-type]
    with project_of(settings) as project, Stopper().watching() as stop:
        with progress() as sink:
            run = ApplyRun(project, sink, stop)
            loaded = _load(project, wish)
            done = run.recover()
        plan, manifests = loaded or _plan(run, wish)
        if not _agreed(project, plan, wish, saved=loaded is not None, as_json=as_json):
            return 1
        with progress() as sink:
            run = ApplyRun(project, sink, stop)
            if not stop():  # an empty plan too: `protect` may differ, which needs no render
                done = combined(done, run.carry_out(plan, manifests, lambda: _again(run, wish, loaded)))
        if as_json:
            click.echo(apply_document(done))
        else:
            say(summary_lines(done, again="pictify-sync apply"))
    return _code(done, wish.max_failure_rate)


def _load(project: Project, wish: Wish) -> tuple[Plan, None] | None:
    """Read a saved plan and refuse it when it is stale, before anything is asked of a provider."""
    from pictify_sync.wiring import Consent

    if wish.saved is None:
        return None
    if wish.select or wish.exclude or wish.replace:
        raise click.UsageError("a saved plan is carried out as it is: --select, --exclude and --replace are for plan")
    plan = project.load_plan(wish.saved)
    project.check(plan, Consent(saved=True))
    return plan, None


def _plan(run: ApplyRun, wish: Wish) -> tuple[Plan, Manifests]:
    from pictify_sync.cli.console import talk
    from pictify_sync.report.problems import problem_lines

    plan, manifests = run.plan(wish.paths, choice_of(wish.select, wish.exclude, wish.replace))
    talk(problem_lines(manifests.problems))
    return plan, manifests


def _again(run: ApplyRun, wish: Wish, loaded: object) -> Plan | None:
    """Plan once more in the same apply, for what the first plan could not know; a saved plan stays as it is."""
    if loaded is not None:
        return None
    return run.plan(wish.paths, choice_of(wish.select, wish.exclude, ()))[0]


def _agreed(project: Project, plan: Plan, wish: Wish, *, saved: bool, as_json: bool) -> bool:
    """Show the plan, hold it against the guard and what was approved, and ask where nobody has agreed yet."""
    from pictify_sync.cli.console import say, talk
    from pictify_sync.report.text import plan_lines
    from pictify_sync.wiring import Consent

    (talk if as_json else say)(plan_lines(plan, project.state().variables))
    if plan.is_empty or saved:
        return True
    by_digest = wish.approve is not None and not wish.approve.endswith(".json")
    approved = project.load_plan(Path(wish.approve)) if wish.approve and not by_digest else None
    digest = wish.approve if by_digest else None
    project.check(plan, Consent(wish.allow_deletes, digest, approved))
    return wish.yes or wish.approve is not None or _asked()


def _asked() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask: agree with --yes, --approve DIGEST, or apply a saved plan")
    answer: str = click.prompt("Apply these changes? Only 'yes' is accepted", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo("Nothing was changed.", err=True)
    return answer == "yes"


def _code(done: ApplySummary, allowed: float) -> int:
    """Any failure is an error, unless a share of them is allowed."""
    if done.interrupted or done.stopped or done.in_doubt:
        return 1
    tried = len(done.failed) + done.stored + done.unresolved
    return 1 if done.failed and len(done.failed) > allowed * tried else 0
