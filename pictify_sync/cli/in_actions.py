"""`--github`: what a command tells the runner of a GitHub Actions step besides its ordinary output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click

from pictify_sync.core.model import Action, AssetKey, Change
from pictify_sync.core.plan import Plan
from pictify_sync.errors import InputError, PictifySyncError, Problem, Severity

github_option = click.option(
    "--github", is_flag=True, help="For GitHub Actions: annotate files with problems, and set outputs of the step."
)
COUNTED = {
    "creates": Action.CREATE,
    "updates": Action.UPDATE,
    "deletes": Action.DELETE,
    "moves": Action.MOVE,
    "repairs": Action.REPAIR,
}


class Runner:
    """Takes annotations and outputs; without --github it takes nothing."""

    def __init__(self, environ: Mapping[str, str], *, listens: bool) -> None:
        self._environ = environ
        self._listens = listens

    def annotate(self, problems: Sequence[Problem]) -> None:
        """Mark problems at their place in the files of a pull request."""
        if not (self._listens and problems):
            return
        from pictify_sync.cli.runner_log import instruct
        from pictify_sync.report.workflow_commands import problem_commands

        instruct(problem_commands(problems, _folder(self._environ)))

    def warn(self, messages: Iterable[str]) -> None:
        """Say what is about no file."""
        self.annotate([Problem("", 0, 0, text, severity=Severity.WARNING) for text in messages])

    def annotate_failures(self, failed: Sequence[tuple[AssetKey, str, str]], changes: Iterable[Change]) -> None:
        """Mark pictures that failed, (key, code, message), at the rows that ask for them."""
        if not (self._listens and failed):
            return
        from pictify_sync.report.workflow_commands import SHOWN

        told = {key: f"{key} failed: {code}" + (f": {text}" if text != code else "") for key, code, text in failed}
        places = {change.key: change.asset.origin for change in changes if change.key in told and change.asset}
        marked = [Problem(at.file, at.line, 0, told[key]) for key, at in islice(places.items(), SHOWN)]
        self.annotate(marked or [Problem("", 0, 0, text) for text in islice(told.values(), SHOWN)])

    def fail(self, error: PictifySyncError) -> None:
        """Mark an error: each of its problems, or itself."""
        said = f"{error.message}; {error.hint}" if error.hint else error.message
        self.annotate(error.problems if isinstance(error, InputError) else [Problem("", 0, 0, said)])

    def put(self, values: Mapping[str, str | int | bool]) -> None:
        """Set outputs of the step."""
        place = self._environ.get("GITHUB_OUTPUT")
        if self._listens and place:
            from pictify_sync.github.files import append_outputs

            append_outputs(Path(place), values)

    def put_plan(self, plan: Plan) -> None:
        """Set the outputs that tell of a plan."""
        summary = plan.summary
        counts = {name: summary.actions.get(action, 0) for name, action in COUNTED.items()}
        work: dict[str, str | int] = {"renders": summary.renders, "batches": summary.batches, "digest": plan.digest}
        self.put({"changed": not plan.is_empty, **counts, **work})


@contextmanager
def told(*, github: bool) -> Iterator[Runner]:
    """Tell the runner about an error that ends the command, too."""
    runner = Runner(os.environ, listens=github)
    try:
        yield runner
    except PictifySyncError as error:
        runner.fail(error)
        raise


def _folder(environ: Mapping[str, str]) -> str:
    """The working folder as seen from the repository, where annotations count from."""
    workspace, here = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve(), Path.cwd()
    found = here.relative_to(workspace).as_posix() if here.is_relative_to(workspace) else "."
    return "" if found == "." else found
