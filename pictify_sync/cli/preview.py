"""`preview`: what an apply would change, in pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import (
    check_choice,
    check_manifests,
    choice_of,
    choice_options,
    json_option,
    pass_settings,
    paths_argument,
    project_of,
    with_options,
)
from pictify_sync.cli.pages import page_options, pages_of

if TYPE_CHECKING:
    from pictify_sync.core.model import AssetKey, Change
    from pictify_sync.core.preview import Preview

MOST = 50  # pictures, unless asked for otherwise

own_options = with_options(
    click.option("--max-previews", type=click.IntRange(min=0), default=MOST, show_default=True, metavar="N",
                 help="Changes shown in pictures; manifests take turns, and the rest is listed."),
    click.option("--pictures", type=click.Path(file_okay=False), metavar="DIR", help="Keep the pictures, in a new or "
                 "empty folder."),
)  # fmt: skip


@click.command("preview")
@paths_argument
@own_options
@page_options
@choice_options
@json_option
@pass_settings
def preview_command(settings: str | None, /, paths: tuple[str, ...], as_json: bool, **options: object) -> int:
    """Show what an apply would change in pictures: draws them here, and compares them with those that are stored.

    Nothing is recorded, published or billed, and no key is needed. PATH and PATTERN are those of plan. A picture that
    cannot be drawn is reported, and is no error: in an apply that may depend on the provider.
    """
    from pictify_sync.cli.console import print_message, print_output
    from pictify_sync.report.json.report import previews_document
    from pictify_sync.report.pages.previews import preview_lines
    from pictify_sync.report.terminal.problems import problem_lines
    from pictify_sync.report.view import review_of_plan
    from pictify_sync.wiring.preview import previews

    choice = choice_of(options["select"], options["exclude"], options["replace"])  # type: ignore[arg-type]
    limit = options["max_previews"]
    assert isinstance(limit, int)
    pages = pages_of(options)
    with project_of(settings, paths) as project, _folder(options["pictures"]) as folder:
        check_manifests(project, paths)
        plan, manifests = project.plan(paths, choice)
        with closing(manifests), closing(previews(project, (plan, manifests), folder, limit)) as made:
            print_message(problem_lines(manifests.problems))
            print_message(check_choice(plan, choice))
            found: dict[AssetKey, Preview] = {}
            shown = _noted(made, found) if pages else made
            if as_json:
                click.echo(previews_document(plan.digest, shown, kept=options["pictures"] is not None))
            else:
                print_output(preview_lines(shown))
            if pages:
                pages.write(review_of_plan(plan, project.state().variables), found)
    return 0


@contextmanager
def _folder(given: object) -> Iterator[Path]:
    """Yield the folder for the pictures; one that nobody asked for is gone afterwards."""
    from pictify_sync.errors import UsageError

    if given is None:
        with TemporaryDirectory(prefix="pictify-sync-") as made:
            yield Path(made)
        return
    folder = Path(str(given))
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{given} is not empty", hint="name a new folder: pictures of before would be taken for new")
    yield folder


def _noted(made: Iterable[tuple[Change, Preview]], found: dict[AssetKey, Preview]) -> Iterator[tuple[Change, Preview]]:
    """Pass the previews on, and keep them for the pages."""
    for change, one in made:
        found[one.key] = one
        yield change, one
