"""`plan`: what an apply would change."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TextIO, cast

import click

from pictify_sync.cli.options import (
    approved,
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
from pictify_sync.cli.pages import page_options, pages_of

own_options = with_options(
    click.option("--out", type=click.Path(dir_okay=False, writable=True), help="Save the plan, for apply or approval."),
    click.option(
        "--check-against",
        multiple=True,
        metavar="DIGEST|FILE|none",
        help="Refuse, with exit code 1, work that this digest or these saved plans do not name (repeatable).",
    ),
    click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes."),
    click.option(
        "--warn-only", is_flag=True, help="Do not exit with 1 for what the guard refuses: this plan will be reviewed."
    ),
    click.option("--full", is_flag=True, help="Show every change, and all of a template's html."),
)


@click.command("plan")
@paths_argument
@own_options
@choice_options
@page_options
@json_option
@github_option
@pass_settings
def plan_command(settings: str | None, /, paths: tuple[str, ...], as_json: bool, **options: object) -> int:
    """Show what an apply would change: reads manifests and state, opens no connection, needs no key.

    PATH is a manifest, a folder or a glob [the manifests folder of the settings]; given paths never delete assets of
    other manifests. PATTERN is a shell pattern for keys, as 'country-cards/*@square'; a bare name means all below it.
    Exits with 1 when an apply would refuse the plan (settings: guard).
    """
    from pictify_sync.cli.console import JsonOut, print_message, print_output
    from pictify_sync.report.safe import for_shell
    from pictify_sync.report.terminal.plan import plan_lines
    from pictify_sync.report.terminal.problems import problem_lines
    from pictify_sync.report.view import review_of_plan
    from pictify_sync.report.words import Line

    pages = pages_of(options)
    choice = choice_of(options["select"], options["exclude"], options["replace"])  # type: ignore[arg-type]
    with reporting(github=bool(options["github"])) as reporter, project_of(settings, paths) as project:
        check_manifests(project, paths)
        agreed = approved(project, options["check_against"])  # type: ignore[arg-type]
        plan, manifests = project.plan(paths, choice)
        if options["check_against"]:  # what was approved is not held against the guard
            plan = replace(plan, refusals=())
        with closing(manifests):
            print_message(problem_lines(manifests.problems))
            reporter.annotate(manifests.problems)
            reporter.put_plan(plan)
            reporter.warn(one.message for one in plan.refusals)
            print_message(check_choice(plan, choice))
            if options["out"]:
                project.save_plan(plan, str(options["out"]))
            if as_json:
                project.write_plan(plan, cast("TextIO", JsonOut()))
            else:
                print_output(plan_lines(plan, project.state().variables, full=bool(options["full"])))
            if options["out"]:
                name = for_shell(str(options["out"]))
                print_message([Line(f"Saved to {name}. Carry out exactly this with: pictify-sync apply {name}")])
            if pages:
                pages.write(review_of_plan(plan, project.state().variables), {})
            if options["check_against"]:
                project.check(plan, agreed)
    if plan.refusals and not options["warn_only"]:
        return 1
    return 2 if options["detailed_exitcode"] and not plan.is_empty else 0
