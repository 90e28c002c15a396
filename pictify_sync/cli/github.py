"""`github ...`: the steps of the GitHub action. Each reads the action's inputs and the event from the environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.github_workspace import expect_whole, fetch_history, lay_out, notice, places
from pictify_sync.cli.in_actions import Runner, told
from pictify_sync.cli.options import project_of

if TYPE_CHECKING:
    from pictify_sync.github.branch import OutputBranch
    from pictify_sync.github.event import Run
    from pictify_sync.github.inputs import Inputs
    from pictify_sync.wiring import Project

_DIFFERS = 2  # exit code of --check and --detailed-exitcode; here the input fail-on-drift decides what that means


@click.group("github")
def github_command() -> None:
    """The steps of the GitHub action, in their order."""


@github_command.command("prepare")
def prepare_command() -> None:
    """Check the inputs; on a proposal, put the base's settings in place of its own."""
    from pictify_sync.github.base import all_settings_from_base, settings_from_base
    from pictify_sync.github.inputs import refuse_event, told_inputs
    from pictify_sync.github.proposal import refuse_kept
    from pictify_sync.settings import FILE

    with told(github=True) as runner:
        inputs, run = _asked()
        refuse_event(inputs, run)
        folder = _folder(inputs)
        shutil.rmtree(folder, ignore_errors=True)  # of another use of the action in this job
        folder.mkdir(parents=True)
        if run.base_sha is not None:
            refuse_kept(run.base_sha, os.environ)
            changed = all_settings_from_base(FILE, run.base_sha, os.environ)
            if settings_from_base(Path(inputs.settings or FILE), run.base_sha, os.environ) or changed:
                notice("The settings are those of the base: what this proposal changes in them counts after its merge.")
            with project_of(inputs.settings, inputs.manifests) as project:
                refuse_kept(run.base_sha, os.environ, places(project, inputs.manifests))
        runner.put({"folder": str(folder), "artifact": inputs.artifact, "inputs": told_inputs(os.environ)})


@github_command.command("fetch")
def fetch_command() -> int:
    """Bring what a plan reads to this machine: the state, and the output folder of the artifacts branch."""
    from pictify_sync.cli.root import run as run_line

    with told(github=True):
        inputs, _ = _asked()
        with project_of(inputs.settings, inputs.manifests) as project:
            branch = _branch(inputs, project)
            if branch is not None:
                lay_out(branch, project, _folder(inputs))
    code = run_line([*_settings(inputs), "state", "fetch"])
    if code == 0 and inputs.command == "apply":
        with told(github=True), project_of(inputs.settings, inputs.manifests) as project:
            fetch_history(project)
    return code


@github_command.command("approvals")
def approvals_command() -> None:
    """Find the plans that were reviewed, and keep them for the next step."""
    from pictify_sync.errors import GitHubError
    from pictify_sync.github.approvals import fetch_plans, reviewed
    from pictify_sync.github.commands import Api, Refused

    with told(github=True):
        inputs, run = _asked()
        if inputs.approval == "none":
            return
        api = Api(run.repository, os.environ)
        try:
            pulls = reviewed(api, run)
            for number, found in fetch_plans(api, pulls, inputs.plan_artifact, _folder(inputs) / "approved"):
                said = f"Pull request {number}: " + ("its plan is approved." if found else "no plan was found.")
                click.echo(said, err=True)
        except Refused as error:
            hint = "the job needs the permissions actions: read and pull-requests: read"
            raise GitHubError(f"the approved plans cannot be read: {error.message}", hint=hint) from None
        if not pulls:
            click.echo("No pull request stands behind this run: no work is approved.", err=True)


@github_command.command("run")
def run_command() -> int:
    """Run the command of the inputs; write its report to the job summary."""
    from pictify_sync.cli.root import run as run_line

    with told(github=True) as runner:
        inputs, run = _asked()
        folder = _folder(inputs)
        _mask(os.environ)
        expect_whole(folder)
        code = run_line([*_settings(inputs), *_arguments(inputs, run, folder)])
        code = 0 if code == _DIFFERS else code
        if code == 0 and inputs.command == "plan" and inputs.preview:
            number = () if inputs.max_previews is None else ("--max-previews", str(inputs.max_previews))
            (folder / "summary.md").unlink(missing_ok=True)
            words = ["preview", *number, *_pages(folder), *inputs.choosing, *inputs.manifests]
            code = run_line([*_settings(inputs), *words])
        _summarize(folder, runner)
    return code


@github_command.command("keep")
def keep_command() -> None:
    """Commit the output folder to the artifacts branch."""
    with told(github=True):
        inputs, _ = _asked()
        with project_of(inputs.settings, inputs.manifests) as project:
            branch = _branch(inputs, project)
            if branch is not None:
                click.echo("Pictures kept." if branch.keep() else "The branch holds these pictures.", err=True)


@github_command.command("comment")
def comment_command() -> None:
    """Write the report as the one comment of the pull request."""
    from pictify_sync.errors import GitHubError
    from pictify_sync.github import posts
    from pictify_sync.github.commands import Api, Refused

    with told(github=True):
        inputs, run = _asked()
        report = _folder(inputs) / "report.md"
        if inputs.comment == "never" or run.pull_request is None:
            return
        if inputs.comment == "auto" and run.from_fork:
            notice("A run for a fork may not comment: the report is in the summary of this job.")
            return
        mark = posts.mark("plan", inputs.scope)
        words = report.read_text(encoding="utf-8") if report.is_file() else "There is no plan: it failed."
        text = posts.text_of(mark, words, _footer(run))
        quiet = inputs.comment == "auto" and os.environ.get("STEP_CHANGED") != "true"
        try:
            api = Api(run.repository, os.environ)
            done = posts.write_comment(api, run.pull_request.number, mark, text, only_update=quiet)
        except Refused as error:
            if inputs.comment == "always":
                hint = "the job needs the permission pull-requests: write"
                raise GitHubError(f"no comment could be written: {error.message}", hint=hint) from None
            notice(f"No comment could be written ({error.message}): the report is in the summary of this job.")
            return
        click.echo(f"Comment: {done}.", err=True)


@github_command.command("issue")
def issue_command() -> None:
    """Open or update the issue that tells of drift; close it when there is none any more."""
    from pictify_sync.errors import GitHubError
    from pictify_sync.github import posts
    from pictify_sync.github.commands import Api, Refused

    with told(github=True):
        inputs, run = _asked()
        report, changed = _folder(inputs) / "report.md", os.environ.get("STEP_CHANGED")
        if inputs.issue == "never" or changed not in ("true", "false"):
            return
        mark = posts.mark("drift", inputs.scope)
        words = report.read_text(encoding="utf-8") if report.is_file() else "Something differs from what is recorded."
        text = posts.text_of(mark, words, _footer(run)) if changed == "true" else None
        where = "" if inputs.folder == "." else f" in {inputs.folder}"
        try:
            done = posts.write_issue(Api(run.repository, os.environ), f"Pictures drifted{where}", mark, text)
        except Refused as error:
            hint = "the job needs the permission issues: write"
            raise GitHubError(f"no issue could be written: {error.message}", hint=hint) from None
        click.echo(f"Issue: {done}.", err=True)


def _asked() -> tuple[Inputs, Run]:
    """Read inputs and event; credentials and settings of the inputs go to whatever runs in this process."""
    from pictify_sync.github.commands import credentials
    from pictify_sync.github.event import read_run
    from pictify_sync.github.inputs import read_inputs

    inputs, run = read_inputs(os.environ), read_run(os.environ)
    if inputs.artifacts:
        os.environ["PICTIFY_SYNC_ARTIFACTS"] = inputs.artifacts
    os.environ.update(credentials(os.environ))
    return inputs, run


def _settings(inputs: Inputs) -> tuple[str, ...]:
    """The options that choose the settings: also for a command without paths those that the paths belong to."""
    from pictify_sync.wiring import find_place

    if inputs.settings:
        return ("--settings", inputs.settings)
    place = find_place(inputs.manifests, Path.cwd(), os.environ)
    return ("--settings", str(place.file)) if place.file and place.folder != Path.cwd() else ()


def _folder(inputs: Inputs) -> Path:
    """Where the steps of one use of the action leave things for each other."""
    return Path(os.environ.get("RUNNER_TEMP") or ".pictify-sync").resolve() / "pictify-sync" / inputs.artifact


def _arguments(inputs: Inputs, run: Run, folder: Path) -> list[str]:
    """The command line of the run step."""
    approved = [str(file) for file in sorted((folder / "approved").glob("*.json"))] or ["none"]
    reports = _pages(folder)
    match inputs.command:
        case "validate":
            own = []
        case "refresh":
            return ["refresh", "--github", *reports, *inputs.extra]
        case "apply":
            agreed = [word for one in approved for word in ("--approve", one)]
            own = [*reports, *(agreed if inputs.approval == "digest" else ["--yes"])]
        case _:
            own = [*reports, "--out", str(folder / "plan.json")]
            own += ["--warn-only"] if inputs.approval == "digest" else []  # a review, and the merge, allow it
            if run.merge_group is not None and inputs.approval == "digest":
                own += [word for one in approved for word in ("--check-against", one)]
    return [inputs.command, "--github", *own, *inputs.extra, *inputs.manifests]


def _branch(inputs: Inputs, project: Project) -> OutputBranch | None:
    if inputs.artifacts_branch is None:
        return None
    from pictify_sync.github.branch import OutputBranch

    output = Path(os.path.normpath(project.settings.path(project.settings.output)))
    return OutputBranch(inputs.artifacts_branch, output, _folder(inputs) / "branch.git", os.environ)


def _pages(folder: Path) -> list[str]:
    """The reports of a command."""
    files = {"--html": "report.html", "--markdown": "report.md", "--summary": "summary.md"}
    return [word for option, name in files.items() for word in (option, str(folder / name))]


def _summarize(folder: Path, runner: Runner) -> None:
    """Put the report into the job summary, in full or as what fits a comment."""
    from pictify_sync.github.files import append_summary

    place, page = os.environ.get("GITHUB_STEP_SUMMARY"), folder / "report.html"
    for name in ("summary.md", "report.md") if place else ():
        file = folder / name
        if file.is_file() and append_summary(Path(str(place)), file.read_text(encoding="utf-8")):
            break
    runner.put({"report": str(page) if page.is_file() else ""})


def _mask(environ: Mapping[str, str]) -> None:
    """Have the runner hide the secrets that reached us, though they came from elsewhere than its store of secrets."""
    from pictify_sync.cli.runner_log import instruct
    from pictify_sync.credentials import VARIABLES
    from pictify_sync.report.workflow_commands import workflow_command

    values = [environ.get(name, "").strip() for name in VARIABLES]
    secrets = dict.fromkeys(one for value in values for one in (value, *value.split()) if one)
    instruct(workflow_command("add-mask", one) for one in secrets)


def _footer(run: Run) -> str:
    """Where the pictures and the log of this run are."""
    uploaded = os.environ.get("STEP_ARTIFACT_URL", "")
    page = f"[Report with pictures]({uploaded}) · " if uploaded.startswith(f"{run.server}/") else ""
    return f"<sub>{page}[Run {run.run_id}]({run.url}) for {run.sha[:12]}</sub>"
