"""Arguments and options that several commands share, and the project that they run in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pictify_sync.core.plan import Plan
    from pictify_sync.github.runner import StepReporter
    from pictify_sync.report.words import Line
    from pictify_sync.wiring import Choice, Consent, Project

COMPARED = 200_000  # keys that a slip of the pen is compared with
Command = TypeVar("Command", bound=Callable[..., Any])


def with_options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Apply decorators so that help lists them in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


paths_argument = click.argument("paths", nargs=-1, metavar="[PATH]...")
json_option = click.option("--json", "as_json", is_flag=True, help="Print a versioned JSON document.")
select_option = click.option("--select", multiple=True, metavar="PATTERN", help="Only keys that match (repeatable).")
exclude_option = click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave out keys that match (repeatable)."
)
replace_option = click.option(
    "--replace", multiple=True, metavar="PATTERN", help="Render keys that match again (repeatable)."
)
choice_options = with_options(select_option, exclude_option, replace_option)
github_option = click.option(
    "--github", is_flag=True, help="For GitHub Actions: annotate files with problems, and set outputs of the step."
)
pass_settings = click.pass_obj


@contextmanager
def project_of(settings: str | None, paths: Sequence[str] = ()) -> Iterator[Project]:
    """The project that a command runs in, closed at the end: of the settings file, of the paths, or found upwards.

    One in another folder than the working one is named on stderr.
    """
    from pictify_sync.wiring import Place, find_place, open_project

    cwd = Path.cwd()
    place = Place(cwd, Path(settings)) if settings else find_place(paths, cwd, os.environ)
    if place.folder != cwd:
        click.echo(f"Project: {place.folder}" + ("" if place.file else " (without a settings file)"), err=True)
    project = open_project(place.file if place.folder != cwd or settings else None, os.environ, place.folder)
    project.notice, project.is_chosen = _notice, settings is not None
    for problem in project.settings.warnings:
        _notice(f"Warning: {problem}")
    try:
        yield project
    finally:
        project.close()


@contextmanager
def reporting(*, github: bool) -> Iterator[StepReporter]:
    """Report to the runner of a GitHub Actions step, also the error that ends the command; only with --github."""
    from pictify_sync.cli.streams import write_commands
    from pictify_sync.errors import PictifySyncError
    from pictify_sync.github.runner import StepReporter
    from pictify_sync.report.safe import safe

    reporter = StepReporter(os.environ, write_commands if github else None, safe)
    try:
        yield reporter
    except PictifySyncError as error:
        reporter.fail(error)
        raise


def _notice(text: str) -> None:
    from pictify_sync.cli.console import print_message
    from pictify_sync.report.safe import safe
    from pictify_sync.report.words import Line, Tone

    print_message([Line(safe(text), Tone.WARN)])


def choice_of(select: tuple[str, ...], exclude: tuple[str, ...], replace: tuple[str, ...]) -> Choice:
    """Bind the patterns of a command line."""
    from pictify_sync.wiring import Choice

    return Choice(select, exclude, replace)


def approved(project: Project, given: tuple[str, ...]) -> Consent:
    """Bind digests, files of saved plans, which are read and checked at once, and the word `none`."""
    from pictify_sync.cli.plan_files import is_digest
    from pictify_sync.wiring import Consent

    plans = tuple(project.load_plan(Path(one)) for one in given if one != "none" and not is_digest(one))
    digests = tuple(filter(is_digest, given))
    return Consent(digests=digests, plans=plans, nothing=bool(given) and not digests and not plans)


def check_manifests(project: Project, paths: tuple[str, ...]) -> None:
    """Refuse to look for manifests where there is no folder of them, or in a saved plan, and say what to do."""
    from pictify_sync.cli.plan_files import holds_plan
    from pictify_sync.errors import UsageError
    from pictify_sync.report.safe import for_shell

    project.refuse_own(paths)
    for path in paths:
        if Path(path).is_file() and holds_plan(path):
            hint = f"carry it out with: pictify-sync apply {for_shell(path)}"
            raise UsageError(f"{path} is a saved plan, and no manifest", hint=hint)
    folder = project.settings.manifests
    if not paths and not os.path.lexists(project.settings.path(folder)):
        raise UsageError(
            f"there is no '{folder}' here", hint="run pictify-sync init to write a first project, or name a PATH"
        )


def check_state(project: Project) -> None:
    """Bring the state to its newest; refuse to go on without one, instead of making it."""
    from pictify_sync.errors import UsageError

    if not project.fetch().lineage:
        raise UsageError("there is no state yet", hint="run pictify-sync apply to create it")


def check_choice(plan: Plan, choice: Choice) -> Iterator[Line]:
    """Warn of a selection that nothing matches: most often a slip of the pen."""
    from pictify_sync.core.model import Reason
    from pictify_sync.report.words import Line, Tone

    if choice.select and not plan.summary.actions:
        yield Line(f"Warning: no key matches --select {_words(choice.select)}", Tone.WARN)
    elif choice.replace and not any(reason is Reason.REQUESTED for _, reason in plan.summary.reasons):
        yield Line(f"Warning: no key matches --replace {_words(choice.replace)}", Tone.WARN)


def _words(patterns: tuple[str, ...]) -> str:
    from pictify_sync.report.safe import for_shell

    return ", ".join(map(for_shell, patterns))


def near(key: str, known: Iterable[str]) -> str:
    """Return a hint that names the known keys most like one that is not known."""
    from pictify_sync.nearest import closest

    keys = list(known)
    below = [other for other in keys if other.startswith((f"{key}@", f"{key}/")) or f"/{key}@" in other]
    like = below or closest(key, islice(keys, COMPARED), 3)
    return f"did you mean {' or '.join(like[:3])}?" if like else "pictify-sync state list shows what is recorded"
