"""`apply`: bring provider, files and state to where the manifests, or a saved plan, say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import (
    check_choice,
    check_manifests,
    choice_of,
    choice_options,
    github_option,
    json_option,
    pass_settings,
    paths_argument,
    project_of,
    reporting,
    with_options,
)
from pictify_sync.cli.pages import Pages, page_options, pages_of

if TYPE_CHECKING:
    from collections.abc import Set

    from pictify_sync.core.model import AssetKey
    from pictify_sync.core.plan import Plan
    from pictify_sync.github.runner import StepReporter
    from pictify_sync.manifest.desired import Manifests
    from pictify_sync.wiring import ApplyRun, Consent, Project
    from pictify_sync.workflows.apply.outcome import ApplySummary

own_options = with_options(
    click.option("--yes", is_flag=True, help="Skip the confirmation prompt."),
    click.option("--allow-deletes", is_flag=True, help="Allow more deletes than the guard does."),
    click.option("--allow-older", is_flag=True, help="Apply a commit that is older than the one applied last."),
    click.option(
        "--approve",
        multiple=True,
        metavar="DIGEST|FILE|none",
        help="Apply only the work that this digest, or these saved plans, name (repeatable).",
    ),
    click.option(
        "--max-failure-rate",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="SHARE",
        help="Exit with 0 unless more than this share of the pictures failed [0].",
    ),
    click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when pictures still wait to be published."),
)


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the command line asks for."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    exclude: tuple[str, ...]
    replace: tuple[str, ...]
    yes: bool
    allow_deletes: bool
    allow_older: bool
    approve: tuple[str, ...]
    max_failure_rate: float
    detailed_exitcode: bool

    @property
    def saved(self) -> Path | None:
        """The saved plan, when the only path is one. Raises UsageError for a plan beside other paths."""
        from pictify_sync.cli.plan_files import is_plan
        from pictify_sync.errors import UsageError

        plans = [one for one in self.paths if is_plan(one)]
        if plans and len(self.paths) > 1:
            raise UsageError(f"{plans[0]} is a saved plan, and is applied alone", hint="name no other path")
        return Path(plans[0]) if plans else None


@click.command("apply")
@paths_argument
@own_options
@choice_options
@page_options
@json_option
@github_option
@pass_settings
def apply_command(settings: str | None, /, as_json: bool, github: bool, **options: object) -> int:
    """Render, fetch and publish what the manifests ask for; move and remove what they no longer do.

    PATH is a manifest, a folder, a glob [the manifests folder of the settings], or a plan saved by 'plan --out', which
    is then carried out as it is. What an earlier run left unfinished is finished first. Exits with 1 when any picture
    was not made.
    """
    from pictify_sync.cli.console import StopSignal, print_output, progress
    from pictify_sync.report.json.report import apply_document
    from pictify_sync.report.outcome import EventRecorder, review_of_apply
    from pictify_sync.report.terminal.summary import summary_lines
    from pictify_sync.wiring import ApplyRun
    from pictify_sync.wiring.session import ignored
    from pictify_sync.workflows.apply.outcome import ApplySummary

    pages, recorder, began = pages_of(options), EventRecorder(), monotonic()
    asked, stop = ApplyOptions(**options), StopSignal()  # type: ignore[arg-type]
    with reporting(github=github) as reporter, project_of(settings, asked.paths) as project:
        project.refuse_own(asked.paths)
        project.fetch()
        asked = _check_age(project, asked)
        consent = _consent(project, asked)
        loaded, since = _load(project, asked, consent), project.state().serial()
        with stop.watching(), progress() as sink:
            done = ApplyRun(project, recorder.watching(sink), stop).recover()
        agreed = idle = False
        if not stop():
            plan, manifests = loaded or _plan(ApplyRun(project, ignored, stop), asked, reporter)
            _show(plan, project, as_json=as_json)
            reporter.put_plan(plan)
            planned = frozenset() if asked.yes and not asked.approve else _planned(plan)
            agreed, idle = plan.is_empty or _agreed(project, plan, asked, consent, pages), plan.is_empty
            if agreed:  # an empty plan too: `protect` may differ, which needs no render
                with stop.watching(), progress() as sink:
                    run = ApplyRun(project, recorder.watching(sink), stop, allow_older=asked.allow_older)
                    again = None if loaded else Replanner(run, asked, consent, planned, manifests)
                    done = run.carry_out(
                        plan, manifests, again or (lambda _: None), done, since=since if loaded else None
                    )
            reporter.annotate_failures(done.failed, plan.changes)
        if as_json:
            click.echo(apply_document(done))
        elif done != ApplySummary(kept=done.kept) or (agreed and not idle):
            print_output(summary_lines(done, project.remedies(), again="pictify-sync apply"))
        if pages and (agreed or stop()):
            review = review_of_apply(done, recorder, project.remedies(), seconds=monotonic() - began)
            pages.write_pictured(review, project, recorder.stored())
    return _code(done, asked) if agreed else 1


def _check_age(project: Project, asked: ApplyOptions) -> ApplyOptions:
    """Refuse to undo what a newer commit asked for; warn where the two cannot be compared.

    With a state of the project's own, whoever is asked at the terminal may say yes to it.
    """
    from pictify_sync.cli.console import is_asked
    from pictify_sync.errors import OlderCommit
    from pictify_sync.wiring.older import is_shared, refuse_older

    asks = not (asked.yes or asked.approve or asked.saved) and is_asked()
    try:
        warning = refuse_older(project, allowed=asked.allow_older)
    except OlderCommit as error:
        if is_shared(project) or not asks:
            raise
        warning, asked = error.message, replace(asked, allow_older=True)
    if warning:
        project.notice(f"Warning: {warning}")
    return asked


def _load(project: Project, asked: ApplyOptions, consent: Consent) -> tuple[Plan, None] | None:
    """Read a saved plan, and refuse one that is stale or not approved, before anything is asked of a provider."""
    from pictify_sync.errors import UsageError

    if asked.saved is None:
        check_manifests(project, asked.paths)
        if not project.state().lineage:
            project.read(asked.paths)  # no project begins where its manifests are wrong
        return None
    if asked.select or asked.exclude or asked.replace:
        raise UsageError(
            "a saved plan is carried out as it is: --select, --exclude and --replace are for plan",
            hint="give them to pictify-sync plan --out",
        )
    plan = project.load_plan(asked.saved)
    project.check(plan, consent)
    return plan, None


def _plan(run: ApplyRun, asked: ApplyOptions, reporter: StepReporter) -> tuple[Plan, Manifests]:
    from pictify_sync.cli.console import print_message
    from pictify_sync.report.terminal.problems import problem_lines

    choice = choice_of(asked.select, asked.exclude, asked.replace)
    plan, manifests = run.plan(asked.paths, choice)
    print_message(problem_lines(manifests.problems))
    reporter.annotate(manifests.problems)
    print_message(check_choice(plan, choice))
    return plan, manifests


def _planned(plan: Plan) -> frozenset[AssetKey]:
    """What a plan does something about: its changes are worked out again when they are read, by the state as it is."""
    from pictify_sync.core.model import Action

    idle = (Action.KEEP, Action.BLOCKED)
    return frozenset(change.key for change in plan.changes if change.action not in idle)


@dataclass(frozen=True, slots=True)
class Replanner:
    """Plans once more in the same apply, for what the first plan could not know."""

    run: ApplyRun
    asked: ApplyOptions
    consent: Consent
    planned: frozenset[AssetKey]  # what was agreed to; with --yes anything is that the guard lets through
    manifests: Manifests | None  # what was agreed to asks for; the run sends nothing else

    def __call__(self, lost: Set[AssetKey]) -> Plan:
        """Plan what is left; of what `--replace` named, only what is `lost`, for the rest is made.

        Raise NotApproved when the manifests changed, or other runs made other work necessary, UnsafePlan when it is too
        much.
        """
        from pictify_sync.errors import NotApproved

        asked = self.asked
        choice = replace(choice_of(asked.select, asked.exclude, asked.replace), replace_only=frozenset(lost))
        plan, manifests = self.run.plan(asked.paths, choice)
        if self.manifests is not None and not manifests.is_same_as(self.manifests):
            raise NotApproved("the manifests, or their templates, changed since the plan", hint="plan again, and apply")
        if asked.yes and not asked.approve:
            self.run.project.check(plan, replace(self.consent, digests=(), plans=(), nothing=False))
        elif beyond := sorted(_planned(plan) - self.planned):
            few = f"{len(beyond):,} changes that were not in it are" if len(beyond) > 1 else "a change not in it is"
            raise NotApproved(
                f"the state changed since the plan, and {few} due now, for example {beyond[0]}",
                hint="review the new plan and apply it",
            )
        return plan


def _consent(project: Project, asked: ApplyOptions) -> Consent:
    """What the user agreed to on the command line; an approved plan is read before anything is done."""
    from pictify_sync.cli.options import approved

    given = approved(project, asked.approve)
    return replace(given, allow_deletes=asked.allow_deletes, saved=asked.saved is not None)


def _show(plan: Plan, project: Project, *, as_json: bool) -> None:
    from pictify_sync.cli.console import print_message, print_output
    from pictify_sync.report.terminal.plan import plan_lines

    (print_message if as_json else print_output)(plan_lines(plan, project.state().variables))


def _agreed(project: Project, plan: Plan, asked: ApplyOptions, consent: Consent, pages: Pages) -> bool:
    """Hold a plan against the guard and what was approved, and ask where nobody has agreed yet.

    The pages show a plan that is refused.
    """
    from pictify_sync.errors import NotApproved, UnsafePlan
    from pictify_sync.report.view import review_of_plan

    if consent.saved:
        return True  # it was checked before anything was done
    try:
        project.check(plan, consent)
    except (NotApproved, UnsafePlan):
        if pages:
            pages.write(review_of_plan(project.guarded(plan), project.state().variables), {})
        raise
    return asked.yes or bool(asked.approve) or _asked(project, plan)


def _asked(project: Project, plan: Plan) -> bool:
    """Ask on the terminal; Ctrl-C and the end of input are a no."""
    from pictify_sync.cli.console import confirmed, is_asked
    from pictify_sync.errors import UsageError
    from pictify_sync.report.view import TERMINAL, PlanView

    if not is_asked():
        hint = "pass --yes or --approve DIGEST, or apply a saved plan"
        raise UsageError(
            "stdin is not a terminal, so apply cannot ask for confirmation; nothing was changed", hint=hint
        )
    headline = PlanView(plan, project.state().variables, TERMINAL).headline()
    return confirmed(f"{headline.text} Apply these changes?", "Not applied: nothing was changed.")


def _code(done: ApplySummary, asked: ApplyOptions) -> int:
    """Any failure is an error, unless a share of them is allowed; what only waits is none."""
    if done.interrupted or done.stopped or done.in_doubt or done.taken:
        return 1
    tried = len(done.failed) + done.stored + done.unresolved
    if done.failed and len(done.failed) > asked.max_failure_rate * tried:
        return 1
    return 2 if asked.detailed_exitcode and (done.waiting or done.unresolved or done.postponed) else 0
