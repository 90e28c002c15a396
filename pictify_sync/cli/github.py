"""`github ...`: the steps of the GitHub action. Each reads the action's inputs and the event from the environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import project_of, reporting

if TYPE_CHECKING:
    from pictify_sync.github.branch import OutputBranch
    from pictify_sync.github.inputs import Inputs
    from pictify_sync.github.proposal import Places
    from pictify_sync.github.steps import Step
    from pictify_sync.wiring import Project

ASIDE = ".pictify-sync/set-aside"  # of the project: files that an artifacts branch does not hold
_DIFFERS = 2  # exit code of --check and --detailed-exitcode; here the input fail-on-drift decides what that means
_WHOLE = "whole"  # a file that tells the next step: the output folder is what the artifacts branch holds


@click.group("github")
def github_command() -> None:
    """Run the steps of the GitHub action, in this order."""


@github_command.command("prepare")
def prepare_command() -> None:
    """Check the inputs. For a proposal, replace its settings by those of its base."""
    from pictify_sync.github.inputs import inputs_json, refuse_event
    from pictify_sync.github.proposal import all_settings_from_base, refuse_kept, settings_from_base
    from pictify_sync.settings import FILE

    with _step() as step:
        inputs, base = step.inputs, step.run.base_sha
        refuse_event(inputs, step.run)
        shutil.rmtree(step.folder, ignore_errors=True)  # of another use of the action in this job
        step.folder.mkdir(parents=True)
        if base is not None:
            refuse_kept(base, os.environ)
            changed = all_settings_from_base(FILE, base, os.environ)
            if settings_from_base(Path(inputs.settings or FILE), base, os.environ) or changed:
                step.reporter.notice(
                    "The settings are those of the base: what this proposal changes in them counts after its merge."
                )
            with project_of(inputs.settings, inputs.manifests) as project:
                refuse_kept(base, os.environ, _places(project, inputs))
        step.reporter.put({"folder": str(step.folder), "artifact": inputs.artifact, "inputs": inputs_json(os.environ)})


@github_command.command("fetch")
def fetch_command() -> int:
    """Fetch what a plan reads: the state, and the output folder of the artifacts branch."""
    from pictify_sync.cli.root import run as run_line
    from pictify_sync.github.commands import fetch_history

    with _step() as step, project_of(step.inputs.settings, step.inputs.manifests) as project:
        branch = _branch(step, project)
        if branch is not None:
            _lay_out(branch, project, step)
    code = run_line([*_settings(step.inputs), "state", "fetch"])
    if code == 0 and step.inputs.command == "apply":
        with _step() as step, project_of(step.inputs.settings, step.inputs.manifests) as project:
            last = project.state().applied()
            if last is not None:  # whether the commit checked out is older is known from the commits between
                fetch_history(last.commit, os.environ)
    return code


@github_command.command("approvals")
def approvals_command() -> None:
    """Find the plans that were reviewed, and keep them for the next step."""
    with _step() as step:
        step.fetch_approved()


@github_command.command("run")
def run_command() -> int:
    """Run the command of the inputs; write its report to the job summary."""
    from pictify_sync.cli.root import run as run_line
    from pictify_sync.providers.registry import specs

    with _step() as step:
        list(specs())  # each provider's key is a secret
        step.mask_secrets()
        if (step.folder / _WHOLE).exists():  # all pictures are expected where they were laid out from a branch
            os.environ["PICTIFY_SYNC_SHARED_OUTPUT"] = "true"
        code = run_line([*_settings(step.inputs), *step.command_line()])
        code = 0 if code == _DIFFERS else code
        if code == 0 and step.inputs.command == "plan" and step.inputs.preview:
            (step.folder / "summary.md").unlink(missing_ok=True)
            code = run_line([*_settings(step.inputs), *step.preview_line()])
        step.summarize()
    return code


@github_command.command("keep")
def keep_command() -> None:
    """Commit the output folder to the artifacts branch."""
    with _step() as step, project_of(step.inputs.settings, step.inputs.manifests) as project:
        branch = _branch(step, project)
        if branch is not None:
            step.print_message("Pictures committed." if branch.keep() else "The branch holds these pictures already.")


@github_command.command("comment")
def comment_command() -> None:
    """Write the report as the one comment of the pull request."""
    with _step() as step:
        step.comment()


@github_command.command("issue")
def issue_command() -> None:
    """Open or update the issue that reports drift; close it when there is none any more."""
    with _step() as step:
        step.issue()


@contextmanager
def _step() -> Iterator[Step]:
    """Read inputs and event; credentials and settings of the inputs go to whatever runs in this process."""
    from pictify_sync.github.commands import credentials
    from pictify_sync.github.event import read_run
    from pictify_sync.github.inputs import read_inputs
    from pictify_sync.github.steps import Step

    with reporting(github=True) as reporter:
        inputs, run = read_inputs(os.environ), read_run(os.environ)
        if inputs.artifacts:
            os.environ["PICTIFY_SYNC_ARTIFACTS"] = inputs.artifacts
        os.environ.update(credentials(os.environ))
        yield Step(inputs, run, os.environ, reporter, lambda text: click.echo(text, err=True))


def _settings(inputs: Inputs) -> tuple[str, ...]:
    """Return the options that choose the settings, also of a command without paths: those that the paths belong to."""
    from pictify_sync.wiring import find_place

    if inputs.settings:
        return ("--settings", inputs.settings)
    place = find_place(inputs.manifests, Path.cwd(), os.environ)
    return ("--settings", str(place.file)) if place.file and place.folder != Path.cwd() else ()


def _places(project: Project, inputs: Inputs) -> Places:
    """Return where the project keeps what no proposal may bring, and its manifests, also those of the inputs."""
    from pictify_sync.github.proposal import Places
    from pictify_sync.wiring.finding import before_magic
    from pictify_sync.wiring.states import local_place

    settings, manifests = project.settings, inputs.manifests
    folders = [*project.own_folders(), *([settings.inbox] if "://" not in settings.inbox else [])]
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    return Places(
        state=local_place(settings),
        folders=tuple(map(settings.path, folders)),
        manifests=(settings.path(settings.manifests), *(Path.cwd() / before_magic(one) for one in manifests)),
        project=workspace / os.environ.get("INPUT_WORKING_DIRECTORY", "."),
    )


def _branch(step: Step, project: Project) -> OutputBranch | None:
    return step.branch(Path(os.path.normpath(project.settings.path(project.settings.output))))


def _lay_out(branch: OutputBranch, project: Project, step: Step) -> None:
    """Make the output folder what the branch holds; what was in the way may be of an earlier run."""
    if not branch.lay_out(project.settings.path(ASIDE)):
        step.reporter.notice("The artifacts branch does not exist yet; the first apply makes it.")
        return
    (step.folder / _WHOLE).touch()
    if branch.moved:
        step.reporter.notice(
            f"{branch.moved:,} files that the artifacts branch does not hold in this form were moved to {ASIDE}."
        )
